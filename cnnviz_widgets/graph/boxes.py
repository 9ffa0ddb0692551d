"""The boxes in which planes change: exact for each window, and of one size for windows that run together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.graph.ops import Stencil
from cnnviz_widgets.graph.regions import Program

Integers = NDArray[np.int64]
#: Fixed cost of one group, in windows. Measured: a window that runs alone takes 2.5 times its share of a full group.
#: If larger, there are fewer groups, whose windows' boxes differ more.
_GROUP_COST = 1.5
#: Most lines along an axis at which cutting a group in two is tried. More find better groups but take longer.
_MAX_CUTS = 40


class Box(NamedTuple):
    """A box of cells of a plane, or of pixels of the network's input."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """The last row + 1."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The last column + 1."""
        return self.left + self.width


@dataclass(frozen=True, eq=False)
class Changes:
    """First and last + 1 changed cell of N windows in R regions, along rows and columns: (R, 2, N) each."""

    first: Integers
    last: Integers

    def __len__(self) -> int:
        return int(self.first.shape[2])

    def of(self, windows: Integers) -> Changes:
        """Those of some of the windows."""
        return Changes(self.first[:, :, windows], self.last[:, :, windows])

    @property
    def sizes(self) -> Integers:
        """Height and width of the smallest box that holds any of the windows' boxes, (R, 2)."""
        sizes: Integers = (self.last - self.first).max(axis=2)
        return sizes


@dataclass(frozen=True, eq=False)
class Part:
    """Boxes of one size, (height, width), in one plane; `start` (2, N) are their first rows and columns."""

    start: Integers
    size: tuple[int, int]


def changes(program: Program, boxes: Sequence[Box]) -> Changes:
    """Propagate windows through all regions; a box that vanishes keeps one cell."""
    windows = np.asarray(boxes, dtype=np.int64).reshape(-1, 4).T
    first = np.empty((len(program.regions), *windows[:2].shape), dtype=np.int64)
    last = np.empty_like(first)
    first[0], last[0] = windows[:2], windows[:2] + windows[2:]
    for number, region in enumerate(program.regions):
        sources = list(region.sources)
        if not sources:
            continue
        first[number] = first[sources].min(axis=0)
        last[number] = last[sources].max(axis=0)
        for axis in range(2 if len(sources) == 1 else 0):
            stencil = region.stencils[axis]
            first[number, axis] = _first_reading(first[number, axis], stencil)
            last[number, axis] = (last[number, axis] - 1 + stencil.padding) // stencil.stride + 1
    most = np.asarray([region.plane for region in program.regions])[:, :, None]
    first[1:] = np.clip(first[1:], 0, most[1:] - 1)
    last[1:] = np.clip(last[1:], first[1:] + 1, most[1:])
    return Changes(first, last)


def _first_reading(cells: Integers, stencil: Stencil) -> Integers:
    """The first cell of the output that reads one of these or a later one."""
    return -((stencil.span - stencil.padding - cells) // stencil.stride)


def parts(program: Program, changes: Changes) -> list[Part | None]:
    """For each region boxes of one size that hold the changes of all windows; None where the whole plane is cheaper."""
    sizes = changes.sizes
    is_part = _is_part(program, sizes)
    result: list[Part | None] = []
    for number, region in enumerate(program.regions):
        if not is_part[number] or any(result[source] is None for source in region.sources):
            result.append(None)
            continue
        height, width = sizes[number].tolist()
        rows, columns = region.plane
        # Boxes at the border are shifted inwards.
        start = np.minimum(changes.first[number], [[rows - height], [columns - width]])
        result.append(Part(start, (height, width)))
    return result


def _is_part(program: Program, sizes: Integers) -> list[bool]:
    """Whether boxes of these sizes (R, 2) save work, in the region itself or in those that follow from it."""
    costs = program.costs
    saved = (program.cells * costs.cell - sizes.prod(axis=1) * (costs.cell + costs.entry)).tolist()
    for number in range(len(saved) - 1, 0, -1):
        sources = program.regions[number].sources
        for source in sources:
            saved[source] += max(saved[number], 0.0) / len(sources)
    return [gain >= 0 for gain in saved]


def work(program: Program, changes: Changes) -> float:
    """Multiply-adds for each of these windows, were they to run together."""
    sizes = changes.sizes
    costs = program.costs
    inside = sizes.prod(axis=1) * (costs.cell + costs.entry)
    return float(np.minimum(inside, program.cells * costs.cell).sum()) + costs.elsewhere


def bytes_of(program: Program, changes: Changes) -> float:
    """Bytes that are kept of each of these windows while they run together."""
    return 4.0 * float((changes.sizes.prod(axis=1) * program.kept_channels).sum())


def largest_bytes(program: Program, changes: Changes) -> float:
    """Bytes of the largest value of each of these windows while they run together."""
    return 4.0 * float((changes.sizes.prod(axis=1) * program.most_channels).max())


def group_windows(program: Program, changes: Changes, most: int) -> list[Integers]:
    """Groups of at most `most` windows whose boxes are much the same size, as numbers of windows."""
    done: list[Integers] = []
    left = [np.arange(len(changes))]
    while left:
        group = left.pop()
        if len(group) <= most:
            done.append(group)
            continue
        left.extend(min(_cuts(changes, group), key=lambda pair: _cost(program, changes, pair, most)))
    return done


def _cost(program: Program, changes: Changes, groups: Iterable[Integers], most: int) -> float:
    """Work of groups, each cut further into as few as can be."""
    return sum(
        (len(group) + _GROUP_COST * -(-len(group) // most)) * work(program, changes.of(group)) for group in groups
    )


def _cuts(changes: Changes, group: Integers) -> list[tuple[Integers, Integers]]:
    """Ways to cut a group in two along a line between windows."""
    result: list[tuple[Integers, Integers]] = []
    for axis in range(2):
        order = group[np.argsort(changes.first[0, axis, group], kind="stable")]
        edges = np.flatnonzero(np.diff(changes.first[0, axis, order])) + 1
        cuts = edges[:: -(-len(edges) // _MAX_CUTS)] if len(edges) else [len(group) // 2]
        result.extend((order[:cut], order[cut:]) for cut in cuts)
    return result
