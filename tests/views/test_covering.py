"""Covering by the brush: what is painted, assigned, taken back and taken away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.compare import compare
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.take.figure import parts_of
from tests.support.hand import acknowledged

from .conftest import Counting, Stepping

SIZE = (24, 32)
MASK = np.random.default_rng(0).random(SIZE) < 0.3


def paint(view: OcclusionView, mask: np.ndarray, *, final: bool = True) -> list[Any]:
    """What the browser sends of a stroke."""
    sent: list[Any] = []
    view.canvas.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    content = {"kind": "event", "seq": 1, "name": "painted", "revision": view.canvas._mask["revision"], "final": final}
    view.canvas._receive(None, content, [memoryview(np.packbits(mask).tobytes())])
    return sent


@pytest.fixture
def view(classifier: Classifier, picture: np.ndarray, inline: None) -> OcclusionView:
    return OcclusionView(classifier, picture, technique=Occlusion(window=8, stride=8), run_ahead=False)


def expected(view: OcclusionView, mask: np.ndarray) -> np.ndarray:
    classifier, picture = view.session.classifier, view.session.picture
    logits: np.ndarray = view.technique.masked(classifier, classifier.pixels(picture), [mask])[0].numpy()
    return logits


def test_a_stroke_is_answered_with_what_the_network_says_of_it(view: OcclusionView) -> None:
    assert paint(view, MASK) == [{"kind": "ack", "seq": 1}]
    np.testing.assert_array_equal(view.mask, MASK)
    assert view.probe is not None and view.probe.mask is view.mask
    np.testing.assert_allclose(view.probe.logits, expected(view, MASK), atol=1e-5)
    assert view.answer is not None and view.error == ""


def test_a_painted_rectangle_is_the_patch(view: OcclusionView) -> None:
    acknowledged(view, seq=1, final=True, window=[2, 3, 8, 8])
    assert view.probe is not None
    by_window = view.probe.logits
    mask = np.zeros(SIZE, bool)
    mask[2:10, 3:11] = True
    paint(view, mask)
    np.testing.assert_allclose(view.probe.logits, by_window, atol=1e-5)


@pytest.mark.parametrize("baseline", ["black", "blur"])
def test_another_baseline_fills_what_is_painted(view: OcclusionView, baseline: str) -> None:
    paint(view, MASK)
    before = view.probe
    view.technique = Occlusion(window=8, stride=8, baseline=baseline)  # type: ignore[arg-type]
    assert view.probe is not None and view.probe is not before and view.probe.mask is view.mask
    np.testing.assert_allclose(view.probe.logits, expected(view, MASK), atol=1e-5)


def test_nothing_painted_is_said_to_be_so(view: OcclusionView) -> None:
    paint(view, np.zeros(SIZE, bool))
    assert view.status.text == words.text("brush.nothing")
    assert view.probe is not None
    np.testing.assert_allclose(view.probe.logits, view.probe.example.logits, atol=1e-5)


def test_the_window_covers_again_once_it_is_moved(view: OcclusionView) -> None:
    paint(view, MASK)
    acknowledged(view, seq=2, final=True, window=[2, 3, 8, 8])
    assert view.mask is None and view.probe is not None and view.probe.mask is None
    assert view.window == (2, 3, 8, 8)


def test_a_mask_is_assigned_and_ends_with_its_picture(view: OcclusionView, picture: np.ndarray) -> None:
    view.mask = MASK
    assert view.canvas.mask is view.mask and view.probe is not None and view.probe.mask is view.mask
    view.session.target = 1
    assert view.mask is not None and view.probe.class_index == 1
    view.session.picture = picture[::-1].copy()
    assert (view.mask, view.canvas.mask, view.probe.mask) == (None, None, None)


@pytest.mark.parametrize("mask", [np.zeros((3, 3), bool), np.zeros(SIZE), "no mask", 5])
def test_what_is_no_mask_changes_nothing(view: OcclusionView, mask: Any) -> None:
    paint(view, MASK)
    before = view.mask
    with pytest.raises(MethodError, match="mask"):
        view.mask = mask
    assert view.mask is before and view.canvas.mask is before


def stepping(view: OcclusionView) -> Stepping:
    """Let the panel's work wait until it is told to go on."""
    steps = Stepping()
    for job in (view.setup_job, view.probe_job):
        job._requests._executor = steps
    return steps


