"""Operations of single cells: activations and arithmetic; batch norms in eval mode."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from cnnviz_widgets.tracing.onnx.graph import Graph, no_form
from cnnviz_widgets.tracing.trace import Call

Write = Callable[[Graph, Call], list[str]]


def _alike(kind: str, **attributes: float) -> Write:
    """The same operation under ONNX's name."""
    return lambda graph, call: [graph.add(kind, graph.value(call.args[0]), **attributes)]


def _with_number(kind: str, **names: str) -> Write:
    """The same, with ONNX's attributes named for torch's arguments."""

    def write(graph: Graph, call: Call) -> list[str]:
        attributes = {name: float(call.arguments[argument]) for name, argument in names.items()}
        return [graph.add(kind, graph.value(call.args[0]), **attributes)]

    return write


def _arithmetic(kind: str) -> Write:
    def write(graph: Graph, call: Call) -> list[str]:
        a, rank = call.arguments, len(graph.shape(call.outputs[0]))
        if a.get("rounding_mode"):
            raise no_form(call, "that rounds")
        first, second = (graph.value(a[name], rank) for name in ("self", "other"))
        if a.get("alpha", 1) != 1:
            second = graph.add("Mul", second, graph.constant(float(a["alpha"])))
        return [graph.add(kind, *((second, first) if call.name == "rsub" else (first, second)))]

    return write


def _added_product(kind: str) -> Write:
    """self + value * tensor1 * tensor2, or with a quotient of the two."""

    def write(graph: Graph, call: Call) -> list[str]:
        a, rank = call.arguments, len(graph.shape(call.outputs[0]))
        made = graph.add(kind, *(graph.value(a[name], rank) for name in ("tensor1", "tensor2")))
        if a["value"] != 1:
            made = graph.add("Mul", made, graph.constant(float(a["value"])))
        return [graph.add("Add", graph.value(a["self"], rank), made)]

    return write


def _write_clamp(graph: Graph, call: Call) -> list[str]:
    a = call.arguments
    low, high = (a.get(names[0], a.get(names[1])) for names in (("min", "min_val"), ("max", "max_val")))
    if graph.varies(low) or graph.varies(high):
        raise no_form(call, "between values that depend on the picture")
    x = graph.value(call.args[0])
    for kind, bound in (("Max", low), ("Min", high)):
        if bound is not None:
            x = graph.add(kind, x, graph.value(bound))
    return [x]


def _write_hardtanh(graph: Graph, call: Call) -> list[str]:
    bounds = (graph.constant(float(call.arguments[name])) for name in ("min_val", "max_val"))
    return [graph.add("Clip", graph.value(call.args[0]), *bounds)]


def _write_silu(graph: Graph, call: Call) -> list[str]:
    x = graph.value(call.args[0])
    return [graph.add("Mul", x, graph.add("Sigmoid", x))]


def _write_mish(graph: Graph, call: Call) -> list[str]:
    x = graph.value(call.args[0])
    return [graph.add("Mul", x, graph.add("Tanh", graph.add("Softplus", x)))]


def _write_log_sigmoid(graph: Graph, call: Call) -> list[str]:
    return [graph.add("Neg", graph.add("Softplus", graph.add("Neg", graph.value(call.args[0]))))]


def _write_gelu(graph: Graph, call: Call) -> list[str]:
    """By its formula: ONNX's own operation is not in all versions of engines."""
    x = graph.value(call.args[0])
    if call.arguments["approximate"] == "tanh":
        cube = graph.add("Mul", graph.add("Mul", x, x), x)
        inner = graph.add("Add", x, graph.add("Mul", cube, graph.constant(0.044715)))
        share = graph.add("Tanh", graph.add("Mul", inner, graph.constant(math.sqrt(2 / math.pi))))
    else:
        share = graph.add("Erf", graph.add("Div", x, graph.constant(math.sqrt(2))))
    # The order in which engines look for a Gelu to run in one pass.
    doubled = graph.add("Mul", x, graph.add("Add", share, graph.constant(1.0)))
    return [graph.add("Mul", doubled, graph.constant(0.5))]


