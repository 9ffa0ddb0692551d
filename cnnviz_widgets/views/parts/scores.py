"""Bars of class probabilities, or of scores that are none, with those of the whole picture ghosted behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Scores
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.take.parts import BarsPart

_LONGEST = 22
#: So many classes have bars.
_BARS = 6

_LABELS: Mapping[Scores, str] = {
    "softmax": "probability",
    "sigmoid": "probability of each class by itself",
    "none": "score",
}


class ScoreBars(ipywidgets.VBox):
    """Probabilities of a few classes now (solid) and for the whole picture (ghost), on a fixed scale from 0 to 1.

    Scores that are no probabilities have a scale of their own, which holds zero and all that is shown.
    """

    def __init__(self) -> None:
        self._rows = bqplot.OrdinalScale()
        self._scale = bqplot.LinearScale(min=0, max=1)
        shared = {"scales": {"x": self._rows, "y": self._scale}, "orientation": "horizontal"}
        self._ghost = bqplot.Bars(x=[], y=[], colors=["#9aa4af"], opacities=[0.45], padding=0.2, **shared)
        self._now = bqplot.Bars(x=[], y=[], colors=["#1976d2"], padding=0.45, **shared)
        self._axis = bqplot.Axis(
            scale=self._scale, label=_LABELS["softmax"], tick_values=np.linspace(0, 1, 6), tick_format=".1f"
        )
        self._figure = bqplot.Figure(
            marks=[self._ghost, self._now],
            axes=[bqplot.Axis(scale=self._rows, side="left", grid_lines="none"), self._axis],
            animation_duration=0,
            fig_margin={"top": 4, "bottom": 44, "left": 130, "right": 16},
            layout=ipywidgets.Layout(width="100%", height="172px"),
            min_aspect_ratio=0.1,
            max_aspect_ratio=10,
        )
        super().__init__([self._figure])
        self._indices: list[int] = []
        self._scores: Scores = "softmax"

    def narrow(self, width: int) -> None:
        """Fit into a pane `width` pixels wide."""
        self._figure.layout.width = self._figure.layout.min_width = f"{width}px"
        self._figure.fig_margin = {"top": 4, "bottom": 44, "left": width // 3, "right": 16}

    def show_whole(
        self, names: Sequence[str], indices: Sequence[int], values: NDArray[np.float32], scores: Scores = "softmax"
    ) -> None:
        """Choose the classes, best first, and draw both bars at `values` (K,): probabilities, by the mode `scores`."""
        self._indices = list(indices)
        self._show_mode(scores)
        # bqplot draws rows from the bottom up.
        rows = unique([shorten(names[index]) for index in self._indices])[::-1]
        lengths = values[self._indices[::-1]].astype(float)
        self._rows.domain = rows
        self._fit(lengths)
        for mark in (self._ghost, self._now):
            with mark.hold_sync():
                mark.x, mark.y = rows, lengths

    def show_now(self, values: NDArray[np.float32]) -> None:
        """Move the solid bars to `values` (K,)."""
        lengths = values[self._indices[::-1]].astype(float)
        self._fit(lengths, self._ghost.y)
        self._now.y = lengths

    def _show_mode(self, scores: Scores) -> None:
        if scores != self._scores:
            self._scores = scores
            with self._axis.hold_sync():
                self._axis.label = _LABELS[scores]
                self._axis.tick_values = None if scores == "none" else np.linspace(0, 1, 6)
                self._axis.tick_format = ".3~g" if scores == "none" else ".1f"

    def _fit(self, *lengths: NDArray[np.float64]) -> None:
        """Let the scale hold what is to be shown."""
        ends = (0.0, 1.0)
        if self._scores == "none":
            every = np.concatenate([[0.0], *lengths])
            ends = (float(every.min()), float(every.max()))
            ends = ends if ends[1] > ends[0] else (0.0, 1.0)
        with self._scale.hold_sync():
            self._scale.min, self._scale.max = ends

    @property
    def values(self) -> dict[int, float]:
        """What the solid bars show, by class index."""
        return dict(zip(self._indices[::-1], map(float, self._now.y), strict=True))

    def drawn(self) -> BarsPart | None:
        """What the bars show, best class first; None while there are none."""
        if not self._indices:
            return None
        now, whole = ([float(value) for value in mark.y[::-1]] for mark in (self._now, self._ghost))
        names = [str(name) for name in self._now.x[::-1]]
        return BarsPart(self._axis.label, names, now, whole, self._scale.min, self._scale.max)


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


def shorten(name: str, longest: int = _LONGEST) -> str:
    """A class name that fits beside a bar."""
    name = " ".join(name.split()) or "(no name)"
    return name if len(name) <= longest else name[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def unique(names: Sequence[str]) -> list[str]:
    """`names` with a number behind repeated ones: rows of a bar chart need names of their own."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
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
