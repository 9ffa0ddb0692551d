"""Of operations of single cells: the gradient times the derivative, summed where a value was repeated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from onnx import TensorProto

from cnnviz_widgets.tracing.onnx.graph import Graph, NoFormError, no_form
from cnnviz_widgets.tracing.trace import Call

Gradients = dict[int, str]
Reverse = Callable[[Graph, Call, Sequence[str | None]], Gradients]
#: The derivative of an operation on one value, of the names of what it reads and puts out.
_Derivative = Callable[[Graph, Call, str, str], str]


def unary(derivative: _Derivative) -> Reverse:
    """Of an operation on one value with this derivative."""

    def reverse(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
        (value,) = [number for number in call.inputs if number not in graph.known]
        slope = derivative(graph, call, graph.names[value], graph.names[call.outputs[0]])
        return {value: graph.add("Mul", _only(of), slope)}

    return reverse


def _only(of: Sequence[str | None]) -> str:
    (gradient, *_) = of
    assert gradient is not None
    return gradient


def _number(graph: Graph, value: float) -> str:
    return graph.constant(float(value))


def _mask(graph: Graph, *conditions: str) -> str:
    """1 where all conditions hold, else 0."""
    first, *others = conditions
    for other in others:
        first = graph.add("And", first, other)
    return graph.add("Cast", first, to=TensorProto.FLOAT)


def _relu(graph: Graph, call: Call, x: str, y: str) -> str:
    return graph.add("Sign", y)


def _sigmoid(graph: Graph, call: Call, x: str, y: str) -> str:
    return graph.add("Mul", y, graph.add("Sub", _number(graph, 1), y))


def _tanh(graph: Graph, call: Call, x: str, y: str) -> str:
    return graph.add("Sub", _number(graph, 1), graph.add("Mul", y, y))


def _silu(graph: Graph, call: Call, x: str, y: str) -> str:
    share = graph.add("Sigmoid", x)
    rest = graph.add("Mul", x, graph.add("Sub", _number(graph, 1), share))
    return graph.add("Mul", share, graph.add("Add", rest, _number(graph, 1)))


def _hardswish(graph: Graph, call: Call, x: str, y: str) -> str:
    inner = graph.add("Add", graph.add("Div", x, _number(graph, 3)), _number(graph, 0.5))
    above = graph.add("Where", graph.add("Greater", x, _number(graph, 3)), _number(graph, 1), inner)
    return graph.add("Where", graph.add("Less", x, _number(graph, -3)), _number(graph, 0), above)


def _hardsigmoid(graph: Graph, call: Call, x: str, y: str) -> str:
    inside = graph.add("Greater", x, _number(graph, -3)), graph.add("Less", x, _number(graph, 3))
    return graph.add("Div", _mask(graph, *inside), _number(graph, 6))


def _hardtanh(graph: Graph, call: Call, x: str, y: str) -> str:
    low, high = (_number(graph, call.arguments[name]) for name in ("min_val", "max_val"))
    return _mask(graph, graph.add("Greater", x, low), graph.add("Less", x, high))


def _clamp(graph: Graph, call: Call, x: str, y: str) -> str:
    # Where a value lies on a bound it is that value.
    return _mask(graph, graph.add("Equal", x, y))


def _leaky_relu(graph: Graph, call: Call, x: str, y: str) -> str:
    slope = _number(graph, call.arguments["negative_slope"])
    return graph.add("Where", graph.add("Greater", x, _number(graph, 0)), _number(graph, 1), slope)


def _elu(graph: Graph, call: Call, x: str, y: str) -> str:
    a = call.arguments
    scale, alpha = float(a["scale"]), float(a["alpha"])
    below = graph.add("Mul", graph.add("Exp", x), _number(graph, scale * alpha))
    return graph.add("Where", graph.add("Greater", x, _number(graph, 0)), _number(graph, scale), below)


def _gelu(graph: Graph, call: Call, x: str, y: str) -> str:
    if call.arguments["approximate"] == "tanh":
        square = graph.add("Mul", x, x)
        factor = math.sqrt(2 / math.pi)
        grown = graph.add("Add", graph.add("Mul", square, _number(graph, 0.044715)), _number(graph, 1))
        share = graph.add("Tanh", graph.add("Mul", graph.add("Mul", x, grown), _number(graph, factor)))
        slope = graph.add("Add", graph.add("Mul", square, _number(graph, 3 * 0.044715)), _number(graph, 1))
        inner = graph.add("Mul", graph.add("Mul", x, slope), _number(graph, factor))
        change = graph.add("Mul", inner, graph.add("Sub", _number(graph, 1), graph.add("Mul", share, share)))
        whole = graph.add("Add", graph.add("Add", share, _number(graph, 1)), change)
        return graph.add("Mul", whole, _number(graph, 0.5))
    share = graph.add("Erf", graph.add("Div", x, _number(graph, math.sqrt(2))))
    share = graph.add("Mul", graph.add("Add", share, _number(graph, 1)), _number(graph, 0.5))
    bell = graph.add("Exp", graph.add("Mul", graph.add("Mul", x, x), _number(graph, -0.5)))
    return graph.add(
        "Add", share, graph.add("Mul", graph.add("Mul", x, bell), _number(graph, 1 / math.sqrt(2 * math.pi)))
    )


def _mish(graph: Graph, call: Call, x: str, y: str) -> str:
    grown = graph.add("Tanh", graph.add("Softplus", x))
    rest = graph.add(
        "Mul", graph.add("Sub", _number(graph, 1), graph.add("Mul", grown, grown)), graph.add("Sigmoid", x)
    )
    return graph.add("Add", grown, graph.add("Mul", x, rest))


def _softplus(graph: Graph, call: Call, x: str, y: str) -> str:
    return graph.add("Sigmoid", x)


def _power(graph: Graph, call: Call, x: str, y: str) -> str:
    exponent = call.arguments["exponent"]
    if not isinstance(exponent, int | float):
        raise no_form(call, "differentiated, with an exponent that is no number")
    return graph.add("Mul", graph.add("Pow", x, _number(graph, exponent - 1)), _number(graph, exponent))


def _batch_norm(graph: Graph, call: Call, x: str, y: str) -> str:
    a = call.arguments
    variance, weight = graph.tensor(a["running_var"], call), graph.tensor(a["weight"], call)
    assert variance is not None
    scale = (variance.double() + float(a["eps"] if "eps" in a else a["epsilon"])).rsqrt()
    scale = scale if weight is None else scale * weight.double()
    return graph.constant(scale.float().view(-1, *[1] * (len(graph.shape(call.outputs[0])) - 2)))


def summed(graph: Graph, gradient: str, value: int, shape: Sequence[int]) -> str:
    """The gradient of a value, from that of the value repeated to `shape`."""
    before = graph.shape(value)
    if len(before) != len(shape):
        raise NoFormError("The network has no gradient as ONNX, because it adds axes to what depends on the picture.")
    axes = [axis for axis, (one, other) in enumerate(zip(before, shape, strict=True)) if one != other]
    return graph.add("ReduceSum", gradient, graph.constant(axes), keepdims=1) if axes else gradient


def arithmetic(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """A sum, difference, product or quotient of two values, of which one may be known."""
    a, gradient = call.arguments, _only(of)
    shape = graph.shape(call.outputs[0])
    rank, alpha = len(shape), float(a.get("alpha", 1))
    found: Gradients = {}
    for name, other in (("self", "other"), ("other", "self")):
        if graph.varies(a[name]):
            factor = _factor(graph, call, name, alpha)
            part = gradient if factor == 1 else graph.add("Mul", gradient, _number(graph, factor))
            if call.name == "mul":
                part = graph.add("Mul", gradient, graph.value(a[other], rank))
            elif call.name == "div":
                part = graph.add("Div", gradient, graph.value(a["other"], rank))
                if name == "other":
                    part = graph.add("Neg", graph.add("Mul", part, graph.names[call.outputs[0]]))
            value = a[name].value
            part = summed(graph, part, value, shape)
            found[value] = graph.add("Add", found[value], part) if value in found else part
    return found


def _factor(graph: Graph, call: Call, name: str, alpha: float) -> float:
    """By what the gradient of a sum or difference is multiplied for one of its arguments."""
    if call.name == "rsub":
        return -alpha if name == "self" else 1
    if name == "self":
        return 1
    return -alpha if call.name == "sub" else alpha


def larger(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The larger or smaller of two values; where they are equal each has half of the gradient."""
    a, gradient, shape = call.arguments, _only(of), graph.shape(call.outputs[0])
    y = graph.names[call.outputs[0]]
    names: dict[str, Any] = {name: graph.value(a[name], len(shape)) for name in ("self", "other")}
    hits = {name: graph.add("Cast", graph.add("Equal", x, y), to=TensorProto.FLOAT) for name, x in names.items()}
    share = graph.add("Div", gradient, graph.add("Add", *hits.values()))
    return {
        a[name].value: summed(graph, graph.add("Mul", share, hit), a[name].value, shape)
        for name, hit in hits.items()
        if graph.varies(a[name])
    }


