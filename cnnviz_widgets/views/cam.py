"""Class activation maps: slide through the layers, switch the class, compare two classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.classifier import Classifier, Contrast, Layer, Target
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.explain import (
    CAM,
    AblationCAM,
    EigenCAM,
    Explainer,
    GradCAM,
    GradCAMPlusPlus,
    Heatmap,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    Tape,
    TapeExplainer,
    XGradCAM,
)
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.heatmap import HeatmapView, Shown
from cnnviz_widgets.views.parts.layers import LayerSlider, slidable
from cnnviz_widgets.views.parts.scales import Scale, scales_of
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.picker import Picker

METHODS: Mapping[str, Explainer] = {
    "Grad-CAM": GradCAM(),
    "HiResCAM": HiResCAM(),
    "Grad-CAM++": GradCAMPlusPlus(),
    "LayerCAM": LayerCAM(),
    "XGrad-CAM": XGradCAM(),
    "Eigen-CAM": EigenCAM(),
    "Score-CAM": ScoreCAM(),
    "Ablation-CAM": AblationCAM(),
    "CAM": CAM(),
}
NO_CONTRAST = "no other class"


class CAMView(HeatmapView):
    """Which cells of a layer raise the score of a class.

    Until a layer is chosen, here or in the session, each method begins at its own: Grad-CAM++ and LayerCAM one block
    before the session's, where their maps still depend on the class. The session's layer stays as it is, so that no
    other view moves when a method is chosen here; the slider stands where the map is taken.

    All layers of a picture are recorded in one forward pass, and their gradients come from one backward pass a class:
    sliding through the layers calls the network no more. `against` is a class whose map is subtracted.
    """

    depends_on = ("classifier", "picture", "target", "layer")

    def __init__(
        self, model: object, picture: object = None, *, methods: Mapping[str, Explainer] = METHODS, **options: Any
    ):
        self._against: int | None = None
        self._tapes = _Tapes()
        super().__init__(model, picture, methods=methods, **options)

    @property
    def against(self) -> int | None:
        """The class whose map is subtracted, or None."""
        return self._against

    @against.setter
    def against(self, against: int | str | None) -> None:
        self._against = None if against is None else self.session.classifier.class_index(against)
        self.against_picker.index = 0 if self._against is None else self._against + 1
        self.refresh()

    # -- widgets -------------------------------------------------------------------------------------------------

    def extra_controls(self) -> list[ipywidgets.Widget]:
        self.against_picker = Picker(description="minus", searchable=True, placeholder="search classes")
        self._layer_chosen = self.session.layer != self.session.classifier.default_layer
        self.layer_slider = LayerSlider(self.session, place=self._layer_at)
        self._describe_classifier()
        self.on_control(self.against_picker, self._pick_against)
        self.on_control(self.layer_slider, self._pick_layer)
        return [self.against_picker, self.layer_slider]

    def _pick_against(self, event: Any) -> None:
        self.against = None if event.index == 0 else event.index - 1

    def _pick_layer(self, event: Any) -> None:
        self._layer_chosen = True
        before = self.session.layer
        self.layer_slider.choose(event)
        if self.session.layer == before:  # the session was there, but the map was not
            self.refresh()

    def _layer_at(self, classifier: Classifier, layer: str) -> Layer:
        """Where the map is taken while the session is at `layer`."""
        explainer = self.explainer
        if not self._layer_chosen and isinstance(explainer, TapeExplainer):
            layer = dataclasses.replace(explainer, layer=None).layer_in(classifier)
        return classifier.layer(layer)

    def _choose(self, label: str) -> None:
        super()._choose(label)
        self.layer_slider.follow()

    def _describe_classifier(self) -> None:
        classifier = self.session.classifier
        self.layer_slider.describe()
        self.against_picker.options = [NO_CONTRAST, *classifier.class_names]
        self.against_picker.index = 0

    def session_changed(self, names: set[str]) -> None:
        if "classifier" in names:
            self._against = None
            self._tapes = _Tapes()  # what is still under way has the old one
            self._layer_chosen = False
            self._describe_classifier()
        if "layer" in names:
            # With a classifier comes its default layer.
            self._layer_chosen |= self.session.layer != self.session.classifier.default_layer
            self.layer_slider.follow()

    # -- work ----------------------------------------------------------------------------------------------------

    def placed(self, explainer: Explainer, scene: Scene) -> Explainer:
        if not any(field.name == "layer" for field in dataclasses.fields(explainer)):  # type: ignore[arg-type]
            return explainer
        layer = self._layer_at(scene.classifier, scene.layer).name
        return dataclasses.replace(explainer, layer=layer)  # type: ignore[type-var]

    def work(self, scene: Scene) -> Work:
        return _compared(scene, self.placed(self.explainer, scene), self._against, self._tapes)


def _compared(scene: Scene, explainer: Explainer, against: int | None, tapes: _Tapes) -> Work:
    example, index = scene.example, scene.class_index
    target = index if against is None or against == index else Contrast(index, against)
    yield Shown(example, index)
    if not isinstance(explainer, TapeExplainer):
        for heatmap in explainer.steps(example.classifier, example.pixels, target):
            yield Shown(example, index, heatmap, _scales(heatmap))
        return
    tape = tapes.of(example, scene.classifier.layer(explainer.layer_in(scene.classifier)).name)
    heatmap = explainer.compared(explainer.from_tape(tape, target), tape)
    yield Shown(example, index, heatmap, _scales(heatmap, tapes.ends(tape, explainer, target)))


class _Tapes:
    """The last example's tape and what has been read off it; only the worker touches it."""

    def __init__(self) -> None:
        self._tape: Tape | None = None
        self._taped: Example | None = None
        self._ends: dict[Tape, tuple[object, list[FloatArray]]] = {}

    def ends(self, tape: Tape, explainer: TapeExplainer, target: Target) -> list[FloatArray]:
        """The largest absolute value over all layers on the tape, for a scale on which layers can be compared."""
        key = (dataclasses.replace(explainer, layer=None), target)
        known = self._ends.get(tape)
        if known is None or known[0] != key:
            cells = [
                dataclasses.replace(explainer, layer=layer).from_tape(tape, target).cells for layer in tape.activations
            ]
            known = (key, [np.array([max(float(np.abs(c).max()) for c in cells)], dtype=np.float32)])
            self._ends = {tape: known}
        return known[1]

    def of(self, example: Example, layer: str) -> Tape:
        """The tape of `example`'s slidable layers, and of `layer` if that is none of them."""
        if self._tape is None or self._taped is not example or layer not in self._tape.activations:
            self._tape = None  # the old graph may be large: let go of it before the next is made
            classifier = example.classifier
            names = [known.name for known in slidable(classifier)]
            self._tape = Tape(classifier, example.pixels, [*names, layer])
            self._taped = example
        return self._tape


def _scales(heatmap: Heatmap, others: Sequence[FloatArray] = ()) -> list[Scale]:
    return scales_of(heatmap.cells, signed=heatmap.signed, others=others, blank=heatmap.blank)
