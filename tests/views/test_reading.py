"""Panels say what the scores are: shares, probabilities of each class by itself, or plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain import RISE, GradCAM, Occlusion
from cnnviz_widgets.session import Session
from cnnviz_widgets.study import ActivationMaximisation
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.heatmap import HeatmapView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts.controls import amount
from cnnviz_widgets.views.parts.reading import verdict
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scores import ScoreBars, entropy
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.sketch import SketchView

from .conftest import NAMES, Counting

pytestmark = pytest.mark.usefixtures("inline")


class Ending(Counting):
    """Ends in `end`; the scores are spread by `gain` around `centre`."""

    def __init__(self, end: nn.Module, classes: int = 4, gain: float = 1, centre: float = 0) -> None:
        super().__init__()
        self.head = nn.Linear(8, classes)
        self.gain, self.centre, self.end = gain, centre, end

    def forward(self, pixels: Any) -> Any:
        return self.end(self.gain * super().forward(pixels) + self.centre)


def made(end: nn.Module, classes: int = 4, *, scores: Any = None, names: Any = None, **options: Any) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Ending(end, classes, **options)
    return Classifier(network, class_names=names or NAMES[:classes], input_size=(24, 32), scores=scores)


def session_of(classifier: Classifier, picture: np.ndarray) -> Session:
    return Session(classifier, picture)


@pytest.fixture
def labels(picture: np.ndarray) -> Session:
    """Four classes, each with a probability by itself."""
    return session_of(made(nn.Sigmoid()), picture)


@pytest.fixture
def single(picture: np.ndarray) -> Session:
    return session_of(made(nn.Sigmoid(), 1, names=["scratch"]), picture)


@pytest.fixture
def numbers(picture: np.ndarray) -> Session:
    """A regression of three numbers."""
    return session_of(made(nn.Identity(), 3, scores="none", names=["x", "y", "depth"], gain=3, centre=-2), picture)


# -- the line under a picture ----------------------------------------------------------------------------------------


def test_classes_that_are_there_are_listed(labels: Session) -> None:
    shares = labels.example.probabilities
    there = [NAMES[i] for i in np.argsort(-shares) if shares[i] > 0.5]
    assert 1 < len(there) < 4, "the picture shows some classes and others not"
    text = PredictionView(labels).status.text
    assert "finds in" in text and "more than one may be present" in text
    assert [name for name in NAMES if name in text] == sorted(there, key=NAMES.index)
    assert f"{there[0]} {amount(labels.classifier, float(shares.max()))}" in text


def test_no_class_there_is_said(picture: np.ndarray) -> None:
    session = session_of(made(nn.Sigmoid(), centre=-9), picture)
    text = PredictionView(session).status.text
    assert "finds none of its classes" in text and f"highest: {NAMES[session.example.predicted]}" in text


def test_more_classes_than_are_listed(labels: Session) -> None:
    assert "more (each by itself" not in verdict(labels.example, "it", 4)
    assert f"and {int((labels.example.probabilities > 0.5).sum()) - 1} more (each by itself" in verdict(
        labels.example, "it", 1
    )


def test_a_single_probability_is_that_of_its_class(single: Session) -> None:
    share = amount(single.classifier, float(single.example.probabilities[0]))
    assert f"probability of scratch {share}" in PredictionView(single).status.text
    with torch.no_grad():
        own = float(single.classifier.network(single.example.pixels))
    assert float(single.example.probabilities[0]) == pytest.approx(own)


def test_numbers_are_no_percentages(numbers: Session) -> None:
    text = PredictionView(numbers).status.text
    assert text.startswith("Scores of Ending") and "%" not in text
    for name, value in zip(("x", "y", "depth"), numbers.example.logits, strict=True):
        assert f"{name} {short(float(value))}" in text


def test_shares_are_listed_as_before(classifier: Classifier, picture: np.ndarray) -> None:
    session = session_of(classifier, picture)
    text = PredictionView(session).status.text
    assert text.startswith("Counting takes ") and text.count("%") == 4


@pytest.mark.parametrize(("fixture", "phrase"), [("labels", "each by itself"), ("numbers", "Scores of")])
def test_the_sketch_says_the_same(fixture: str, phrase: str, request: pytest.FixtureRequest) -> None:
    view = SketchView(request.getfixturevalue(fixture))
    assert phrase in view.status.text


def test_the_notes_say_how_scores_are_read(labels: Session, classifier: Classifier, picture: np.ndarray) -> None:
    view = PredictionView(labels)
    assert "one probability per class (sigmoid)" in view.notes.text and view.notes.layout.display is None
    labels.classifier = classifier
    assert view.notes.text == "" and view.notes.layout.display == "none"


# -- bars ------------------------------------------------------------------------------------------------------------


def test_bars_of_numbers_have_a_scale_that_follows_them() -> None:
    bars = ScoreBars(now="classes.patch")
    whole, now = np.array([3.0, -2.0, 40.0], np.float32), np.array([-7.0, 1.0, 2.0], np.float32)
    bars.show_whole(["x", "y", "z"], [0, 1], whole, "none")
    assert bars.ends == (-2, 3) and "score" in bars.words["en"]["title"]
    bars.show_now(now)
    assert bars.ends == (-7, 3) and bars.values == {0: -7, 1: 1}
    bars.show_now(whole)
    assert bars.ends == (-2, 3)
    bars.show_whole(["x"], [0], np.array([5.0], np.float32), "none")
    assert bars.ends == (0, 5), "zero stays in place"
    bars.show_whole(["x"], [0], np.array([0.0], np.float32), "none")
    assert bars.ends == (0, 1)


def test_bars_of_probabilities_keep_theirs() -> None:
    bars = ScoreBars()
    values = np.array([0.9, 0.7], np.float32)
    for scores, label in (("none", "by score"), ("sigmoid", "by itself"), ("softmax", "explained")):
        bars.show_whole(["a", "b"], [0, 1], values, scores)  # type: ignore[arg-type]
        assert label in bars.words["en"]["title"]
    assert bars.ends == (0, 1) and bars.texts == ["90%", "70%"]


def test_entropy_of_classes_each_by_itself() -> None:
    assert entropy(np.array([1, 0, 1], np.float32), "sigmoid") == 0
    assert entropy(np.full(3, 0.5, np.float32), "sigmoid") == pytest.approx(3)
    assert entropy(np.array([0.25], np.float32), "sigmoid") == pytest.approx(0.811278, abs=1e-5)


# -- panels ----------------------------------------------------------------------------------------------------------


def moved(view: OcclusionView) -> None:
    message = {"kind": "event", "name": "moved", "seq": 1, "final": True, "window": [2, 3, 16, 16]}
    view.canvas._receive(None, message, [])


@pytest.mark.parametrize("fixture", ["labels", "single"])
def test_a_patch_moves_probabilities_of_their_own(fixture: str, request: pytest.FixtureRequest) -> None:
    session: Session = request.getfixturevalue(fixture)
    view = OcclusionView(session, technique=Occlusion(window=8, stride=8, score="probability"))
    moved(view)
    assert view.probe is not None
    now = 1 / (1 + np.exp(-view.probe.logits))
    assert view.bars.values == pytest.approx(dict(enumerate(map(float, now))), abs=1e-6)
    assert "entropy" in view.status.text and "%" in view.status.text
    view.compute_map()
    assert view.heatmap is not None and float(np.abs(view.heatmap.cells).max()) > 0
    assert view.heatmap.quantity == "drop of the probability"


def test_a_patch_moves_numbers(numbers: Session) -> None:
    view = OcclusionView(numbers, technique=Occlusion(window=8, stride=8))
    moved(view)
    assert view.probe is not None
    assert view.bars.values == pytest.approx(dict(enumerate(map(float, view.probe.logits))))
    assert "%" not in view.status.text and "entropy" not in view.status.text and "drop of the score" in view.status.text
    view.choice.value = view.choice.options[1]
    view.compute_map()
    assert view.status.kind == "info" and "mean score" in view.status.text
    assert RISE().score == "probability", "what the panel had to change"


def test_the_probability_of_numbers_is_refused_with_a_mend(numbers: Session) -> None:
    view = OcclusionView(numbers, technique=Occlusion(window=8, stride=8, score="probability"))
    view.compute_map()
    assert view.status.kind == "error" and "score='logit'" in view.status.text


def test_the_class_picker_tells_numbers(numbers: Session, labels: Session) -> None:
    hints = OcclusionView(numbers).class_picker.hints
    assert hints[1:] == [short(float(value)) for value in numbers.example.logits]
    shares = labels.example.probabilities
    assert OcclusionView(labels).class_picker.hints[1:] == [amount(labels.classifier, float(v)) for v in shares]


@pytest.mark.parametrize(("fixture", "word"), [("labels", "logit"), ("numbers", "score")])
def test_a_heatmap_names_what_it_explains(fixture: str, word: str, request: pytest.FixtureRequest) -> None:
    session: Session = request.getfixturevalue(fixture)
    text = HeatmapView(session, techniques=[GradCAM()]).status.text
    assert f"{word} {short(float(session.example.logits.max()))}" in text
    assert ("%" in text) is (word == "logit") and f"weighted by the {word}'s" in text


@pytest.mark.parametrize(("fixture", "percentage"), [("labels", True), ("numbers", False)])
def test_switching_channels_off(fixture: str, percentage: bool, request: pytest.FixtureRequest) -> None:
    session: Session = request.getfixturevalue(fixture)
    view = ActivationView(session)
    view.off = {0, 1, 2}
    shown = view._shown
    assert shown is not None and shown.logits is not None
    expected = session.classifier.readout.probabilities(shown.logits)
    assert view.bars.values == pytest.approx(dict(enumerate(map(float, expected))))
    assert ("%" in view.status.text) is percentage and ("logit" in view.status.text) is percentage


def test_pictures_made_for_a_number_have_no_curve(numbers: Session, labels: Session) -> None:
    quick = ActivationMaximisation(iterations=3)
    view = MaximisationView(numbers, technique=quick, started=True)
    assert "score" in view.lines[0].text and "%" not in view.lines[0].text
    assert view.curves.layout.display == "none" and not len(view.curves.lines[0].x)
    view.session.classifier = labels.classifier
    assert "%" in view.lines[0].text and view.curves.layout.display != "none"
    assert "log-odds" not in view.lines[0].text, "of classes each by itself they are the logit"
