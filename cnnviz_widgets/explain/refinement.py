"""From coarse to fine: an order in which any beginning covers the whole range evenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.intp]


def depths(count: int) -> IntArray:
    """How deep each of `count` items lies in a balanced binary tree: 0 for one in the middle, then 1, 2, ...

    All items down to a depth are spaced evenly, at half the distance of those above them.
    """
    height = count.bit_length()
    # Centred in the full tree of that height, whose item i has the depth that its trailing zeros tell.
    first = (2**height - 1 - count) // 2 + 1
    items = range(first, first + count)
    return np.array([height - (item & -item).bit_length() for item in items], dtype=np.intp)


class Refinement:
    """An order for the cells of a grid (rows, columns) from coarse to fine.

    `order` are the cells, counted row by row, `rank` (rows, columns) is each one's place in it.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._down, self._across = depths(rows), depths(columns)
        self._depths = np.maximum(self._down[:, None], self._across)
        self._arrange(np.argsort(self._depths, axis=None, kind="stable"))

    def _arrange(self, order: IntArray) -> None:
        self.order = order
        self.rank: IntArray = np.argsort(order).reshape(self._depths.shape)

    @property
    def levels(self) -> IntArray:
        """How fine a grid each cell belongs to, in their order."""
        levels: IntArray = self._depths.flat[self.order]
        return levels

    def rearrange(self, places: IntArray) -> None:
        """Order the cells by their present `places`, no cell before one of a lower level."""
        assert (np.diff(self.levels[places]) >= 0).all()
        self._arrange(self.order[places])

    def source(self, done: int) -> IntArray:
        """Which cell, by its rank, stands for each when the first `done` are known (rows, columns).

        Itself where it is known, else the nearest one of the finest level that is complete.
        """
        levels = range(int(self._depths.max()) + 1)
        complete = max(depth for depth in levels if (self._depths <= depth).sum() <= done)
        down, across = _nearest(self._down <= complete), _nearest(self._across <= complete)
        return np.where(self.rank < done, self.rank, self.rank[np.ix_(down, across)])


def _nearest(known: NDArray[np.bool_]) -> IntArray:
    """For each item, the index of the nearest known one; of two equally near ones the first."""
    indices = np.flatnonzero(known)
    distances = np.abs(np.arange(len(known))[:, None] - indices)
    found: IntArray = indices[distances.argmin(axis=1)]
    return found
