"""Which steps in the graph of a forward pass are ReLUs, however they are spelled, and which activations are none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode

from cnnviz_widgets.errors import MethodError

#: The bounds that make an operation's backward step that of a ReLU, by where autograd keeps them.
_BOUNDS = {
    "HardtanhBackward": ("_saved_min_val", "_saved_max_val"),
    "ThresholdBackward": ("_saved_threshold", None),
    "ClampBackward": ("_saved_min", "_saved_max"),
    "ClampMinBackward": ("_saved_min", None),
}

_OTHER_ACTIVATIONS = {
    "AbsBackward": "an absolute value",
    "CeluBackward": "CELU",
    "EluBackward": "ELU",
    "GeluBackward": "GELU",
    "GluBackward": "GLU",
    "HardswishBackward": "Hardswish",
    "LeakyReluBackward": "LeakyReLU",
    "LogSigmoidBackward": "LogSigmoid",
    "MishBackward": "Mish",
    "PreluKernelBackward": "PReLU",
    "RreluWithNoiseBackward": "RReLU",
    "SiluBackward": "SiLU",
    "SoftplusBackward": "Softplus",
}
#: Steps that take some places from here and some from there.
_CHOOSING = ("IndexPutBackward", "MaskedFillBackward", "WhereBackward")

#: Steps that compute each value from the values at its place; the second are those that combine two of them.
_BETWEEN_TWO = ("AddBackward", "SubBackward", "MulBackward", "DivBackward", "AddcmulBackward")
_CELLWISE = (
    *_BETWEEN_TWO, "ClampBackward", "ClampMaxBackward", "ClampMinBackward", "CloneBackward", "ErfBackward",
    "ExpBackward", "HardsigmoidBackward", "HardtanhBackward", "LogBackward", "Log1PBackward", "MaximumBackward",
    "MinimumBackward", "NegBackward", "PowBackward", "ReciprocalBackward", "ReluBackward", "RsubBackward",
    "SigmoidBackward", "SoftplusBackward", "SqrtBackward", "TanhBackward", "ThresholdBackward", "ToCopyBackward",
)  # fmt: skip
#: Steps that shift, scale, spread or reshape a gate on its way to what it gates.
_ON_THE_WAY = (
    "AddBackward", "CloneBackward", "DivBackward", "ExpandBackward", "MulBackward", "NegBackward", "RsubBackward",
    "SubBackward", "ToCopyBackward", "UnsafeViewBackward", "UnsqueezeBackward", "ViewBackward",
)  # fmt: skip
_GATES = ("HardsigmoidBackward", "SigmoidBackward", "SoftmaxBackward", "TanhBackward")

#: Activations that are none where they are gates.
_BENDS = {"HardsigmoidBackward": "Hardsigmoid", "SigmoidBackward": "Sigmoid", "TanhBackward": "Tanh"}
#: Functions whose result may equal a ReLU of what they were given.
_MAY_BE_RELU = {
    "clamp", "clip", "fmax", "imul", "index_put", "leaky_relu", "masked_fill", "max", "maximum", "mul", "multiply",
    "prelu", "rmul", "setitem", "threshold", "where",
}  # fmt: skip
_INSTEAD = "use Saliency, SmoothGrad or IntegratedGradients instead"


class Spelled(TorchFunctionMode):
    """Notes the steps whose results are max(x, 0) of what they were given, such as x * (x > 0) or maximum(x, 0)."""

    def __init__(self) -> None:
        super().__init__()
        #: Where each is positive. The graph's nodes last as long as they are kept.
        self.relus: dict[Node, Tensor] = {}

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = str(getattr(func, "__name__", "")).split(".")[0]
        if name.strip("_") not in _MAY_BE_RELU:
            return func(*args, **kwargs)
        given = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor) and value.requires_grad]
        # What a step in place is given is gone afterwards.
        before = [value.detach().clone() if name.endswith("_") else value.detach() for value in given]
        result = func(*args, **kwargs)
        made = args[0] if name.strip("_") == "setitem" else result
        if isinstance(made, Tensor) and made.grad_fn is not None:
            for values in before:
                bends = values.shape == made.shape and bool((values < 0).any())
                if bends and torch.equal(made.detach(), values.clamp_min(0)):
                    self.relus[made.grad_fn] = made.detach() > 0
        return result


def relus(score: Tensor, spelled: Spelled, network: str) -> list[Node]:
    """The ReLUs in the graph behind `score`, one for each call of each.

    Raises MethodError where there is none, or where there may be an activation that is another.
    """
    nodes = list(_graph(score))
    found = [node for node in nodes if node in spelled.relus or _is_relu(node)]
    others = [node for node in nodes if node not in spelled.relus]
    for node in others:
        name = _kind(node)
        if name in _OTHER_ACTIVATIONS:
            raise _undefined(f"{network} uses {_OTHER_ACTIVATIONS[name]}")
        # A step done in place on a part or a reshaped view of a tensor: autograd does not say which it was.
        if name.endswith("CopySlices") and len(node.next_functions) == 1:
            raise MethodError(
                f"{network} changes a view of a tensor in place, where guided backpropagation "
                f"could miss a ReLU; {_INSTEAD}."
            )
    if not found:
        raise MethodError(f"Guided backpropagation finds no ReLU in {network}; {_INSTEAD}.")
    for node in others:
        if _combines_functions_of_the_same(node):
            raise _undefined(
                f"{network} writes out an activation that is another, such as a product of its input and a gate"
            )
        if _kind(node) in _CHOOSING and _is_spatial(node):
            raise _undefined(f"{network} chooses between values by a condition that is no ReLU's")
    gating = {_origin(edge)[0] for node in nodes if _kind(node) == "MulBackward" for edge in _inputs(node)}
    for node in others:
        if _kind(node) in _BENDS and _is_spatial(node) and node not in gating:
            raise _undefined(f"{network} uses {_BENDS[_kind(node)]}")
    gates = {gate for node in nodes for gate in _clamped_gates(node)}
    return [node for node in found if node not in gates]


def _undefined(what: str) -> MethodError:
    return MethodError(f"Guided backpropagation is defined for ReLUs only, and {what}; {_INSTEAD}.")


def _graph(score: Tensor) -> Iterator[Node]:
    assert score.grad_fn is not None
    # Kept in a set, as a node's identity lasts no longer than its Python object.
    seen = {score.grad_fn}
    waiting = [score.grad_fn]
    while waiting:
        node = waiting.pop()
        yield node
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)


def _kind(node: Node) -> str:
    return re.sub(r"\d+$", "", node.name())


def _shape(node: Node) -> tuple[int, ...]:
    """The shape of a step's result."""
    known: Any = getattr(node, "_input_metadata", None)
    return tuple(known[0].shape) if known else ()


