"""The occlusion panel, driven by browser messages without a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionRun
from cnnviz_widgets.session import Session
from cnnviz_widgets.views import occlusion
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts import opening, probing

from .conftest import Counting, Stepping

pytestmark = pytest.mark.usefixtures("inline")
#: The picker's second option: a map by random masks, which is one of a single class.
RANDOM = 1


def choose(view: OcclusionView, kind: int) -> None:
    view.choice.value = view.choice.options[kind]


@pytest.fixture
def view(classifier: Classifier, picture: np.ndarray) -> OcclusionView:
    return OcclusionView(classifier, picture, technique=Occlusion(window=8, stride=8))


def acknowledged(view: OcclusionView, **message: Any) -> list[Any]:
    """Send a message as the browser does, and return what it is answered."""
    sent: list[Any] = []
    view.canvas.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    view.canvas._receive(None, {"kind": "event", "name": "moved", **message}, [])
    return sent


def test_a_window_moved_is_answered_with_its_scores_and_an_acknowledgement(
    view: OcclusionView, classifier: Classifier, picture: np.ndarray
) -> None:
    assert acknowledged(view, seq=7, final=True, window=[2, 3, 8, 8]) == [{"kind": "ack", "seq": 7}]
    assert view.probe is not None
    expected = Occlusion().occluded(classifier, classifier.pixels(picture), [(2, 3, 8, 8)])[0]
    np.testing.assert_allclose(view.probe.logits, expected, atol=1e-5)
    now = np.exp(view.probe.logits) / np.exp(view.probe.logits).sum()
    assert view.bars.values == pytest.approx({i: float(now[i]) for i in range(4)}, abs=1e-5)
    assert "drop of the logit" in view.status.text


@pytest.mark.parametrize(
    "message",
    [
        {"window": [0, 0, 8]},
        {"window": [0.0, 0, 8, 8]},
        {"window": [True, 0, 8, 8]},
        {"window": [-1, 0, 8, 8]},
        {"window": [20, 0, 8, 8]},
        {"window": [0, 0, 10**9, 8]},
        {"window": "all"},
        {"window": None},
        {"window": [float("nan"), 0, 8, 8]},
        {},
    ],
)
def test_a_bad_message_changes_nothing_and_is_answered(
    view: OcclusionView, network: Counting, message: dict[str, Any]
) -> None:
    calls, probe, window = network.calls, view.probe, view.canvas.window
    assert acknowledged(view, seq=1, final=True, **message) == [{"kind": "ack", "seq": 1}]
    assert (network.calls, view.probe, view.canvas.window) == (calls, probe, window)


@pytest.mark.parametrize("seq", [None, -1, "1", 1.5, True, 2**60])
def test_a_message_without_a_number_is_ignored(view: OcclusionView, seq: object) -> None:
    probe = view.probe
    assert acknowledged(view, seq=seq, final=True, window=[2, 3, 8, 8]) == []
    assert view.probe is probe


def test_a_finished_map_answers_a_drag_without_the_network(
    view: OcclusionView, network: Counting, classifier: Classifier, picture: np.ndarray
) -> None:
    acknowledged(view, seq=1, final=True, window=[4, 4, 8, 8])
    view.compute_map()
    assert view.canvas.map_size == (24, 32)
    calls = network.calls
    acknowledged(view, seq=2, final=False, window=[9, 14, 8, 8])
    assert network.calls == calls
    assert view.probe is not None and view.probe.interpolated and "read off a window nearby" in view.status.text
    expected = Occlusion().occluded(classifier, classifier.pixels(picture), [(8, 16, 8, 8), (9, 14, 8, 8)])
    np.testing.assert_allclose(view.probe.logits, expected[0], atol=1e-5)
    calls = network.calls
    acknowledged(view, seq=3, final=True, window=[9, 14, 8, 8])
    assert network.calls == calls + 1
    assert not view.probe.interpolated and "read off" not in view.status.text
    np.testing.assert_allclose(view.probe.logits, expected[1], atol=1e-5)
    # One of the map's own windows is known as it is.
    acknowledged(view, seq=4, final=True, window=[8, 16, 8, 8])
    assert network.calls == calls + 1 and not view.probe.interpolated


def test_the_map_follows_the_class_without_the_network(view: OcclusionView, network: Counting) -> None:
    view.compute_map()
    before, calls = view.canvas.map, network.calls
    view.session.target = (view.session.example.predicted + 1) % 4
    assert view.canvas.map != before
    # The only call is the probe of the window on the picture.
    assert network.calls == calls + 1


def test_window_and_stride_begin_at_their_defaults_for_each_network(
    classifier: Classifier, picture: np.ndarray, network: Counting
) -> None:
    view = OcclusionView(classifier, picture)

    def stride() -> Any:
        return next(control for control in view.choice.controls.children if control.description == "stride")

    assert view.canvas.window is not None and view.canvas.window[2:] == (7, 7)
    assert view.technique.stride == 3 and stride().options[stride().index] == "3"
    view.session.classifier = Classifier(network, input_size=(56, 56))
    assert view.canvas.window[2:] == (16, 16)
    assert view.technique.stride == 8 and stride().options[stride().index] == "8"
    slider = stride()
    slider._receive(None, {"kind": "event", "seq": 1, "final": True, "index": 4, "option": slider.options[4]}, [])
    assert view.technique.stride == 5
    view.session.classifier = classifier
    assert view.canvas.window[2:] == (7, 7) and view.technique.stride == 5
    assert OcclusionView(classifier, picture, technique=Occlusion(window=8)).technique.stride == 4


class Blind(nn.Module):
    """Says nearly the same of every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.conv(pixels).mean((2, 3)) * 1e-9 + torch.arange(4.0)


