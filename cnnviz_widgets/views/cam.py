"""Class activation maps: slide through the layers, switch the class, compare two classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import numpy as np
from numpy.typing import NDArray

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
from cnnviz_widgets.views.parts.film_strip import FilmStrip, small_map
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.parts.scales import scales_of
from cnnviz_widgets.views.take.page.wanted import Wanted, layer_axes
from cnnviz_widgets.widgets.slider import SliderMoved
from cnnviz_widgets.widgets.tiles import TilePicked

NO_CONTRAST = "no other class"


class CAMView(HeatmapView):
    """Which cells of a layer raise the score of a class, or of that class minus `session.against`.

    Until a layer is chosen, here or in the session, each technique begins at its own: Grad-CAM++ and LayerCAM one block
    before the session's, where their maps still depend on the class. The session's layer stays as it is, so that no
    other view moves when a technique is chosen here; the slider stands where the map is taken.

    All layers of a picture are recorded in one forward pass, and their gradients come from one backward pass a class:
    sliding through the layers calls the network no more. Where that is so a film strip has the maps of all layers.
    """

    topic = "cam"
    family = "cam"
    follows = ("classifier", "picture", "target", "against", "layer")
    against = old_name("against", "session.against")
    settings: ClassVar[Mapping[str, object]] = {"technique": None, "layer_chosen": False}

    def extra_controls(self) -> Sequence[ipywidgets.Widget]:
        session = self.session
        self._all_maps: dict[object, MapsOfLayers] = {}
        self._asked: object = None
        self._layer_chosen = session.layer != session.classifier.default_layer
        self.against_picker = ClassPicker(self, self.work, "against", description="minus", none=NO_CONTRAST)
        self.layer_slider = LayerSlider(session, place=self._layer_at)
        self.on(self.layer_slider, SliderMoved, self._pick_layer)
        self.strip = FilmStrip(self.layer_slider, "All layers, each on its own scale")
        self.on(self.strip, TilePicked, self._pick_layer)
        # A classifier's default layer comes with it, and is no choice.
        self.follow(["classifier"], self._forget_layer, hidden=True)
        self.follow(["layer"], self._follow_layer, hidden=True)
        self.choice.link(lambda _: self._show_what_applies(), ["value"])
        self._show_what_applies()
        return self.against_picker, self.strip, self.layer_slider

    def _show_what_applies(self) -> None:
        """Leave out what changes nothing in the map: the layer of one that has its own, a class of one without."""
        self.layer_slider.follow()
        show_if(not isinstance(self.technique, CAM), self.layer_slider)
        if not _has_all_layers(self.technique):
            self.strip.show_maps(())
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
        return layer_axes(self.layer_slider, wanted) if _has_all_layers(self.technique) else []

    def _pick_layer(self, event: SliderMoved | TilePicked) -> Job:
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
        asked = scene.example, scene.class_index, scene.against, _at(self.technique, None)
        self.strip.stale |= asked != self._asked
        self._asked = asked
        layers = self.layer_slider.names
        return self.work.start(explained_at(scene, _at(self.technique, layer), layer, layers, self._all_maps))

    def draw(self, state: HeatmapState) -> None:
        """Show the picture, then each heatmap, the last with those of all layers."""
        super().draw(state)
        if state.heatmap is not None and state.heatmap.progress >= 1:
            self.strip.show_maps(state.small_maps)


@dataclasses.dataclass(frozen=True, eq=False)
class MapsOfLayers:
    """The largest absolute value of the maps of all layers, and a small picture of each of some."""

    extent: float
    small: Sequence[NDArray[np.uint8]]


def explained_at(
    scene: Scene, technique: Explainer, layer: str, layers: Sequence[str], known: dict[object, MapsOfLayers]
) -> Steps:
    """The heatmap at a layer, on a scale of its own and on one for all layers, with small maps of `layers`.

    `known` keeps what there is to know of the maps of all layers.
    """
    example = scene.example
    yield HeatmapState(example, scene.class_index)
    against = None if scene.against == scene.class_index else scene.against
    tape = example.tape(layer)
    instance = Instance.of(example.classifier, example.pixels, Target(scene.class_index, against), layer, tape)
    for heatmap in technique.explain(instance):
        maps = _of_all_layers(technique, instance, layers, known) if _has_all_layers(technique) else None
        others = [] if maps is None else [np.array([maps.extent], np.float32)]
        scales = scales_of(heatmap.cells, signed=heatmap.signed, others=others, blank=heatmap.blank)
        small = () if maps is None else maps.small
        state = HeatmapState(example, scene.class_index, heatmap, scales, technique, small)
        if heatmap.progress >= 1:
            return state
        yield state
    return None


def _has_all_layers(technique: Explainer) -> bool:
    """Whether any layer's map is one more product of what one pass records."""
    return type(technique).explain is LayerExplainer.explain


def _of_all_layers(
    technique: Any, instance: Instance, layers: Sequence[str], known: dict[object, MapsOfLayers]
) -> MapsOfLayers:
    technique = _at(technique, None)
    key = (instance.tape, technique, instance.target, tuple(layers))
    if key not in known:
        known.clear()
        cells = {
            layer: technique.visible_cells(instance.at(layer)).detach().cpu().float().numpy()
            for layer in instance.tape.activations
        }
        signed, nothing = technique.is_signed(instance.target), np.zeros((1, 1), np.float32)
        picture = instance.classifier.appearance(instance.pixels)
        small = [small_map(picture, cells.get(layer, nothing), len(layers), signed=signed) for layer in layers]
        extent = max(float(np.abs(of_layer).max()) for of_layer in cells.values())
        known[key] = MapsOfLayers(extent, small)
    return known[key]


def _at(technique: Any, layer: str | None) -> Any:
    return dataclasses.replace(technique, layer=layer) if isinstance(technique, LayerExplainer) else technique
