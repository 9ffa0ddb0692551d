"""Class activation maps: slide through the layers, switch the class, compare two classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import numpy as np

from cnnviz_widgets.classifier import Classifier, Layer, Target
from cnnviz_widgets.explain import CAM, EigenCAM, Explainer, Heatmap, Instance, LayerExplainer
from cnnviz_widgets.export import Axis
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.heatmap import HeatmapState, HeatmapView, target_name
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.layout import show_if
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.controls import ClassPicker
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.parts.scales import scales_of
from cnnviz_widgets.views.take.page.wanted import Wanted, layer_axes
from cnnviz_widgets.widgets.slider import SliderMoved

NO_CONTRAST = "no other class"


class CAMView(HeatmapView):
    """Which cells of a layer raise the score of a class, or of that class minus `session.against`.

    Until a layer is chosen, here or in the session, each technique begins at its own: Grad-CAM++ and LayerCAM one block
    before the session's, where their maps still depend on the class. The session's layer stays as it is, so that no
    other view moves when a technique is chosen here; the slider stands where the map is taken.

    All layers of a picture are recorded in one forward pass, and their gradients come from one backward pass a class:
    sliding through the layers calls the network no more.
    """

    topic = "cam"
    family = "cam"
    follows = ("classifier", "picture", "target", "against", "layer")
    against = old_name("against", "session.against")
    settings: ClassVar[Mapping[str, object]] = {"technique": None, "layer_chosen": False}

    def extra_controls(self) -> Sequence[ipywidgets.Widget]:
        session = self.session
        self._extents: dict[object, float] = {}
        self._layer_chosen = session.layer != session.classifier.default_layer
        self.against_picker = ClassPicker(self, self.work, "against", description="minus", none=NO_CONTRAST)
        self.layer_slider = LayerSlider(session, place=self._layer_at)
        self.on(self.layer_slider, SliderMoved, self._pick_layer)
        # A classifier's default layer comes with it, and is no choice.
        self.follow(["classifier"], self._forget_layer, hidden=True)
        self.follow(["layer"], self._follow_layer, hidden=True)
        self.choice.link(lambda _: self._show_what_applies(), ["value"])
        self._show_what_applies()
        return self.against_picker, self.layer_slider

    def _show_what_applies(self) -> None:
        """Leave out what changes nothing in the map: the layer of one that has its own, a class of one without."""
        self.layer_slider.follow()
        show_if(not isinstance(self.technique, CAM), self.layer_slider)
        show_if(not isinstance(self.technique, EigenCAM), self.against_picker)

    def answer_of(self, example: Example, heatmap: Heatmap) -> answers.Answer:
        values = np.zeros_like(heatmap.values) if heatmap.blank else heatmap.values
        rows, columns = heatmap.cells.shape
        of_class = not isinstance(self.technique, EigenCAM)
        name = target_name(example, heatmap.target)
        return answers.class_map(
            values, (rows, columns), name, of_class=of_class, negative_shown=heatmap.signed or heatmap.blank
        )

    @property
    def layer_chosen(self) -> bool:
        """Whether maps are taken at the session's layer, and not where each technique begins by itself."""
        chosen: bool = self._layer_chosen
        return chosen

    @layer_chosen.setter
    def layer_chosen(self, chosen: bool) -> None:
        if not isinstance(chosen, bool):
            raise ValueError(f"`layer_chosen` is True or False, not {chosen!r}.")
        self._layer_chosen = chosen
        self.layer_slider.follow()
        self.refresh()

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        """The slider of the layers, of techniques for which any layer's map is one more product."""
        cheap = type(self.technique).explain is LayerExplainer.explain
        return layer_axes(self.layer_slider, wanted) if cheap else []

    def _pick_layer(self, event: SliderMoved) -> Job:
        self._layer_chosen = True
        before = self.session.layer
        self.layer_slider.choose(event)
        if self.session.layer == before:  # the session was there, but the map was not
            self.refresh()
        return self.work

    def _follow_layer(self) -> None:
        self._layer_chosen |= self.session.layer != self.session.classifier.default_layer
        self.layer_slider.follow()

    def _forget_layer(self) -> None:
        # A comparison may have chosen one of the new network's by then.
        self._layer_chosen = self.session.layer != self.session.classifier.default_layer
        self.layer_slider.describe()

    def _layer_at(self, classifier: Classifier, layer: str) -> Layer:
        """Where the map is taken while the session is at `layer`."""
        technique = self.technique
        if not self._layer_chosen and isinstance(technique, LayerExplainer):
            layer = dataclasses.replace(technique, layer=None).layer_in(classifier)
        return classifier.layer(layer)

    def compute(self) -> Job:
        scene = self.session.scene
        self.announce(scene)
        layer = self._layer_at(scene.classifier, scene.layer).name
        return self.work.start(explained_at(scene, _at(self.technique, layer), layer, self._extents))


def explained_at(scene: Scene, technique: Explainer, layer: str, extents: dict[object, float]) -> Steps:
    """The heatmap at a layer, on a scale of its own and on one for all layers; `extents` keeps the latter's ends."""
    example = scene.example
    yield HeatmapState(example, scene.class_index)
    against = None if scene.against == scene.class_index else scene.against
    tape = example.tape(layer)
    instance = Instance.of(example.classifier, example.pixels, Target(scene.class_index, against), layer, tape)
    for heatmap in technique.explain(instance):
        others = []
        if type(technique).explain is LayerExplainer.explain:  # any layer's map is one more product of what is recorded
            others = [np.array([_extent(technique, instance, extents)], np.float32)]
        scales = scales_of(heatmap.cells, signed=heatmap.signed, others=others, blank=heatmap.blank)
        state = HeatmapState(example, scene.class_index, heatmap, scales, technique)
        if heatmap.progress >= 1:
            return state
        yield state
    return None


def _extent(technique: Any, instance: Instance, known: dict[object, float]) -> float:
    """The largest absolute value of the maps of all layers."""
    key = (instance.tape, _at(technique, None), instance.target)
    if key not in known:
        known.clear()
        layers = (instance.at(layer) for layer in instance.tape.activations)
        known[key] = max(float(_at(technique, None).visible_cells(place).abs().max()) for place in layers)
    return known[key]


def _at(technique: Any, layer: str | None) -> Any:
    return dataclasses.replace(technique, layer=layer) if isinstance(technique, LayerExplainer) else technique
