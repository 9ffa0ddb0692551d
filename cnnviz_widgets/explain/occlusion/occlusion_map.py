"""An occlusion map that remembers every class's score for every window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Score, Target
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.occlusion.refinement import IntArray, interpolate_missing
from cnnviz_widgets.explain.rounding import floor_of
from cnnviz_widgets.graph.boxes import Box


@dataclass(frozen=True, eq=False)
class Windows:
    """A grid of occlusion windows over a picture of `size` (height, width).

    `tops` (rows,) and `lefts` (columns,) are the windows' corners in pixels, `window` their (height, width).
    """

    size: tuple[int, int]
    window: tuple[int, int]
    tops: tuple[int, ...]
    lefts: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)"""
        return len(self.tops), len(self.lefts)

    def box(self, row: int, column: int) -> Box:
        """A window, in pixels."""
        return Box(self.tops[row], self.lefts[column], *self.window)

    @property
    def boxes(self) -> list[Box]:
        """All of them, row by row."""
        rows, columns = self.shape
        return [self.box(row, column) for row in range(rows) for column in range(columns)]

    def cell(self, top: float, left: float) -> tuple[int, int]:
        """(row, column) of the window whose upper left corner is nearest to a point, the first of equals."""
        rows, columns = (np.abs(np.array(at) - to) for at, to in ((self.tops, top), (self.lefts, left)))
        return int(rows.argmin()), int(columns.argmin())

    def averaged(self, cells: FloatArray) -> FloatArray:
        """Cells (rows, columns) as pixels (H, W): each the mean over the windows that cover it.

        Between windows that leave gaps, each pixel has the value of the nearest window.
        """
        down = _coverage(self.tops, self.window[0], self.size[0])
        across = _coverage(self.lefts, self.window[1], self.size[1])
        # Coverage of a pixel is that of its row times that of its column: no loop over the windows is needed. By torch:
        # the threads of numpy's own library keep the cores busy for a while afterwards, at the network's expense.
        parts = [torch.from_numpy(part) for part in (down, cells.astype(np.float64), across)]
        values: FloatArray = (parts[0].T @ parts[1] @ parts[2]).to(torch.float32).numpy()
        return values


def _coverage(positions: tuple[int, ...], window: int, size: int) -> NDArray[np.float64]:
    """The share (windows, pixels) that each window has in each pixel of an axis; a pixel's add up to 1."""
    pixels = np.arange(size)
    starts = np.array(positions)[:, None]
    distances = np.maximum(np.maximum(starts - pixels, pixels - (starts + window - 1)), 0)
    shares = (distances == 0).astype(np.float64)
    gaps = np.flatnonzero(shares.sum(axis=0) == 0)
    shares[distances[:, gaps].argmin(axis=0), gaps] = 1
    normalised: NDArray[np.float64] = shares / shares.sum(axis=0)
    return normalised


@dataclass(frozen=True, eq=False)
class OcclusionRun:
    """What has been measured: logits of the whole picture, and behind each of the `windows` run so far.

    `readout` says what the logits are: `whole` (K,) are those of the whole picture, of which the share `rounding` is
    rounding, `measured` (n, K) those of the windows run so far, and `source` (rows, columns) says which of these is
    nearest to each window: itself where it is `known` (rows, columns). Earlier maps of the same run share the memory
    of `measured`.
    """

    windows: Windows
    readout: Readout
    whole: FloatArray
    measured: FloatArray
    source: IntArray
    known: NDArray[np.bool_]
    rounding: float

    def map_of(self, target: Target, score: Score) -> OcclusionMap:
        """The map of a target, without a forward pass. Raises TargetError, MethodError."""

        def scores(logits: FloatArray) -> FloatArray:
            found: FloatArray = target.of(torch.from_numpy(logits), score, self.readout).numpy()
            return found

        def floor(logits: FloatArray) -> float:
            return floor_of(torch.from_numpy(logits), target, score, self.readout, self.rounding)

        drops = scores(self.whole[None]) - scores(self.measured)
        blank = float(np.abs(drops).max()) <= max(floor(self.whole[None]), floor(self.measured))
        cells, progress = interpolate_missing(drops[self.source], self.known), len(self.measured) / self.source.size
        found = OcclusionMap(
            values=self.windows.averaged(cells),
            cells=cells,
            quantity=self.readout.worded(f"drop of the {score}"),
            signed=True,
            target=target,
            progress=progress,
            blank=blank,
            run=self,
            score=score,
        )
        return found.as_nothing("window") if blank and progress == 1 else found


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class OcclusionMap(Heatmap):
    """How much the score drops behind each window, and all class scores it was computed from.

    With these another class, or the scores behind a window, cost no forward pass. `cells` (rows, columns)
    are the drops of the single windows, `values` their average over the windows that cover a pixel. Before the map is
    complete, cells that are not `known` (rows, columns) are made up from those that are (see `interpolate_missing`).
    """

    run: OcclusionRun
    score: Score

    @property
    def windows(self) -> Windows:
        """Where they lie."""
        return self.run.windows

    @property
    def whole(self) -> FloatArray:
        """Logits (K,) of the whole picture."""
        return self.run.whole

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which windows have been run, (rows, columns)."""
        return self.run.known

    @property
    def logits(self) -> FloatArray:
        """Logits (rows, columns, K) behind each window, or the nearest known one."""
        return self.run.measured[self.run.source]

    def nearest(self, top: float, left: float) -> FloatArray:
        """Logits (K,) behind the window whose upper left corner is nearest to a point in input pixels."""
        logits: FloatArray = self.run.measured[self.run.source[self.windows.cell(top, left)]]
        return logits

    def for_target(self, target: int | Target) -> OcclusionMap:
        """The same run seen for another class, without a forward pass. Raises TargetError."""
        return self.run.map_of(target if isinstance(target, Target) else Target(target), self.score)

    def for_score(self, score: Score) -> OcclusionMap:
        """The same run with drops of the other score, without a forward pass. Raises MethodError."""
        return self.run.map_of(self.target, score)
