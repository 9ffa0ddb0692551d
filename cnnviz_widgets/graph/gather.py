"""Parts of a plane cut out for many windows at once: the whole picture's values with each window's own pasted in."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.graph.boxes import Integers, Part
from cnnviz_widgets.graph.ops import Pair

Array = NDArray[Any]

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

    def shared(self) -> Table:
        """A table of the same value, in the same memory until it is written to."""
        other = copy.copy(self)
        # What is written is then put into rows of its own, as there is no room behind these.
        other.rows = self.rows[: self.cells + len(_FILLS)]
        return other

    def write(self, *patches: Tensor) -> None:
        """Put patches (N, ..., h, w) behind the plane; if several, side by side along their channels."""
        first, channel = self.cells + len(_FILLS), 0
        last = first + len(patches[0]) * patches[0].shape[-2] * patches[0].shape[-1]
        if last > len(self.rows):
            longer = self.rows.new_empty(last, self.rows.shape[1])
            longer[:first] = self.rows[:first]
            self.rows = longer
        for patch in patches:
            rows = _as_rows(patch)
            self.rows[first:last, channel : channel + rows.shape[1]] = rows
            channel += rows.shape[1]

    def shrink(self) -> None:
        """Give back room for patches that is larger than the plane."""
        if len(self.rows) > 2 * (self.cells + len(_FILLS)):
            self.rows = self.rows[: self.cells + len(_FILLS)].clone()

    def read(self, index: Tensor) -> Tensor:
        """The cells of an index (N, h, w), as a tensor (N, ..., h, w) in channels-last order."""
        count, height, width = index.shape
        return self.unflatten(self.rows.index_select(0, index.view(-1)).view(count, height, width, -1))

    def unflatten(self, boxes: Tensor) -> Tensor:
        """Rows (N, h, w, channels) as a tensor (N, ..., h, w)."""
        planes = boxes.permute(0, 3, 1, 2)
        return planes if len(self.channels) == 1 else planes.unflatten(1, self.channels)


@dataclass(frozen=True, eq=False)
class Cutout:
    """Boxes of one size in a plane, which may reach beyond its border.

    They begin at `start` (2, N), take each `steps`-th cell, `size` (height, width) of them, and `fill` outside.
    """

    start: Integers
    size: Pair
    steps: Pair = (1, 1)
    fill: float = 0.0


@dataclass(frozen=True, eq=False)
class Rim:
    """What lies around patches in boxes of `size` (height, width), all N alike: `offset` is the patches' first cell.

    `strips` are (top, left, height, width) in the box, `cells` the rows of a table for them, one strip after another.
    """

    size: Pair
    offset: Pair
    strips: tuple[tuple[int, int, int, int], ...]
    cells: Tensor

    def read(self, table: Table, *patches: Tensor) -> Tensor:
        """The boxes (N, ..., height, width) with patches (N, ..., h, w) in them; if several, side by side."""
        count, (top, left), (tall, wide) = len(patches[0]), self.offset, patches[0].shape[-2:]
        boxes = table.rows.new_empty(count, *self.size, table.rows.shape[1])
        channel = 0
        for patch in patches:
            cells = patch.flatten(1, -3).permute(0, 2, 3, 1)
            boxes[:, top : top + tall, left : left + wide, channel : channel + cells.shape[3]] = cells
            channel += cells.shape[3]
        around, first = table.rows.index_select(0, self.cells), 0
        for top, left, height, width in self.strips:
            last = first + count * height * width
            boxes[:, top : top + height, left : left + width] = around[first:last].view(count, height, width, -1)
            first = last
        return table.unflatten(boxes)


def rim(plane: Pair, cutout: Cutout, patches: Part) -> Rim | None:
    """The rim of patches in boxes, all cells taken; None where it is not the same for all, or wide."""
    offsets = patches.start - cutout.start
    (top, left), (tall, wide), (height, width) = offsets[:, 0].tolist(), patches.size, cutout.size
    bottom, right = top + tall, left + wide
    inside = top >= 0 and left >= 0 and bottom <= height and right <= width
    if not inside or 2 * tall * wide < height * width or (offsets != offsets[:, :1]).any():
        return None
    sides = (
        (0, 0, top, width),
        (bottom, 0, height - bottom, width),
        (top, 0, tall, left),
        (top, right, tall, width - right),
    )
    strips = tuple(side for side in sides if side[2] and side[3])
    around = [
        Cutout(cutout.start + np.array([[top], [left]]), (tall, wide), fill=cutout.fill)
        for top, left, tall, wide in strips
    ]
    cells = [index(plane, strip).ravel() for strip in around]
    return Rim(cutout.size, (top, left), strips, torch.from_numpy(np.concatenate([*cells, np.empty(0, np.int64)])))


def _as_rows(value: Tensor) -> Tensor:
    return value.flatten(1, -3).permute(0, 2, 3, 1).reshape(-1, math.prod(value.shape[1:-2]))


def index(
    plane: Pair, cutout: Cutout, patches: Part | None = None, overlay: tuple[Integers, Integers] | None = None
) -> Integers:
    """Rows of a table for N boxes, (N, height, width).

    Cells inside `patches` are read from the patches. With `overlay`, first and last + 1 cells (2, N), cells inside
    are read from one whole plane behind the table's own.
    """
    rows = cutout.start[0][:, None] + cutout.steps[0] * np.arange(cutout.size[0])
    columns = cutout.start[1][:, None] + cutout.steps[1] * np.arange(cutout.size[1])
    result = _grid(rows * plane[1], columns)
    behind = plane[0] * plane[1] + len(_FILLS)
    if patches is not None:
        _paste(result, rows - patches.start[0][:, None], columns - patches.start[1][:, None], patches.size, behind)
    elif overlay is not None:
        (top, left), (bottom, right) = (edge[:, :, None] for edge in overlay)
        inside = _grid((rows >= top) & (rows < bottom), (columns >= left) & (columns < right), np.logical_and)
        result += behind * inside
    if rows.min() < 0 or columns.min() < 0 or rows.max() >= plane[0] or columns.max() >= plane[1]:
        beyond_rows, beyond_columns = (rows < 0) | (rows >= plane[0]), (columns < 0) | (columns >= plane[1])
        beyond = _grid(beyond_rows, beyond_columns, np.logical_or)
        result[beyond] = plane[0] * plane[1] + _FILLS.index(cutout.fill)
    return result


def _paste(result: Integers, rows: Integers, columns: Integers, size: Pair, behind: int) -> None:
    """Refer cells to the patches: `rows` and `columns` (N, ...) are counted from the patches' first."""
    first = behind + size[0] * size[1] * np.arange(len(rows))[:, None]
    inside_rows, inside_columns = (rows >= 0) & (rows < size[0]), (columns >= 0) & (columns < size[1])
    pasted = _grid(first + size[1] * rows, columns)
    np.copyto(result, pasted, where=_grid(inside_rows, inside_columns, np.logical_and))


def _grid(rows: Array, columns: Array, combine: Callable[..., Array] = np.add) -> Array:
    """Rows (N, height) and columns (N, width) combined to (N, height, width)."""
    return combine(rows[:, :, None], columns[:, None, :])
