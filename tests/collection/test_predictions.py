"""What a network says of labelled pictures, compared with scikit-learn and with counting by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.predictions import Predictions, classes_of_labels, predictions_of
from cnnviz_widgets.errors import MethodError

NAMES = ("ant", "bee", "cat", "dog", "eel")


class Still(nn.Module):
    """Never asked: logits are given."""

    def __init__(self, count: int = 5) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, count)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(pixels).mean((2, 3)))
        return logits


def classifier(**options: Any) -> Classifier:
    return Classifier(Still(), class_names=NAMES, input_size=16, **options)


def made(seed: int = 0, count: int = 300, unknown: float = 0.0) -> tuple[Predictions, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, count)
    labels[random.random(count) < unknown] = -1
    logits = (random.normal(size=(count, 5)) * 3 + 2 * np.eye(5)[labels]).astype(np.float32)
    items = random.permutation(10 * count)[:count].astype(np.int64)
    return predictions_of(classifier(), items, labels, logits), labels, logits


@pytest.mark.parametrize("unknown", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_confusion_matrix_is_that_of_scikit_learn(seed: int, unknown: float) -> None:
    found, labels, logits = made(seed, unknown=unknown)
    known = labels >= 0
    if known.any():
        expected = confusion_matrix(labels[known], logits.argmax(1)[known], labels=range(5))
        np.testing.assert_array_equal(found.confusion, expected)
        assert found.accuracy == pytest.approx(accuracy_score(labels[known], logits.argmax(1)[known]))
    else:
        assert not found.confusion.any() and found.accuracy is None
    assert found.confusion.shape == (5, 5) and found.confusion.sum() == known.sum()


def test_loss_and_confidence_are_those_of_the_softmax() -> None:
    found, labels, logits = made()
    shares = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    np.testing.assert_allclose(found.confidence, shares.max(1), rtol=1e-5)
    assert found.loss.mean() == pytest.approx(log_loss(labels, shares, labels=range(5)), rel=1e-5)


def test_sure_mistakes_have_a_finite_loss_and_probabilities_by_themselves_their_own() -> None:
    logits = np.array([[400, -400, 0, 0, 0], [5, 4, 0, 0, 0]], np.float32)
    items, labels = np.arange(2), np.array([1, 1])
    assert predictions_of(classifier(), items, labels, logits).loss[0] == pytest.approx(800)
    found = predictions_of(classifier(scores="sigmoid"), items, labels, logits)
    assert found.confidence[1] == pytest.approx(1 / (1 + np.exp(-5))) and found.loss[0] == pytest.approx(400)
    assert found.loss[1] == pytest.approx(np.log1p(np.exp(-4)), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_cells_rows_and_columns_hold_the_items_that_they_count(seed: int) -> None:
    found, labels, _ = made(seed, unknown=0.2)
    for label in (None, *range(5)):
        for predicted in (None, *range(5)):
            items = found.cell(label, predicted)
            part = found.confusion[slice(None) if label is None else label]
            part = part[..., slice(None) if predicted is None else predicted]
            assert len(items) == part.sum()
            rows = np.flatnonzero(np.isin(found.items, items))
            assert (labels[rows] >= 0).all()
            assert label is None or set(labels[rows]) <= {label}
            assert predicted is None or set(found.predicted[rows]) <= {predicted}
    assert (found.right ^ found.wrong)[found.known].all() and not (found.right | found.wrong)[~found.known].any()


def test_of_many_classes_those_with_the_most_mistakes_are_kept() -> None:
    labels = np.array([0, 0, 1, 1, 2, 3, 3, 3])
    said = np.array([0, 0, 2, 2, 2, 0, 3, 3])
    found = predictions_of(classifier(), np.arange(8), labels, np.eye(5, dtype=np.float32)[said])
    assert found.busiest(9) == [0, 1, 2, 3], "the class that never occurs is left out"
    assert found.busiest(2) == [1, 2]


def test_no_pictures_are_no_predictions() -> None:
    found = predictions_of(classifier(), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
    assert not found.confusion.any() and found.accuracy is None and found.busiest(4) == []


def test_scores_that_are_no_classes_are_refused_with_a_sentence() -> None:
    nothing = np.zeros(1, np.int64), np.zeros(1, np.int64)
    with pytest.raises(MethodError, match="gives no classes of which one is right"):
        predictions_of(classifier(scores="none"), *nothing, np.zeros((1, 5), np.float32))
    with pytest.raises(MethodError, match="of two classes or more"):
        predictions_of(Classifier(Still(1), input_size=16), *nothing, np.zeros((1, 1), np.float32))


LABELS = np.array([0, 1, 2, -1])


@pytest.mark.parametrize(
    ("label_names", "class_names", "classes", "said"),
    [
        (None, NAMES, [0, 1, 2, -1], ""),
        (NAMES, NAMES, [0, 1, 2, -1], ""),
        (("bee", "ant", "eel"), NAMES, [1, 0, 4, -1], "matched with classes by their names."),
        (("Bee", "ANT", "eel"), NAMES, [1, 0, 4, -1], "by their names"),
        (("tiger_cat", "hen", "Box-Turtle"), ("hen", "box turtle", "tiger cat"), [2, 0, 1, -1], "by their names"),
        (("tabby", "lynx", "x"), ("lynx, catamount", "tabby, tabby cat"), [1, 0, -1, -1], "no class for x"),
        (("crane", "x", "y"), ("crane, bird", "crane, machine", "x"), [-1, 2, -1, -1], "no class for crane, y"),
        (("p", "q", "r"), NAMES, [0, 1, 2, -1], "No label has the name of a class"),
        (("p", "q", "r"), ("ant", "bee"), [-1, -1, -1, -1], "None of the 3 labels"),
        (None, ("ant", "bee"), [0, 1, -1, -1], "1 labels are beyond the network's 2 classes"),
    ],
)
def test_labels_are_matched_by_name_or_else_by_number_and_it_is_said(
    label_names: Any, class_names: Any, classes: list[int], said: str
) -> None:
    found, note = classes_of_labels(LABELS, label_names, class_names)
    assert found.tolist() == classes
    assert said in note if said else note == ""
    assert LABELS.tolist() == [0, 1, 2, -1]
