"""Operations in which each cell reads only the cells at its own place: activations, arithmetic, batch norms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.graph.functions import Activation, Affine
from cnnviz_widgets.graph.lowering.builder import Builder
from cnnviz_widgets.graph.ops import Cellwise
from cnnviz_widgets.tracing.trace import Call, Ref, UntraceableError

#: Cell by cell, though torch, or torch 2.4, does not tag them so.
_UNTAGGED = {
    "hardswish", "hardtanh", "prelu_kernel", "celu", "elu", "hardshrink", "hardsigmoid", "leaky_relu", "mish",
    "softplus", "softshrink", "threshold",
}  # fmt: skip


def lower_batch_norm(builder: Builder, call: Call) -> bool:
    """A batch norm in eval mode. Raises UntraceableError in train mode."""
    a = call.arguments
    if a.get("training"):
        # Running it would change the network's own statistics.
        raise UntraceableError("a batch norm takes the statistics of the batch")
    source = builder.planar(a["input"])
    statistics = (a["weight"], a["bias"], a["running_mean"], a["running_var"])
    if source is None or None in statistics[2:] or not builder.are_known(*statistics):
        return False
    weight, bias, mean, variance = (builder.tensor(argument) for argument in statistics)
    assert mean is not None and variance is not None
    scale = (variance.double() + float(a["eps"] if "eps" in a else a["epsilon"])).rsqrt()
    if weight is not None:
        scale = scale * weight.double()
    shift = -mean.double() * scale if bias is None else bias.double() - mean.double() * scale
    dtype = builder.dtypes[source]
    affine = Affine(scale.to(dtype).view(1, -1, 1, 1), shift.to(dtype).view(1, -1, 1, 1))
    return builder.add(Cellwise, source, call.outputs[0], function=affine)


def lower_pointwise(builder: Builder, call: Call) -> bool:
    """Whatever torch calls pointwise, of values of one plane, constant planes, and numbers for each channel.

    Constant planes become values of the listing, from which boxes are cut out too.
    """
    output = call.outputs[0]
    pointwise = torch.Tag.pointwise in call.function.tags or call.name in _UNTAGGED
    if not pointwise or len(builder.shapes[output]) < 4:
        return False
    inputs: list[int] = []
    for number in call.inputs:
        value = builder.original(number)
        if number in builder.known:
            tensor = builder.known[number]
            if _is_same_in_all_cells(tensor):
                continue
            if tensor.ndim != 4 or tensor.shape[-2:] != builder.plane(output) or len(tensor) != 1:
                return False
            builder.planes[value] = tensor.clone()
        if value not in inputs:
            inputs.append(value)
    if not any(builder.planar(Ref(value)) is not None for value in inputs):
        return False
    alone = len(inputs) == len(call.inputs) == 1
    builder.ops.append(
        Cellwise(
            inputs=tuple(inputs),
            output=output,
            function=builder.as_function(call, inputs),
            overwriting=activation_of(call.function, call.args, call.kwargs) if alone else None,
        )
    )
    return True


def _is_same_in_all_cells(tensor: Tensor) -> bool:
    if tensor.numel() == 1:
        return True
    return tensor.shape[-2:] == (1, 1) and (tensor.ndim == 3 or (tensor.ndim == 4 and len(tensor) == 1))


def activation_of(function: Any, args: Sequence[Any], named: Mapping[str, Any]) -> Activation | None:
    """A torch operation on one tensor, the first of `args`, and numbers, as a function that overwrites the tensor.

    None if torch has no such function. Where oneDNN can follow a convolution by it, its name there is given too.
    """
    name = function._schema.name.removeprefix("aten::")
    inplace = getattr(getattr(torch.ops.aten, name + "_", None), function._overloadname, None)
    if inplace is None or not args:
        return None
    numbers, named = args[1:], dict(named)
    schema = function._schema.arguments[1:]
    given = {a.name: a.default_value for a in schema if a.has_default_value()}
    given |= dict(zip((a.name for a in schema), numbers, strict=False)) | named
    # What oneDNN calls it, its numbers and its algorithm.
    fused: tuple[str, tuple[float, ...], str]
    match name:
        case "relu" | "sigmoid" | "tanh" | "hardswish" | "hardsigmoid":
            fused = (name, (), "")
        case "silu":
            fused = ("swish", (), "")
        case "hardtanh":
            fused = (name, (given["min_val"], given["max_val"]), "")
        case "leaky_relu":
            fused = (name, (given["negative_slope"],), "")
        case "gelu":
            fused = (name, (), given["approximate"])
        case _:
            fused = ("", (), "")
    return Activation(lambda values: inplace(values, *numbers, **named), *fused)
