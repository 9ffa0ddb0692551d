"""Where the channels of a layer are most active in a data set, and how that is updated by further pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", np.float32, np.int64)


@dataclass(frozen=True)
class Location:
    """A cell of an activation map: index of the picture, (row, column) in the layer's grid, and its activation."""

    image: int
    row: int
    column: int
    value: float


class Maxima(NamedTuple):
    """The maximum of each map, float32 (n, C), and its cell, int64 (n, C), row x columns + column."""

    values: NDArray[np.float32]
    cells: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LayerLocations:
    """For each of C channels the `k` pictures with the highest maxima, and the maxima of a random sample of pictures.

    `values` float32 (C, k), highest first, -inf where there are fewer pictures; `images` int64 (C, k), their index,
    or -1; `cells` int64 (C, k), row x columns + column of the maximum, the first of equal ones. `sample_values` and
    `sample_cells` (S, C) are the maxima of the sampled pictures. `grid` is (rows, columns).
    """

    grid: tuple[int, int]
    values: NDArray[np.float32]
    images: NDArray[np.int64]
    cells: NDArray[np.int64]
    sample_values: NDArray[np.float32]
    sample_cells: NDArray[np.int64]

    @classmethod
    def empty(cls, shape: tuple[int, int, int], k: int) -> LayerLocations:
        """The locations in no pictures, of a layer with maps of `shape` (channels, rows, columns)."""
        channels, rows, columns = shape
        return cls(
            (rows, columns),
            np.full((channels, k), -np.inf, np.float32),
            np.full((channels, k), -1, np.int64),
            np.full((channels, k), -1, np.int64),
            np.empty((0, channels), np.float32),
            np.empty((0, channels), np.int64),
        )

    def location(self, image: int, cell: int, value: float) -> Location:
        """Cell number `cell` of picture `image` as a Location."""
        row, column = divmod(int(cell), self.grid[1])
        return Location(int(image), row, column, float(value))

    def join(self, further: LayerLocations, sampled: NDArray[np.intp]) -> LayerLocations:
        """These locations with those of further pictures, whose indices are larger; `sampled` as in `merge`."""
        k = self.values.shape[1]
        values = np.concatenate([self.values, further.values], axis=1)
        order = np.argsort(-values, axis=1, kind="stable")[:, :k]

        def best(mine: NDArray[_T], theirs: NDArray[_T]) -> NDArray[_T]:
            return np.take_along_axis(np.concatenate([mine, theirs], axis=1), order, axis=1)

        return LayerLocations(
            self.grid,
            best(self.values, further.values),
            best(self.images, further.images),
            best(self.cells, further.cells),
            np.concatenate([self.sample_values, further.sample_values])[sampled],
            np.concatenate([self.sample_cells, further.sample_cells])[sampled],
        )

    def merge(self, maxima: Maxima, images: NDArray[np.int64], sampled: NDArray[np.intp]) -> LayerLocations:
        """These locations with the maxima of further pictures `images` (n,), whose indices are larger than before.

        `sampled` are positions in the pictures of the sample followed by `images`: those that the sample has now.
        """
        # Few channels have a new best once many pictures were seen. Equal ones lose to those of lower index.
        new = np.flatnonzero(maxima.values.max(axis=0) > self.values[:, -1])
        k = self.values.shape[1]
        pool = np.concatenate([self.values[new], maxima.values.T[new]], axis=1)
        order = np.argsort(-pool, axis=1, kind="stable")[:, :k]
        order += pool.shape[1] * np.arange(len(new))[:, None]
        every = np.broadcast_to(images, (len(new), len(images)))

        def best(kept: NDArray[_T], further: NDArray[_T]) -> NDArray[_T]:
            kept = kept.copy()
            kept[new] = np.concatenate([kept[new], further], axis=1).take(order)
            return kept

        sample_values, sample_cells = self.sample_values, self.sample_cells
        if not np.array_equal(sampled, np.arange(len(sample_values))):
            sample_values = np.concatenate([sample_values, maxima.values])[sampled]
            sample_cells = np.concatenate([sample_cells, maxima.cells])[sampled]
        return LayerLocations(
            self.grid,
            best(self.values, maxima.values.T[new]),
            best(self.images, every),
            best(self.cells, maxima.cells.T[new]),
            sample_values,
            sample_cells,
        )


def sampling_keys(indices: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A well mixed number for each index, (N,), always the same (Steele et al. 2014, splitmix64).

    The pictures with the lowest keys are a random sample that depends on nothing but the number of pictures.
    """
    mixed = indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