def test_the_newest_stroke_is_answered_and_none_before_it(view: OcclusionView, network: Counting) -> None:
    steps, calls = stepping(view), network.calls
    for final in (False, False, True):
        paint(view, MASK if final else ~MASK, final=final)
    steps.work()
    assert view.probe is not None and view.probe.mask is view.mask
    np.testing.assert_array_equal(view.mask, MASK)
    assert network.calls == calls + 1


def test_a_mask_for_a_picture_that_is_still_to_be_drawn_is_kept(view: OcclusionView, picture: np.ndarray) -> None:
    paint(view, ~MASK)
    steps = stepping(view)
    view.session.picture = picture[::-1].copy()
    view.mask = MASK
    assert view.canvas.mask is not view.mask  # the picture before is still shown
    steps.work()
    assert view.probe is not None and view.probe.mask is view.mask is view.canvas.mask
    np.testing.assert_array_equal(view.mask, MASK)


def test_what_is_painted_while_another_picture_is_on_its_way_ends_with_the_old(
    view: OcclusionView, picture: np.ndarray
) -> None:
    steps = stepping(view)
    view.session.picture = picture[::-1].copy()
    paint(view, MASK)
    steps.work()
    assert (view.mask, view.canvas.mask) == (None, None)
    assert view.probe is not None and view.probe.mask is None


def test_a_view_begins_with_a_mask(classifier: Classifier, picture: np.ndarray, inline: None) -> None:
    view = OcclusionView(classifier, picture, mask=MASK, run_ahead=False)
    assert view.probe is not None and view.probe.mask is view.mask is view.canvas.mask


def test_strokes_are_taken_back_one_by_one(view: OcclusionView) -> None:
    paint(view, MASK)
    paint(view, MASK | ~MASK, final=False)
    paint(view, MASK | ~MASK)
    view.back()
    np.testing.assert_array_equal(view.mask, MASK)
    assert view.probe is not None and view.probe.mask is view.mask is view.canvas.mask
    view.back()
    assert view.mask is None and view.history.depth == 0 and view.probe.mask is None


# -- taken away --------------------------------------------------------------------------------------------------


def test_state_and_code_make_it_again(view: OcclusionView, classifier: Classifier, picture: np.ndarray) -> None:
    paint(view, MASK)
    state = json.loads(json.dumps(view.state))
    view.reset()
    assert view.mask is None
    view.state = state
    np.testing.assert_array_equal(view.mask, MASK)
    found: dict[str, Any] = {"network": classifier, "picture": picture}
    exec(view.code(), found)
    assert view.probe is not None
    np.testing.assert_array_equal(found["view"].mask, MASK)
    np.testing.assert_allclose(found["view"].probe.logits, view.probe.logits, atol=1e-6)


def test_figure_and_numbers_hold_what_is_painted(view: OcclusionView, tmp_path: Path) -> None:
    view.compute_map()
    paint(view, MASK)
    part, filling = parts_of(view.canvas)[0], np.frombuffer(view.canvas.baseline, np.uint8).reshape(*SIZE, 3)
    whole = np.frombuffer(view.canvas.picture, np.uint8).reshape(*SIZE, 3)
    np.testing.assert_array_equal(part.picture, np.where(MASK[..., None], filling, whole))  # type: ignore[union-attr]
    assert view.save(tmp_path / "a.png").stat().st_size > 1000
    table = view.table()
    assert table["covered_pixels"] == [int(MASK.sum())] * 4
    view.mask = str(table["mask"][0])  # type: ignore[assignment]
    np.testing.assert_array_equal(view.mask, MASK)
    assert view.probe is not None and table["logit_covered"] == pytest.approx(view.probe.logits.tolist(), abs=1e-6)


def test_one_brush_paints_on_both_sides_of_a_comparison(
    classifier: Classifier, picture: np.ndarray, inline: None
) -> None:
    both = compare(
        OcclusionView(Session(classifier, picture), run_ahead=False),
        OcclusionView(Session(Classifier(Counting(), input_size=(12, 16)), picture), run_ahead=False),
    )
    first, second = both.panels
    paint(first, np.repeat(np.repeat(MASK[::2, ::2], 2, 0), 2, 1))
    np.testing.assert_array_equal(second.mask, MASK[::2, ::2])
    assert second.probe is not None and second.probe.mask is second.mask
    acknowledged(first, seq=5, final=True, window=[2, 3, 8, 8])
    assert second.mask is None
    both.close()
