"""Operations over whole axes: matrix products, attention, normalisation, sums and means."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from cnnviz_widgets.tracing.onnx.graph import Graph, no_form
from cnnviz_widgets.tracing.trace import Call


def write_added_product(graph: Graph, call: Call) -> list[str]:
    """beta * self + alpha * mat1 @ mat2; of batches of matrices too."""
    a = call.arguments
    first, second = ("mat1", "mat2") if call.name == "addmm" else ("batch1", "batch2")
    rank = len(graph.shape(call.outputs[0]))
    y = graph.add("MatMul", graph.value(a[first], rank), graph.value(a[second]))
    added = graph.value(a["self"], rank)
    if a["alpha"] != 1:
        y = graph.add("Mul", y, graph.constant(float(a["alpha"])))
    if a["beta"] != 1:
        added = graph.add("Mul", added, graph.constant(float(a["beta"])))
    return [graph.add("Add", y, added)]


def write_affine(graph: Graph, call: Call) -> list[str]:
    """bias + mat1 @ mat2 of matrices, in one node where the bias is a row."""
    a = call.arguments
    if a["alpha"] != 1 or a["beta"] != 1 or graph.varies(a["self"]) or graph.varies(a["mat2"]):
        return write_added_product(graph, call)
    bias = graph.tensor(a["self"], call)
    if bias is None or bias.ndim != 1:
        return write_added_product(graph, call)
    weight = graph.tensor(a["mat2"], call)
    assert weight is not None
    # A linear layer's weight is transposed only to torch: as it is in memory it is written much faster.
    turned = not weight.is_contiguous()
    return [
        graph.add(
            "Gemm",
            graph.value(a["mat1"]),
            graph.constant(weight.t() if turned else weight),
            graph.constant(bias),
            transB=int(turned),
        )
    ]


def write_product(graph: Graph, call: Call) -> list[str]:
    """A product of two matrices, or of batches of them."""
    first, second = call.args[:2]
    rank = len(graph.shape(call.outputs[0]))
    return [graph.add("MatMul", graph.value(first, rank), graph.value(second, rank))]


def write_attention(graph: Graph, call: Call) -> list[str]:
    """softmax(query @ key.T * scale + mask) @ value."""
    a = call.arguments
    if a["is_causal"] or a["dropout_p"]:
        raise no_form(call, "that is causal or drops values")
    rank = graph.rank(a["query"])
    width = graph.shape(a["query"].value)[-1]
    scale = 1 / math.sqrt(width) if a.get("scale") is None else float(a["scale"])
    order = [*range(rank - 2), rank - 1, rank - 2]
    keys = graph.add("Transpose", graph.value(a["key"]), perm=order)
    scores = graph.add("MatMul", graph.add("Mul", graph.value(a["query"]), graph.constant(scale)), keys)
    if a.get("attn_mask") is not None:
        scores = graph.add("Add", scores, graph.value(a["attn_mask"], rank))
    return [graph.add("MatMul", graph.add("Softmax", scores, axis=-1), graph.value(a["value"]))]


def write_softmax(graph: Graph, call: Call) -> list[str]:
    """A softmax along another axis than the batch's, or its logarithm."""
    kind = "LogSoftmax" if call.name.startswith("log") else "Softmax"
    return [graph.add(kind, graph.value(call.args[0]), axis=call.arguments["dim"])]


def write_layer_norm(graph: Graph, call: Call) -> list[str]:
    """Layer norm over the last axes; nobody may read its statistics."""
    a = call.arguments
    shape = list(a["normalized_shape"])
    weight, bias = graph.tensor(a["weight"], call), graph.tensor(a["bias"], call)
    constants = [graph.constant(torch.ones(shape) if weight is None else weight)]
    if bias is not None:
        constants.append(graph.constant(bias))
    return [
        graph.add("LayerNormalization", graph.value(a["input"]), *constants, axis=-len(shape), epsilon=float(a["eps"]))
    ]


def write_group_norm(graph: Graph, call: Call) -> list[str]:
    """Group norm: each group of channels of each picture is an instance."""
    a = call.arguments
    shape, groups = graph.shape(a["input"].value), a["group"]
    rows = graph.reshape(graph.value(a["input"]), (shape[0], groups, math.prod(shape[1:]) // groups), call)
    ones, zeros = graph.constant(torch.ones(groups)), graph.constant(torch.zeros(groups))
    y = graph.add("InstanceNormalization", rows, ones, zeros, epsilon=float(a["eps"]))
    y = graph.reshape(y, shape, call)
    for kind, name in (("Mul", "weight"), ("Add", "bias")):
        tensor = graph.tensor(a[name], call)
        if tensor is not None:
            y = graph.add(kind, y, graph.constant(tensor.reshape(-1, *[1] * (len(shape) - 2))))
    return [y]


def reduction(kind: str) -> Callable[[Graph, Call], list[str]]:
    """A sum, mean or maximum over some axes, or over all but the first."""

    def write(graph: Graph, call: Call) -> list[str]:
        a, rank = call.arguments, graph.rank(call.args[0])
        if a.get("dtype") is not None:
            raise no_form(call, "in another type")
        dims = a.get("dim")
        axes = sorted(axis % rank for axis in ([dims] if isinstance(dims, int) else dims or range(rank)))
        x, keep = graph.value(call.args[0]), bool(a.get("keepdim"))
        if axes[0] == 0:
            raise no_form(call, "over the batch axis")
        if kind == "ReduceMean" and rank == 4 and axes == [2, 3]:
            y = graph.add("GlobalAveragePool", x)
            return [y if keep else graph.reshape(y, graph.shape(call.outputs[0]), call)]
        return [graph.add(kind, x, graph.constant(axes), keepdims=int(keep))]

    return write
