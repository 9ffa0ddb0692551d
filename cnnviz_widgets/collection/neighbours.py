"""Nearest rows of a table of vectors, exact; of equally near ones the lower row comes first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import StoreError

Metric = Literal["cosine", "euclidean"]
METRICS: tuple[Metric, ...] = get_args(Metric)

#: Numbers that are compared at a time. A float64 copy of them takes 32 MB.
_BLOCK = 2**22
#: Most distances that `farthest_neighbour` computes, and fewest vectors whose nearest it looks for. More make its
#: answer surer and take longer.
_MAX_DISTANCES, _MIN_QUERIES = 2**23, 64
#: Squared lengths between which float32 has all its digits, also for the product of two.
_SMALLEST_SQUARE, _LARGEST_SQUARE = 1e-15, 1e15


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest `rows` int64 (k,), nearest first, and their `distances` float32 (k,) by `metric`.

    `recall` is the fraction of true neighbours, 0..1, that the index which answered finds; None for an exact search.
    """

    rows: NDArray[np.intp]
    distances: NDArray[np.float32]
    metric: Metric
    recall: float | None = None

    def __len__(self) -> int:
        return len(self.rows)


def distances_to(vectors: NDArray[np.generic], query: NDArray[np.generic], metric: Metric) -> NDArray[np.float64]:
    """The distance of each of `vectors` (N, ...) to `query` (...), float64 (N,).

    Cosine: 1 minus the cosine, in 0..2, and 1 where a vector is zero. Raises StoreError for another shape or metric.
    """
    if metric not in METRICS:
        raise StoreError(f"There is no metric {metric!r}; there are {' and '.join(METRICS)}.")
    if vectors.shape[1:] != query.shape:
        raise StoreError(f"Vectors of shape {vectors.shape[1:]} cannot be compared with one of shape {query.shape}.")
    target = query.astype(np.float64).ravel()
    if metric == "cosine":
        target = _unit(target[None])[0]
    distances = np.empty(len(vectors))
    size = max(1, _BLOCK // max(1, target.size))
    for start in range(0, len(vectors), size):
        block = vectors[start : start + size].reshape(-1, target.size).astype(np.float64)
        # Differences, not |a|^2 - 2ab + |b|^2: equal vectors are at distance 0, and equal distances stay equal.
        if metric == "cosine":
            found = ((_unit(block) - target) ** 2).sum(axis=1) / 2
            # The same for vectors of length 1; a zero vector is at right angles to all.
            found[~block.any(axis=1)] = 1.0
            if not target.any():
                found[:] = 1.0
        else:
            found = np.sqrt(((block - target) ** 2).sum(axis=1))
        distances[start : start + size] = found
    return distances


def nearest(
    vectors: NDArray[np.generic],
    query: NDArray[np.generic],
    k: int,
    metric: Metric = "cosine",
    exclude: Collection[int] = (),
) -> Neighbours:
    """The `k` rows of `vectors` (N, ...) nearest to `query` (...), without the rows in `exclude`.

    Exact: all rows are compared in float32, and those that rounding leaves in question again by `distances_to`. Fewer
    where there are fewer rows with a finite distance. Raises StoreError for another shape or metric.
    """
    rows = _candidates(vectors, query, k + len(exclude), metric)
    rows = np.setdiff1d(rows, list(exclude), assume_unique=True) if exclude else rows
    distances = distances_to(vectors[rows], query, metric)
    k = max(0, min(k, int(np.isfinite(distances).sum())))
    order = np.argsort(distances, kind="stable")[:k]
    return Neighbours(rows[order], distances[order].astype(np.float32), metric)


def _candidates(vectors: NDArray[np.generic], query: NDArray[np.generic], k: int, metric: Metric) -> NDArray[np.intp]:
    """Rows in increasing order that include the `k` nearest and all that are as near as the last of those."""
    every = np.arange(len(vectors))
    if k >= len(vectors) or metric not in METRICS or vectors.shape[1:] != query.shape:
        return every
    with np.errstate(all="ignore"):
        products, squares, square = _products(vectors, query)
        # At most what rounding does to sums of so many products of float32, in units of the squared lengths.
        doubt = 2 * (query.size + 4) * float(np.finfo(np.float32).eps)
        if metric == "cosine":
            found = 1 - products / (np.sqrt(squares) * square**0.5)
            slack = np.full_like(found, doubt)
        else:
            found = squares - 2 * products
            slack = doubt * (squares + square) + _SMALLEST_SQUARE
        # Beyond float32's range, and of zero vectors, nothing is known.
        known = (squares > _SMALLEST_SQUARE) & (squares < _LARGEST_SQUARE) & np.isfinite(found)
        known &= _SMALLEST_SQUARE < square < _LARGEST_SQUARE
        most = np.where(known, found + slack, np.inf)
        least = np.where(known, found - slack, -np.inf)
    return every[least <= np.partition(most, k - 1)[k - 1]] if k else every[:0]


def _products(
    vectors: NDArray[np.generic], query: NDArray[np.generic]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """The products of each vector with the query (N,), with itself (N,), and of the query with itself, in float32."""
    width = max(1, query.size)
    target = query.astype(np.float32).ravel()
    products, squares = np.empty(len(vectors), np.float32), np.empty(len(vectors), np.float32)
    size = max(1, _BLOCK // width)
    for start in range(0, len(vectors), size):
        block = vectors[start : start + size].reshape(-1, width).astype(np.float32, copy=False)
        products[start : start + size] = block @ target
        squares[start : start + size] = np.einsum("ij,ij->i", block, block)
    return products, squares, float(target @ target)


def nearest_of_rows(
    vectors: NDArray[np.float32], rows: NDArray[np.intp], k: int, metric: Metric = "cosine"
) -> NDArray[np.intp]:
    """The `k` nearest other rows of each of some `rows` of `vectors` (N, D), (len(rows), k), quicker than one by one.

    By |a|^2 - 2ab + |b|^2 in float64, so that ties are broken by the row's number only where they are exact.
    """
    unit = _unit if metric == "cosine" else np.asarray
    asked = unit(vectors[rows].astype(np.float64))
    lengths = (asked**2).sum(axis=1, keepdims=True)
    k = min(k, len(vectors) - 1)
    found = np.zeros((len(rows), 0), np.intp)
    least = np.zeros((len(rows), 0))
    size = max(1, min(_BLOCK // max(1, vectors.shape[1]), _BLOCK // max(1, len(rows))))
    for start in range(0, len(vectors), size):
        block = unit(vectors[start : start + size].astype(np.float64))
        distances = lengths - 2 * asked @ block.T + (block**2).sum(axis=1)
        numbers = np.broadcast_to(np.arange(start, start + len(block)), distances.shape)
        distances[rows[:, None] == numbers] = np.inf
        # Those found before come first: of equal ones they have the lower numbers.
        pool, numbers = np.hstack([least, distances]), np.hstack([found, numbers])
        order = np.argsort(pool, axis=1, kind="stable")[:, :k]
        least, found = np.take_along_axis(pool, order, 1), np.take_along_axis(numbers, order, 1)
    return found


def farthest_neighbour(vectors: NDArray[np.float32], metric: Metric = "cosine") -> float:
    """The largest distance of one of `vectors` (N, D) to its nearest other one, infinite for fewer than two.

    A vector that is farther than this from all is unlike them. Of many vectors some, evenly spaced, are looked at.
    """
    count = len(vectors)
    asked = max(_MIN_QUERIES, _MAX_DISTANCES // max(1, count))
    rows = np.linspace(0, count - 1, min(count, asked)).astype(np.intp)
    near = nearest_of_rows(vectors, rows, 1, metric)
    if not near.size:
        return float("inf")
    pairs = zip(rows, near[:, 0], strict=True)
    return max(float(distances_to(vectors[[other]], vectors[row], metric)[0]) for row, other in pairs)


def label_agreement(labels: NDArray[np.int64], label: int) -> float | None:
    """The fraction of the known `labels` (k,) that are `label`, 0..1; None when none or `label` is unknown."""
    known = labels[labels >= 0]
    return float((known == label).mean()) if label >= 0 and len(known) else None


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1)
    return unit
