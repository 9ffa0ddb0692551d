"""Operations that only arrange values anew: copies, views, splits, concatenations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from cnnviz_widgets.graph.lowering.builder import Builder, item
from cnnviz_widgets.graph.ops import Cellwise, Join
from cnnviz_widgets.tracing.trace import BATCH, Call, UntraceableError


def lower_copy(builder: Builder, call: Call) -> bool:
    """The same values under another number."""
    return builder.copy(call.args[0].value, call.outputs[0])


def lower_restriding(builder: Builder, call: Call) -> bool:
    """A view of the memory, where it is a copy and no more."""
    unchanged = tuple(call.arguments["size"]) == builder.shapes[call.outputs[0]]
    return unchanged and lower_copy(builder, call)


def lower_reshape(builder: Builder, call: Call) -> bool:
    """A reshape that leaves the batch and the plane alone."""
    source, output = call.arguments["self"], call.outputs[0]
    before, after = builder.shapes[builder.original(source.value)], builder.shapes[output]
    if before == after:
        return builder.copy(source.value, output)
    value = builder.planar(source)
    if value is None or before[0] != after[0] or before[-2:] != after[-2:] or len(after) < 4:
        return False
    channels = after[1:-2]

    def function(values: Tensor) -> Tensor:
        return values.reshape(len(values), *channels, *values.shape[-2:])

    return builder.add(Cellwise, value, output, function=function, fresh=False)


def lower_view(builder: Builder, call: Call) -> bool:
    """Other views that leave the batch and the plane alone."""
    source, output = builder.planar(call.args[0]), call.outputs[0]
    if source is None or len(builder.shapes[output]) < 4 or builder.plane(source) != builder.plane(output):
        return False
    rank = len(builder.shapes[source])
    if "dims" in call.arguments:
        order = [axis % rank for axis in call.arguments["dims"]]
        moved = {axis for place, axis in enumerate(order) if place != axis}
    else:
        rank += call.name == "unsqueeze"
        axes = [call.arguments[key] for key in ("dim", "dim0", "dim1") if key in call.arguments]
        moved = {axis % rank for entry in axes for axis in (entry if isinstance(entry, list | tuple) else [entry])}
    if not _are_channels(moved, rank):
        return False
    return builder.add(Cellwise, source, output, function=builder.as_function(call, [source]), fresh=False)


def lower_split(builder: Builder, call: Call) -> bool:
    """A split along channels."""
    source = builder.planar(call.args[0])
    if source is None or any(len(builder.shapes[output]) < 4 for output in call.outputs):
        return False
    rank = len(builder.shapes[source])
    if not _are_channels({call.arguments["dim"] % rank}, rank):
        return False
    pieces = builder.as_function(call, [source])
    for place, output in enumerate(call.outputs):
        builder.add(Cellwise, source, output, function=item(pieces, place), fresh=False)
    return True


def lower_concatenation(builder: Builder, call: Call) -> bool:
    """A concatenation along channels."""
    values = [builder.planar(argument) for argument in call.arguments["tensors"]]
    inputs = tuple(value for value in values if value is not None)
    if len(inputs) != len(values) or call.arguments["dim"] % len(builder.shapes[call.outputs[0]]) != 1:
        return False
    builder.ops.append(Join(inputs=inputs, output=call.outputs[0]))
    return True


def for_any_batch(builder: Builder, call: Call) -> Callable[..., Any]:
    """A reshape or expand whose size was that of the traced batch, as a function of any batch."""
    size, before = list(call.args[1]), builder.shapes[call.args[0].value]
    if before[0] == BATCH and size[0] in (-1, 1):
        return builder.as_function(call, [builder.original(call.args[0].value)])
    if before[0] % BATCH or size[0] % BATCH:
        raise UntraceableError("the batch is mixed with other axes")
    method = "expand" if call.name == "expand" else "reshape"
    return lambda values: getattr(values, method)(len(values) * size[0] // before[0], *size[1:])


def _are_channels(axes: set[int], rank: int) -> bool:
    return axes.isdisjoint((0, rank - 2, rank - 1))
