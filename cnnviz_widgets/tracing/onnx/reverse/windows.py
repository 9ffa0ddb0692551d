"""Of operations that slide over the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from cnnviz_widgets.tracing.onnx import sliding
from cnnviz_widgets.tracing.onnx.graph import Graph, no_form
from cnnviz_widgets.tracing.onnx.reverse.cells import Gradients
from cnnviz_widgets.tracing.trace import Call


def reverse_convolution(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The transposed convolution with the same weights."""
    a, (gradient, *_) = call.arguments, of
    weight = graph.tensor(a["weight"], call)
    assert weight is not None and gradient is not None
    if a["transposed"]:
        raise no_form(call, "differentiated, transposed")
    axes = weight.ndim - 2
    strides, padding, dilations = (sliding.per_axis(a[name], axes) for name in ("stride", "padding", "dilation"))
    value = a["input"].value
    before, after = graph.shape(value)[2:], graph.shape(call.outputs[0])[2:]
    left = [
        side - ((cells - 1) * stride - 2 * pad + dilation * (size - 1) + 1)
        for side, cells, stride, pad, dilation, size in zip(
            before, after, strides, padding, dilations, weight.shape[2:], strict=True
        )
    ]
    return {
        value: graph.add(
            "ConvTranspose", gradient, graph.constant(weight), kernel_shape=list(weight.shape[2:]), strides=strides,
            dilations=dilations, pads=padding * 2, group=a["groups"], output_padding=left,
        )
    }  # fmt: skip


def reverse_max_pool(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Each gradient to the first of the largest cells of its window."""
    (gradient, *_), value = of, call.arguments["self"].value
    assert gradient is not None
    x = graph.names[value]
    _, places = graph.add_many("MaxPool", [x], 2, **sliding.windows_of(graph, call))
    flat = graph.constant([-1])
    zeros = graph.add("Mul", graph.add("Reshape", x, flat), graph.constant(0.0))
    rows = [graph.add("Reshape", name, flat) for name in (places, gradient)]
    spread = graph.add("ScatterElements", zeros, *rows, axis=0, reduction="add")
    return {value: graph.reshape(spread, graph.shape(value), call)}


def reverse_average_pool(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """Each gradient to all cells of its window alike."""
    (gradient, *_), value = of, call.arguments["self"].value
    assert gradient is not None
    windows = sliding.windows_of(graph, call)
    windows.pop("dilations")
    factor = sliding.average_factor(graph, call, windows)
    if factor is not None:
        gradient = graph.add("Mul", gradient, graph.constant(factor))
    before, after = graph.shape(value), graph.shape(call.outputs[0])
    kernel, strides, pads = (windows[name] for name in ("kernel_shape", "strides", "pads"))
    left = [
        before[2 + axis] - ((after[2 + axis] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[2 + axis])
        for axis in (0, 1)
    ]
    planes = graph.reshape(gradient, (before[0] * before[1], 1, *after[2:]), call)
    ones = torch.full((1, 1, *kernel), 1 / math.prod(kernel))
    spread = graph.add("ConvTranspose", planes, graph.constant(ones), output_padding=left, **windows)
    return {value: graph.reshape(spread, before, call)}


def reverse_adaptive_average_pool(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The transposed matrices of the two axes."""
    (gradient, *_), value = of, call.arguments["self"].value
    assert gradient is not None
    before, after = graph.shape(value)[-2:], graph.shape(call.outputs[0])[-2:]
    if before == after:
        return {value: gradient}
    rows, columns = (sliding.averaging(*pair) for pair in zip(before, after, strict=True))
    part = graph.add("MatMul", graph.constant(rows.T), gradient)
    return {value: graph.add("MatMul", part, graph.constant(columns))}


def reverse_padding(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The padding cut off."""
    a, (gradient, *_) = call.arguments, of
    assert gradient is not None
    value = a["self"].value
    rank = len(graph.shape(value))
    starts, ends = [0] * rank, [0] * rank
    for place in range(len(a["pad"]) // 2):
        starts[rank - 1 - place], ends[rank - 1 - place] = -a["pad"][2 * place], -a["pad"][2 * place + 1]
    return {value: graph.add("Pad", gradient, graph.constant([*starts, *ends]), graph.constant(0.0))}
