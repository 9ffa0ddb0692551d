"""Which values of a network change in a box only when a window does, which everywhere, and what to keep of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from cnnviz_widgets.explain.incremental.program import (
    Cellwise,
    Convolution,
    Listing,

    Op,
    Pair,
    Reach,
    Reaches,
    Slide,
)


@dataclass(frozen=True)
class Region:
    """Cells of a plane that can change when the window does; shared by all values that change in the same cells.

    Without sources it is the window; with one, what an operation of these `reaches` makes of it; with several, the
    smallest box around them.
    """

    plane: Pair
    sources: tuple[int, ...] = ()
    reaches: Reaches = (Reach(), Reach())


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
        regions: dict[Region, int] = {Region(_plane(listing, listing.input)): 0}
        region_of = {listing.input: 0}
        for op in listing.ops:
            region = _region(op, listing, region_of)
            if region is not None:
                number = region if isinstance(region, int) else regions.setdefault(region, len(regions))
                region_of[op.output] = number
        return Program(listing, tuple(regions), region_of)

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
    def cost_of(self) -> tuple[float, ...]:
        """For each region the work for one cell, in multiply-adds."""
        costs = Counter[int]()
        for op in self.listing.ops:
            if op.output in self.region_of:
                costs[self.region_of[op.output]] += _cost(op, self.listing)
        return tuple(costs[number] for number in range(len(self.regions)))

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


def _plane(listing: Listing, value: int) -> Pair:
    rows, columns = listing.shapes[value][-2:]
    return rows, columns


def _region(op: Op, listing: Listing, region_of: Mapping[int, int]) -> Region | int | None:
    varying = [value for value in op.inputs if value not in listing.constants]
    if not varying or any(value not in region_of for value in varying) or not isinstance(op, Slide | Cellwise):
        return None
    sources = tuple(sorted({region_of[value] for value in varying}))
    plane = _plane(listing, op.output)
    if isinstance(op, Slide):
        trivial = all(reach.trivial for reach in op.reaches) and plane == _plane(listing, op.inputs[0])
        return sources[0] if trivial else Region(plane, sources, op.reaches)
    if any(_plane(listing, value) != plane for value in varying):
        return None
    return sources[0] if len(sources) == 1 else Region(plane, sources)


#: What it costs to read and write one number, in multiply-adds: both measured on convolutions of one kind and the other.
_TRAFFIC = 8.0


def _cost(op: Op, listing: Listing) -> float:
    """Work for one cell of the output."""
    numbers = 1.0
    for side in listing.shapes[op.output][:-2]:
        numbers *= side
    if isinstance(op, Convolution):
        return numbers * (op.weight[0].numel() + _TRAFFIC)
    return numbers * _TRAFFIC
