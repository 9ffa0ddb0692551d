"""The divergence that t-SNE lowers, as a curve."""

from __future__ import annotations

import math

import ipywidgets
import numpy as np

from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.take.parts import CurvesPart


class LossCurve(ipywidgets.VBox):
    """The Kullback-Leibler divergence by iteration."""

    def __init__(self) -> None:
        # It brings pandas: only this part needs it.
        import bqplot

        self._points: list[tuple[int, float]] = []
        scales = {"x": bqplot.LinearScale(min=0), "y": bqplot.LinearScale()}
        self.curve = bqplot.Lines(x=[], y=[], scales=scales, colors=["#1976d2"])
        axes = [
            bqplot.Axis(scale=scales["x"], label="iteration", num_ticks=5, tick_format="d"),
            bqplot.Axis(scale=scales["y"], side="left", label="KL divergence", num_ticks=4, tick_format=".2f"),
        ]
        self._figure = bqplot.Figure(
            marks=[self.curve],
            axes=axes,
            animation_duration=0,
            padding_x=0,
            fig_margin={"top": 8, "bottom": 40, "left": 56, "right": 24},
            layout=ipywidgets.Layout(width="400px", height="150px"),
        )
        super().__init__()

    def add(self, iteration: int, divergence: float) -> None:
        """One more point of the curve; one that is not finite or is there already is left out."""
        if not math.isfinite(divergence) or (iteration, divergence) in self._points[-1:]:
            return
        self._points.append((iteration, divergence))
        with self.curve.hold_sync():
            self.curve.x, self.curve.y = np.array(self._points).T
        if not self.children:  # an empty curve has axes from 0 to 1 that mean nothing
            self._show(self._figure)

    def clear(self) -> None:
        """Begin a new curve."""
        self._points = []
        self._show()
        with self.curve.hold_sync():
            self.curve.x, self.curve.y = np.zeros(0), np.zeros(0)

    def drawn(self) -> CurvesPart | None:
        """The curve; None while there is no line."""
        points = [(float(iteration), divergence) for iteration, divergence in self._points]
        return CurvesPart("", "iteration", "KL divergence", [points], ["#1976d2"]) if len(points) > 1 else None

    def close(self) -> None:
        """Remove the curve from the page."""
        discard_contents(self)
        super().close()

    def _show(self, *figures: ipywidgets.Widget) -> None:
        self.children = figures
