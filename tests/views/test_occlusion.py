"""The occlusion panel, driven by browser messages without a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.session import Session
from cnnviz_widgets.views import occlusion
from cnnviz_widgets.views.occlusion import OcclusionView
from tests.support.hand import acknowledged, other_class

from .conftest import Counting, Stepping

pytestmark = pytest.mark.usefixtures("inline")
#: The picker's second option: a map by random masks, which is one of a single class.
RANDOM = 1


def choose(view: OcclusionView, kind: int) -> None:
    view.choice.value = view.choice.options[kind]


@pytest.fixture
def view(classifier: Classifier, picture: np.ndarray) -> OcclusionView:
    return OcclusionView(classifier, picture, technique=Occlusion(window=8, stride=8))


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
