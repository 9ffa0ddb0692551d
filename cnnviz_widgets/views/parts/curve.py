"""Curves of a probability over the steps of an ascent."""

from __future__ import annotations

import ipywidgets

from cnnviz_widgets.views.take.parts import CurvesPart

_COLOURS = ("#1976d2", "#e07b00")


class ProbabilityCurves(ipywidgets.VBox):
    """One curve for each of two pictures: a probability, 0 to 1, by step."""

    def __init__(self) -> None:
        # Only this part needs it.
        import bqplot

        scales = {"x": bqplot.LinearScale(min=0), "y": bqplot.LinearScale(min=0, max=1)}
        self.lines = [bqplot.Lines(x=[], y=[], scales=scales, colors=[colour]) for colour in _COLOURS]
        self._points: list[list[tuple[int, float]]] = [[] for _ in self.lines]
        axes = [
            bqplot.Axis(scale=scales["x"], label="step", num_ticks=5),
            bqplot.Axis(scale=scales["y"], label="probability", side="left", tick_values=[0, 0.5, 1]),
        ]
        figure = bqplot.Figure(
            marks=self.lines,
            axes=axes,
            animation_duration=0,
            fig_margin={"top": 8, "bottom": 40, "left": 56, "right": 16},
            layout=ipywidgets.Layout(width="100%", height="150px"),
            min_aspect_ratio=0.1,
            max_aspect_ratio=10,
        )
        super().__init__([figure])

    def add(self, place: int, step: int, probability: float) -> None:
        """Lengthen the curve of a picture, unless it goes on from an earlier step."""
        points = self._points[place]
        if not points or points[-1][0] < step:
            points.append((step, probability))
            self._draw(place)

    def clear(self, place: int) -> None:
        """Begin the curve of a picture anew."""
        self._points[place] = []
        self._draw(place)

    def _draw(self, place: int) -> None:
        with self.lines[place].hold_sync():
            self.lines[place].x = [float(step) for step, _ in self._points[place]]
            self.lines[place].y = [probability for _, probability in self._points[place]]

    @property
    def points(self) -> list[list[tuple[int, float]]]:
        """The steps and probabilities of each curve."""
        return [list(points) for points in self._points]

    def drawn(self) -> CurvesPart | None:
        """The curves; None while there are none."""
        lines = [[(float(step), probability) for step, probability in points] for points in self._points]
        return CurvesPart("", "step", "probability", lines, _COLOURS, (0.0, 1.0)) if any(lines) else None
