"""Parts of a plane cut out for many windows at once: the whole picture's values with each window's own pasted in."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.explain.incremental.boxes import Integers, Part

#: Rows behind those of the plane: what lies beyond the border for convolutions, and for max pooling.
_FILLS = (0.0, -float("inf"))


class Table:
    """A value of the whole picture as rows of channels, one for each cell, with room behind for patches."""

    def __init__(self, value: Tensor) -> None:
        _, *self.channels, self.height, self.width = value.shape
        self.cells = self.height * self.width
        self.rows = value.new_empty(self.cells + len(_FILLS), math.prod(self.channels))
        self.rows[: self.cells] = _as_rows(value)
        for position, fill in enumerate(_FILLS):
            self.rows[self.cells + position] = fill

    def write(self, patches: Tensor) -> None:
        """Put patches (N, ..., h, w) behind the plane."""
        rows = _as_rows(patches)
        first = self.cells + len(_FILLS)
        if first + len(rows) > len(self.rows):
            longer = self.rows.new_empty(first + len(rows), self.rows.shape[1])
            longer[:first] = self.rows[:first]
            self.rows = longer
        self.rows[first : first + len(rows)] = rows

    def read(self, index: Tensor) -> Tensor:
        """The cells of an index (N, h, w), as a tensor (N, ..., h, w) in channels-last order."""
        count, height, width = index.shape
        rows = self.rows.index_select(0, index.view(-1)).view(count, height, width, -1).permute(0, 3, 1, 2)
        return rows if len(self.channels) == 1 else rows.unflatten(1, self.channels)


def _as_rows(value: Tensor) -> Tensor:
    return value.flatten(1, -3).permute(0, 2, 3, 1).reshape(-1, math.prod(value.shape[1:-2]))


def index(
    plane: tuple[int, int],
    start: Integers,
    size: tuple[int, int],
    steps: tuple[int, int] = (1, 1),
    fill: float = 0.0,
    patches: Part | None = None,
    overlay: tuple[Integers, Integers] | None = None,
) -> NDArray[np.int64]:
    """Rows of a table for N boxes that begin at `start` (2, N) and take each `steps`-th cell, (N, height, width).

    Cells inside `patches` are read from the patches. With `overlay`, first and last + 1 cells (2, N), cells inside
    are read from one whole plane behind the table's own.
    """
    cells = [start[axis][:, None] + steps[axis] * np.arange(size[axis]) for axis in range(2)]
    result = (cells[0] * plane[1])[:, :, None] + cells[1][:, None, :]
    first = plane[0] * plane[1] + len(_FILLS)
    if patches is not None:
        count = np.arange(start.shape[1])[:, None]
        height, width = patches.size
        offset = [cells[axis] - patches.start[axis][:, None] for axis in range(2)]
        inside = [(offset[axis] >= 0) & (offset[axis] < patches.size[axis]) for axis in range(2)]
        pasted = (first + (count * height + offset[0]) * width)[:, :, None] + offset[1][:, None, :]
        result = np.where(inside[0][:, :, None] & inside[1][:, None, :], pasted, result)
    elif overlay is not None:
        low, high = overlay
        inside = [(cells[axis] >= low[axis][:, None]) & (cells[axis] < high[axis][:, None]) for axis in range(2)]
        result = np.where(inside[0][:, :, None] & inside[1][:, None, :], result + first, result)
    beyond = [(cells[axis] < 0) | (cells[axis] >= plane[axis]) for axis in range(2)]
    if beyond[0].any() or beyond[1].any():
        outside = beyond[0][:, :, None] | beyond[1][:, None, :]
        result = np.where(outside, plane[0] * plane[1] + _FILLS.index(fill), result)
    return result
