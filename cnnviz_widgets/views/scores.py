"""Bars of class probabilities, with those of the whole picture ghosted behind."""

from __future__ import annotations

from collections.abc import Sequence

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import NDArray

_LONGEST = 22


class ScoreBars(ipywidgets.VBox):
    """Probabilities of a few classes now (solid) and for the whole picture (ghost), on a fixed scale from 0 to 1."""

    def __init__(self) -> None:
        self._rows = bqplot.OrdinalScale()
        shares = bqplot.LinearScale(min=0, max=1)
        shared = {"scales": {"x": self._rows, "y": shares}, "orientation": "horizontal"}
        self._ghost = bqplot.Bars(x=[], y=[], colors=["#9aa4af"], opacities=[0.45], padding=0.2, **shared)
        self._now = bqplot.Bars(x=[], y=[], colors=["#1976d2"], padding=0.45, **shared)
        axes = [
            bqplot.Axis(scale=self._rows, side="left", grid_lines="none"),
            bqplot.Axis(scale=shares, label="probability", tick_values=np.linspace(0, 1, 6), tick_format=".1f"),
        ]
        self._figure = bqplot.Figure(
            marks=[self._ghost, self._now],
            axes=axes,
            animation_duration=0,
            fig_margin={"top": 4, "bottom": 44, "left": 170, "right": 16},
            layout=ipywidgets.Layout(width="460px", height="250px", min_width="300px"),
        )
        super().__init__([self._figure])
        self._indices: list[int] = []

    def show_whole(self, names: Sequence[str], indices: Sequence[int], probabilities: NDArray[np.float32]) -> None:
        """Choose the classes, best first, and draw both bars at `probabilities` (K,)."""
        self._indices = list(indices)
        # bqplot draws rows from the bottom up.
        rows = unique([shortened(names[index]) for index in self._indices])[::-1]
        values = probabilities[self._indices[::-1]].astype(float)
        self._rows.domain = rows
        for mark in (self._ghost, self._now):
            with mark.hold_sync():
                mark.x, mark.y = rows, values

    def show_now(self, probabilities: NDArray[np.float32]) -> None:
        """Move the solid bars to `probabilities` (K,)."""
        self._now.y = probabilities[self._indices[::-1]].astype(float)

    @property
    def values(self) -> dict[int, float]:
        """The probabilities that the solid bars show, by class index."""
        return dict(zip(self._indices[::-1], map(float, self._now.y), strict=True))


def shortened(name: str, longest: int = _LONGEST) -> str:
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


def entropy(probabilities: NDArray[np.float32]) -> float:
    """How undecided the network is, in bits: 0 when it is certain, log2(K) when all classes are alike."""
    positive = probabilities[probabilities > 0].astype(np.float64)
    return max(0.0, float(-(positive * np.log2(positive)).sum()))
