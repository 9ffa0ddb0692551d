"""Operations that slide over the plane: convolutions, poolings, paddings, resizing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.tracing.onnx.graph import Graph, no_form
from cnnviz_widgets.tracing.trace import Call


def per_axis(numbers: Any, axes: int) -> list[int]:
    """What torch takes as one number or one for each axis."""
    given = [numbers] if isinstance(numbers, int) else list(numbers)
    return given * axes if len(given) == 1 else given


def write_convolution(graph: Graph, call: Call) -> list[str]:
    """A convolution, transposed or not, of any number of axes, whose weight depends on no picture."""
    a = call.arguments
    weight, bias = graph.tensor(a["weight"], call), graph.tensor(a["bias"], call)
    assert weight is not None
    axes = weight.ndim - 2
    padding = per_axis(a["padding"], axes)
    inputs = [graph.value(a["input"]), graph.constant(weight), *([] if bias is None else [graph.constant(bias)])]
    extra = {"output_padding": per_axis(a["output_padding"], axes)} if a["transposed"] else {}
    return [
        graph.add(
            "ConvTranspose" if a["transposed"] else "Conv", *inputs, kernel_shape=list(weight.shape[2:]),
            strides=per_axis(a["stride"], axes), dilations=per_axis(a["dilation"], axes), pads=padding * 2,
            group=a["groups"], **extra,
        )
    ]  # fmt: skip


def windows_of(graph: Graph, call: Call) -> dict[str, list[int]]:
    """Kernel, strides, dilations and pads of a pooling; the pads at the end are as many as its output needs."""
    a = call.arguments
    before, after = graph.shape(a["self"].value)[2:], graph.shape(call.outputs[0])[2:]
    axes = len(after)
    kernel = per_axis(a["kernel_size"], axes)
    strides, padding = per_axis(a["stride"] or kernel, axes), per_axis(a["padding"], axes)
    dilations = per_axis(a.get("dilation", 1), axes)
    ends = [
        max(0, (cells - 1) * stride + (size - 1) * dilation + 1 - side - pad)
        for cells, stride, size, dilation, side, pad in zip(
            after, strides, kernel, dilations, before, padding, strict=True
        )
    ]
    return {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": [*padding, *ends]}


def write_max_pool(graph: Graph, call: Call) -> list[str]:
    """Max pooling; nobody may read the places of the maxima."""
    return [graph.add("MaxPool", graph.value(call.arguments["self"]), **windows_of(graph, call))]


def write_average_pool(graph: Graph, call: Call) -> list[str]:
    """Average pooling; where windows at the border have other divisors, times a constant plane."""
    windows = windows_of(graph, call)
    windows.pop("dilations")
    y = graph.add("AveragePool", graph.value(call.arguments["self"]), count_include_pad=1, **windows)
    factor = average_factor(graph, call, windows)
    return [y if factor is None else graph.add("Mul", y, graph.constant(factor))]


def average_factor(graph: Graph, call: Call, windows: dict[str, list[int]]) -> Tensor | None:
    """By what an average over all cells of each window, padding too, has to be multiplied; None where by 1."""
    a = call.arguments
    plane = graph.shape(a["self"].value)[2:]
    if len(plane) != 2:
        raise no_form(call, "of other than two axes")
    top, left, bottom, right = windows["pads"]
    ones = torch.ones(1, 1, *plane)
    options = a["kernel_size"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"]
    wanted = torch.ops.aten.avg_pool2d(ones, *options, a["divisor_override"])
    found = functional.avg_pool2d(
        functional.pad(ones, (left, right, top, bottom)), windows["kernel_shape"], windows["strides"]
    )
    return None if torch.equal(wanted, found) else wanted / found


def averaging(before: int, after: int) -> Tensor:
    """The matrix (after, before) of adaptive average pooling along one axis."""
    rows = torch.zeros(after, before)
    for row in range(after):
        first, last = row * before // after, math.ceil((row + 1) * before / after)
        rows[row, first:last] = 1 / (last - first)
    return rows


def write_adaptive_average_pool(graph: Graph, call: Call) -> list[str]:
    """Adaptive average pooling: the mean of the plane, or a matrix for each axis."""
    a = call.arguments
    x, before, after = graph.value(a["self"]), graph.shape(a["self"].value)[-2:], graph.shape(call.outputs[0])[-2:]
    if after == (1, 1):
        return [graph.add("GlobalAveragePool", x)]
    if before == after:
        return [x]
    rows, columns = (averaging(*pair) for pair in zip(before, after, strict=True))
    return [graph.add("MatMul", graph.add("MatMul", graph.constant(rows), x), graph.constant(columns.T))]


def write_padding(graph: Graph, call: Call) -> list[str]:
    """Padding with a number, by reflection or with the cells at the border, of any axes but the first."""
    a = call.arguments
    modes = {"constant_pad_nd": "constant", "reflection": "reflect", "replication": "edge"}
    mode = next(mode for name, mode in modes.items() if call.name.startswith(name))
    sides: Sequence[int] = a["pad"] if mode == "constant" else a["padding"]
    rank = graph.rank(a["self"])
    if len(sides) // 2 >= rank:
        raise no_form(call, "of the batch axis")
    starts, ends = [0] * rank, [0] * rank
    for place in range(len(sides) // 2):
        starts[rank - 1 - place], ends[rank - 1 - place] = sides[2 * place], sides[2 * place + 1]
    inputs = [graph.value(a["self"]), graph.constant([*starts, *ends])]
    if mode == "constant":
        inputs.append(graph.constant(float(a["value"] or 0)))
    return [graph.add("Pad", *inputs, mode=mode)]


def write_resizing(graph: Graph, call: Call) -> list[str]:
    """Upsampling of planes to the nearest cell or bilinearly."""
    a = call.arguments
    before, after = graph.shape(a["self" if "self" in a else "input"].value), graph.shape(call.outputs[0])
    linear = "bilinear" in call.name
    aligned = "align_corners" if a.get("align_corners") else "half_pixel"
    scales = graph.constant(
        torch.tensor([1.0, 1.0, *(new / old for new, old in zip(after[2:], before[2:], strict=True))])
    )
    return [
        graph.add(
            "Resize", graph.value(a["self" if "self" in a else "input"]), "", scales,
            mode="linear" if linear else "nearest", nearest_mode="floor",
            coordinate_transformation_mode=aligned if linear else "asymmetric",
        )
    ]  # fmt: skip
