"""Which values of a network change in a box only when a window does, which everywhere, and what to keep of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.graph.ops import Cellwise, Convolution, Listing, Op, Pair, Slide, Stencil, Stencils


@dataclass(frozen=True)
class Region:
    """Cells of a plane that can change when the window does; shared by all values that change in the same cells.

    Without sources it is the window; with one, what an operation of these `stencils` makes of it; with several, the
    smallest box around them.
    """

    plane: Pair
    sources: tuple[int, ...] = ()
    stencils: Stencils = (Stencil(), Stencil())


@dataclass(frozen=True, eq=False)
class Costs:
    """Work in multiply-adds: for each region for one cell, and for one cell brought in from another region.

    `elsewhere` is what values without a region cost.
    """

    cell: NDArray[np.float64]
    entry: NDArray[np.float64]
    elsewhere: float


@dataclass(frozen=True, eq=False)
class Program:
    """Operations with the regions of their values.

    `regions` are numbered, sources first; values that `region_of` lacks change everywhere, or are constants.
    """

    listing: Listing
    regions: tuple[Region, ...]
    region_of: Mapping[int, int]

    @staticmethod
    def of(listing: Listing) -> Program:
        plan = _Regions(listing)
        for op in listing.ops:
            plan.add(op)
        return Program(listing, tuple(plan.regions), plan.region_of)

    @cached_property
    def last_use(self) -> Mapping[int, int]:
        """For each value the position of the last operation that reads it."""
        return {value: position for position, op in enumerate(self.listing.ops) for value in op.inputs}

    @cached_property
    def kept(self) -> frozenset[int]:
        """Values from which parts are cut out: those read by an operation whose box is another."""
        return frozenset(
            value
            for op in self.listing.ops
            for value in op.inputs
            if value in self.region_of and self.region_of[value] != self.region_of.get(op.output)
        ) | {self.listing.input}

    @cached_property
    def kept_channels(self) -> NDArray[np.int64]:
        """Numbers that are kept of each cell, for each region."""
        count = np.zeros(len(self.regions), np.int64)
        for value in self.kept:
            count[self.region_of[value]] += math.prod(self.listing.shapes[value][:-2])
        return count

    @cached_property
    def most_channels(self) -> NDArray[np.int64]:
        """Numbers of each cell in the value that has most of them, for each region."""
        most = np.zeros(len(self.regions), np.int64)
        for value, number in self.region_of.items():
            most[number] = max(most[number], math.prod(self.listing.shapes[value][:-2]))
        return most

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Cells of each region's plane."""
        return np.asarray([region.plane[0] * region.plane[1] for region in self.regions])

    @cached_property
    def costs(self) -> Costs:
        """What it costs to run the operations of each region."""
        count = len(self.regions)
        costs = Costs(np.zeros(count), np.zeros(count), 0.0)
        elsewhere = 0.0
        for op in self.listing.ops:
            number = self.region_of.get(op.output)
            if number is None:
                elsewhere += _cost(op, self.listing) * math.prod(self.listing.shapes[op.output][-2:])
                continue
            costs.cell[number] += _cost(op, self.listing)
            costs.entry[number] += sum(
                2 * _TRAFFIC * math.prod(self.listing.shapes[value][:-2])
                for value in op.inputs
                if self.region_of.get(value) != number
            )
        return replace(costs, elsewhere=elsewhere)

    @property
    def work(self) -> float:
        """Multiply-adds of one whole picture."""
        return float(self.cells @ self.costs.cell) + self.costs.elsewhere

    def logits(self, pixels: Tensor, note: Callable[[int, Tensor], None] | None = None) -> Tensor:
        """The output for whole pictures (N, C, H, W); `note` is shown each value as soon as it is known."""
        values = {self.listing.input: pixels, **self.listing.constants}
        if note is not None:
            note(self.listing.input, pixels)
        for position, op in enumerate(self.listing.ops):
            result = op.whole(*(values[value] for value in op.inputs))
            if note is not None:
                note(op.output, result)
            for value in op.inputs:
                if self.last_use[value] == position:
                    values.pop(value, None)
            values[op.output] = result
        return values[self.listing.output]


class _Regions:
    """Regions so far, and which values change in which."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.regions = [Region(self.plane(listing.input))]
        self.region_of = {listing.input: 0}
        self.known: dict[Pair, bool] = {}

    def plane(self, value: int) -> Pair:
        rows, columns = self.listing.shapes[value][-2:]
        return rows, columns

    def add(self, op: Op) -> None:
        """Find the region of an operation's output; it has none where an input has none, or the plane is lost."""
        varying = [value for value in op.inputs if value not in self.listing.constants]
        if not varying or any(value not in self.region_of for value in varying):
            return
        plane = self.plane(op.output) if isinstance(op, Slide | Cellwise) else (0, 0)
        sources = {self.region_of[value] for value in varying}
        if isinstance(op, Slide):
            same = all(stencil.trivial for stencil in op.stencils) and plane == self.plane(op.inputs[0])
            region = Region(plane, () if same else tuple(sources), op.stencils)
        elif isinstance(op, Cellwise) and all(self.plane(value) == plane for value in varying):
            largest = {one for one in sources if not any(one != other and self.holds(other, one) for other in sources)}
            region = Region(plane, () if len(largest) == 1 else tuple(sorted(largest)))
            sources = largest
        else:
            return
        self.region_of[op.output] = self.number(region) if region.sources else sources.pop()

    def number(self, region: Region) -> int:
        """The number of a region, a new one where there is none that is equal."""
        if region not in self.regions:
            self.regions.append(region)
        return self.regions.index(region)

    def holds(self, outer: int, inner: int) -> bool:
        """Whatever the window, the boxes of one region lie inside those of the other."""
        if (outer, inner) not in self.known:
            self.known[outer, inner] = outer == inner or self.grows(self.regions[outer], self.regions[inner], inner)
        return self.known[outer, inner]

    def grows(self, outer: Region, inner: Region, number: int) -> bool:
        if outer.plane != inner.plane or len(outer.sources) != 1:
            return False
        source = outer.sources[0]
        around = all(stencil.stride == 1 and 0 <= stencil.padding <= stencil.span for stencil in outer.stencils)
        if around and self.holds(source, number):
            return True
        pairs = list(zip(outer.stencils, inner.stencils, strict=True))
        wider = all(
            a.stride == b.stride and a.padding >= b.padding and a.padding - a.span <= b.padding - b.span
            for a, b in pairs
        )
        return len(inner.sources) == 1 and wider and self.holds(source, inner.sources[0])


#: Cost of reading and writing one number, in multiply-adds of a convolution: roughly, on a CPU. If larger, whole
#: planes are preferred to boxes sooner.
_TRAFFIC = 8.0


def _cost(op: Op, listing: Listing) -> float:
    """Work for one cell of the output."""
    shape = listing.shapes[op.output]
    numbers = math.prod(shape[:-2]) if isinstance(op, Slide | Cellwise) else math.prod(shape) / math.prod(shape[-2:])
    return numbers * (math.prod(op.weight.shape[1:]) + _TRAFFIC if isinstance(op, Convolution) else _TRAFFIC)