def _write_softplus(graph: Graph, call: Call) -> list[str]:
    if call.arguments["beta"] != 1:
        raise no_form(call, "with a `beta`")
    return [graph.add("Softplus", graph.value(call.args[0]))]


def _write_elu(graph: Graph, call: Call) -> list[str]:
    a = call.arguments
    if a["input_scale"] != 1:
        raise no_form(call, "with an `input_scale`")
    made = graph.add("Elu", graph.value(call.args[0]), alpha=float(a["alpha"]))
    return [made if a["scale"] == 1 else graph.add("Mul", made, graph.constant(float(a["scale"])))]


def _write_prelu(graph: Graph, call: Call) -> list[str]:
    weight = graph.tensor(call.args[1], call)
    assert weight is not None
    rank = graph.rank(call.args[0])
    slope = weight if weight.ndim == rank else weight.view(-1, *[1] * (rank - 2))
    return [graph.add("PRelu", graph.value(call.args[0]), graph.constant(slope))]


def _write_rsqrt(graph: Graph, call: Call) -> list[str]:
    return [graph.add("Reciprocal", graph.add("Sqrt", graph.value(call.args[0])))]


def _write_power(graph: Graph, call: Call) -> list[str]:
    a = call.arguments
    if graph.varies(a["exponent"]) or not graph.varies(call.args[0]):
        raise no_form(call, "with an exponent that depends on the picture")
    x = graph.value(call.args[0])
    return [graph.add("Mul", x, x) if a["exponent"] == 2 else graph.add("Pow", x, graph.value(a["exponent"]))]


def _write_square(graph: Graph, call: Call) -> list[str]:
    x = graph.value(call.args[0])
    return [graph.add("Mul", x, x)]


def _write_batch_norm(graph: Graph, call: Call) -> list[str]:
    a = call.arguments
    weight, bias, mean, variance = (
        graph.tensor(a[name], call) for name in ("weight", "bias", "running_mean", "running_var")
    )
    if a.get("training") or mean is None or variance is None:
        raise no_form(call, "with the statistics of the batch")
    weight = torch.ones_like(mean) if weight is None else weight
    bias = torch.zeros_like(mean) if bias is None else bias
    constants = [graph.constant(tensor) for tensor in (weight, bias, mean, variance)]
    epsilon = float(a["eps"] if "eps" in a else a["epsilon"])
    return [graph.add("BatchNormalization", graph.value(a["input"]), *constants, epsilon=epsilon)]


#: By the operation's name.
POINTWISE: dict[str, Write] = {
    "relu": _alike("Relu"),
    "sigmoid": _alike("Sigmoid"),
    "tanh": _alike("Tanh"),
    "hardswish": _alike("HardSwish"),
    "hardsigmoid": _alike("HardSigmoid", alpha=1 / 6, beta=0.5),
    "leaky_relu": _with_number("LeakyRelu", alpha="negative_slope"),
    **{name: _alike(name.capitalize()) for name in ("abs", "neg", "exp", "log", "sqrt", "reciprocal", "erf")},
    "rsqrt": _write_rsqrt,
    "square": _write_square,
    "pow": _write_power,
    "hardtanh": _write_hardtanh,
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max"), _write_clamp),
    "silu": _write_silu,
    "mish": _write_mish,
    "log_sigmoid_forward": _write_log_sigmoid,
    "gelu": _write_gelu,
    "softplus": _write_softplus,
    "elu": _write_elu,
    "prelu_kernel": _write_prelu,
    "add": _arithmetic("Add"),
    **dict.fromkeys(("sub", "rsub"), _arithmetic("Sub")),
    "mul": _arithmetic("Mul"),
    "div": _arithmetic("Div"),
    "maximum": _arithmetic("Max"),
    "minimum": _arithmetic("Min"),
    "addcmul": _added_product("Mul"),
    "addcdiv": _added_product("Div"),
    **dict.fromkeys(
        ("native_batch_norm", "native_batch_norm_legit_no_training", "batch_norm_no_update"), _write_batch_norm
    ),
}
