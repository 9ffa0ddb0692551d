"""Tests of the map that another view shows: can it be trusted, and how far?"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import traitlets

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Target
from cnnviz_widgets.errors import ExplanationError, GuessError, MethodError
from cnnviz_widgets.explain import (
    TECHNIQUES,
    Agreement,
    Evaluation,
    Explainer,
    GradCAM,
    Heatmap,
    LayerExplainer,
    OrderTest,
    OtherClass,
    RandomizationTest,
    RandomizedMap,
)
from cnnviz_widgets.explain.evaluation.agreement import OTHER_PHOTOGRAPH
from cnnviz_widgets.explain.evaluation.insertion import Known, Mode
from cnnviz_widgets.views.explanation import (
    AgreementState,
    Explanation,
    compared,
    evaluated,
    follow_map,
    of_another_class,
    randomized,
)
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.layout import show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.map_charts import chart_of, numbers_of
from cnnviz_widgets.views.parts.map_tests import MODES, AgreementSection, ClassSection, OrderSection, RandomSection
from cnnviz_widgets.views.questions.pairs import better_order
from cnnviz_widgets.views.stops import Stops
from cnnviz_widgets.views.take.parts import BarsPart, CurvesPart
from cnnviz_widgets.views.take.table import Columns
from cnnviz_widgets.views.wording import title
from cnnviz_widgets.widgets.picker import Picked
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import SliderMoved
from cnnviz_widgets.widgets.tabs import TabOpened, Tabs

#: The tests, and what their tabs are called.
SECTIONS = {
    "order": "Reveal and cover",
    "randomization": "Forget the weights",
    "agreement": "Other methods",
    "other_class": "Another class",
}
#: Techniques that take more than a few dozen passes: they are compared only where the view has made their map.
_SLOW = frozenset({"random masks (RISE)", "Score-CAM", "Ablation-CAM", "SmoothGrad", "integrated gradients"})
_ONE_QUESTION = "The question is about revealing and covering: skip, and open that test."
_NO_MAP = "There is no finished map yet; it is tested as soon as there is one."


class TestView(Stops):
    """Tests a map: insertion and deletion beside two floors, random weights, other techniques, another class.

    `TestView(view)` tests the map that a `CAMView`, `SaliencyView` or `OcclusionView` shows, whichever it shows, as
    `view.test()` does; `TestView(model, picture, technique=GradCAM())` makes one itself. Each test is computed when
    its `section` is opened: "order", "randomization", "agreement" or "other_class". `mode` and `step` say which picture
    along the curve is shown, `depth` the map of how many random layers.
    """

    __test__ = False  # not for pytest

    follows = ("classifier", "picture", "target", "against", "layer")
    settings: ClassVar[Mapping[str, object]] = {"section": "order", "mode": "insertion", "step": 2, "depth": 0}

    section = traitlets.Enum(tuple(SECTIONS), "order", help="The test that is open.")
    mode = traitlets.Enum(tuple(MODES), "insertion", help="Whether the picture is revealed or covered.")
    step = traitlets.Int(2, min=0, help="The point of the curve that the picture is shown at.")
    depth = traitlets.Int(0, min=0, help="Which of the maps of random networks is shown.")
    heatmap = traitlets.Instance(Heatmap, None, allow_none=True, read_only=True, help="The map that is tested.")
    evaluation = traitlets.Instance(
        Evaluation, None, allow_none=True, read_only=True, help="Insertion and deletion, finished or not."
    )
    randomization = traitlets.Tuple((), read_only=True, help="RandomizedMaps so far, the trained network's first.")
    agreement = traitlets.Instance(
        Agreement, None, allow_none=True, read_only=True, help="Rank correlations with other techniques' maps."
    )
    other_class = traitlets.Instance(
        OtherClass, None, allow_none=True, read_only=True, help="The map of an unrelated class, and the difference."
    )

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        technique: Explainer | None = None,
        order_test: OrderTest | None = None,
        randomization_test: RandomizationTest | None = None,
        techniques: Sequence[Explainer] | None = None,
        **options: Any,
    ) -> None:
        view = model if isinstance(model, Panel) else None
        if view is not None and not hasattr(view, "explanation"):
            raise TypeError(f"TestView takes a view that shows a map, such as CAMView, not {type(view).__name__}.")
        super().__init__(model if view is None else view.session, picture, **options)
        self._technique = technique or GradCAM()
        self._makes_map = view is None
        self._explanation: Callable[[], Explanation | None] = self._own if view is None else view.explanation
        self._order_test = order_test or OrderTest()
        self._randomization_test = randomization_test or RandomizationTest()
        self._techniques = tuple(self.techniques() if techniques is None else techniques)
        self._tested: Explanation | None = None
        self._under_way: tuple[Explanation, str] | None = None
        self._known: Known = {}  # the floors of the picture that is tested
        self._maps: dict[str, Heatmap] = {}  # that were made of it for the same target
        self._agreed = False
        self.work = self.job(self.draw, place_of=_place_of)
        self._make_widgets()
        self._unlink = follow_map(self, view)
        self.link(self._turn_to_section, ["section"])
        self.link(lambda _: self._draw_order(), ["step", "mode"])
        self.link(lambda _: self._draw_randomization(), ["depth"])
        self.begin()

    @staticmethod
    def techniques() -> list[Explainer]:
        """The techniques whose maps are compared where none are given: those of a few dozen passes."""
        return [technique() for technique in TECHNIQUES if technique.label not in _SLOW]

    @property
    def technique(self) -> Explainer:
        """The technique whose map is tested."""
        return self._technique if self._tested is None else self._tested.technique

    @property
    def canvas(self) -> PictureCanvas:
        """Where the picture is revealed and covered: a comparison marks on it where two maps differ most."""
        return self.order.canvas

    # -- what is taken away --------------------------------------------------------------------------------------

    def table(self) -> Columns:
        """The numbers behind the test that is open."""
        return numbers_of(self)

    def drawn(self) -> CurvesPart | BarsPart | None:
        """The chart of the test that is open; None where there is none."""
        return chart_of(self)

    @property
    def caption(self) -> str:
        """What the test says, and what the view says."""
        return " ".join(filter(None, [self.sections[self.section].text, super().caption]))

    def options_made_with(self) -> Mapping[str, object]:
        technique = self._technique if self._makes_map else self.technique
        made = technique, self._order_test, self._randomization_test
        usual = GradCAM(), OrderTest(), RandomizationTest()
        names = "technique", "order_test", "randomization_test"
        options = {name: one for name, one, other in zip(names, made, usual, strict=True) if one != other}
        others = self._techniques != tuple(self.techniques())
        return {**options, "techniques": list(self._techniques)} if others else options

    def question(self) -> Question | None:
        if self.section != "order":
            raise GuessError(_ONE_QUESTION)
        tested, found = self._tested, self.evaluation
        if tested is None or found is None or found.areas is None or self.work.busy:
            return None
        return better_order(tested, found, self._order_test, tested.target_name)

    def _make_widgets(self) -> None:
        titles = list(SECTIONS.values())
        labels = {
            each: {"titles": [title(text, each) for text in titles], "groups": []} for each in words.sent(self.language)
        }
        self.tabs = Tabs(titles=titles, labels=labels, language=self.language)
        self.on(self.tabs, TabOpened, self._open_tab)
        self.order, self.random = OrderSection(), RandomSection()
        self.on(self.order.slider, SliderMoved, lambda event: self._set("step", event.index))
        for mode, along in self.order.along.items():
            self.on(along, SliderMoved, functools.partial(self._go_along, mode))
        self.on(self.order.mode, Picked, lambda event: self._set("mode", list(MODES)[event.index]))
        self.on(self.random.slider, SliderMoved, lambda event: self._set("depth", event.index))
        self.techniques_section, self.class_section = AgreementSection(), ClassSection()
        self.sections = dict(
            zip(SECTIONS, (self.order, self.random, self.techniques_section, self.class_section), strict=True)
        )
        # One box: what a panel shows beside its first row shares one place.
        self.show(ipywidgets.VBox([self.tabs, *self.sections.values(), self.stop_button]))
        self._show_section()

    # -- what is tested ------------------------------------------------------------------------------------------

    def _own(self) -> Explanation:
        scene, technique = self.session.scene, self._technique
        chosen = scene.layer != scene.classifier.default_layer
        if isinstance(technique, LayerExplainer) and technique.layer is None and chosen:
            technique = dataclasses.replace(technique, layer=scene.layer)
        against = None if scene.against == scene.class_index else scene.against
        return Explanation(scene.example, Target(scene.class_index, against), technique)

    def compute(self) -> Job:
        try:
            explanation = self._explanation()
            if explanation is None:
                raise MethodError(_NO_MAP)
        except ExplanationError:
            self._test(None)
            raise
        if explanation != self._tested:
            self._test(explanation)
        if self._is_finished() or (self.work.busy and self._under_way == (explanation, self.section)):
            return self.work
        self._under_way = (explanation, self.section)
        self.say("computing ...", "busy", 0)
        known = explanation if self.heatmap is None else dataclasses.replace(explanation, heatmap=self.heatmap)
        return self.work.start(self._steps(known))

    def _steps(self, explanation: Explanation) -> Steps:
        if self.section == "order":
            return evaluated(explanation, self._order_test, self._known)
        if self.section == "randomization":
            return randomized(explanation, self._randomization_test)
        if self.section == "agreement":
            return compared(explanation, self._techniques, dict(self._maps))
        return of_another_class(explanation)

    def _is_finished(self) -> bool:
        if self.section == "order":
            return self.evaluation is not None and self.evaluation.progress >= 1
        if self.section == "randomization":
            return bool(self.randomization) and self.randomization[-1].count == self.randomization[-1].total
        return self._agreed if self.section == "agreement" else self.other_class is not None

    def _test(self, explanation: Explanation | None) -> None:
        """Begin anew with another map, or none."""
        before, self._tested = self._tested, explanation
        self.work.cancel()
        same_picture = before is not None and explanation is not None and before.example is explanation.example
        if not same_picture:
            self._known = {}
        if before is None or explanation is None or not same_picture or before.target != explanation.target:
            self._maps = {}
        self._agreed = False
        for name in ("evaluation", "agreement", "other_class"):
            self.set_trait(name, None)
        self.set_trait("randomization", ())
        self.set_trait("heatmap", None if explanation is None else explanation.heatmap)
        for section in self.sections.values():
            section.say("")
        self.order.clear()
        if explanation is None:
            return
        if explanation.heatmap is not None:
            self._maps[explanation.technique.label] = explanation.heatmap
        if not same_picture:
            for canvas in (self.order.canvas, self.random.canvas, *self.class_section.canvases):
                canvas.overlay(None)
                canvas.show(explanation.example.appearance)

    # -- what is drawn -------------------------------------------------------------------------------------------

    def draw(self, result: Heatmap | Evaluation | RandomizedMap | AgreementState | OtherClass) -> None:
        """Show the next result of a test."""
        tested = self._tested
        if tested is None:
            return
        progress = getattr(result, "progress", 1.0)
        if isinstance(result, Heatmap):
            progress = 0.0
            if result.progress >= 1:
                self._maps[tested.technique.label] = result
                self.set_trait("heatmap", result)
        elif isinstance(result, Evaluation):
            self.set_trait("evaluation", result)
            self._draw_order()
        elif isinstance(result, RandomizedMap):
            progress = result.count / result.total
            self.set_trait("randomization", (*self.randomization, result))
            self._draw_randomization()
        elif isinstance(result, AgreementState):
            self._agreed = progress >= 1
            self.set_trait("agreement", result.found)
            self.techniques_section.describe(result.found, tested.technique.label, result.missing)
        else:
            self.set_trait("other_class", result)
            self.class_section.describe(result, tested.example.classifier.class_names)
        if progress < 1:
            self.say("computing ...", "busy", progress)
        else:  # a view says what there is to know of its map
            self.say(self.heatmap.note if self._makes_map and self.heatmap is not None else "")

    def _draw_order(self) -> None:
        tested, found = self._tested, self.evaluation
        self.order.mode.index = list(MODES).index(self.mode)
        if tested is None or found is None:
            return
        step = min(self.step, len(found.insertion.shares) - 1)
        example = tested.example
        self.order.describe(found, self.mode, step, tested.target_name)
        partial = self._order_test.partial(tested.instance, found.places, step, self.mode)
        self.order.canvas.show(example.classifier.appearance(partial))
        share = f"{step / (len(found.insertion.shares) - 1):.0%}"
        done = "revealed" if self.mode == "insertion" else "covered"
        self.order.canvas.label = f"{example.picture.name or 'picture'}, {share} {done} in the order of the map"

    def _draw_randomization(self) -> None:
        if self._tested is not None and self.randomization:
            depth = min(self.depth, len(self.randomization) - 1)
            self.random.describe(self.randomization, depth, OTHER_PHOTOGRAPH.get(self._tested.technique.label))

    # -- the hand ------------------------------------------------------------------------------------------------

    def _set(self, name: str, value: object) -> None:
        setattr(self, name, value)

    def _go_along(self, mode: Mode, event: SliderMoved) -> None:
        """The hand is on the curve of `mode`: show the picture at that point."""
        self.mode, self.step = mode, event.index

    def _open_tab(self, event: TabOpened) -> Job:
        self.section = list(SECTIONS)[event.index]
        return self.work

    def _turn_to_section(self, _: Any) -> None:
        self._show_section()
        self.work.cancel()
        self.say("")
        self.refresh()

    def _show_section(self) -> None:
        self.tabs.index = list(SECTIONS).index(self.section)
        for name, section in self.sections.items():
            show_if(name == self.section, section)

    def close(self) -> None:
        """Stop the test and remove the panel from the page; the view that is tested stays."""
        unlink = vars(self).get("_unlink")  # what raised while it was made is closed by its __del__
        if unlink is not None:
            unlink()
        super().close()


class TestButton:
    """Shows a test of a view's map in `place`, and takes it away again: what the button "Test" of its head does."""

    __test__ = False

    def __init__(self, view: Any) -> None:
        self._view = view
        #: The test that is shown, or None.
        self.panel: TestView | None = None
        self.place = ipywidgets.VBox().add_class("cnnviz-below")
        view.actions.test = self.toggle

    def open(self) -> TestView:
        """Show a test of the view's map, the one that is there if there is one."""
        if self.panel is None:
            self.panel = TestView(self._view, language=self._view.language)
            self.panel.leave_notes_out()
            self.place.children = (self.panel,)
        return self.panel

    def close(self) -> None:
        """Take the test away."""
        panel, self.panel = self.panel, None
        self.place.children = ()
        if panel is not None:
            panel.close()

    def toggle(self) -> None:
        """Show the test, or take it away."""
        if self.panel is None:
            self._view.test()
        else:
            self.close()


def _place_of(result: object) -> Hashable:
    return type(result), getattr(result, "count", None)
