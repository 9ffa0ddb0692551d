"""Nearest rows of a table of vectors: exact, in the true space, ties broken by the row's number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import StoreError

Metric = Literal["cosine", "euclidean"]
METRICS: tuple[Metric, ...] = get_args(Metric)

#: So many numbers are compared at a time: float64 copies of them take 64 MB.
_BLOCK = 2**22
#: So many distances tell how far from each other neighbours are; of so many vectors at least.
_COMPARED, _LEAST_ASKED = 2**23, 64
#: Between these float32 has all its digits, also for the product of two.
_LEAST, _MOST = 1e-15, 1e15


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest `rows` int64 (k,), nearest first, and their `distances` float32 (k,).

    `recall` is the share of true neighbours that the index which answered is known to find; None: exact search.
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

    Exact: all rows are compared in float32, and those whose distance may be among the least, as far as rounding goes,
    again by `distances_to`.
    """
    rows = _likely(vectors, query, k + len(exclude), metric)
    rows = np.setdiff1d(rows, list(exclude), assume_unique=True) if exclude else rows
    distances = distances_to(vectors[rows], query, metric)
    k = max(0, min(k, int(np.isfinite(distances).sum())))
    order = np.argsort(distances, kind="stable")[:k]
    return Neighbours(rows[order], distances[order].astype(np.float32), metric)


def _likely(vectors: NDArray[np.generic], query: NDArray[np.generic], k: int, metric: Metric) -> NDArray[np.intp]:
    """Rows in increasing order, among them the `k` nearest ones and all that are as near as the last of those."""
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
            slack = doubt * (squares + square) + _LEAST
        # Beyond float32's range, and of zero vectors, nothing is known.
        known = (squares > _LEAST) & (squares < _MOST) & (_LEAST < square < _MOST) & np.isfinite(found)
        most = np.where(known, found + slack, np.inf)
        least = np.where(known, found - slack, -np.inf)
    return every[least <= np.partition(most, k - 1)[k - 1]] if k else every[:0]


def _products(
    vectors: NDArray[np.generic], query: NDArray[np.generic]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """In float32: the product of each vector with the query, (N,), with itself, (N,), and the query's with itself."""
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
    """For each of some `rows` of `vectors` (N, D) its `k` nearest other rows, (len(rows), k): many at once, quickly.

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
    """The largest distance of one of `vectors` (N, D) to its nearest other one.

    Of many vectors some, evenly spaced, are asked for their nearest: what is farther from all is unlike them.
    """
    count = len(vectors)
    asked = max(_LEAST_ASKED, _COMPARED // max(1, count))
    rows = np.linspace(0, count - 1, min(count, asked)).astype(np.intp)
    near = nearest_of_rows(vectors, rows, 1, metric)
    if not near.size:
        return float("inf")
    pairs = zip(rows, near[:, 0], strict=True)
    return max(float(distances_to(vectors[[other]], vectors[row], metric)[0]) for row, other in pairs)


def label_agreement(labels: NDArray[np.int64], label: int) -> float | None:
    """Which share of the known `labels` of some neighbours is `label`; None when nothing is known."""
    known = labels[labels >= 0]
    return float((known == label).mean()) if label >= 0 and len(known) else None


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1)
    return unit