def _is_spatial(node: Node) -> bool:
    shape = _shape(node)
    return len(shape) == 4 and shape[2] * shape[3] > 1


def _is_relu(node: Node) -> bool:
    name = _kind(node)
    if name not in _BOUNDS:
        return name == "ReluBackward"
    low = getattr(node, _BOUNDS[name][0], None)
    return bool((low == 0).all()) if isinstance(low, Tensor) else low == 0


def _is_capped(node: Node) -> bool:
    """Whether a step cuts off at zero and at some largest value, as a gate does that is no sigmoid."""
    _, high = _BOUNDS.get(_kind(node), (None, None))
    return high is not None and getattr(node, high, None) is not None and _is_relu(node)


def _inputs(node: Node) -> list[Node]:
    return [following for following, _ in node.next_functions if following is not None]


def _combines_functions_of_the_same(node: Node) -> bool:
    """Whether a step combines two different functions of the very same values, each place by itself."""
    edges = [(following, number) for following, number in node.next_functions if following is not None]
    if len(edges) != 2 or edges[0] == edges[1]:
        return False
    if _kind(node) in ("MulBackward", "DivBackward", "MaximumBackward", "MinimumBackward", "WhereBackward"):
        return bool(_cellwise_sources(*edges[0]) & _cellwise_sources(*edges[1]))
    if _kind(node) in ("AddBackward", "SubBackward"):
        # As relu(x) - a relu(-x), a leaky ReLU.
        first, second = (_origin(edge)[0] for edge, _ in edges)
        if first is not second and _is_relu(first) and _is_relu(second):
            return _origin(_inputs(first)[0])[0] is _origin(_inputs(second)[0])[0]
    return False


def _cellwise_sources(node: Node, number: int) -> set[tuple[Node, int]]:
    """All steps, with the number of their result, from which this one's values come place by place."""
    found = {(node, number)}
    waiting = [node]
    while waiting:
        step = waiting.pop()
        if _kind(step) in _CELLWISE:
            for following, index in step.next_functions:
                # What is spread over a map before it is combined with it is no value of the same place.
                same = following is not None and _shape(following) == _shape(node)
                if same and following is not None and (following, index) not in found:
                    found.add((following, index))
                    waiting.append(following)
    return found


def _clamped_gates(node: Node) -> Iterator[Node]:
    """Of a product of two, what clamps the one that gates the other: it is bounded, and no feature."""
    factors = [_origin(factor) for factor in _inputs(node)]
    if _kind(node) != "MulBackward" or len(factors) != 2:
        return
    for (gate, scaled), (other, other_scaled) in (factors, factors[::-1]):
        if not _is_capped(gate):
            continue
        alike = _is_capped(other) and _size(gate) == _size(other)
        bounded = _kind(other) in _GATES or _is_capped(other)
        if not bounded or _size(gate) < _size(other) or (alike and scaled and not other_scaled):
            yield gate


def _origin(node: Node) -> tuple[Node, bool]:
    """The step whose result arrives, shifted or scaled by constants or reshaped, and whether it is scaled."""
    scaled = False
    while _kind(node) in _ON_THE_WAY:
        following = _inputs(node)
        if len(following) != 1:
            break
        scaled = scaled or _kind(node) in ("DivBackward", "MulBackward")
        node = following[0]
    return node, scaled


def _size(node: Node) -> int:
    size = 1
    for side in _shape(node):
        size *= int(side)
    return size
