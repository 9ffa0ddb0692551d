"""Bars of class probabilities, or of scores that are none, with those of the whole picture ghosted behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Scores
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.take.parts import BarsPart
from cnnviz_widgets.widgets.class_bars import ClassBars, ClassPressed

#: So many classes have bars.
_BARS = 5

_LABELS: Mapping[Scores, str] = {
    "softmax": "probability",
    "sigmoid": "probability of each class by itself",
    "none": "score",
}
#: What stands above the bars.
_TITLES: Mapping[Scores, str] = {
    "softmax": "classes.softmax",
    "sigmoid": "classes.sigmoid",
    "none": "classes.none",
}


class ScoreBars(ClassBars):
    """Probabilities of a few classes now (solid) and for the whole picture (ghost), on a fixed scale from 0 to 1.

    Scores that are no probabilities have a scale of their own, which holds zero and all that is shown. `now` names what
    moves the solid bars, a key of the catalogue; without it nothing does.
    """

    def __init__(self, language: str | None = "en", now: str = "") -> None:
        self._indices: list[int] = []
        self._scores: Scores = "softmax"
        self._moved_by = now
        super().__init__(language=language)
        self._name()

    def show_whole(
        self,
        names: Sequence[str],
        indices: Sequence[int],
        values: NDArray[np.float32],
        scores: Scores = "softmax",
        chosen: int | None = None,
    ) -> None:
        """Choose the classes, best first, and draw both bars at `values` (K,): probabilities, by the mode `scores`.

        The row of the class `chosen` is marked.
        """
        self._indices = list(indices)
        with self.hold_sync():
            if scores != self._scores:
                self._scores = scores
                self._name()
            self.names = unique([names[index] for index in self._indices])
            self.chosen = self._indices.index(chosen) if chosen in self._indices else None
            self.before = [float(values[index]) for index in self._indices] if self._moved_by else []
            self.show_now(values)

    def show_now(self, values: NDArray[np.float32]) -> None:
        """Move the solid bars to `values` (K,)."""
        with self.hold_sync():
            self.now = [float(values[index]) for index in self._indices]
            self.texts = [short(value) if self._scores == "none" else percent(value) for value in self.now]
            self.ends = self._ends()

    def class_of(self, event: ClassPressed) -> int:
        """The index of the class that was pressed."""
        return self._indices[event.row]

    def _name(self) -> None:
        """Say what the bars are."""
        self.words = {language: self._words_in(language) for language in words.sent(self.language)}

    def _words_in(self, language: str) -> dict[str, str]:
        named = {
            "title": words.text(_TITLES[self._scores], language),
            "tooltip": words.text("tooltip.class_row", language),
        }
        if self._moved_by:
            named["now"] = words.text(self._moved_by, language)
            named["before"] = words.text("classes.before", language)
        return named

    def _ends(self) -> tuple[float, float]:
        """A scale that holds what is to be shown."""
        if self._scores != "none":
            return 0.0, 1.0
        every = [0.0, *self.now, *self.before]
        return (min(every), max(every)) if max(every) > min(every) else (0.0, 1.0)

    @property
    def values(self) -> dict[int, float]:
        """What the solid bars show, by class index."""
        return dict(zip(self._indices, self.now, strict=True))

    def drawn(self) -> BarsPart | None:
        """What the bars show, best class first; None while there are none."""
        if not self._indices:
            return None
        return BarsPart(_LABELS[self._scores], list(self.names), list(self.now), list(self.before), *self.ends)


def best_classes(logits: NDArray[np.float32], index: int, count: int = _BARS) -> list[int]:
    """The classes with the highest of `logits` (K,), best first; `index` takes the last place if it is none of them."""
    best = [int(at) for at in np.argsort(-logits)[:count]]
    if index not in best:
        best[-1:] = [index]
    return best


def bars_of(example: Example, count: int) -> BarsPart:
    """The best classes of a picture as bars."""
    values, classifier = example.probabilities, example.classifier
    best = [int(at) for at in np.argsort(-values)[:count]]
    lengths = [float(values[at]) for at in best]
    ends = (0.0, 1.0) if classifier.scores != "none" else (min(0.0, *lengths), max(0.0, *lengths))
    return BarsPart(_LABELS[classifier.scores], [classifier.class_names[at] for at in best], lengths, [], *ends)


def unique(names: Sequence[str]) -> list[str]:
    """`names` in one line each, with a number behind repeated ones: rows of a bar chart need names of their own."""
    seen: dict[str, int] = {}
    made = []
    for name in (" ".join(name.split()) or "(no name)" for name in names):
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made


def entropy(probabilities: NDArray[np.float32], scores: Scores = "softmax") -> float:
    """How undecided the network is, in bits: 0 when it is certain, log2(K) when all of K classes are alike.

    Of classes each by itself it is the sum over the classes, K when each is as likely as not.
    """
    shares = probabilities.astype(np.float64)
    if scores == "sigmoid":
        shares = np.concatenate([shares, 1 - shares])
    positive = shares[shares > 0]
    return max(0.0, float(-(positive * np.log2(positive)).sum()))
