"""The boxes in which planes change: exact for each window, and of one size for windows that run together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.explain.incremental.program import Reach
from cnnviz_widgets.explain.incremental.regions import Program

#: (top, left, height, width) in network-input pixels.
Box = tuple[int, int, int, int]
Integers = NDArray[np.int64]

#: Above this share of the plane a part costs more than the whole, for the copies that it needs.
_MOST = 0.75


@dataclass(frozen=True, eq=False)
class Changes:
    """For each region the first and last + 1 changed cell of N windows along rows and columns: (2, N) each."""

    first: tuple[Integers, ...]
    last: tuple[Integers, ...]

    def of(self, windows: Integers) -> Changes:
        """Those of some of the windows."""
        return Changes(tuple(a[:, windows] for a in self.first), tuple(a[:, windows] for a in self.last))


@dataclass(frozen=True, eq=False)
class Part:
    """Boxes of one size, (height, width), in one plane; `start` (2, N) are their first rows and columns."""

    start: Integers
    size: tuple[int, int]


def changes(program: Program, boxes: Sequence[Box]) -> Changes:
    """Propagate windows through all regions; a box that vanishes keeps one cell."""
    windows = np.asarray(boxes, dtype=np.int64).reshape(-1, 4).T
    first, last = [windows[:2]], [windows[:2] + windows[2:]]
    for region in program.regions[1:]:
        plane = np.asarray(region.plane)[:, None]
        starts = [first[source] for source in region.sources]
        ends = [last[source] for source in region.sources]
        start, end = np.minimum.reduce(starts), np.maximum.reduce(ends)
        if len(region.sources) == 1:
            start = np.stack([_first_reached(s, r) for s, r in zip(start, region.reaches, strict=True)])
            end = np.stack([(e - 1 + r.padding) // r.stride + 1 for e, r in zip(end, region.reaches, strict=True)])
        start = np.clip(start, 0, plane - 1)
        first.append(start)
        last.append(np.clip(end, start + 1, plane))
    return Changes(tuple(first), tuple(last))


def _first_reached(start: Integers, reach: Reach) -> Integers:
    return -((reach.span - reach.padding - start) // reach.stride)


def parts(program: Program, changes: Changes) -> list[Part | None]:
    """For each region boxes of one size that hold the changes of all windows; None where the whole plane is better."""
    result: list[Part | None] = []
    for region, first, last in zip(program.regions, changes.first, changes.last, strict=True):
        height, width = (int(side) for side in (last - first).max(axis=1))
        rows, columns = region.plane
        whole = any(result[source] is None for source in region.sources)
        if whole or height * width > _MOST * rows * columns:
            result.append(None)
        else:
            # Boxes at the border are shifted inwards.
            start = np.minimum(first, [[rows - height], [columns - width]])
            result.append(Part(start, (height, width)))
    return result


def work(program: Program, changes: Changes) -> float:
    """Multiply-adds for each of these windows, were they to run together."""
    total = 0.0
    for region, cost, first, last in zip(program.regions, program.cost_of, changes.first, changes.last, strict=True):
        height, width = (last - first).max(axis=1)
        rows, columns = region.plane
        cells = height * width
        total += cost * (cells if cells <= _MOST * rows * columns else rows * columns)
    return float(total)


def batches(program: Program, changes: Changes, most: int) -> list[Integers]:
    """Groups of at most `most` windows whose boxes are much the same size, as numbers of windows."""
    done: list[Integers] = []
    left = [np.arange(changes.first[0].shape[1])]
    while left:
        group = left.pop()
        if len(group) <= most:
            done.append(group)
            continue
        halves = []
        for axis in range(2):
            order = group[np.argsort(changes.first[0][axis, group], kind="stable")]
            halves.append(np.array_split(order, 2))
        left.extend(min(halves, key=lambda pair: sum(len(half) * work(program, changes.of(half)) for half in pair)))
    return done
