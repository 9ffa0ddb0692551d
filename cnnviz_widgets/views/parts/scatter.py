"""A map of points under a lasso: SVG by bqplot for a few thousand points, WebGL by jupyter-scatter for more."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.cluster import inside
from cnnviz_widgets.errors import MissingExtra
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.palette import color_of
from cnnviz_widgets.widgets.picker import Picked, Picker

#: The most points that bqplot draws: of 20,000, one lasso takes half a minute.
SVG_POINTS = 3000
LASSO, POINT = "draw a lasso", "point at pictures"

#: A hand draws some hundred.
_MOST_CORNERS = 10_000
_SIDE = 460
_REACH = 1.06
#: A click that arrives so soon after a lasso is the end of that gesture, in seconds.
_ONE_GESTURE = 0.3


class PointMap(ipywidgets.VBox):
    """Points (N, 2) in -1..1, coloured by their group. The hand draws a lasso, or points at pictures.

    Each lasso is a new selection. `on_lasso(rows)`, `on_hover(row or None)` and `on_click(row)` are called with what
    the hand does; `select`, `move` and `mark` are told by the kernel and call nobody.
    """

    def __init__(
        self,
        panel: Panel,
        groups: NDArray[np.int64],
        positions: NDArray[np.float32],
        *,
        on_lasso: Callable[[NDArray[np.intp]], None],
        on_hover: Callable[[int | None], None],
        on_click: Callable[[int], None],
    ) -> None:
        self.groups = groups
        self.positions = positions
        self.selected: NDArray[np.intp] = np.zeros(0, np.intp)
        self._on_lasso, self._on_hover, self._on_click = on_lasso, on_hover, on_click
        self.mode_picker = Picker(options=[LASSO, POINT], index=0, description="the mouse", searchable=False)
        panel.on(self.mode_picker, Picked, lambda event: self._set_mode(event.index))
        super().__init__([self.mode_picker, self._drawing()])
        self._set_mode(0)

    def _drawing(self) -> ipywidgets.Widget:
        raise NotImplementedError

    def move(self, positions: NDArray[np.float32]) -> None:
        """Move all points, (N, 2) in -1..1."""
        raise NotImplementedError

    def mark(self, position: NDArray[np.float32] | None) -> None:
        """Mark a place (2,), that of the picture looked at; None: no mark."""
        raise NotImplementedError

    def select(self, rows: NDArray[np.intp]) -> None:
        """Highlight rows."""
        raise NotImplementedError

    def _set_mode(self, index: int) -> None:
        raise NotImplementedError

    def _lassoed(self, rows: NDArray[np.intp]) -> None:
        if not np.array_equal(rows, self.selected):
            self.selected = rows
            self._on_lasso(rows)

    def close(self) -> None:
        """Remove the map, with all that it consists of, from the page."""
        discard_contents(self)
        super().close()

    def _row(self, value: object) -> int | None:
        """The row that a page names; None where it is none of these."""
        rows = rows_of([value], len(self.groups))
        return int(rows[0]) if len(rows) else None


class SmallMap(PointMap):
    """Up to 3,000 points, by bqplot."""

    def _drawing(self) -> ipywidgets.Widget:
        import bqplot  # it brings pandas: only this part needs it

        self._selector = bqplot.interacts.LassoSelector
        scales = {"x": bqplot.LinearScale(min=-_REACH, max=_REACH), "y": bqplot.LinearScale(min=-_REACH, max=_REACH)}
        self.points = bqplot.Scatter(
            x=self.positions[:, 0],
            y=self.positions[:, 1],
            scales=scales,
            colors=[color_of(int(group)) for group in self.groups] or ["#888888"],
            default_size=22,
            opacities=[0.85],
            unselected_style={"opacity": 0.15},
            enable_hover=True,
        )
        self.cross = bqplot.Scatter(
            x=[], y=[], scales=scales, marker="cross", colors=["#000000"], stroke="#ffffff", default_size=140
        )
        self.figure = bqplot.Figure(
            marks=[self.points, self.cross],
            animation_duration=0,
            padding_x=0,
            padding_y=0,
            fig_margin={"top": 4, "bottom": 4, "left": 4, "right": 4},
            layout=ipywidgets.Layout(width=f"{_SIDE}px", height=f"{_SIDE}px"),
        )
        self._told = False
        self._spent: list[ipywidgets.Widget] = []
        self.points.observe(self._selection_changed, names="selected")
        self.points.observe(lambda change: self._on_hover(self._row(change["new"])), names="hovered_point")
        self.points.on_element_click(self._clicked)
        return self.figure

    def move(self, positions: NDArray[np.float32]) -> None:
        self.positions = positions
        with self.points.hold_sync():
            self.points.x, self.points.y = positions[:, 0], positions[:, 1]

    def mark(self, position: NDArray[np.float32] | None) -> None:
        place = np.zeros((0, 2)) if position is None else np.asarray(position, np.float64)[None]
        with self.cross.hold_sync():
            self.cross.x, self.cross.y = place[:, 0], place[:, 1]

    def select(self, rows: NDArray[np.intp]) -> None:
        self.selected = np.unique(rows)
        self._told = True
        try:
            self.points.selected = self.selected.astype(np.int64) if len(rows) else None
        finally:
            self._told = False

    def _selection_changed(self, change: Any) -> None:
        if self._told:
            return
        rows = rows_of(change["new"], len(self.groups))
        if self.mode_picker.index == 0:
            # bqplot's lassos add up, and no new one can begin inside an old one: each gets a selector of its own.
            self._set_mode(0)
        self._lassoed(rows)

    def _clicked(self, _: object, content: Any) -> None:
        data = content.get("data")
        row = self._row(data.get("index")) if isinstance(data, dict) else None
        if row is not None:
            self._on_click(row)

    def _set_mode(self, index: int) -> None:
        before = self.figure.interaction
        self.figure.interaction = None
        if index == 0:
            self.figure.interaction = self._selector(marks=[self.points], color="#444444")
        if before is not None:
            # The page may still have something to say about the last one.
            self._spent.append(before)
            for selector in self._spent[:-2]:
                selector.close()
            del self._spent[:-2]


class LargeMap(PointMap):
    """Any number of points, by jupyter-scatter. Raises MissingExtra without it."""

    def _drawing(self) -> ipywidgets.Widget:
        jscatter, pandas = _libraries()
        groups = np.unique(self.groups)
        frame = pandas.DataFrame({"x": self.positions[:, 0], "y": self.positions[:, 1]})
        frame["group"] = pandas.Categorical([str(group) for group in self.groups], [str(group) for group in groups])
        self.scatter = jscatter.Scatter(
            data=frame,
            x="x",
            y="y",
            x_scale=(-1, 1),
            y_scale=(-1, 1),
            color_by="group",
            color_map=[color_of(int(group)) for group in groups],
            opacity=0.7,
            size=4,
            width=_SIDE,
            height=_SIDE,
            axes=False,
            legend=False,
        )
        self.drawing = self.scatter.widget
        self.drawing.transition_points = False
        self._lasso_ended = float("-inf")
        self.place = ipywidgets.HTML()
        self.drawing.observe(self._polygon_changed, names="lasso_selection_polygon")
        self.drawing.observe(self._selection_changed, names="selection")
        self.drawing.observe(lambda change: self._on_hover(self._row(change["new"])), names="hovering")
        return ipywidgets.VBox([self.drawing, self.place])

    def move(self, positions: NDArray[np.float32]) -> None:
        self.positions = positions
        points = np.array(self.drawing.points)
        points[:, :2] = positions
        self.drawing.points = points

    def mark(self, position: NDArray[np.float32] | None) -> None:
        told = "" if position is None else f"The picture lies at ({position[0]:.2f}, {position[1]:.2f}) of -1..1."
        self.place.value = told

    def select(self, rows: NDArray[np.intp]) -> None:
        self.selected = np.unique(rows)
        self.drawing.selection = self.selected.astype(np.uint32)

    def _polygon_changed(self, change: Any) -> None:
        polygon = _polygon(change["new"])
        if polygon is None:
            return
        self._lasso_ended = time.monotonic()
        # The points it reports may come from a spatial index of fewer digits: ours are those inside its lasso.
        self._lassoed(np.flatnonzero(inside(polygon, self.positions)))

    def _selection_changed(self, change: Any) -> None:
        rows = rows_of(change["new"], len(self.groups))
        soon = time.monotonic() - self._lasso_ended < _ONE_GESTURE
        if len(rows) == 1 and not soon and not np.array_equal(rows, self.selected):
            self._on_click(int(rows[0]))
        elif not len(rows) and not soon:
            self._lassoed(rows)

    def _set_mode(self, index: int) -> None:
        self.drawing.mouse_mode = "lasso" if index == 0 else "panZoom"


def rows_of(value: object, count: int) -> NDArray[np.intp]:
    """The rows that a page has selected, in order: what is no whole number in 0..count-1 is left out."""
    try:
        given = np.asarray([] if value is None else value)
        if given.ndim != 1 or given.dtype.kind not in "iuf":
            return np.zeros(0, np.intp)
        among = given[(given >= 0) & (given < count)]
        among = among[among % 1 == 0]
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0, np.intp)
    return np.unique(among.astype(np.intp))


def _polygon(value: object) -> NDArray[np.float64] | None:
    """A lasso (N, 2) as a page has drawn it, None where it is none."""
    try:
        corners = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    drawn = corners.ndim == 2 and corners.shape[1] == 2 and 3 <= len(corners) <= _MOST_CORNERS
    return corners if drawn and np.isfinite(corners).all() else None


def point_map(panel: Panel, groups: NDArray[np.int64], positions: NDArray[np.float32], **callbacks: Any) -> PointMap:
    """The map for so many points. Raises MissingExtra for more than 3,000 without jupyter-scatter."""
    return (SmallMap if len(groups) <= SVG_POINTS else LargeMap)(panel, groups, positions, **callbacks)


def prepare(count: int) -> None:
    """Import what draws so many points. Raises MissingExtra as `point_map` does."""
    if count > SVG_POINTS:
        _libraries()


def normalise(positions: NDArray[np.float32], extent: tuple[NDArray[np.float32], float]) -> NDArray[np.float32]:
    """Positions of a map in -1..1, by its `extent_of`."""
    centre, half_width = extent
    scaled: NDArray[np.float32] = ((positions - centre) / half_width).astype(np.float32)
    return scaled


def extent_of(positions: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """The centre (2,) of a map and half its width, the same in both directions: distances keep their ratio."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    return (low + high) / 2, float((high - low).max() / 2) or 1.0


def _libraries() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            # It uses what a later pandas will refuse.
            warnings.simplefilter("ignore")
            import jscatter
            import pandas
    except ImportError as error:
        raise MissingExtra(
            f"A map of more than {SVG_POINTS:,} points needs jupyter-scatter: "
            'pip install "cnnviz-widgets[scale]", or take fewer pictures.'
        ) from error
    return jscatter, pandas