@pytest.mark.parametrize("kind", [0, RANDOM])
def test_a_map_of_rounding_is_said_to_be_nothing(picture: np.ndarray, kind: int) -> None:
    view = OcclusionView(Classifier(Blind(), input_size=(24, 32)), picture)
    choose(view, kind)
    view.compute_map()
    assert "changes the score by more than rounding" in view.status.text
    values = np.frombuffer(view.canvas.map, dtype="<f4")
    assert all(np.abs(values).max() < (high - low) / 256 for _, low, high in view.canvas.scales)


def test_stop_keeps_the_unfinished_map(view: OcclusionView) -> None:
    seen: list[float] = []
    grew = view._draw_map

    def stop_after_the_first(result: Any) -> None:
        grew(result)
        seen.append(result.heatmap.progress)
        view.stop_map()

    view.map_job._deliver = stop_after_the_first
    view.technique = Occlusion(window=8, stride=2)
    view.window = (0, 0, 2, 2)
    view.compute_map()
    assert len(seen) == 1 and seen[0] < 1
    assert view.canvas.map_size == (24, 32)
    assert view.stop_button.disabled


def test_a_new_picture_clears_the_map_and_starts_from_its_own_scores(view: OcclusionView, picture: np.ndarray) -> None:
    view.compute_map()
    view.session.picture = 255 - picture
    assert view.canvas.map_size == (0, 0)
    assert view.canvas.picture == view.session.example.appearance.tobytes()
    assert view.probe is not None and view.probe.example is view.session.example


@pytest.mark.parametrize(("breaks", "word"), [("raise", "the cable is loose"), ("nan", "NaN")])
def test_a_broken_network_gets_a_sentence_and_nothing_is_lost(
    view: OcclusionView, network: Counting, breaks: str, word: str
) -> None:
    probe, shown = view.probe, view.canvas.picture
    network.breaks = breaks
    assert acknowledged(view, seq=1, final=True, window=[2, 3, 8, 8]) == [{"kind": "ack", "seq": 1}]
    assert view.status.kind == "error"
    assert word in view.status.text and "\n" not in view.status.text
    assert (view.probe, view.canvas.picture) == (probe, shown)
    network.breaks = ""
    acknowledged(view, seq=2, final=True, window=[2, 3, 8, 8])
    assert view.status.kind == "info"


