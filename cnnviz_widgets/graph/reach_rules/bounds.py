"""What a value sees: a box of pixels for each of its elements, as four tensors."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cnnviz_widgets.tracing.trace import Call, Ref, Trace
from cnnviz_widgets.tracing.trees import substitute

#: -top, -left, bottom and right of what each element of a value sees, four tensors of its shape. Where it sees
#: nothing they are NOTHING, so that the union of boxes is a maximum.
Bounds = tuple[Tensor, ...]

NOTHING = -math.inf


class Axis(NamedTuple):
    """Cell i sees `size` pixels from `start + i * stride` on, were there no borders."""

    start: int
    size: int
    stride: int


Axes = tuple[Axis, Axis]


@dataclass(frozen=True, eq=False)
class Known:
    """What rules ask for: `bounds` of the values that see the picture, and what the trace says about all others."""

    trace: Trace
    bounds: dict[int, Bounds]

    def of(self, argument: object) -> Bounds | None:
        """Bounds of an argument of a call; None where it is no value that sees the picture."""
        return self.bounds.get(argument.value) if isinstance(argument, Ref) else None

    def first(self, call: Call) -> Bounds | None:
        """Bounds of a call's first argument."""
        return self.of(call.args[0]) if call.args else None

    def inputs(self, call: Call) -> list[Bounds]:
        """Bounds of the inputs that see the picture, each once."""
        return [self.bounds[value] for value in dict.fromkeys(call.inputs) if value in self.bounds]

    def shape(self, argument: Ref) -> tuple[int, ...]:
        """The shape of an argument of a call."""
        return tuple(self.trace.shapes[argument.value])

    def output_shape(self, call: Call) -> tuple[int, ...]:
        """The shape of a call's first output."""
        return tuple(self.trace.shapes[call.outputs[0]])

    def with_bounds(self, call: Call, bound: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call with one of the four bounds in place of each value.

        Indices stay what they are; numbers that do not come from the picture see nothing of it.
        """

        def replace(ref: Ref) -> Tensor:
            bounds = self.of(ref)
            if bounds is not None:
                return bounds[bound]
            if self.trace.dtypes[ref.value].is_floating_point:
                return torch.full(self.shape(ref), NOTHING)
            return self.trace.indices[ref.value]

        args, kwargs = substitute((call.args, dict(call.kwargs)), Ref, replace)
        return args, kwargs


def without_repeats(bound: Tensor, *dims: int) -> Tensor:
    """`bound` without the repetitions that `expand` made, along all or the given dimensions."""
    for dim in dims or range(bound.ndim):
        if bound.stride(dim) == 0 and bound.shape[dim] > 1:
            bound = bound.narrow(dim, 0, 1)
    return bound


def union(inputs: Sequence[Bounds], shape: Sequence[int]) -> Bounds:
    """The union, element by element, of bounds that broadcast to `shape`."""
    if len(inputs) == 1:
        return tuple(bound.expand(shape) for bound in inputs[0])
    united = []
    for along in zip(*inputs, strict=True):
        bounds = [bound.expand(shape) for bound in along]
        for dim in range(len(shape)):
            if all(bound.stride(dim) == 0 or bound.shape[dim] == 1 for bound in bounds):
                bounds = [bound.narrow(dim, 0, 1) for bound in bounds]
        united.append(functools.reduce(torch.maximum, bounds).expand(shape))
    return tuple(united)


def union_over(bounds: Bounds, dims: Sequence[int], shape: Sequence[int]) -> Bounds:
    """The union along `dims`, for a result of `shape`, in which they are kept, repeated or left out."""
    united = []
    for bound in bounds:
        most = without_repeats(bound).amax(tuple(dims), keepdim=True)
        left_out = len(shape) < bound.ndim
        full = most.expand([1 if d in [dim % bound.ndim for dim in dims] else n for d, n in enumerate(bound.shape)])
        united.append((full.reshape(tuple(shape)) if left_out else full).expand(shape))
    return tuple(united)
