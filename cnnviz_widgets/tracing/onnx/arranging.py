"""Operations that only arrange values anew: copies, views, splits, concatenations."""

from __future__ import annotations

from typing import Any

import torch

from cnnviz_widgets.tracing.onnx.graph import Graph, NoFormError, no_form
from cnnviz_widgets.tracing.trace import BATCH, Call

#: The end of an axis, to torch.
_END = 2**63 - 1


def write_copy(graph: Graph, call: Call) -> list[str]:
    """The same values under another number; in another type there is no form."""
    if any(graph.trace.dtypes[call.outputs[0]] != graph.trace.dtypes[value] for value in call.inputs):
        raise no_form(call, "to another type")
    return [graph.value(call.args[0])]


def write_restriding(graph: Graph, call: Call) -> list[str]:
    """A view of the memory, where it is the value itself."""
    if graph.shape(call.outputs[0]) != graph.shape(call.args[0].value):
        raise no_form(call)
    return [graph.value(call.args[0])]


def write_reshape(graph: Graph, call: Call) -> list[str]:
    """Whatever keeps the order of the values and has the batch on the first axis, before and after."""
    before, after = graph.shape(call.args[0].value), graph.shape(call.outputs[0])
    x = graph.value(call.args[0])
    if before == after:
        return [x]
    if not before or before[0] % BATCH or graph.batch_axis(call.args[0]):
        raise no_form(call, "that mixes pictures of a batch with other axes")
    return [graph.reshape(x, after, call)]


def write_permutation(graph: Graph, call: Call) -> list[str]:
    """Axes in another order."""
    order = order_of(call, graph.rank(call.args[0]))
    graph.batch_axes[call.outputs[0]] = order.index(graph.batch_axis(call.args[0]))
    return [graph.add("Transpose", graph.value(call.args[0]), perm=order)]


def order_of(call: Call, rank: int) -> list[int]:
    """For each axis of what a permutation or transposition gives, the axis that it was of `rank`."""
    a = call.arguments
    if "dims" in a:
        return [axis % rank for axis in a["dims"]]
    order = list(range(rank))
    one, other = (a["dim0"] % rank, a["dim1"] % rank) if "dim0" in a else (0, rank - 1)
    order[one], order[other] = other, one
    return order


def axis_of(graph: Graph, call: Call) -> int:
    """The axis that a call goes along, which is not that of the batch. Raises NoFormError."""
    axis: int = call.arguments["dim"] % graph.rank(call.args[0])
    if axis == graph.batch_axis(call.args[0]):
        raise no_form(call, "along the batch axis")
    return axis


def _without_axis(graph: Graph, call: Call, axis: int) -> None:
    """Note where the batch is when one axis is gone."""
    batch = graph.batch_axis(call.args[0])
    graph.batch_axes.update(dict.fromkeys(call.outputs, batch - (axis < batch)))


def write_slice(graph: Graph, call: Call) -> list[str]:
    """Every so many along one axis."""
    a, axis = call.arguments, call.arguments["dim"] % graph.rank(call.args[0])
    size = graph.shape(call.args[0].value)[axis]
    first, last = a["start"] or 0, _END if a["end"] is None else a["end"]
    if (first, a["step"]) == (0, 1) and last >= size:
        return [graph.value(call.args[0])]
    axis_of(graph, call)
    numbers = ([number] for number in (first, min(last, size), axis, a["step"]))
    return [graph.add("Slice", graph.value(call.args[0]), *map(graph.constant, numbers))]


def write_selection(graph: Graph, call: Call) -> list[str]:
    """One along an axis, which is then gone."""
    index, axis = graph.constant(torch.tensor(call.arguments["index"])), axis_of(graph, call)
    _without_axis(graph, call, axis)
    return [graph.add("Gather", graph.value(call.args[0]), index, axis=axis)]


def write_choice(graph: Graph, call: Call) -> list[str]:
    """Several along an axis, by numbers that depend on no picture."""
    index = graph.tensor(call.arguments["index"], call)
    assert index is not None
    return [graph.add("Gather", graph.value(call.args[0]), graph.constant(index), axis=axis_of(graph, call))]


def write_split(graph: Graph, call: Call) -> list[str]:
    """Pieces along an axis; of `unbind`, without that axis."""
    axis = axis_of(graph, call)
    x = graph.value(call.args[0])
    if call.name == "unbind":
        _without_axis(graph, call, axis)
        return [
            graph.add("Gather", x, graph.constant(torch.tensor(place)), axis=axis) for place in range(len(call.outputs))
        ]
    sizes = [graph.shape(output)[axis] for output in call.outputs]
    return graph.add_many("Split", [x, graph.constant(sizes)], len(sizes), axis=axis)


def write_concatenation(graph: Graph, call: Call) -> list[str]:
    """Values side by side, of `stack` on a new axis; one that depends on no picture is repeated for each."""
    tensors = call.arguments["tensors"]
    rank = len(graph.shape(call.outputs[0]))
    axis = call.arguments["dim"] % rank
    if not axis:
        raise no_form(call, "along the batch axis")
    if call.name == "stack":
        shape = graph.shape(call.outputs[0])
        row = (*shape[:axis], 1, *shape[axis + 1 :])
        return [graph.add("Concat", *(graph.reshape(graph.value(one), row, call) for one in tensors), axis=axis)]
    pieces = [piece for piece in tensors if 0 not in graph.shape(piece.value)]
    size = None
    names = []
    for piece in pieces:
        name = graph.value(piece, rank)
        if not graph.varies(piece):
            if size is None:
                first = next(one for one in pieces if graph.varies(one))
                size = graph.add("Shape", graph.value(first), start=0, end=1)
            rest = graph.constant(list(graph.shape(piece.value)[1:]))
            name = graph.add("Expand", name, graph.add("Concat", size, rest, axis=0))
        names.append(name)
    return [graph.add("Concat", *names, axis=axis)]


def write_expansion(graph: Graph, call: Call) -> list[str]:
    """A value repeated along axes of one."""
    before, after = graph.shape(call.args[0].value), graph.shape(call.outputs[0])
    if len(before) != len(after) or before[0] != after[0]:
        raise no_form(call, "of the batch axis")
    return [graph.add("Expand", graph.value(call.args[0]), graph.constant([1, *after[1:]]))]


def write_roll(graph: Graph, call: Call) -> list[str]:
    """Values moved along axes, those that fall off come back at the other end."""
    a, x = call.arguments, graph.value(call.args[0])
    shape = graph.shape(call.args[0].value)
    for shift, dim in zip(_several(a["shifts"]), _several(a["dims"]), strict=True):
        axis = dim % len(shape)
        if not axis:
            raise NoFormError("The network moves pictures of a batch along each other.")
        kept = shape[axis] - shift % shape[axis]
        if kept < shape[axis]:
            pieces = graph.add_many("Split", [x, graph.constant([kept, shape[axis] - kept])], 2, axis=axis)
            x = graph.add("Concat", *reversed(pieces), axis=axis)
    return [x]


def _several(numbers: Any) -> list[int]:
    return [numbers] if isinstance(numbers, int) else list(numbers)
