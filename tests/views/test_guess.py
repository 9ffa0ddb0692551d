"""Guess first, Back and Reset, and maps that are of another question: what the laws of all views do not say."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import GuessError, PictureError
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.camera import CameraView
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.evaluation import TestView
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.history import MOST
from cnnviz_widgets.views.labelled import DataView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts.guess_scores import share_inside
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.sketch import SketchView

from .conftest import NAMES, Counting, Stepping

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def session(classifier: Classifier, picture: np.ndarray) -> Session:
    return Session(classifier, picture)


@pytest.fixture
def occlusion(session: Session) -> Iterator[OcclusionView]:
    view = OcclusionView(session, technique=Occlusion(window=8, stride=8), run_ahead=False, guess=True)
    yield view
    view.close()


def said(view: object) -> str:
    """The sentence above a result that was guessed."""
    text: str = view.guessing.box.children[0].text  # type: ignore[attr-defined]
    return text


# -- what is true ------------------------------------------------------------------------------------------------------


def test_what_covering_costs_is_what_the_network_says(occlusion: OcclusionView, session: Session) -> None:
    assert occlusion.heatmap is None  # the map is made when it is to be revealed
    occlusion.guess((2, 3, 8, 8), {"A": 1, "B": 3})
    occlusion.reveal()
    example = session.example
    index = example.predicted

    def loss(window: tuple[int, int, int, int]) -> float:
        technique = Occlusion(window=window[2:])
        logits = technique.occluded(session.classifier, example.pixels, [window])[0]
        return float(example.probabilities[index] - torch.softmax(logits, 0)[index])

    quarters = [(0, 0, 12, 16), (0, 16, 12, 16), (12, 0, 12, 16), (12, 16, 12, 16)]
    losses = [loss(window) for window in quarters]
    (row,) = occlusion.guesses.to_dict("records")
    assert row["truth"] == "ABCD"[int(np.argmax(losses))] and row["guess"] == (2, 3, 8, 8)
    best = loss(occlusion.window)
    mine = loss((2, 3, 8, 8))
    expected = np.clip(mine / max(mine, best), 0, 1) if max(mine, best) > 0 else math.nan
    assert row["score"] == pytest.approx(expected, abs=1e-4, nan_ok=True)
    assert said(occlusion).startswith("3 of 4 hands said B. It is ")
    assert occlusion.canvas.box == (2, 3, 10, 11) and occlusion.heatmap is not None


def test_the_share_of_a_map_is_that_of_its_values(session: Session) -> None:
    view = SaliencyView(session)
    view.guess("D")
    view.reveal()
    (row,) = view.guesses.to_dict("records")
    quarters = {"A": (0, 0, 12, 16), "B": (0, 16, 12, 16), "C": (12, 0, 12, 16), "D": (12, 16, 12, 16)}
    shares = {letter: share_inside(view.heatmap.values, window) for letter, window in quarters.items()}
    assert row["truth"] == max(shares, key=lambda letter: shares[letter])
    assert row["guess"] == (12, 16, 12, 16) and row["hands"] == {}
    assert f"{shares['D']:.0%}" in said(view) and "Guess kept as no. 1" in said(view)
    view.close()


def test_the_stronger_of_two_is_told_by_what_is_measured(session: Session) -> None:
    channels, filters = ActivationView(session), FilterView(session)
    for view, strengths in (
        (channels, np.abs(channels.activations.maps).max(axis=(1, 2))),
        (filters, filters.filters.norms),
    ):
        view.guess("A")
        view.reveal()
        (row,) = view.guesses.to_dict("records")
        assert row["score"] in (0, 1) and (row["score"] == 1) == (row["truth"] == "A")
        strongest = int(np.argmax(strengths))
        winner = said(view).split(f"{row['truth']} is ")[-1]
        assert winner.startswith((f"channel {strongest},", f"filter {strongest},"))
        view.close()


def test_the_picture_that_is_taken_for_another_class_is_the_truth(session: Session) -> None:
    pictures = list(np.random.default_rng(0).integers(0, 256, (12, 24, 32, 3), dtype=np.uint8))
    predicted = [int(Session(session.classifier, one).example.predicted) for one in pictures]
    wrong = (predicted[3] + 1) % 4
    labels = [wrong if index == 3 else own for index, own in enumerate(predicted)]
    view = DataView(session, source=(pictures, labels))
    view.guess("A")
    view.reveal()
    (row,) = view.guesses.to_dict("records")
    assert row["score"] == (row["truth"] == "A")
    assert f"and {NAMES[wrong]} by its label" in said(view).split(f"{row['truth']} is ")[-1].split(";")[0]
    view.close()
    sure = DataView(session, source=(pictures, predicted))  # nothing is wrong
    sure.guess("A")
    surest = NAMES[predicted[int(sure.predictions.confidence.argmax())]]
    sure.reveal()
    (row,) = sure.guesses.to_dict("records")
    assert f"{row['truth']} is {surest} to the network" in said(sure)
    sure.close()


def test_the_order_that_raises_the_score_more_is_the_one_of_the_larger_area(session: Session) -> None:
    view = TestView(session)
    areas = view.evaluation.areas
    view.guess("B")
    view.reveal()
    (row,) = view.guesses.to_dict("records")
    first = said(view).split(f"{row['truth']} is ")[-1]
    assert first.startswith("the map's" if areas[0] > areas[1] else "random") and row["score"] == (row["truth"] == "B")
    view.section = "randomization"
    view.guess()
    assert view.guessing.stage is None and "open that test" in view.guessing.line.text
    with pytest.raises(GuessError):
        view.reveal()
    view.guessing.skip()
    view.close()


def test_what_the_camera_shows_is_judged_when_it_is_there(classifier: Classifier, picture: np.ndarray) -> None:
    view = CameraView(Session(classifier), guess=True)
    view.guess("bee")
    with pytest.raises(PictureError, match="Start the camera first"):
        view.reveal()
    view.session.picture = picture  # the reveal that was asked for goes on
    (row,) = view.guesses.to_dict("records")
    assert row["truth"] == NAMES[view.session.example.predicted]
    view.close()


@pytest.mark.parametrize("guess", range(4))
def test_a_class_is_scored_by_its_rank(session: Session, guess: int) -> None:
    view = PredictionView(session)
    view.guess(NAMES[guess])
    view.reveal()
    (row,) = view.guesses.to_dict("records")
    place = 1 + [int(one) for one in np.argsort(-session.example.logits)].index(guess)
    assert row["score"] == pytest.approx(1 / place) and row["guess"] == NAMES[guess]
    assert row["truth"] == NAMES[session.example.predicted] and f"in place {place}" in said(view)
    view.close()


def test_a_lasso_is_scored_by_the_label_it_was_drawn_for(session: Session) -> None:
    pictures = list(np.random.default_rng(0).integers(0, 256, (12, 24, 32, 3), dtype=np.uint8))
    view = EmbeddingView(session, source=source_of(pictures))
    question = view.question()
    assert question is not None
    groups = view.store.logits.argmax(axis=1)
    values, counts = np.unique(groups, return_counts=True)
    members = np.flatnonzero(groups == values[counts.argmax()]).tolist()
    view.guess(members)
    view.reveal()
    assert view.guesses["score"].tolist() == [1.0] and list(view.selection) == members
    view.close()


def test_where_nothing_speaks_for_a_class_there_is_no_score(session: Session) -> None:
    view = SaliencyView(session)
    view.heatmap.values[:] = 0
    view.guess("A")
    view.reveal()
    assert math.isnan(view.guesses["score"][0]) and "no positive values" in said(view)
    view.close()


# -- hiding and asking -------------------------------------------------------------------------------------------------


def test_another_picture_is_another_question_and_stays_hidden(session: Session, picture: np.ndarray) -> None:
    view = CAMView(session, guess=True)
    view.guess("A")
    session.picture = 255 - picture
    assert view.guessing.hidden and view.status not in view.children
    with pytest.raises(GuessError, match="Mark a guess"):
        view.reveal()
    assert view.guessing.stage.canvas.picture == session.example.appearance.tobytes()  # type: ignore[union-attr]
    view.guess("B")
    view.reveal()
    assert view.guessing.box in view._guess_box.children
    session.picture = picture  # the sentence is not about this one
    assert view.guessing.box is None and view.canvas.box is None and view.canvas.marker is None
    view.close()


def test_a_reveal_waits_for_what_is_still_computed(session: Session) -> None:
    view = CAMView(session, guess=True)
    executor = view.work._requests._executor = Stepping()
    view.guess("A")
    session.target = (session.example.predicted + 1) % 4
    view.guess("A")
    assert view.question() is None
    executor.work()
    assert view.question() is not None and view.guessing.hidden
    with pytest.raises(GuessError):  # of the class before
        view.reveal()
    view.close()


def test_bad_guesses_are_refused_and_change_nothing(occlusion: OcclusionView, session: Session) -> None:
    for bad in ("Z", (1, 2), 5, (1, 2, 3, "x")):
        with pytest.raises(GuessError):
            occlusion.guess(bad)
    with pytest.raises(GuessError, match="no answer 'E'"):
        occlusion.guess("A", {"E": 3})
    assert occlusion.guessing.stage is not None and occlusion.guessing.stage.guess is None
    shown = PredictionView(session)
    with pytest.raises(GuessError, match="Nothing is hidden"):
        shown.reveal()
    for wrong in (4, -1, True, "cat"):
        with pytest.raises(GuessError):
            shown.guess(wrong)
    shown.close()


def test_a_closed_view_asks_nothing_more(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    view = FilterView(session, guess=True)
    view.guess("A")
    view.reveal()
    asked: list[str] = []
    monkeypatch.setattr(view, "question", lambda: asked.append("again"))
    view.tell_busy()
    assert asked == ["again"]
    view.close()
    assert asked == ["again"]


def test_what_goes_wrong_is_said_where_the_result_is_hidden(session: Session) -> None:
    view = SketchView(Session(session.classifier), guess=True)
    view.guess("bee")
    button = view.guessing.box.children[1].children[1].children[-1].children[0]  # type: ignore[union-attr]
    button.click()
    assert "Draw something first" in view.guessing.line.text and view.guessing.line.kind == "error"
    assert view.pad in view._body.children
    view.close()


# -- Back and Reset ----------------------------------------------------------------------------------------------------


def test_a_drag_is_one_step(session: Session) -> None:
    view = OcclusionView(session, technique=Occlusion(window=8, stride=8), run_ahead=False)
    start, depth = view.window, view.history.depth
    for place, final in ((1, False), (2, False), (3, True)):
        moved = {"kind": "event", "name": "moved", "seq": place, "final": final, "window": [place, 5, 8, 8]}
        view.canvas._receive(None, moved, [])
    assert view.window == (3, 5, 8, 8) and view.history.depth == depth + 1
    view.back()
    assert view.window == start and view.canvas.window == start and view.probe.box == start
    view.close()


def test_the_past_is_bounded(session: Session) -> None:
    view = CAMView(session)
    for step in range(2 * MOST):
        session.target = step % 4
    assert view.history.depth == MOST
    view.close()


def test_linked_views_go_back_together_and_compute_once(session: Session, network: Counting) -> None:
    one, other = CAMView(session), OcclusionView(session, run_ahead=False)
    session.target = 3
    one.technique = "Grad-CAM++"
    one.back()
    assert one.technique.label == "Grad-CAM" and session.target == 3
    network.calls = 0
    one.back()
    assert session.target is None and other.class_picker.index == 0 and one.history.depth == 0
    one.back()  # there is nothing left
    assert session.target is None
    one.close()
    other.close()


def test_going_back_where_nothing_has_changed_computes_nothing(session: Session, network: Counting) -> None:
    view = SaliencyView(session)
    network.calls = 0
    view.reset()
    assert network.calls == 0
    view.close()


def test_the_app_goes_back_to_the_picture_before(classifier: Classifier, picture: np.ndarray) -> None:
    pictures = [Picture(None, classifier.pixels(one)[0], name) for name, one in (("a", picture), ("b", 255 - picture))]
    app = Explorer(Session(classifier, pictures[0]), pictures)
    app.session.picture = pictures[1]
    app.session.target = 2
    app.back()
    assert app.session.picture is pictures[1] and app.session.target is None
    app.reset()
    assert app.session.picture is pictures[0]
    app.close()


# -- never a stale answer ----------------------------------------------------------------------------------------------


def test_a_map_is_faint_and_the_work_is_named_until_the_next_is_there(session: Session) -> None:
    view = CAMView(session)
    executor = view.work._requests._executor = Stepping()
    for change in (
        lambda: setattr(view, "technique", "HiResCAM"),
        lambda: setattr(session, "target", 2),
        lambda: setattr(session, "layer", session.classifier.layers[0].name),
        lambda: setattr(session, "against", 1),
    ):
        assert not view.canvas.stale
        change()
        name = NAMES[session.scene.class_index]
        assert view.canvas.stale
        assert view.status.text.startswith(f"Computing {view.technique.label} of {name}") and view.status.kind == "busy"
        executor.work()
        assert not view.canvas.stale and view.status.kind == "info"
    view.close()


def test_the_map_of_another_patch_is_faint_until_the_next_begins(session: Session) -> None:
    view = OcclusionView(session, technique=Occlusion(window=8, stride=8), run_ahead=False)
    view.compute_map()
    assert not view.canvas.stale
    executor = view.map_job._requests._executor = Stepping()
    view.compute_map()
    assert view.canvas.stale
    executor.work()
    assert not view.canvas.stale
    view.close()
