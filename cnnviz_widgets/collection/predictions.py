"""What a network says of a labelled data set: right or wrong, how sure, and which classes it takes for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.labels import UNKNOWN, Labels
from cnnviz_widgets.errors import MethodError

#: Logits that become probabilities at once, in pictures: it bounds the memory for the probabilities.
_AT_ONCE = 4096
#: So many names are listed in a sentence.
_LISTED = 3


@dataclass(frozen=True, eq=False)
class Predictions:
    """The network's answers on `n` pictures of a data set.

    `items` int64 (n,) are their numbers in the data set; `labels` and `predicted` int64 (n,) are classes of the
    network, -1 where a picture has no label, or one that is none of them. `confidence` float32 (n,) is the
    probability of the predicted class, `loss` float32 (n,) minus the logarithm of that of the label, NaN without one.
    `note` says how labels became classes.
    """

    items: NDArray[np.int64]
    labels: Labels
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]
    class_names: tuple[str, ...]
    note: str = ""

    def __repr__(self) -> str:
        return f"<Predictions of {len(self.items)} pictures, {int(self.right.sum())} of {int(self.known.sum())} right>"

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which pictures have a label that is a class of the network, (n,)."""
        known: NDArray[np.bool_] = self.labels != UNKNOWN
        return known

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which pictures are taken for what their label says, (n,)."""
        right: NDArray[np.bool_] = self.known & (self.labels == self.predicted)
        return right

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which pictures are taken for something else than their label says, (n,)."""
        wrong: NDArray[np.bool_] = self.known & (self.labels != self.predicted)
        return wrong

    @property
    def accuracy(self) -> float | None:
        """The fraction of the labelled pictures that is right, 0..1; None where no picture has a label."""
        return float(self.right.sum() / self.known.sum()) if self.known.any() else None

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Pictures of each class (row) taken for each class (column), (K, K)."""
        count = len(self.class_names)
        cells = self.labels[self.known] * count + self.predicted[self.known]
        return np.bincount(cells, minlength=count * count).reshape(count, count).astype(np.int64)

    def cell(self, label: int | None, predicted: int | None) -> NDArray[np.int64]:
        """The items with this label that are taken for this class; None means any, of those with a label."""
        found = self.known.copy()
        if label is not None:
            found &= self.labels == label
        if predicted is not None:
            found &= self.predicted == predicted
        return self.items[found]

    def busiest(self, most: int) -> list[int]:
        """The classes that occur, in order; of more than `most` those with the most mistakes."""
        confusion = self.confusion
        seen = confusion.sum(axis=0) + confusion.sum(axis=1)
        mistakes = seen - 2 * np.diag(confusion)
        order = np.lexsort((-seen, -mistakes))
        return sorted(int(index) for index in order[:most] if seen[index])


def predictions_of(
    classifier: Classifier,
    items: NDArray[np.int64],
    labels: Labels,
    logits: NDArray[np.float32],
    label_names: Sequence[str] | None = None,
) -> Predictions:
    """Compare `logits` (n, K) of pictures with their `labels` (n,), -1 where unknown, named by `label_names`.

    Raises MethodError for a network whose scores are not of classes of which one can be right.
    """
    if classifier.scores == "none" or logits.shape[1] < 2:
        raise MethodError(
            f"{classifier.name} gives no classes of which one is right; right and wrong are told for networks with "
            "scores='softmax' or 'sigmoid' of two classes or more."
        )
    classes, note = classes_of_labels(labels, label_names, classifier.class_names)
    predicted = logits.argmax(axis=1).astype(np.int64)
    confidence, loss = np.zeros(len(items), np.float32), np.full(len(items), np.nan, np.float32)
    for start in range(0, len(items), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        values, rows = logits[part].astype(np.float64), np.arange(len(logits[part]))
        logarithms = _log_probabilities(values, competing=classifier.scores == "softmax")
        confidence[part] = np.exp(logarithms[rows, predicted[part]])
        loss[part] = np.where(classes[part] == UNKNOWN, np.nan, -logarithms[rows, classes[part]])
    return Predictions(items, classes, predicted, confidence, loss, tuple(classifier.class_names), note)


def _log_probabilities(logits: NDArray[np.float64], *, competing: bool) -> NDArray[np.float64]:
    if not competing:
        return -np.logaddexp(0, -logits)
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logarithms


def classes_of_labels(
    labels: Labels, label_names: Sequence[str] | None, class_names: Sequence[str]
) -> tuple[Labels, str]:
    """The network's class for each label, -1 for none, and a sentence on how they were matched, "" where plain.

    Labels whose names are names of classes are those classes, whatever their numbers: case, underscores and further
    synonyms behind a comma do not count. Without any such name a label is the number of a class.
    """
    count = len(class_names)
    if label_names is None or list(label_names) == list(class_names):
        return _by_number(labels, count, "")
    places = _places(class_names)
    matched = np.array([_place(name, places) for name in label_names], np.int64)
    if (matched == UNKNOWN).all():
        if len(label_names) > count:
            note = f"None of the {len(label_names)} labels has the name of one of the {count} classes"
            return np.full_like(labels, UNKNOWN), f"{note}: pass labels= as numbers of classes."
        return _by_number(labels, count, "No label has the name of a class: labels are taken as numbers of classes.")
    classes = np.where(labels == UNKNOWN, UNKNOWN, matched[np.maximum(labels, 0)])
    strangers = [name for name, place in zip(label_names, matched, strict=True) if place == UNKNOWN]
    note = "" if list(matched) == list(range(len(matched))) else "Labels are matched with classes by their names."
    if strangers:
        listed = ", ".join(strangers[:_LISTED]) + (" ..." if len(strangers) > _LISTED else "")
        note = f"Labels are matched with classes by their names; the network has no class for {listed}."
    return classes, note


def _by_number(labels: Labels, count: int, note: str) -> tuple[Labels, str]:
    beyond = int((labels >= count).sum())
    if not beyond:
        return labels, note
    said = f"{beyond} labels are beyond the network's {count} classes and are left out."
    return np.where(labels >= count, UNKNOWN, labels), f"{note} {said}".strip()


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _places(class_names: Sequence[str]) -> dict[str, int]:
    """Classes by their whole names, and by the first of several synonyms where that is no other's."""
    whole = [_plain(name) for name in class_names]
    first = [_plain(name.split(",")[0]) for name in class_names]
    often, often_first = Counter(whole), Counter(first)
    places = {name: index for index, name in enumerate(first) if often_first[name] == 1}
    return places | {name: index for index, name in enumerate(whole) if often[name] == 1}


def _place(name: str, places: dict[str, int]) -> int:
    plain = _plain(name)
    return places.get(plain, places.get(_plain(name.split(",")[0]), UNKNOWN))
