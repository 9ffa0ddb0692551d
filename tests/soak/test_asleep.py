"""A page that sleeps is sent what it can hold, however long the kernel works; awake again, it is shown the newest."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import ipywidgets
import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.projection import TSNE
from cnnviz_widgets.explain import Occlusion, SmoothGrad
from cnnviz_widgets.schedule import Awaited
from cnnviz_widgets.session import Session
from cnnviz_widgets.study import ActivationMaximisation
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.pacing import pace_results
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.widgets.pace import FrameAcknowledger

from .hand import custom
from .stage import pictures

Results = Generator[Any, None, None]


class Wire:
    """What the kernel sends: how often the page is asked whether it has drawn a frame, and all other messages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.questions: list[int] = []
        self.messages = 0
        monkeypatch.setattr(ipywidgets.Widget, "_send", lambda widget, *message, **more: self._took(message[0]))

    def _took(self, message: dict[str, Any]) -> None:
        content = message.get("content")
        if isinstance(content, dict) and content.get("kind") == "frame":
            self.questions.append(content["frame"])
        else:
            self.messages += 1


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setattr(FrameAcknowledger, "patience", 1000.0)
    yield Wire(monkeypatch)


def counted(count: int) -> Results:
    yield from range(count)


def rest_of(work: Results) -> list[object]:
    """What is yielded from now on, and what is returned."""
    yielded: list[object] = []
    last = yield_all(work, yielded)
    return yielded if last is None else [*yielded, last]


def yield_all(work: Results, into: list[object]) -> object:
    while True:
        try:
            into.append(next(work))
        except StopIteration as end:
            return end.value


def answer(pace: FrameAcknowledger, frame: int) -> None:
    custom(pace, {"kind": "drawn", "frame": frame})


def test_the_first_result_is_sent_at_once_and_a_further_one_when_those_before_are_drawn(wire: Wire) -> None:
    pace = FrameAcknowledger()
    custom(pace, {"kind": "here"})
    work = pace_results(counted(9), pace)
    assert [next(work) for _ in range(5)] == [0, 1, None, None, None]
    assert wire.questions == [1], "asked once, after what was not the answer to the hand"
    answer(pace, 1)
    assert next(work) == 5, "the newest of what came meanwhile"
    assert [next(work), next(work)] == [None, None]
    assert wire.questions == [1, 2]
    assert rest_of(work) == [None, 8], "the last one is sent to whomever"


def test_a_single_answer_asks_for_nothing(wire: Wire) -> None:
    pace = FrameAcknowledger()
    custom(pace, {"kind": "here"})
    for _ in range(5):
        assert rest_of(pace_results(counted(1), pace)) == [0]
        assert rest_of(pace_results(counted(2), pace)) == [0, 1]
    assert wire.questions == []


def test_without_a_page_everything_is_sent(wire: Wire) -> None:
    assert rest_of(pace_results(counted(5), FrameAcknowledger())) == [0, 1, 2, 3, 4]


def test_what_the_work_waits_for_is_passed_on_at_once(wire: Wire) -> None:
    pace = FrameAcknowledger()
    custom(pace, {"kind": "here"})
    first, second = Awaited(), Awaited()
    assert rest_of(pace_results((step for step in (first, 0, 1, 2, second, 3)), pace)) == [
        first,
        0,
        1,
        None,
        second,
        None,
        3,
    ]


def test_the_newest_of_each_place_is_kept(wire: Wire) -> None:
    pace = FrameAcknowledger()
    custom(pace, {"kind": "here"})
    work = pace_results(counted(9), pace, lambda number: number % 2)
    assert [result for result in rest_of(work) if result is not None] == [0, 1, 7, 8]


def test_work_that_is_dropped_is_closed(wire: Wire) -> None:
    closed = []

    def endless() -> Results:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    work = pace_results(endless(), FrameAcknowledger())
    next(work)
    work.close()
    assert closed == [True]


def test_a_page_that_comes_back_is_sent_to_again(wire: Wire) -> None:
    pace = FrameAcknowledger()
    custom(pace, {"kind": "here"})
    pace.sent()
    assert not pace.ready
    custom(pace, {"kind": "here"})
    assert pace.ready


def test_an_answer_that_was_lost_is_asked_for_again_ever_more_rarely(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("cnnviz_widgets.widgets.pace.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(FrameAcknowledger, "patience", 2.0)
    pace = FrameAcknowledger()
    custom(pace, {"kind": "here"})
    pace.sent()
    for second in range(3600):
        clock[0] = float(second)
        pace.remind()
    assert 60 <= len(wire.questions) <= 70 and set(wire.questions) == {1}
    answer(pace, 1)
    assert pace.ready
    pace.remind()
    assert len(wire.questions) <= 70


# -- the views ---------------------------------------------------------------------------------------------------


def visual(classifier: Classifier, length: int) -> Panel:
    view = MaximisationView(
        Session(classifier, target=1),
        technique=ActivationMaximisation(iterations=10 * length),
        started=True,
        active=False,
    )
    view.interval = 0
    return view


def whole_map(classifier: Classifier, length: int) -> Panel:
    view = OcclusionView(
        Session(classifier, pictures(1)[0]), technique=Occlusion(window=6, stride=5 - length), run_ahead=False
    )
    assert schedule.WORKER.drain(60)
    return view


def noise(classifier: Classifier, length: int) -> Panel:
    techniques = [SmoothGrad(samples=40 * length)]
    return SaliencyView(Session(classifier, pictures(1)[0]), techniques=techniques, active=False)


def moving_map(classifier: Classifier, length: int) -> Panel:
    techniques = [TSNE(early_iterations=10, iterations=40 * length)]
    return EmbeddingView(Session(classifier), source=pictures(20, seed=1), techniques=techniques, active=False)


def scan(classifier: Classifier, length: int) -> Panel:
    view = PatchView(Session(classifier), source=pictures(64 * length, seed=1), active=False)
    view.interval = 0
    return view


@pytest.mark.parametrize("made", [visual, whole_map, noise, moving_map, scan])
def test_a_sleeping_page_is_sent_no_more_for_longer_work(
    wire: Wire, classifier: Classifier, made: Callable[[Classifier, int], Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnviz_widgets.views.parts.mapping.INTERVAL", 0.0)
    sent = []
    for length in (1, 4):
        view = made(classifier, length)
        custom(view.pace, {"kind": "here"})
        before = wire.messages
        view.active = True
        if isinstance(view, OcclusionView):
            view.compute_map()
        assert schedule.WORKER.drain(120)
        sent.append(wire.messages - before)
        view.close()
    assert sent[1] <= 1.2 * sent[0] + 5, f"{sent[0]} messages, then {sent[1]}"
    assert len(wire.questions) < 20


def test_a_page_that_wakes_is_shown_the_newest_frame(wire: Wire, classifier: Classifier) -> None:
    view = visual(classifier, 3)
    custom(view.pace, {"kind": "here"})
    view.active = True
    assert schedule.WORKER.drain(120)
    assert view.visuals[0] is not None and view.visuals[0].step == 30
    assert view.canvases[0].picture == ActivationMaximisation(iterations=30)(classifier, 1).appearance.tobytes()
    view.close()