def test_the_window_shows_the_baseline(view: OcclusionView, classifier: Classifier) -> None:
    view.technique = replace(view.technique, baseline="black")
    assert set(view.canvas.baseline) == {0}
    view.technique = replace(view.technique, baseline="white")
    assert set(view.canvas.baseline) == {255}


def test_without_a_picture_the_panel_says_so(classifier: Classifier) -> None:
    view = OcclusionView(Session(classifier))
    assert view.status.text == "There is no picture yet; choose or upload one."
    view.compute_map()
    acknowledged(view, seq=1, final=True, window=[0, 0, 8, 8])


def test_closing_twice_is_fine(view: OcclusionView) -> None:
    view.close()
    view.close()
    view.session.target = 1


def other_class(view: OcclusionView) -> int:
    return (view.session.example.predicted + 1) % 4


def test_a_map_of_one_class_is_taken_away_with_its_class(view: OcclusionView) -> None:
    choose(view, RANDOM)
    view.compute_map()
    predicted = view.session.example.classifier.class_names[view.session.example.predicted]
    assert view.canvas.map_size == (24, 32) and view.canvas.label.endswith(
        f"under the random masks (RISE) map of {predicted}"
    )
    view.session.target = other_class(view)
    assert view.canvas.map_size == (0, 0) and "RISE" not in view.canvas.label
    choose(view, 0)
    view.compute_map()
    assert "under the sliding window map of" in view.canvas.label
    view.session.target = None
    assert view.canvas.map_size == (24, 32) and view.canvas.label.endswith(
        f"under the sliding window map of {predicted}"
    )


def test_a_map_of_one_class_that_is_under_way_ends_with_its_class(view: OcclusionView) -> None:
    executor = view.map_job._requests._executor = Stepping()
    grown, grew = [], view._draw_map
    view.map_job._deliver = lambda result: (grown.append(result), grew(result))  # type: ignore[func-returns-value]
    choose(view, RANDOM)
    view.compute_map()
    executor.work(1)
    assert view.canvas.map_size == (24, 32) and len(grown) == 1
    view.session.target = other_class(view)
    assert not view.map_job.busy and view.stop_button.disabled and view.status.progress == -1
    executor.work()
    # One that had been computed before the class changed, and comes after.
    grew(grown[0])
    assert view.canvas.map_size == (0, 0)
    # A map by windows goes on for the other class.
    choose(view, 0)
    view.compute_map()
    view.session.target = None
    executor.work()
    assert view.canvas.map_size == (24, 32)


def test_stop_and_clear_leave_no_progress_behind(view: OcclusionView) -> None:
    executor = view.map_job._requests._executor = Stepping()
    choose(view, RANDOM)
    view.compute_map()
    executor.work(1)
    share = view.status.progress
    assert 0 < share < 1 and view.status.kind == "busy"
    acknowledged(view, seq=1, final=True, window=[2, 3, 8, 8])
    assert (view.status.kind, view.status.progress) == ("busy", share)
    view.stop_button.click()
    assert view.status.text == f"stopped at {share:.0%} of the map"
    assert (view.status.kind, view.status.progress) == ("info", -1)
    view.compute_map()
    executor.work(1)
    view.clear_button.click()
    executor.work()
    assert (view.status.text, view.status.kind, view.status.progress) == ("", "info", -1)
    assert view.canvas.map_size == (0, 0) and "map" not in view.canvas.label and view.stop_button.disabled
    # With nothing under way there is nothing to tell.
    view.stop_map()
    assert view.status.text == ""


