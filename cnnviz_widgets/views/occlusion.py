"""Drag a patch over the picture and watch the scores move."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import traitlets

from cnnviz_widgets import words
from cnnviz_widgets.explain import TECHNIQUES, Explainer, Heatmap, Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap
from cnnviz_widgets.views.choice import Choice
from cnnviz_widgets.views.comparing import Comparer
from cnnviz_widgets.views.covering import Covering
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.evaluation import TestButton, TestView
from cnnviz_widgets.views.explanation import Explanation
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.next_step import MainButton
from cnnviz_widgets.views.parts.class_list import ClassList
from cnnviz_widgets.views.parts.hot_spot import covered
from cnnviz_widgets.views.parts.next_steps import next_spot
from cnnviz_widgets.views.parts.opening import strongest_window
from cnnviz_widgets.views.parts.probe_sentences import effect_of, map_summary
from cnnviz_widgets.views.parts.probing import (
    OcclusionSetup,
    Probe,
    ShownMap,
    grow_map,
    known_answer,
    prepare,
    probe,
)
from cnnviz_widgets.views.parts.resting import RestingWork
from cnnviz_widgets.views.parts.scales import scales_of
from cnnviz_widgets.views.questions.windows import window_to_cover
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.page.patch import PatchOnPage
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picture import Window


class OcclusionView(PatchOnPage, Covering, renamed={"occlusion": "technique", "ahead": "run_ahead"}):
    """Drag and resize a patch; the class probabilities follow, with those of the whole picture ghosted behind.

    `OcclusionView(model, picture)` or, linked with other views, `OcclusionView(session)`. `window` is the patch on the
    picture, (top, left, height, width) in pixels of the network's input; assign another to move it. `mask` is what the
    brush has covered in its place, of any shape. "Whole map" makes a map by one of `techniques`, coarse to fine; the
    first is `technique`, whose windows are as large as the patch.
    While the hand rests, windows all over the picture make a map, and those around the patch are run ahead, unless
    `run_ahead` is False. From these a drag is answered at once; where it ends, by the network. Until somebody moves it,
    or where no `window` is given, the patch goes to the place of that map where it matters most.
    """

    settings: ClassVar[Mapping[str, object]] = {"technique": None, "window": None, "mask": None, "map_technique": None}
    topic = "occlusion"

    probe = traitlets.Instance(
        Probe, None, allow_none=True, read_only=True, help="What the network says with the patch on the picture."
    )
    heatmap = traitlets.Instance(
        Heatmap, None, allow_none=True, read_only=True, help="The map that is shown, finished or not."
    )

    occlusion = old_name("occlusion", "technique")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        technique: Occlusion | None = None,
        techniques: Sequence[Explainer] | None = None,
        window: Window | None = None,
        mask: object = None,
        run_ahead: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        # Without a wish the window starts at its default size, whatever the network's input.
        wanted = None if technique is None else technique.window
        self._size = (wanted, wanted) if isinstance(wanted, int) else wanted
        self._stride_chosen = technique is not None and technique.stride is not None
        self._first_window = window
        self._resting = True  # whether the hand has let go of the patch
        self._placed = False  # whether somebody has put the patch where it is
        self._setup: OcclusionSetup | None = None
        self._shown: ShownMap | None = None
        self._hot_spot: Window | None = None  # where another view's map was brightest
        self._mapping: Explainer | None = None  # what makes the map that is shown or under way
        self.setup_job, self.probe_job = self.job(self._draw_setup), self.job(self._draw_probe)
        self.map_job = self.job(self._draw_map, rests=False)
        self.resting = RestingWork(self, self._draw_map_at_rest, wanted=run_ahead)
        self.ahead_job, self.rest_job = self.resting.ahead_job, self.resting.map_job
        self._make_widgets(technique or Occlusion(), techniques or self.techniques())
        self.follow_covered(mask)
        self.begin()
        self.link(lambda _: self._look_ahead(), ["active"])

    @staticmethod
    def techniques() -> list[Explainer]:
        """The techniques that make a map where none are given, to add your own to."""
        return [technique() for technique in TECHNIQUES if technique.family == "occlusion"]

    def _make_widgets(self, technique: Occlusion, techniques: Sequence[Explainer]) -> None:
        # A slider needs a number.
        self._technique = technique.sized(self.session.classifier.input_size)
        others = [other for other in techniques if not isinstance(other, Occlusion)]
        self.canvas = self.canvas_to_cover()
        self.class_list = ClassList(self, self.setup_job, "classes.patch")
        self.bars, self.class_picker = self.class_list.bars, self.class_list.picker
        self.choice = Choice(self, [self._technique, *others], self._chosen, skip=("window",), description="map by")
        self.map_button = self.button("Whole map", self.compute_map)
        self.stop_button = self.button("Stop", self.stop_map, disabled=True)
        self.clear_button = self.button("Clear", self.clear_map)
        self.tester, self.comparer = TestButton(self), Comparer(self)
        self.main_button = MainButton(self, lambda: next_spot(self), self.stop_map)
        buttons = row(self.map_button, self.clear_button, gap=4)
        side = column(self.class_list, self.choice, buttons, self.main_button)
        self.show(row(self.canvas, side), self.tester.place)

    @property
    def technique(self) -> Occlusion:
        """How the patch is filled, and how a map by windows is made; its window is as large as the patch."""
        return self._technique if self.window is None else dataclasses.replace(self._technique, window=self.window[2:])

    @technique.setter
    def technique(self, technique: Occlusion) -> None:
        if not isinstance(technique, Occlusion):
            raise ValueError(f"The patch is an Occlusion, not a {type(technique).__name__}; pass that in techniques=.")
        sized = technique.sized(self.session.classifier.input_size)
        if technique.window is not None and self.window is not None:
            height, width = sized.window if isinstance(sized.window, tuple) else (sized.window,) * 2
            self.window = (self.window[0], self.window[1], height, width)
        self.choice.value = sized

    @property
    def map_technique(self) -> Explainer | None:
        """What the whole map is made by, where that is another than windows as large as the patch."""
        value: Explainer = self.choice.value
        return None if isinstance(value, Occlusion) else value

    @map_technique.setter
    def map_technique(self, technique: Explainer | str | None) -> None:
        self.choice.value = self._technique if technique is None else technique

    def cover(self, window: Window) -> None:
        """Put the patch on what is brightest in another map, and say what that costs."""
        self.mask, self._hot_spot = None, window
        self.window = window
        self.ask(resting=True)

    def table(self) -> Columns:
        """The cells of the map that is shown, or, without one or with a mask, what that makes of each class."""
        probe, heatmap = self.probe, self.heatmap
        painted = probe is not None and probe.mask is not None
        return table.of_probe(required(probe)) if heatmap is None or painted else table.of_heatmap(heatmap)

    def options_made_with(self) -> Mapping[str, object]:
        return {} if self.resting.wanted else {"run_ahead": False}

    def calls_by_hand(self) -> Sequence[str]:
        return () if self._mapping is None else ["view.compute_map()"]

    def question(self) -> Question | None:
        setup, shown = self._setup, self._shown
        if setup is None or self.window is None or self.setup_job.busy:
            return None
        found = None if shown is None or self.map_job.busy else shown.of_class(setup.class_index)
        return window_to_cover(self, setup, found)

    @property
    def awaits_picture(self) -> bool:
        """Whether a picture, or another one, is about to be shown."""
        return self._setup is None or self.setup_job.busy

    def _chosen(self) -> Job | None:
        value = self.choice.value
        if not isinstance(value, Occlusion) or value == self._technique:
            return None
        self._stride_chosen |= value.stride != self._technique.stride
        self._technique = value
        self._forget_map()
        self.refresh()
        return self.setup_job

    # -- the picture and the bars --------------------------------------------------------------------------------

    def compute(self) -> Job:
        scene = self.session.scene
        self.resting.stop()
        self.canvas.stale = self.heatmap is not None
        return self.setup_job.start(prepare(scene, self._technique.baseline, self._setup))

    def _draw_setup(self, setup: OcclusionSetup) -> None:
        before, self._setup = self._setup, setup
        example = setup.example
        new_picture = before is None or before.example is not example
        self.canvas.baseline = setup.filling.tobytes()
        if new_picture:
            # The map of the picture before is never drawn over this one.
            self._forget_map()
            self.canvas.show(example.appearance)
            self._start_window(setup)
        elif before and before.class_index != setup.class_index and not isinstance(self._mapping, Occlusion):
            # Only a map by windows holds the scores of every class.
            self._forget_map()
        self.keep_mask(new_picture=new_picture)
        self.class_list.show(example, setup.class_index)
        if self._shown is not None:
            self._show_map(self._shown.of_class(setup.class_index))
        self.resting.plan_map(setup, self.technique, by_windows=isinstance(self.choice.value, Occlusion))
        self.canvas.stale &= self.map_job.busy
        self.ask(resting=True)

    def _start_window(self, setup: OcclusionSetup) -> None:
        height, width = setup.example.appearance.shape[:2]
        shorter = min(height, width)
        tall, wide = self._size or Occlusion().windows((height, width)).window
        size = max(1, min(tall, height)), max(1, min(wide, width))
        if not self._stride_chosen:
            # Another network may take pictures of another size.
            stride = dataclasses.replace(self._technique, window=size[0], stride=None).sized((height, width)).stride
            self._technique = dataclasses.replace(self._technique, stride=stride)
            self.choice.replace(self._technique)
        self._placed = self._first_window is not None
        start = self._first_window or ((height - size[0]) // 2, (width - size[1]) // 2, *size)
        self._first_window = None
        self.canvas.place_window(start, (max(1, shorter // 28), shorter))
        self.set_trait("window", self.canvas.window)

    # -- the patch -----------------------------------------------------------------------------------------------

    def ask(self, *, resting: bool) -> Job:
        """Show what the network says of the patch: at once where it is known, exactly where the hand is `resting`."""
        self._resting = resting
        setup = self._setup
        if setup is None or self.window is None:
            return self.probe_job
        box = Box(*self.window)
        if self.mask is not None:
            return self.probe_job.start(probe(setup, box, self.mask))
        known = known_answer(setup, box, self.resting.cache, self._shown)
        if known is None or (resting and known.interpolated):
            return self.probe_job.start(probe(setup, box))
        self.probe_job.cancel()
        self._draw_probe(known)
        return self.probe_job

    def _draw_probe(self, probe: Probe) -> None:
        setup = self._setup
        if setup is None or setup.example is not probe.example or setup.class_index != probe.class_index:
            # Asked before the picture or the class changed, it has replaced the probe that was asked for then.
            self.ask(resting=True)
            return
        self.bars.show_now(probe.example.classifier.readout.probabilities(probe.logits))
        if probe.mask is None or probe.mask.any():
            answer = covered(probe, hot=probe.mask is None and probe.box == self._hot_spot)
            self.say(effect_of(probe), "busy" if self.map_job.busy else "info", self._map_progress, answer)
        else:
            self.say(words.text("brush.nothing", self.language))
        self.set_trait("probe", probe)
        if self._resting:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Run windows around the one on the picture, as long as nobody wants anything else."""
        if self._setup is not None and self.window is not None and self.active:
            box = Box(*self.window)
            self.resting.look_ahead(self._setup.occluder, box, placed=self._placed, map_wanted=not self.map_job.busy)

    # -- the map that nobody asked for ---------------------------------------------------------------------------

    def _draw_map_at_rest(self, shown: ShownMap) -> None:
        self.resting.drop_map()
        setup = self._setup
        found = None if setup is None or setup.example is not shown.example else shown.of_class(setup.class_index)
        if setup is None or found is None or self.map_job.busy:
            return
        self._shown, self._mapping = shown, shown.technique
        self._show_map(found)
        if not self._placed and isinstance(found, OcclusionMap):
            self.canvas.place_window(strongest_window(found, setup.class_index))
            self.set_trait("window", self.canvas.window)
        self.ask(resting=True)

    # -- the whole map -------------------------------------------------------------------------------------------

    @property
    def _map_progress(self) -> float:
        if not self.map_job.busy:
            return -1
        return 0 if self._shown is None else self._shown.heatmap.progress

    def compute_map(self) -> Job | None:
        """Make the map by the chosen technique, coarse to fine, in the background."""
        setup = self._setup
        if setup is None or self.window is None:
            if self.setup_job.busy:
                self.setup_job.then(self._compute_map_now)
            return None
        technique = self.choice.value
        if isinstance(technique, Occlusion):
            technique = self.technique
        elif setup.example.classifier.scores == "none" and getattr(technique, "score", "") == "probability":
            technique = dataclasses.replace(technique, score="logit")
        self.resting.stop()
        self.resting.drop_map()
        self._shown, self._mapping = None, technique
        self.canvas.stale = self.heatmap is not None
        self.stop_button.disabled = False
        return self.map_job.start(grow_map(setup, technique), self._map_ended)

    def _compute_map_now(self) -> None:
        self.compute_map()

    def explanation(self) -> Explanation | None:
        """The map that is shown and what it was made of; None while there is no finished one."""
        setup, shown, heatmap = self._setup, self._shown, self.heatmap
        if setup is None or shown is None or heatmap is None or heatmap.progress < 1:
            return None
        return Explanation(setup.example, heatmap.target, shown.technique, heatmap)

    def test(self) -> TestView:
        """Show below the map a test of it, which the button "Test" takes away again; the map is made if need be."""
        if self.heatmap is None and not self.map_job.busy:
            self.compute_map()
        return self.tester.open()

    def stop_map(self) -> None:
        """Stop sharpening the map and keep what there is of it."""
        under_way, progress = self.map_job.busy, self._map_progress
        self.map_job.cancel()
        self.stop_button.disabled = True
        if under_way:
            self.say(f"stopped at {progress:.0%} of the map")

    def clear_map(self) -> None:
        """Take the map away, or stop computing it."""
        self._forget_map()
        self.resting.drop_map()
        self.say("")

    def _draw_map(self, shown: ShownMap) -> None:
        setup = self._setup
        heatmap = None if setup is None or setup.example is not shown.example else shown.of_class(setup.class_index)
        if setup is None or heatmap is None:  # of a picture or a class before
            return
        self._shown = shown
        self._show_map(heatmap)
        finished = heatmap.progress >= 1
        self.say(map_summary(setup, heatmap), "info" if finished else "busy", heatmap.progress)
        if finished:
            self._look_ahead()

    def _show_map(self, heatmap: Heatmap | None) -> None:
        setup, shown = self._setup, self._shown
        if heatmap is None or setup is None or shown is None or heatmap is self.heatmap:
            return
        scales = scales_of(heatmap.values, signed=heatmap.signed, blank=heatmap.blank)
        self.canvas.overlay(heatmap.values, quantity=heatmap.quantity, signed=heatmap.signed, scales=scales)
        name = setup.example.classifier.class_names[setup.class_index]
        self.canvas.label = f"{_name_of(setup)} under the {shown.technique.label} map of {name}"
        self.set_trait("heatmap", heatmap)

    def _map_ended(self) -> None:
        self.stop_button.disabled = not self.map_job.busy

    def _forget_map(self) -> None:
        self.map_job.cancel()
        self.rest_job.cancel()
        self._shown = self._mapping = None
        self.stop_button.disabled = True
        self.canvas.overlay(None)
        self.set_trait("heatmap", None)
        if self._setup is not None:
            self.canvas.label = f"{_name_of(self._setup)} with an occlusion window"


def _name_of(setup: OcclusionSetup) -> str:
    return setup.example.picture.name or "picture"
