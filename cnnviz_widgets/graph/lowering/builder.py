"""The listing under construction, and what is known of a trace's values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cnnviz_widgets.graph.ops import Op, Pair, Stencil, Stencils
from cnnviz_widgets.tracing.trace import BATCH, Call, Ref, Trace
from cnnviz_widgets.tracing.trees import substitute


@dataclass(frozen=True)
class _Slot:
    """Stands for an input of an operation, by position."""

    position: int


class Builder:
    """Operations so far. `known` are values that depend on no picture; of these `planes` are part of the listing.

    `shapes` are with the batch axis; `copy_of` names for a value the one of which it is a copy.
    """

    def __init__(self, trace: Trace) -> None:
        self.ops: list[Op] = []
        self.shapes = {value: tuple(shape) for value, shape in trace.shapes.items()}
        self.dtypes = trace.dtypes
        self.known: dict[int, Tensor] = dict(trace.leaves)
        self.planes: dict[int, Tensor] = {}
        self.copy_of: dict[int, int] = {}

    def add(self, kind: type[Op], source: int, output: int, **fields: Any) -> bool:
        """Append an operation on one value; True, for whoever recognised it."""
        self.ops.append(kind(inputs=(source,), output=output, **fields))
        return True

    def copy(self, source: int, output: int) -> bool:
        """Nothing is to be done: `output` is the same as `source`."""
        self.copy_of[output] = self.original(source)
        return True

    def original(self, value: int) -> int:
        """The value of which that one is a copy, or itself."""
        return self.copy_of.get(value, value)

    def new_value(self, shape: tuple[int, ...]) -> int:
        """A number for a value that is not in the trace."""
        number = max(self.shapes) + 1
        self.shapes[number] = shape
        return number

    def plane(self, value: int) -> Pair:
        """Rows and columns of a value (N, ..., H, W)."""
        rows, columns = self.shapes[value][-2:]
        return rows, columns

    def planar(self, argument: Any) -> int | None:
        """The value (N, ..., H, W) of a batch of pictures that an argument stands for, if it is one."""
        if not isinstance(argument, Ref) or argument.value in self.known:
            return None
        value = self.original(argument.value)
        return value if len(self.shapes[value]) >= 4 and self.shapes[value][0] == BATCH else None

    def are_known(self, *arguments: Any) -> bool:
        """Whether all are tensors that depend on no picture, or None."""
        return all(
            argument is None or (isinstance(argument, Ref) and argument.value in self.known) for argument in arguments
        )

    def tensor(self, argument: Any) -> Tensor | None:
        """The known tensor that an argument stands for, if it is one."""
        return self.known[argument.value] if isinstance(argument, Ref) else None

    def as_function(self, call: Call, inputs: list[int]) -> Callable[..., Any]:
        """The call as a function of the values `inputs`; what is known already is filled in."""

        def slot_or_tensor(ref: Ref) -> Any:
            value = self.original(ref.value)
            return _Slot(inputs.index(value)) if value in inputs else self.known[ref.value]

        args, kwargs = substitute((call.args, dict(call.kwargs)), Ref, slot_or_tensor)
        function = call.function
        if not kwargs and args == tuple(map(_Slot, range(len(inputs)))):
            return function  # type: ignore[no-any-return]

        def run(*values: Tensor) -> Any:
            now, named = substitute((args, kwargs), _Slot, lambda slot: values[slot.position])
            return function(*now, **named)

        return run


def item(function: Callable[..., Any], place: int) -> Callable[..., Tensor]:
    """One of the results of a function that has several."""
    return lambda *values: function(*values)[place]


def pair(numbers: Any) -> Pair:
    """What torch takes as one number or two, for rows and columns."""
    if isinstance(numbers, int):
        return numbers, numbers
    return (numbers[0], numbers[-1])


def stencils(kernel: Any, stride: Any, padding: Any, dilation: Any) -> Stencils:
    """What rows and columns of a window read, from torch's arguments."""
    axes = zip(pair(kernel), pair(stride), pair(padding), pair(dilation), strict=True)
    rows, columns = (Stencil(*numbers) for numbers in axes)
    return rows, columns