@pytest.mark.parametrize("finished", [False, True])
def test_a_probe_of_the_picture_before_does_not_take_the_place_of_this_one_s(
    view: OcclusionView, picture: np.ndarray, finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if finished:
        acknowledged(view, seq=1, final=True, window=[4, 4, 8, 8])
        view.compute_map()
    known_answer, moved = occlusion.known_answer, []

    def while_the_worker_draws(*arguments: Any) -> Any:
        known = known_answer(*arguments)
        if not moved:
            moved.append(known)
            view.session.picture = 255 - picture
        return known

    monkeypatch.setattr(occlusion, "known_answer", while_the_worker_draws)
    acknowledged(view, seq=2, final=False, window=[8, 16, 8, 8])
    assert (moved[0] is not None) == finished
    assert view.probe is not None and view.probe.example is view.session.example
    assert view.probe.box == view.canvas.window


def test_a_map_is_never_drawn_over_another_picture(view: OcclusionView, picture: np.ndarray) -> None:
    view.compute_map()
    before, seen = view.canvas.picture, []
    view.canvas.observe(lambda change: seen.append((view.canvas.picture == before, view.canvas.map_size)))
    view.session.picture = 255 - picture
    assert (False, (24, 32)) not in seen and (False, (0, 0)) in seen


# -- ahead of the hand -------------------------------------------------------------------------------------


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
    expected = Occlusion().occluded(classifier, classifier.pixels(picture), [(2, 6, 16, 16), (7, 13, 16, 16)])
    calls = network.calls
    acknowledged(view, seq=2, final=False, window=[2, 7, 16, 16])
    assert network.calls == calls and view.probe is not None
    assert view.probe.interpolated and view.probe.box == (2, 7, 16, 16)
    np.testing.assert_allclose(view.probe.logits, expected[0], atol=1e-5)
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
    np.testing.assert_allclose(view.probe.logits, expected[0], atol=1e-5)


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
    assert view.ahead_job.busy and view._cache is not None and len(view._cache) > 1
    request, begun = view.ahead_job._requests._newest, view._cache
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
    assert view._cache is not None and len(view._cache) == 10
    acknowledged(view, seq=2, final=True, window=[8, 16, 16, 16])
    spare.work()
    assert len(view._cache) == 10
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


# -- what opens, and what is found out while the hand rests --------------------------------------------------


@pytest.fixture
def opened(classifier: Classifier, picture: np.ndarray) -> tuple[OcclusionView, Stepping]:
    """A view that nobody has touched, and the spare time of whoever runs its map."""
    view = OcclusionView(classifier, picture, technique=Occlusion(window=8), active=False)
    spare = view.rest_job._requests._executor = Stepping()
    view.active = True
    return view, spare


def worst_of(view: OcclusionView) -> tuple[int, int, int, int]:
    """The window of all that lie half a window apart that takes most from the class's probability."""
    example, setup = view.session.example, view._setup
    assert setup is not None
    boxes = [Box(top, left, 8, 8) for top in range(0, 17, 4) for left in range(0, 25, 4)]
    logits = Occlusion().occluded(example.classifier, example.pixels, boxes)
    shares = logits.softmax(dim=1)[:, setup.class_index].numpy()
    drops = example.probabilities[setup.class_index] - shares
    return boxes[int(drops.argmax() if 4 * max(drops.max(), 0) >= -drops.min() else drops.argmin())]


def test_the_patch_goes_where_it_matters_most_until_somebody_moves_it(
    opened: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray
) -> None:
    view, spare = opened
    assert view.window == (8, 12, 8, 8) and view.probe is not None and view.heatmap is None
    said, first = view.status.text, view.probe
    spare.work(3)
    assert view.probe is first and view.status.text == said, "what is under way shows nothing yet"
    spare.work()
    assert view.window == worst_of(view) == view.canvas.window
    assert view.probe.box == view.window and not view.probe.interpolated
    expected = Occlusion(8, 4)(classifier, classifier.pixels(picture), view.session.example.predicted)
    assert view.heatmap is not None and view.heatmap.progress == 1
    np.testing.assert_allclose(view.heatmap.values, expected.values, atol=1e-4)
    assert view.status.text.startswith(f"{view.answer} ") and view.answer is not None
    # Another picture has its own place.
    view.session.picture = 255 - picture
    assert view.window == (8, 12, 8, 8) and view.heatmap is None
    spare.work()
    assert view.window == worst_of(view) and view.heatmap is not None


@pytest.mark.parametrize("how", ["hand", "python", "given"])
def test_a_patch_that_was_placed_stays_while_the_map_comes_by_itself(
    opened: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray, how: str
) -> None:
    view, spare = opened
    spare.work(3)
    match how:
        case "hand":
            acknowledged(view, seq=1, final=True, window=[3, 5, 8, 8])
        case "python":
            view.window = (3, 5, 8, 8)
        case "given":
            view = OcclusionView(classifier, picture, technique=Occlusion(window=8), window=(3, 5, 8, 8), active=False)
            spare = view.rest_job._requests._executor = Stepping()
            view.active = True
    spare.work()
    assert view.window == (3, 5, 8, 8) and view.heatmap is not None and view.heatmap.progress == 1
    assert worst_of(view) != view.window


def test_the_hand_interrupts_the_map_and_it_goes_on_where_it_was(opened: tuple[OcclusionView, Stepping]) -> None:
    view, spare = opened
    setup = view._setup
    assert setup is not None
    asked: list[Any] = []
    logits = setup.occluder.logits
    setup.occluder.logits = lambda boxes: (asked.extend(boxes), logits(boxes))[1]  # type: ignore[assignment,method-assign]
    spare.work(4)
    before = list(asked)
    assert before and view.rest_job.busy
    acknowledged(view, seq=1, final=False, window=[3, 5, 8, 8])
    spare.work()
    assert not view.rest_job.busy and [box for box in asked if box[:2] != (3, 5)] == before
    acknowledged(view, seq=2, final=True, window=[3, 5, 8, 8])
    spare.work()
    windows = [box for box in asked if box[:2] != (3, 5)]
    assert len(windows) == len(set(windows)) == 5 * 7 and view.heatmap is not None


@pytest.mark.parametrize("what", ["clear", "map", "random masks", "hidden", "not ahead"])
def test_a_map_that_nobody_wants_does_not_come(
    opened: tuple[OcclusionView, Stepping], classifier: Classifier, picture: np.ndarray, what: str
) -> None:
    view, spare = opened
    spare.work(3)
    match what:
        case "clear":
            view.clear_map()
        case "map":
            view.map_job._requests._executor = Stepping()
            view.compute_map()
        case "random masks":
            choose(view, RANDOM)
            view.session.picture = 255 - picture
        case "hidden":
            view.active = False
        case "not ahead":
            view = OcclusionView(classifier, picture, run_ahead=False, active=False)
            spare = view.rest_job._requests._executor = Stepping()
            view.active = True
    acknowledged(view, seq=1, final=True, window=[3, 5, 8, 8])
    spare.work()
    assert view.heatmap is None and view.window == (3, 5, 8, 8)
    if what == "hidden":
        view.active = True
        spare.work()
        assert view.heatmap is not None


def test_of_a_map_of_very_many_windows_a_coarser_one_is_made(classifier: Classifier, picture: np.ndarray) -> None:
    view = OcclusionView(classifier, picture, technique=Occlusion(window=4, stride=1), active=False)
    spare = view.rest_job._requests._executor = Stepping()
    view.active = True
    spare.work()
    assert view.heatmap is not None and view.heatmap.cells.size <= opening.MOST_WINDOWS
    assert view.technique.stride == 1


def test_where_nothing_hurts_the_patch_goes_where_it_helps_most() -> None:
    readout = Classifier(Counting(), input_size=(24, 32)).readout
    windows = Occlusion(8, 8).windows((16, 16))
    whole = np.log(np.array([0.4, 0.3, 0.2, 0.1], np.float32))

    def strongest(*probabilities: float) -> tuple[int, ...]:
        rest = [[(1 - p) / 3] * 3 for p in probabilities]
        measured = np.log(np.array([[p, *others] for p, others in zip(probabilities, rest, strict=True)], np.float32))
        known = np.ones((2, 2), np.bool_)
        run = OcclusionRun(windows, readout, whole, measured, np.arange(4).reshape(2, 2), known, 0.0)
        return opening.strongest_window(run.map_of(Target(0), "logit"), 0)

    assert strongest(0.39, 0.3, 0.41, 0.6) == (0, 8, 8, 8), "0.1 lost counts more than 0.2 gained"
    assert strongest(0.39, 0.41, 0.6, 0.4) == (8, 0, 8, 8), "0.01 lost does not"
