"""A picture under the heatmap of one of several techniques: method, its parameters, class, progress and Stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain import TECHNIQUES, Explainer, Heatmap, Instance
from cnnviz_widgets.explain.explainer import Family
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.choice import Chooses
from cnnviz_widgets.views.comparing import Comparer
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.evaluation import TestButton, TestView
from cnnviz_widgets.views.explanation import Explanation
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.next_step import MainButton, NextStep
from cnnviz_widgets.views.parts.answers import Answer
from cnnviz_widgets.views.parts.class_list import ClassList
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.hot_spot import covered, covering, hottest_box
from cnnviz_widgets.views.parts.probing import Probe
from cnnviz_widgets.views.parts.reading import score_name
from cnnviz_widgets.views.parts.scales import Scale, scales_of, short
from cnnviz_widgets.views.questions.windows import window_on_map
from cnnviz_widgets.views.stops import Stops
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picture import PictureCanvas

COMPUTING = "Computing {method} of {name} ... The map is still the one before."


@dataclasses.dataclass(frozen=True, eq=False)
class HeatmapState:
    """What a heatmap view draws: the example, and its heatmap once there is one."""

    example: Example
    class_index: int
    heatmap: Heatmap | None = None
    scales: Sequence[Scale] = ()
    technique: Explainer | None = None
    #: A small map of each of several layers, where there are any.
    small_maps: Sequence[NDArray[np.uint8]] = ()


class HeatmapView(Chooses, Stops, renamed={"methods": "techniques"}):
    """Shows the heatmap of one of several `techniques`, by default those of its `family`; the first is chosen.

    `technique` is the chosen one with its parameters; assign another of the same type to change them, or a label.
    """

    settings: ClassVar[Mapping[str, object]] = {"technique": None}
    works_on_map = True
    family: ClassVar[Family]

    heatmap = traitlets.Instance(Heatmap, None, allow_none=True, read_only=True, help="The heatmap that is shown.")

    explainer = old_name("explainer", "technique")
    method = old_name("method", "technique.label", "technique")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        techniques: Sequence[Explainer] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        self._shown: Example | None = None
        self._explanation: Explanation | None = None
        self.work, self.cover_job = self.job(self.draw), self.job(self._draw_covered)
        self.canvas = PictureCanvas(label="no picture yet")
        # The layer follows the session, and the batch changes no result: they get no control.
        self.choose_from(techniques or self.techniques(), self.refresh, skip=("layer", "batch"))
        self.class_list = ClassList(self, self.work)
        self.class_picker = self.class_list.picker
        self.tester, self.comparer = TestButton(self), Comparer(self)
        controls = (self.class_list, self.choice.picker, *self.extra_controls(), self.choice.controls)
        self.main_button = MainButton(self, self._next_step, self.stop_here)
        self.show(row(self.canvas, column(*controls, self.main_button)), self.tester.place)
        self.begin()

    def _next_step(self) -> NextStep | None:
        return None if self.heatmap is None else NextStep("step.cover", self.cover_hot_spot)

    def cover_hot_spot(self) -> None:
        """Cover the largest value of the map with a patch: under Occlusion, or here where there is no such view."""
        shown, heatmap = self._shown, self.heatmap
        if shown is None or heatmap is None:
            return
        box = hottest_box(heatmap.values)
        view = None if self.visit is None else self.visit("occlusion")
        if view is None:
            self.cover_job.start(covering(shown, heatmap.target.index, box))
        else:
            view.cover(box)

    def _draw_covered(self, probe: Probe) -> None:
        if probe.example is self._shown and self.heatmap is not None:
            top, left, height, width = probe.box
            self.canvas.box = (top, left, top + height, left + width)
            self.say("", answer=covered(probe))

    @classmethod
    def techniques(cls) -> list[Explainer]:
        """The techniques that are shown where none are given, to add your own to."""
        return [technique() for technique in TECHNIQUES if technique.family == cls.family]

    def question(self) -> Question | None:
        example, heatmap = self._shown, self.heatmap
        if example is None or heatmap is None or self.work.busy:
            return None
        return window_on_map(self.canvas, example, heatmap, target_name(example, heatmap.target))

    def extra_controls(self) -> Sequence[ipywidgets.Widget]:
        """Further controls of a subclass, between the class and the parameters."""
        return ()

    def compute(self) -> Job:
        scene = self.session.scene
        self.announce(scene)
        return self.work.start(explained(scene.example, Target(scene.class_index), self.technique))

    def announce(self, scene: Scene) -> None:
        """Dim the map that is shown, and say what is computed in its place."""
        if self.heatmap is not None:
            self.canvas.stale = True
            name = scene.classifier.class_names[scene.class_index]
            self.say(COMPUTING.format(method=self.technique.label, name=name), "busy", 0)

    def draw(self, state: HeatmapState) -> None:
        """Show the picture, then each heatmap."""
        example, heatmap = state.example, state.heatmap
        if heatmap is None:
            self.class_list.show(example, state.class_index)
            if example is not self._shown:
                self._shown = example
                # The map of the picture before is never drawn over this one.
                self._explanation = None
                self.set_trait("heatmap", None)
                self.canvas.overlay(None)
                self.canvas.show(example.appearance)
                self.say("computing ...", "busy", 0)
            return
        self.canvas.set_trait("box", None)
        self.canvas.overlay(heatmap.cells, quantity=heatmap.quantity, signed=heatmap.signed, scales=list(state.scales))
        shown = f"{example.picture.name or 'picture'} under {self.technique.label}"
        self.canvas.label = f"{shown} of {target_name(example, heatmap.target)}: {heatmap.quantity}"
        finished = heatmap.progress >= 1
        answer = self.answer_of(example, heatmap) if finished else None
        self.say(self.summary(state), "info" if finished else "busy", heatmap.progress, answer)
        self._explanation = None
        if finished and state.technique is not None:
            self._explanation = Explanation(example, heatmap.target, state.technique, heatmap)
        self.set_trait("heatmap", heatmap)

    def answer_of(self, example: Example, heatmap: Heatmap) -> Answer | None:
        """What a finished map says, a sentence; None where there is none."""
        return None

    def explanation(self) -> Explanation | None:
        """The map that is shown and what it was made of; None while there is no finished one."""
        return self._explanation

    def test(self) -> TestView:
        """Show below the map a test of it, which the button "Test" takes away again."""
        return self.tester.open()

    def summary(self, state: HeatmapState) -> str:
        """What is shown, in one line."""
        assert state.heatmap is not None
        example, index, heatmap = state.example, state.class_index, state.heatmap
        ends = " to ".join(short(float(end)) for end in (heatmap.values.min(), heatmap.values.max()))
        note = f" {heatmap.note}" if heatmap.note else ""
        classifier, logit = example.classifier, short(float(example.logits[index]))
        share = "" if classifier.scores == "none" else f"{percent(float(example.probabilities[index]))}, "
        return (
            f"{classifier.class_names[index]}: {share}{score_name(classifier)} {logit}. "
            f"{self.technique.label} of {target_name(example, heatmap.target)}: {heatmap.quantity}, {ends}.{note}"
        )

    def table(self) -> Columns:
        """The cells of the map."""
        return table.of_heatmap(required(self.heatmap))


def explained(example: Example, target: Target, technique: Explainer) -> Steps:
    """The picture at once, then its heatmap as it gets better."""
    yield HeatmapState(example, target.index)
    for heatmap in technique.explain(Instance.of(example.classifier, example.pixels, target)):
        scales = scales_of(heatmap.cells, signed=heatmap.signed, tailed=True, blank=heatmap.blank)
        state = HeatmapState(example, target.index, heatmap, scales, technique)
        if heatmap.progress >= 1:
            return state
        yield state
    return None


def target_name(example: Example, target: Target) -> str:
    """The name of a class, or of the difference of two."""
    names = example.classifier.class_names
    name: str = names[target.index]
    return name if target.against is None else f"{name} minus {names[target.against]}"
