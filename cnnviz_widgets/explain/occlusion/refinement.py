"""From coarse to fine: where to look first, what is between the places looked at, and where to look next."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier.inputs import FloatArray

IntArray = NDArray[np.intp]

#: With which power of the distance a known cell's influence falls. Above 2, or what is far off would add up to more
#: than what is near, however large the grid.
_FALL = 3


def depths(count: int) -> IntArray:
    """How deep each of `count` items lies in a balanced binary tree: 0 for one in the middle, then 1, 2, ...

    All items down to a depth are spaced evenly, at half the distance of those above them.
    """
    height = count.bit_length()
    # Centred in the full tree of that height, whose item i has the depth that its trailing zeros tell.
    first = (2**height - 1 - count) // 2 + 1
    items = range(first, first + count)
    return np.array([height - (item & -item).bit_length() for item in items], dtype=np.intp)


def spread_evenly(rows: int, columns: int, most: int) -> IntArray:
    """At most `most` cells of a grid, spread evenly, as their numbers row by row; any beginning is spread too.

    They lie in lines of k and k + 1 by turns, staggered like bricks: of all arrangements of so many points it leaves
    the smallest holes.
    """
    lines = min(_bricks(rows, columns, most), key=lambda counts: _hole(rows, columns, counts))
    down, across = np.array([((i + 0.5) / len(lines), (j + 0.5) / n) for i, n in enumerate(lines) for j in range(n)]).T
    # Rounding may put two into one cell of a narrow grid.
    cells = np.unique((down * rows).astype(np.intp) * columns + (across * columns).astype(np.intp))
    return cells[np.argsort(depths(len(cells)), kind="stable")]


def _bricks(rows: int, columns: int, most: int) -> list[list[int]]:
    """How many points there can be in each of 1, 2, ... lines, so that they are `most` or a few less."""
    result = []
    for count in range(1, min(rows, most) + 1):
        for first in (0, 1):
            longer = [(line + first) % 2 for line in range(count)]
            least = (most - sum(longer)) // count
            if least >= 1 and least + max(longer) <= columns:
                result.append([least + more for more in longer])
    return result or [[1]]


def _hole(rows: int, columns: int, counts: Sequence[int]) -> float:
    """How far a place may be from the nearest of points in lines of so many each."""
    down, half = rows / len(counts), columns / (2 * sum(counts) / len(counts))
    if len(counts) == 1:
        return math.hypot(half, down / 2)
    # The circle through a point and its two neighbours in the next line, unless their triangle is obtuse.
    return (half**2 + down**2) / (2 * down) if down > half else half


def interpolate_missing(values: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """Values (rows, columns) with each unknown one made the mean of all known ones, the nearest counting most.

    Inverse distance weighting, Shepard 1968 (ACM '68, A two-dimensional interpolation function), as one convolution.
    """
    if known.all():
        return values
    rows, columns = known.shape
    size, weights = _influence(rows, columns)
    sums = np.fft.rfft2(np.stack([np.where(known, values, 0.0), known]), size) * weights
    total, count = np.fft.irfft2(sums, size)[:, :rows, :columns]
    return np.where(known, values, total / count).astype(np.float32)


@functools.lru_cache(maxsize=8)
def _influence(rows: int, columns: int) -> tuple[tuple[int, int], NDArray[np.complex128]]:
    """How much a cell counts for another, by their distance: a size to convolve in, and its transform."""
    size = (_quick(2 * rows - 1), _quick(2 * columns - 1))
    down, across = (np.minimum(np.arange(n), n - np.arange(n)) for n in size)
    distances = np.hypot(down[:, None], across)
    distances[0, 0] = 1  # of no account: what is known stands for itself
    return size, np.fft.rfft2(distances**-_FALL)


def _quick(length: int) -> int:
    """The least length from this one on that a Fourier transform is quick in: 2^a 3^b 5^c."""
    rest = length
    for factor in (2, 3, 5):
        while rest % factor == 0:
            rest //= factor
    return length if rest == 1 else _quick(length + 1)


class Refinement:
    """What is known of a grid (rows, columns) that is measured cell by cell.

    `known` says of which cells; `source` is which cell, counted in the order in which they were measured, is the
    nearest to each, itself where it is known.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.known = np.zeros((rows, columns), dtype=np.bool_)
        self.source: IntArray = np.zeros((rows, columns), dtype=np.intp)
        self.done = 0
        self._distances = np.full((rows, columns), np.inf)

    def add(self, cells: IntArray) -> None:
        """These cells, as their numbers row by row, have been measured."""
        rows, columns = self.known.shape
        down, across = np.divmod(cells[:, None], columns)
        squares = ((np.arange(rows) - down) ** 2)[:, :, None] + ((np.arange(columns) - across) ** 2)[:, None, :]
        nearest = squares.argmin(axis=0)
        distances = np.sqrt(np.take_along_axis(squares, nearest[None], axis=0)[0])
        # What is measured now and copied before stays as it is: earlier maps keep their arrays.
        self.source = np.where(distances < self._distances, self.done + nearest, self.source)
        self._distances = np.minimum(distances, self._distances)
        self.known = self._distances == 0
        self.done += len(cells)

    def interest(self, values: FloatArray) -> FloatArray:
        """How much there is to learn from each cell, given a map (rows, columns) of what is known or expected.

        The farther it is from what is known, the more; and the larger and the steeper the map is there.
        """
        interest = np.ones(values.shape)
        slopes = [np.gradient(values, axis=axis) for axis in range(2) if values.shape[axis] > 1]
        for part in (np.abs(values), np.sqrt(np.sum(np.square(slopes), axis=0))):
            if part.any():
                interest = interest + part / part.mean()
        return (self._distances * interest).astype(np.float32)
