"""A program run on windows of one picture: on boxes as long as they are small, then on whole planes."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier.workers import OutdatedError
from cnnviz_widgets.graph.boxes import Changes, Part, parts
from cnnviz_widgets.graph.functions import Clamp, join_channels
from cnnviz_widgets.graph.gather import Cutout, Rim, Table, index, rim
from cnnviz_widgets.graph.ops import Cellwise, Join, Mean, Op, Slide
from cnnviz_widgets.graph.regions import Program


class Base:
    """The values of one whole picture, and what comes of replacing windows of it by `filling`."""

    def __init__(self, program: Program, pixels: Tensor, filling: Tensor) -> None:
        self.program = program
        self.tables: dict[int, Table] = {}
        self.means: dict[int, Tensor] = {}
        means = {op.output for op in program.listing.ops if isinstance(op, Mean)}

        def note(value: int, tensor: Tensor) -> None:
            if value in program.kept:
                self.tables[value] = Table(tensor)
            if value in means:
                self.means[value] = tensor.clone()

        for value, tensor in program.listing.constants.items():
            self.tables[value] = Table(tensor)
        self.pixels, self.filling = pixels, filling
        self._keeps = False
        self.logits = program.logits(pixels, note)
        self.tables[program.listing.input].write(filling)
        #: Asked between operations: whether nobody wants the windows any more that run.
        self.dropped: Callable[[], bool] = lambda: False

    def shared(self) -> Base:
        """The same for another thread: the picture's values are in the same memory, those of windows are not.

        Room for what windows change is kept from one group to the next, as long as the base itself.
        """
        other = copy.copy(self)
        other.tables = {value: table.shared() for value, table in self.tables.items()}
        other.tables[self.program.listing.input] = self.tables[self.program.listing.input]  # is never written to again
        other._keeps = True
        return other

    def by_boxes(self, changes: Changes) -> Tensor:
        """Logits (N, K) with each of these windows replaced, run together: only what they change."""
        try:
            return _Batch(self, changes).logits()
        finally:
            for table in () if self._keeps else self.tables.values():
                table.shrink()

    def by_planes(self, changes: Changes) -> Tensor:
        """The same, everything computed anew."""
        shape = (len(changes), *self.pixels.shape[1:])
        pixels = self.pixels.new_empty(shape).contiguous(memory_format=torch.channels_last).copy_(self.pixels)
        for one, (top, left), (bottom, right) in zip(pixels, changes.first[0].T, changes.last[0].T, strict=True):
            one[:, top:bottom, left:right] = self.filling[0, :, top:bottom, left:right]
        return self.program.logits(pixels)


class _Batch:
    """Windows that run together: `patches` are values in the boxes of their region, `wholes` in the whole plane."""

    def __init__(self, base: Base, changes: Changes) -> None:
        self.base = base
        self.program = base.program
        self.changes = changes
        self.count = len(changes)
        self.parts = parts(self.program, changes)
        #: Of values that are joined of others, the others: they are copied only once, to where they are read.
        self.patches: dict[int, Tensor | tuple[Tensor, ...]] = {}
        self.wholes: dict[int, Tensor] = dict(self.program.listing.constants)
        self.written: set[int] = set()
        self.indices: dict[object, Tensor] = {}
        self.rims: dict[object, Rim | None] = {}

    def logits(self) -> Tensor:
        """The program's output for all windows, (N, K). Raises OutdatedError where it is not wanted any more."""
        listing = self.program.listing
        for position, op in enumerate(listing.ops):
            if self.base.dropped():
                raise OutdatedError
            region = self.program.region_of.get(op.output)
            if region is not None and self.parts[region] is not None:
                self.patches[op.output] = self.part_of(op, region)
            elif isinstance(op, Mean) and self.has_part(op.inputs[0]):
                self.wholes[op.output] = self.mean(op)
            else:
                self.wholes[op.output] = op.whole(*(self.whole(value) for value in op.inputs))
            for value in op.inputs:
                if self.program.last_use[value] == position:
                    self.patches.pop(value, None)
                    self.wholes.pop(value, None)
        return self.whole(listing.output)

    def has_part(self, value: int) -> bool:
        """Whether a value is computed in boxes only."""
        region = self.program.region_of.get(value)
        return region is not None and self.parts[region] is not None

    def part_of(self, op: Op, region: int) -> Tensor | tuple[Tensor, ...]:
        """The output of an operation in the boxes of its region; of a join its pieces."""
        part = self.parts[region]
        assert part is not None
        if isinstance(op, Slide):
            return self.slide(op, region, part)
        assert isinstance(op, Cellwise)
        if isinstance(op, Join) and op.activation is None:
            return tuple(self.patch(value, region, part) for value in op.inputs)
        pieces = self.patches.get(op.inputs[0])
        if (
            isinstance(op.function, Clamp)
            and op.activation is None
            and isinstance(pieces, tuple)
            and self.program.region_of[op.inputs[0]] == region
        ):
            return op.function.apply_to_pieces(pieces)
        return op.part(*(self.patch(value, region, part) for value in op.inputs))

    def slide(self, op: Slide, region: int, part: Part) -> Tensor:
        """The output of a sliding operation in the boxes `part` of its region, from the cells that they read."""
        source = op.inputs[0]
        if self.program.region_of[source] == region and source in self.patches:
            return op.inside(self.join(source))
        start = np.stack([
            first * along.stride - along.padding for first, along in zip(part.start, op.stencils, strict=True)
        ])  # fmt: skip
        height, width = (
            ((cells - 1) * along.stride + along.span) // along.step + 1
            for cells, along in zip(part.size, op.stencils, strict=True)
        )
        rows, columns = op.stencils
        cutout = Cutout(start, (height, width), (rows.step, columns.step), op.fill)
        return op.inside(self.cut(source, cutout, (region, op.stencils)))

    def join(self, value: int) -> Tensor:
        """A value in the boxes of its own region."""
        found = self.patches[value]
        if isinstance(found, tuple):
            found = self.patches[value] = join_channels(*found)
        return found

    def patch(self, value: int, region: int, part: Part) -> Tensor:
        """A value in the boxes of another region."""
        if value in self.patches and self.program.region_of[value] == region:
            return self.join(value)
        return self.cut(value, Cutout(part.start, part.size), region)

    def whole(self, value: int) -> Tensor:
        """A value in the whole plane."""
        if value not in self.wholes:
            region = self.program.regions[self.program.region_of[value]]
            start = np.zeros((2, self.count), dtype=np.int64)
            self.wholes[value] = self.cut(value, Cutout(start, region.plane), "whole")
        return self.wholes[value]

    def mean(self, op: Mean) -> Tensor:
        """Means of whole planes, from the mean before and what the boxes added."""
        value = op.inputs[0]
        number = self.program.region_of[value]
        part = self.parts[number]
        assert part is not None
        rows, columns = self.program.regions[number].plane
        before = self.base.tables[value].read(torch.from_numpy(index((rows, columns), Cutout(part.start, part.size))))
        added = self.join(value).sum((-2, -1), keepdim=op.keepdim) - before.sum((-2, -1), keepdim=op.keepdim)
        return self.base.means[op.output] + added / (rows * columns)

    def cut(self, value: int, cutout: Cutout, key: object) -> Tensor:
        """Boxes of a value, everything inside them as it is when the windows are replaced.

        `key` tells the start and size of boxes of values of one region apart: what is read is the same for one key.
        """
        table = self.base.tables[value]
        number = self.program.region_of.get(value)
        plane = (table.height, table.width)
        pieces = self.patches.get(value, ())
        pieces = pieces if isinstance(pieces, tuple) else (pieces,)
        patches = None if number is None else self.parts[number]
        known = (number, plane, key, cutout.steps, cutout.fill)
        if pieces and patches is not None and cutout.steps == (1, 1):
            if known not in self.rims:
                self.rims[known] = rim(plane, cutout, patches)
            if (around := self.rims[known]) is not None:
                return around.read(table, *pieces)
        if pieces and value not in self.written:
            table.write(*pieces)
            self.written.add(value)
        if known not in self.indices:
            if value == self.program.listing.input:
                rows = index(plane, cutout, overlay=(self.changes.first[0], self.changes.last[0]))
            else:
                rows = index(plane, cutout, patches=patches)
            self.indices[known] = torch.from_numpy(rows).to(table.rows.device)
        return table.read(self.indices[known])
