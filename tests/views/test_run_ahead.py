"""The occlusion panel runs windows around the resting one ahead, in time that nobody needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts import probing
from tests.support.hand import acknowledged, other_class

from .conftest import Counting, Stepping

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def view(classifier: Classifier, picture: np.ndarray) -> OcclusionView:
    return OcclusionView(classifier, picture, technique=Occlusion(window=8, stride=8))


@pytest.fixture
def rested(classifier: Classifier, picture: np.ndarray) -> tuple[OcclusionView, Stepping]:
    """A window of 16 pixels, so that those around lie two apart, and the spare time of whoever runs them."""
    view = OcclusionView(classifier, picture, technique=Occlusion(window=16))
    spare = view.ahead_job._requests._executor = Stepping()
    acknowledged(view, seq=1, final=True, window=[3, 5, 16, 16])
    return view, spare


def test_windows_around_the_resting_one_answer_the_next_drag(
    rested: tuple[OcclusionView, Stepping], classifier: Classifier, network: Counting, picture: np.ndarray
) -> None:
    view, spare = rested
    said, calls = view.status.text, network.calls
    spare.work()
    assert network.calls > calls and not view.ahead_job.busy and view.status.text == said
    windows = [(2, 6, 16, 16), (7, 13, 16, 16), (2, 8, 16, 16), (4, 6, 16, 16), (4, 8, 16, 16)]
    expected = Occlusion().occluded(classifier, classifier.pixels(picture), windows)
    between = (expected[0] + expected[2]) / 2
    calls = network.calls
    acknowledged(view, seq=2, final=False, window=[2, 7, 16, 16])
    assert network.calls == calls and view.probe is not None
    assert view.probe.interpolated and view.probe.box == (2, 7, 16, 16)
    np.testing.assert_allclose(view.probe.logits, between, atol=1e-5)
    acknowledged(view, seq=3, final=False, window=[3, 7, 16, 16])
    assert network.calls == calls
    np.testing.assert_allclose(view.probe.logits, expected[[0, 2, 3, 4]].mean(0), atol=1e-5)
    # The very window: exact, and at the end of a drag good enough.
    acknowledged(view, seq=3, final=True, window=[2, 6, 16, 16])
    assert network.calls == calls and not view.probe.interpolated
    acknowledged(view, seq=4, final=True, window=[7, 13, 16, 16])
    assert network.calls == calls + 1 and not view.probe.interpolated
    np.testing.assert_allclose(view.probe.logits, expected[1], atol=1e-5)
    # Another class is another score of the same windows.
    view.session.target = other_class(view)
    calls = network.calls
    acknowledged(view, seq=5, final=False, window=[2, 7, 16, 16])
    assert network.calls == calls and view.probe.class_index == view.session.target
    np.testing.assert_allclose(view.probe.logits, between, atol=1e-5)


def test_the_nearest_ones_are_run_first_and_none_twice(rested: tuple[OcclusionView, Stepping]) -> None:
    view, spare = rested
    placed = view._setup
    assert placed is not None
    asked: list[Any] = []
    logits = placed.occluder.logits
    placed.occluder.logits = lambda boxes: (asked.append(list(boxes)), logits(boxes))[1]  # type: ignore[assignment,method-assign]
    spare.work()
    assert max(map(len, asked)) <= 4 and len(asked[0]) == 1
    boxes = [box[:2] for group in asked for box in group]
    away = [np.hypot(top - 3, left - 5) for top, left in boxes]
    assert len(set(boxes)) == len(boxes) == 5 * 9  # all that there are: none is a window's length away
    assert away[0] < 2 and np.mean(away[:9]) < 3.5 < 5 < np.mean(away[-9:])
    asked.clear()
    acknowledged(view, seq=2, final=True, window=[4, 4, 16, 16])
    spare.work()
    assert not asked


@pytest.mark.parametrize("what", ["event", "map", "hidden", "class", "baseline", "picture", "stop", "close"])
def test_whatever_else_happens_ends_it(rested: tuple[OcclusionView, Stepping], picture: np.ndarray, what: str) -> None:
    view, spare = rested
    spare.work(3)
    assert view.ahead_job.busy and view.resting.cache is not None and len(view.resting.cache) > 1
    request, begun = view.ahead_job._requests._newest, view.resting.cache
    count = len(begun)
    match what:
        case "event":
            acknowledged(view, seq=2, final=False, window=[8, 16, 16, 16])
        case "map":
            view.map_job._requests._executor = Stepping()
            view.compute_map()
        case "hidden":
            view.active = False
        case "class":
            view.setup_job._requests._executor = Stepping()
            view.session.target = other_class(view)
        case "baseline":
            view.setup_job._requests._executor = Stepping()
            view.technique = replace(view.technique, baseline="black")
        case "picture":
            view.setup_job._requests._executor = Stepping()
            view.session.picture = 255 - picture
        case "stop":
            view.stop()
        case "close":
            view.close()
    assert not view.ahead_job.busy and view.ahead_job._requests._newest is not request
    spare.work()
    assert len(begun) == count and not spare.jobs


@pytest.mark.parametrize("what", ["size", "baseline", "picture"])
def test_what_answers_no_longer_is_dropped(
    rested: tuple[OcclusionView, Stepping], network: Counting, picture: np.ndarray, what: str
) -> None:
    view, spare = rested
    spare.work()
    box = [2, 7, 16, 16]
    match what:
        case "size":
            box = [2, 7, 16, 15]
        case "baseline":
            view.technique = replace(view.technique, baseline="black")
        case "picture":
            view.session.picture = 255 - picture
    calls = network.calls
    acknowledged(view, seq=2, final=False, window=box)
    assert network.calls == calls + 1 and view.probe is not None and not view.probe.interpolated


def test_a_hidden_view_rests_and_goes_on_when_it_is_shown(
    rested: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray
) -> None:
    view, spare = rested
    view.active = False
    spare.work()
    acknowledged(view, seq=2, final=True, window=[2, 6, 16, 16])
    assert not spare.jobs
    view.active = True
    assert spare.jobs
    view.close()
    hidden = OcclusionView(classifier, picture, active=False)
    spare = hidden.ahead_job._requests._executor = Stepping()
    assert not spare.jobs
    hidden.active = True
    assert spare.jobs
    plain = OcclusionView(classifier, picture, run_ahead=False)
    spare = plain.ahead_job._requests._executor = Stepping()
    acknowledged(plain, seq=2, final=True, window=[2, 6, 8, 8])
    assert not spare.jobs


def test_what_is_kept_is_bounded(
    rested: tuple[OcclusionView, Stepping], network: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_KEPT", 10 * 4 * 4 + 3)
    view, spare = rested
    spare.work()
    assert view.resting.cache is not None and len(view.resting.cache) == 10
    acknowledged(view, seq=2, final=True, window=[8, 16, 16, 16])
    spare.work()
    assert len(view.resting.cache) == 10
    calls = network.calls
    acknowledged(view, seq=3, final=False, window=[7, 15, 16, 16])  # kept
    assert network.calls == calls
    acknowledged(view, seq=4, final=False, window=[2, 7, 16, 16])  # forgotten
    assert network.calls == calls + 1


def test_nobody_is_told_of_a_failure_that_nobody_waits_for(
    rested: tuple[OcclusionView, Stepping], network: Counting
) -> None:
    view, spare = rested
    said, network.breaks = view.status.text, "raise"
    spare.work()
    assert (view.status.text, view.status.kind) == (said, "info") and not view.ahead_job.busy
    acknowledged(view, seq=2, final=False, window=[2, 7, 16, 16])
    assert "the cable is loose" in view.status.text


def test_a_map_is_made_by_what_is_ready_for_the_drag(
    view: OcclusionView, classifier: Classifier, picture: np.ndarray
) -> None:
    placed = view._setup
    assert placed is not None
    asked: list[Any] = []
    logits = placed.occluder.logits
    placed.occluder.logits = lambda boxes: (asked.extend(boxes), logits(boxes))[1]  # type: ignore[assignment,method-assign]
    view.compute_map()
    assert sorted(asked) == [(top, left, 8, 8) for top in (0, 8, 16) for left in (0, 8, 16, 24)]
    # Not while the window is still filled with something else than the map is asked for.
    asked.clear()
    view.setup_job._requests._executor = Stepping()
    view.technique = replace(view.technique, baseline="black")
    view.compute_map()
    assert not asked
    expected = Occlusion(8, 8, "black")(classifier, classifier.pixels(picture), placed.class_index)
    np.testing.assert_array_equal(np.frombuffer(view.canvas.map, "<f4"), expected.values.ravel())
