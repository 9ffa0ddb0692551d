"""Class activation maps: slide through the layers, switch the class, compare two classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.classifier import Contrast, Target
from cnnviz_widgets.explain import (
    CAM,
    EigenCAM,
    Explainer,
    GradCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    Tape,
    TapeExplainer,
)
from cnnviz_widgets.explain.base import FloatArray
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.heatmap import HeatmapView, Shown
from cnnviz_widgets.views.layers import LayerScrubber, slidable
from cnnviz_widgets.views.scales import scales_of
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.picker import Picker

METHODS: Mapping[str, Explainer] = {
    "Grad-CAM": GradCAM(),
    "HiResCAM": HiResCAM(),
    "Grad-CAM++": GradCAMPlusPlus(),
    "LayerCAM": LayerCAM(),
    "Eigen-CAM": EigenCAM(),
    "Score-CAM": ScoreCAM(),
    "CAM": CAM(),
}
NO_CONTRAST = "no other class"


class CAMView(HeatmapView):
    """Where in a layer the evidence for a class lies.

    All layers of a picture are recorded in one forward pass, and their gradients come from one backward pass a
    class: sliding through the layers calls the network no more. `against` is a class whose evidence is subtracted.
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
        """The class whose evidence is subtracted, or None."""
        return self._against

    @against.setter
    def against(self, against: int | str | None) -> None:
        self._against = None if against is None else self.session.classifier.class_index(against)
        self.against_picker.index = 0 if self._against is None else self._against + 1
        self.refresh()

    # -- widgets -------------------------------------------------------------------------------------------------

    def extra_controls(self) -> list[ipywidgets.Widget]:
        self.against_picker = Picker(description="minus", searchable=True, placeholder="search classes")
        self.layer_scrubber = LayerScrubber(self.session)
        self._describe_classifier()
        self.on_control(self.against_picker, self._pick_against)
        self.on_control(self.layer_scrubber, self.layer_scrubber.choose)
        return [self.against_picker, self.layer_scrubber]

    def _pick_against(self, event: Any) -> None:
        self.against = None if event.index == 0 else event.index - 1

    def _describe_classifier(self) -> None:
        classifier = self.session.classifier
        self.layer_scrubber.describe()
        self.against_picker.options = [NO_CONTRAST, *classifier.class_names]
        self.against_picker.index = 0

    def session_changed(self, names: set[str]) -> None:
        if "classifier" in names:
            self._against = None
            self._tapes = _Tapes()  # what is still under way has the old one
            self._describe_classifier()
        if "layer" in names:
            self.layer_scrubber.follow()

    # -- work ----------------------------------------------------------------------------------------------------

    def work(self, scene: Scene) -> Work:
        return _compared(scene, self.placed(self.explainer, scene), self._against, self._tapes)


def _compared(scene: Scene, explainer: Explainer, against: int | None, tapes: _Tapes) -> Work:
    example, index = scene.example, scene.class_index
    target = index if against is None or against == index else Contrast(index, against)
    yield Shown(example, index)
    if not isinstance(explainer, TapeExplainer):
        for heatmap in explainer.steps(example.classifier, example.pixels, target):
            yield Shown(example, index, heatmap, scales_of(heatmap.cells, signed=heatmap.signed))
        return
    tape = tapes.of(example, scene.classifier.layer(scene.layer).name)
    heatmap = explainer.from_tape(tape, target)
    others = tapes.ends(tape, explainer, target)
    yield Shown(example, index, heatmap, scales_of(heatmap.cells, signed=heatmap.signed, others=others))


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
