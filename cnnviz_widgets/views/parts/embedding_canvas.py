"""A map on the page: its points, the picture under the pointer, and how far to trust what is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.cluster import pair_distance
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.data_set import captions
from cnnviz_widgets.views.parts.mapping import EmbeddingFrame
from cnnviz_widgets.views.parts.palette import color_of
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scatter import PointMap, extent_of, normalise, point_map
from cnnviz_widgets.views.take.parts import PointsPart
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import Tiles

#: So many groups are named in a figure.
_LEGEND = 12
_COMPARE = "Two clicked points are compared in the true space."


class PointsBox(ipywidgets.VBox):
    """Where the points are drawn; `drawn` is what they show."""

    def __init__(self, drawn: Callable[[], PointsPart | None]) -> None:
        self.drawn = drawn
        super().__init__(layout=ipywidgets.Layout(min_height="200px"))


class EmbeddingCanvas(ipywidgets.VBox):
    """Draws frames of a map, and tells of the hand.

    `lasso(items)` is called with the items of the data set that a lasso is around, `click(store, row)` with a clicked
    point: `store` holds the features that are on screen, which others may be replacing.
    """

    def __init__(
        self, panel: Panel, lasso: Callable[[list[int]], object], click: Callable[[FeatureStore, int], object]
    ) -> None:
        self._panel, self._lasso, self._click = panel, lasso, click
        self._frame: EmbeddingFrame | None = None
        self._pair: list[int] = []
        #: The drawing of the points, once there are any.
        self.points: PointMap | None = None
        self.points_box = PointsBox(self._points_drawn)
        self.trustworthiness_line = Status()
        self.pair_line = Status(text=_COMPARE)
        self.hovered = Tiles(tile_width=96, height=130, description="the point under the pointer", placeholder=" ")
        super().__init__([self.points_box, self.trustworthiness_line, self.pair_line, self.hovered])

    @property
    def store(self) -> FeatureStore | None:
        """The features whose map is drawn, or None while there is none."""
        return None if self._frame is None else self._frame.store

    def show(self, frame: EmbeddingFrame) -> bool:
        """Draw a frame; whether its points are others than those before, so that nothing is selected yet."""
        before, self._frame = self._frame, frame
        positions = normalise(frame.embedding.positions, extent_of(frame.embedding.positions))
        if frame.trustworthiness is None:
            self.trustworthiness_line.say("Trustworthiness is measured when the map rests.")
        else:
            self.trustworthiness_line.say(
                f"Trustworthiness {frame.trustworthiness:.3f}: how far neighbours on the map are neighbours in the "
                "features (1 is best). Sizes of clusters and distances between them mean little."
            )
        points, store = self.points, None if before is None else before.store
        if points is None or store is not frame.store or len(points.groups) != len(positions):
            self._draw_anew(frame, positions)
            return True
        if not np.array_equal(points.positions, positions):
            points.move(positions)
        return False

    def _draw_anew(self, frame: EmbeddingFrame, positions: NDArray[np.float32]) -> None:
        made = point_map(
            self._panel,
            frame.groups,
            positions,
            on_lasso=self._lassoed,
            on_hover=self._hovered,
            on_click=self._clicked,
        )
        before, self.points = self.points, made
        self.points_box.children = (made,)
        self._pair = []
        if before is not None:
            before.close()

    def mark(self, position: NDArray[np.float32]) -> None:
        """Mark a position of the map, (2,): that of the picture looked at."""
        if self.points is not None and self._frame is not None:
            self.points.mark(normalise(position, extent_of(self._frame.embedding.positions)))

    def select(self, items: Sequence[int]) -> NDArray[np.intp]:
        """Highlight items of the data set, and return their rows: those that are on the map."""
        store, points = self.store, self.points
        if store is None or points is None:
            return np.zeros(0, np.intp)
        rows = store.rows_of(items)
        rows = rows[rows < len(points.groups)]
        if not np.array_equal(rows, points.selected):
            points.select(rows)
        return rows

    def _points_drawn(self) -> PointsPart | None:
        """The points, with the colours of the largest groups; None while there are none."""
        points, frame = self.points, self._frame
        if points is None or frame is None:
            return None
        found, rows, counts = np.unique(points.groups, return_index=True, return_counts=True)
        largest = np.argsort(-counts, kind="stable")[:_LEGEND]
        if (frame.store.labels >= 0).any():
            names = [frame.store.label_name(int(rows[at])) or "no label" for at in largest]
        else:
            names = [self._panel.session.classifier.class_names[found[at]] for at in largest]
        legend = [(color_of(int(found[at])), name) for at, name in zip(largest, names, strict=True)]
        colours = [color_of(int(group)) for group in points.groups]
        return PointsPart(self.trustworthiness_line.text, points.positions, colours, points.selected, legend)

    def clear(self) -> None:
        """Remove the map from the page."""
        before, self.points, self._frame, self._pair = self.points, None, None, []
        self.points_box.children = ()
        if before is not None:
            before.close()
        self.trustworthiness_line.say("")
        self.pair_line.say(_COMPARE)
        self.hovered.show(None)

    @in_turn
    def _lassoed(self, rows: NDArray[np.intp]) -> None:
        if self.store is not None:
            self._lasso(self.store.items[rows].tolist())

    @in_turn
    def _hovered(self, row: int | None) -> None:
        store = self.store
        if store is not None and row is not None and 0 <= row < len(store):
            self.hovered.show(store.thumbnails([row]), captions(store, [row]))

    @in_turn
    def _clicked(self, row: int) -> None:
        store = self.store
        if store is None:
            return
        self._pair = [*self._pair[-1:], row]
        if len(set(self._pair)) == 2:
            self.pair_line.say(_compare(store, self._pair))
        try:
            self._click(store, row)
        except ExplanationError as error:
            self._panel.fail(error)


def _compare(store: FeatureStore, pair: Sequence[int]) -> str:
    """How far two rows are from each other in the features."""
    names = " and ".join(f"{store.names[row]} ({store.label_name(row) or 'no label'})" for row in pair)
    (cosine, nearer), (euclidean, _) = (
        pair_distance(store.features, pair, metric) for metric in ("cosine", "euclidean")
    )
    return (
        f"{names}: true cosine distance {short(cosine)}, euclidean {short(euclidean)}; "
        f"{percent(nearer)} of all pictures are nearer to the first."
    )
