"""Bars of the strongest entries of a vector of activations."""

from __future__ import annotations

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.views.take.parts import BarsPart


class VectorBars(ipywidgets.VBox):
    """The `count` entries of largest absolute value, strongest first, on a scale that begins at zero."""

    def __init__(self, count: int = 12, title: str = "channel") -> None:
        # It brings pandas: only this part needs it.
        import bqplot

        self._count, self._title = count, title
        self._places, values = bqplot.OrdinalScale(), bqplot.LinearScale()
        self._bars = bqplot.Bars(x=[], y=[], colors=["#1976d2"], scales={"x": self._places, "y": values}, padding=0.25)
        axes = [
            bqplot.Axis(scale=self._places, label=title, grid_lines="none"),
            bqplot.Axis(scale=values, side="left"),
        ]
        self._figure = bqplot.Figure(
            marks=[self._bars],
            axes=axes,
            animation_duration=0,
            fig_margin={"top": 8, "bottom": 44, "left": 48, "right": 16},
            layout=ipywidgets.Layout(width="100%", height="160px"),
            min_aspect_ratio=0.1,
            max_aspect_ratio=10,
        )
        # Empty until there is something to show: a figure that is hidden complains of its size.
        super().__init__()

    def show(self, vector: NDArray[np.float32] | None) -> None:
        """Draw `vector` (C,); None takes the bars away."""
        self.children = () if vector is None else (self._figure,)
        values = np.zeros(0) if vector is None else vector
        best = np.argsort(-np.abs(values), kind="stable")[: self._count]
        names = [str(index) for index in best]
        self._places.domain = names
        with self._bars.hold_sync():
            self._bars.x, self._bars.y = names, values[best].astype(float)

    @property
    def values(self) -> dict[int, float]:
        """The drawn values by index, strongest first."""
        return {int(name): float(value) for name, value in zip(self._bars.x, self._bars.y, strict=True)}

    def drawn(self) -> BarsPart | None:
        """What the bars show, the strongest entry first; None while there are none."""
        values = list(self.values.values())
        if not values or not self.children:
            return None
        names = [str(name) for name in self._bars.x]
        return BarsPart(f"activation by {self._title}", names, values, [], min(0.0, *values), max(0.0, *values))