def copied(graph: Graph, call: Call, of: Sequence[str | None]) -> Gradients:
    """The same value under another number."""
    return {call.inputs[0]: _only(of)}


#: By the operation's name.
CELLS: dict[str, Reverse] = {
    "relu": unary(_relu),
    "sigmoid": unary(_sigmoid),
    "tanh": unary(_tanh),
    "silu": unary(_silu),
    "hardswish": unary(_hardswish),
    "hardsigmoid": unary(_hardsigmoid),
    "hardtanh": unary(_hardtanh),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max"), unary(_clamp)),
    "leaky_relu": unary(_leaky_relu),
    "elu": unary(_elu),
    "gelu": unary(_gelu),
    "mish": unary(_mish),
    "softplus": unary(_softplus),
    "exp": unary(lambda graph, call, x, y: y),
    "log": unary(lambda graph, call, x, y: graph.add("Reciprocal", x)),
    "neg": unary(lambda graph, call, x, y: _number(graph, -1)),
    "abs": unary(lambda graph, call, x, y: graph.add("Sign", x)),
    "square": unary(lambda graph, call, x, y: graph.add("Mul", x, _number(graph, 2))),
    "sqrt": unary(lambda graph, call, x, y: graph.add("Div", _number(graph, 0.5), y)),
    "pow": unary(_power),
    **dict.fromkeys(
        ("native_batch_norm", "native_batch_norm_legit_no_training", "batch_norm_no_update"), unary(_batch_norm)
    ),
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div"), arithmetic),
    **dict.fromkeys(("maximum", "minimum"), larger),
    **dict.fromkeys(("clone", "alias", "contiguous", "as_strided", "to_copy"), copied),
}
