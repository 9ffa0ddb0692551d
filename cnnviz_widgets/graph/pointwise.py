"""Functions that may overwrite their argument, and those that oneDNN can run together with a convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from cnnviz_widgets.graph.program import Activation


def activation_of(function: Any, args: Sequence[Any], named: Mapping[str, Any]) -> Activation | None:
    """A torch operation on one tensor, the first of `args`, and numbers; None if it cannot overwrite the tensor."""
    name = function._schema.name.removeprefix("aten::")
    inplace = getattr(getattr(torch.ops.aten, name + "_", None), function._overloadname, None)
    if inplace is None or not args:
        return None
    numbers, named = args[1:], dict(named)
    schema = function._schema.arguments[1:]
    given = {a.name: a.default_value for a in schema if a.has_default_value()}
    given |= dict(zip((a.name for a in schema), numbers, strict=False)) | named
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
