"""Of operations that arrange values anew, or go over whole axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from cnnviz_widgets.tracing.onnx.arranging import order_of
from cnnviz_widgets.tracing.onnx.graph import Graph, no_form
from cnnviz_widgets.tracing.onnx.reverse.cells import Gradients, summed
from cnnviz_widgets.tracing.trace import Call


def _of_call(graph: Graph, call: Call, of: Sequence[str | None]) -> tuple[int, str]:
    """The value that a call goes over, and the gradient of what it puts out."""
    gradient = of[0]
    assert gradient is not None
    return call.inputs[0], gradient


def reverse_reshape(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The shape before."""
    value, gradient = _of_call(graph, call, of)
    return {value: graph.reshape(gradient, graph.shape(value), call)}


def reverse_permutation(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The axes in the order before."""
    value, gradient = _of_call(graph, call, of)
    order = order_of(call, len(graph.shape(value)))
    return {value: graph.add("Transpose", gradient, perm=[order.index(axis) for axis in range(len(order))])}


def reverse_slice(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Zeros where nothing was read."""
    value, gradient = _of_call(graph, call, of)
    a, before = call.arguments, graph.shape(value)
    axis = a["dim"] % len(before)
    size = graph.shape(call.outputs[0])[axis]
    first = a["start"] or 0
    first = max(0, first + before[axis]) if first < 0 else first
    if a["step"] != 1:
        raise no_form(call, "differentiated, with a step")
    return {value: _padded(graph, gradient, len(before), axis, (first, before[axis] - first - size))}


def reverse_selection(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The axis again, with zeros for all but one."""
    value, gradient = _of_call(graph, call, of)
    a, before = call.arguments, graph.shape(value)
    axis = a["dim"] % len(before)
    index = a["index"] % before[axis]
    row = graph.add("Unsqueeze", gradient, graph.constant([axis]))
    return {value: _padded(graph, row, len(before), axis, (index, before[axis] - index - 1))}


def _padded(graph: Graph, gradient: str, rank: int, axis: int, ends: tuple[int, int]) -> str:
    if not any(ends):
        return gradient
    pads = [0] * (2 * rank)
    pads[axis], pads[rank + axis] = ends
    return graph.add("Pad", gradient, graph.constant(pads), graph.constant(0.0))


def reverse_split(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The pieces side by side."""
    value = call.inputs[0]
    axis = call.arguments["dim"] % len(graph.shape(value))
    pieces = []
    for output, gradient in zip(call.outputs, of, strict=True):
        piece = gradient or graph.add("Mul", graph.names[output], graph.constant(0.0))
        pieces.append(graph.add("Unsqueeze", piece, graph.constant([axis])) if call.name == "unbind" else piece)
    return {value: graph.add("Concat", *pieces, axis=axis)}


def reverse_concatenation(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """To each value its piece."""
    gradient = of[0]
    assert gradient is not None
    axis = call.arguments["dim"] % len(graph.shape(call.outputs[0]))
    pieces = [piece.value for piece in call.arguments["tensors"] if 0 not in graph.shape(piece.value)]
    sizes = [graph.shape(value)[axis] for value in pieces]
    found: Gradients = {}
    parts = graph.add_many("Split", [gradient, graph.constant(sizes)], len(sizes), axis=axis)
    for value, part in zip(pieces, parts, strict=True):
        if value not in graph.known:
            found[value] = graph.add("Add", found[value], part) if value in found else part
    return found


def reverse_expansion(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Summed over the axes along which the value was repeated."""
    value, gradient = _of_call(graph, call, of)
    return {value: summed(graph, gradient, value, graph.shape(call.outputs[0]))}


def reverse_mean(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The gradient of a sum or mean to all values alike."""
    value, gradient = _of_call(graph, call, of)
    a, before = call.arguments, graph.shape(value)
    dims = a.get("dim")
    axes = [axis % len(before) for axis in ([dims] if isinstance(dims, int) else dims or range(len(before)))]
    if not a.get("keepdim"):
        kept = [1 if axis in axes else side for axis, side in enumerate(before)]
        gradient = graph.reshape(gradient, kept, call)
    if call.name == "mean":
        count = math.prod(before[axis] for axis in axes)
        gradient = graph.add("Mul", gradient, graph.constant(1 / count))
    return {value: graph.add("Expand", gradient, graph.constant([1, *before[1:]]))}


def reverse_product(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Products with the other factor, transposed."""
    gradient = of[0]
    assert gradient is not None
    a = call.arguments
    names = {"addmm": ("mat1", "mat2"), "mm": ("self", "mat2"), "bmm": ("self", "mat2"), "matmul": ("self", "other")}
    first, second = (a[name] for name in names[call.name])
    if call.name == "addmm" and (a["alpha"] != 1 or graph.varies(a["self"])):
        raise no_form(call, "differentiated, with a factor or a bias that depends on the picture")
    found: Gradients = {}
    if graph.varies(first):
        found[first.value] = graph.add("MatMul", gradient, _transposed(graph, second))
    if graph.varies(second):
        part = graph.add("MatMul", _transposed(graph, first), gradient)
        value = second.value
        found[value] = graph.add("Add", found[value], part) if value in found else part
    return found


def _transposed(graph: Graph, argument: object) -> str:
    value: int = argument.value  # type: ignore[attr-defined]
    if value in graph.known:
        return graph.constant(graph.known[value].transpose(-1, -2))
    rank = len(graph.shape(value))
    return graph.add("Transpose", graph.names[value], perm=[*range(rank - 2), rank - 1, rank - 2])


def reverse_softmax(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Without the mean that the probabilities make of the gradient."""
    value, gradient = _of_call(graph, call, of)
    y, axis = graph.names[call.outputs[0]], graph.constant([call.arguments["dim"]])
    if call.name.startswith("log"):
        total = graph.add("ReduceSum", gradient, axis, keepdims=1)
        return {value: graph.add("Sub", gradient, graph.add("Mul", graph.add("Exp", y), total))}
    mean = graph.add("ReduceSum", graph.add("Mul", gradient, y), axis, keepdims=1)
    return {value: graph.add("Mul", y, graph.add("Sub", gradient, mean))}


def reverse_layer_norm(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Of the normalised values, without their mean and what would only scale them."""
    value, gradient = _of_call(graph, call, of)
    a, x = call.arguments, graph.names[value]
    weight = graph.tensor(a["weight"], call)
    axes = graph.constant([-1 - axis for axis in range(len(a["normalized_shape"]))])

    def mean(name: str) -> str:
        return graph.add("ReduceMean", name, axes, keepdims=1)

    centred = graph.add("Sub", x, mean(x))
    variance = mean(graph.add("Mul", centred, centred))
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.constant(float(a["eps"]))))
    rows = graph.add("Div", centred, deviation)
    part = gradient if weight is None else graph.add("Mul", gradient, graph.constant(weight))
    along = graph.add("Mul", rows, mean(graph.add("Mul", part, rows)))
    left = graph.add("Sub", graph.add("Sub", part, mean(part)), along)
    return {value: graph.add("Div", left, deviation)}


def reverse_roll(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Moved back."""
    value, gradient = _of_call(graph, call, of)
    a, shape = call.arguments, graph.shape(value)
    for shift, dim in zip(a["shifts"], a["dims"], strict=True):
        axis = dim % len(shape)
        moved = shift % shape[axis]
        if moved:
            sizes = graph.constant(torch.tensor([moved, shape[axis] - moved]))
            pieces = graph.add_many("Split", [gradient, sizes], 2, axis=axis)
            gradient = graph.add("Concat", *reversed(pieces), axis=axis)
    return {value: gradient}
