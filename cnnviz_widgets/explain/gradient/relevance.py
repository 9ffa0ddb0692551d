"""Relevance, handed back from a score to the pixels: the rules of LRP's EpsilonPlus for each tensor operation.

The rules work on the operations of a forward pass that was written down, not on modules: functions are followed like
modules, and nothing of the network is changed or replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.classifier.differentiation import cut_off, leads_to, looking_for_cuts
from cnnviz_widgets.classifier.hooks import following
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.tracing.trace import Call, Recorder, Ref, Trace
from cnnviz_widgets.tracing.trees import substitute, tensors_in

#: Added to denominators, away from zero, by all rules but that of linear layers: a share of their root mean square.
_STABILIZER = 1e-6

#: Functions of single values, batch norms, and other units: what comes back is passed on.
_PASSED = {
    "relu", "relu6", "hardtanh", "leaky_relu", "prelu_kernel", "rrelu_with_noise", "elu", "celu", "selu", "gelu",
    "silu", "mish", "softplus", "hardswish", "hardsigmoid", "sigmoid", "tanh", "log_sigmoid_forward", "threshold",
    "clamp", "clamp_min", "clamp_max", "hardshrink", "softshrink", "mul", "div", "neg", "to_copy", "clone", "alias",
    "detach", "lift_fresh", "native_batch_norm", "native_batch_norm_legit", "native_batch_norm_legit_no_training",
    "cudnn_batch_norm", "miopen_batch_norm", "batch_norm_with_update",
}  # fmt: skip
#: Values that only change places, and maxima, which have one source each: it goes where the gradient would.
_MOVED = {
    "view", "unsafe_view", "reshape", "reshape_alias", "permute", "transpose", "t", "expand", "slice", "select",
    "cat", "stack", "squeeze", "unsqueeze", "split", "split_with_sizes", "chunk", "unbind", "narrow", "flip", "roll",
    "constant_pad_nd", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "upsample_nearest2d", "max_pool2d",
    "max_pool2d_with_indices", "adaptive_max_pool2d", "amax",
}  # fmt: skip
#: Sums and means: each term gets its share.
_SHARED = {
    "add", "sub", "rsub", "mean", "sum", "avg_pool2d", "adaptive_avg_pool2d", "upsample_bilinear2d",
}  # fmt: skip
_DENSE = {"addmm", "mm", "linear", "bmm", "matmul", "addmv", "mv"}
#: Changes of unit, as of the pixels before the first layer.
_UNITS = {"add", "sub", "rsub", "mul", "div", "neg", "to_copy", "clone", "alias", "detach"}

#: Arguments of a convolution.
_WINDOW = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")

#: The relevance of each output of an operation, None where nothing came.
Arrived = Sequence[Tensor | None]
#: The shares of an operation's inputs, by their numbers.
Rule = Callable[["Relevance", Call, Arrived], Mapping[int, Tensor]]


class Relevance:
    """A forward pass on `pixels` (1, C, H, W), and what its rules hand back of any of its scores.

    `epsilon` stabilises the shares of linear layers. Made in a block of `Classifier.evaluating`, and used there. Raises
    MethodError where an operation has no rule, and as gradients do where the scores are cut off from the pixels.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor, epsilon: float) -> None:
        self._name = classifier.name
        self.epsilon = epsilon
        #: (1, K)
        self.logits, trace = _written_down(classifier, pixels)
        self._calls, self._input, self._output = trace.calls, trace.input, trace.outputs[0]
        self.values: dict[int, Tensor] = {trace.input: pixels.clone(), **trace.leaves, **trace.drawn}
        #: Values that depend on the pixels, and of these those that are the pixels in other units.
        self.dependent, self._units = {trace.input}, {trace.input}
        for call in self._calls:
            self._run(call)
        readers = Counter(value for call in self._calls for value in call.inputs)
        makers = {value: call for call in self._calls for value in call.outputs}
        #: The batch norm behind a convolution or linear layer, by its output, that are taken as one.
        self.norms = {
            call.inputs[0]: call
            for call in self._calls
            if "batch_norm" in call.name and not call.arguments.get("training") and readers[call.inputs[0]] == 1
            if call.inputs[0] in makers and _takes_a_norm(makers[call.inputs[0]])
        }

    def _run(self, call: Call) -> None:
        if call.function is None:
            raise self.refusal(call, "a view of a tensor that is changed in place")
        if set(call.outputs) <= self.values.keys():
            return  # random numbers, as they were drawn
        self.values.update(zip(call.outputs, call.run(self.values.__getitem__), strict=True))
        if self.dependent.isdisjoint(call.inputs) or call.name.endswith("_like") or call.name.startswith("new_"):
            return
        self.dependent.update(call.outputs)
        if call.name in _UNITS and len(self.dependent.intersection(call.inputs)) == 1:
            self._units.update(call.outputs if self._units.issuperset(self.sources(call)) else ())

    def of(self, target: Target) -> Tensor:
        """The relevance of each value of the network input, (1, C, H, W) float32 on the CPU.

        The score begins with its own value. Without biases and stabilisers it would all arrive.
        """
        start = torch.zeros_like(self.logits)
        start[0, target.index] = self.logits[0, target.index]
        if target.against is not None:
            start[0, target.against] = -self.logits[0, target.against]
        waiting = {self._output: start}
        for call in reversed(self._calls):
            arrived = [waiting.pop(value, None) for value in call.outputs]
            if self.dependent.isdisjoint(call.outputs) or all(part is None for part in arrived):
                continue
            for value, share in self._rule(call)(self, call, arrived).items():
                waiting[value] = waiting[value] + share if value in waiting else share
        found = waiting.get(self._input)
        return torch.zeros(self.values[self._input].shape) if found is None else found.to("cpu", torch.float32)

    def _rule(self, call: Call) -> Rule:
        sources = self.sources(call)
        if call.name in _MOVED:
            return _move
        one = len(sources) == 1
        if call.name in _SHARED:
            return _pass if one and self._units.issuperset(sources) and call.name in _UNITS else _share
        if call.name in _PASSED and one:
            return _pass
        if one and sources[0] == call.inputs[0] and call.name == "convolution":
            return _share_positive
        if one and call.name in _DENSE:
            return _share_densely
        what = f"`{call.name}`" + ("" if one else " of several values of the picture")
        raise self.refusal(call, what)

    def sources(self, call: Call) -> list[int]:
        """The inputs that depend on the pixels, once each."""
        return [value for value in dict.fromkeys(call.inputs) if value in self.dependent]

    def refusal(self, call: Call, what: str) -> MethodError:
        """That there is no rule for an operation."""
        where = f"in the layer {call.layer!r}" if call.layer else "in its forward"
        return MethodError(
            f"LRP has no rule for {what}, which {self._name} uses {where}; use IntegratedGradients, Occlusion or RISE."
        )

    def evaluate(self, call: Call, inputs: Mapping[int, Tensor]) -> list[Tensor]:
        """The outputs of an operation where some of its inputs are other ones."""

        def value(ref: Ref) -> Tensor:
            return inputs[ref.value] if ref.value in inputs else _wide(self.values[ref.value])

        args, kwargs = substitute((call.args, dict(call.kwargs)), Ref, value)
        return tensors_in(call.function(*args, **kwargs))


def _written_down(classifier: Classifier, pixels: Tensor) -> tuple[Tensor, Trace]:
    """The logits (1, K) of pixels (1, C, H, W), and the pass that gave them. Raises MethodError.

    Autograd tells whether values go ways that cannot be written down, as through NumPy, and would count as nothing.
    """
    inputs = pixels.clone().requires_grad_()
    recorder = Recorder(inputs)

    def running(layer: str) -> None:
        recorder.layer = layer

    with torch.enable_grad(), recorder, following(classifier.shadow, running):
        with looking_for_cuts(classifier, inputs) as judge:
            scores = classifier.logits(inputs)
        judge(scores)
    if not leads_to(scores, inputs):
        raise cut_off(classifier.name)
    return scores.detach(), recorder.trace(recorder.number(scores))


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.is_floating_point() and values.dtype.itemsize < 4 else values


def _per_unit(arrived: Arrived, z: Tensor, epsilon: float) -> Tensor:
    """What arrived at the sums `z` over these, moved away from zero by `epsilon` times their quadratic mean."""
    assert arrived[0] is not None
    z = z.detach()
    step = (epsilon * z.square().mean().sqrt()).clamp(min=torch.finfo(z.dtype).tiny)
    return arrived[0] / (z + torch.where(z < 0, -step, step))


def _leaves(relevance: Relevance, call: Call) -> dict[int, Tensor]:
    """The inputs that depend on the pixels, by number, to be differentiated by."""
    return {value: _wide(relevance.values[value]).detach().requires_grad_() for value in relevance.sources(call)}


def _pass(relevance: Relevance, call: Call, arrived: Arrived) -> Mapping[int, Tensor]:
    """Unchanged, as zennit's Pass."""
    (source,) = relevance.sources(call)
    return {} if arrived[0] is None else {source: arrived[0].sum_to_size(relevance.values[source].shape)}


@torch.enable_grad()
def _move(relevance: Relevance, call: Call, arrived: Arrived) -> Mapping[int, Tensor]:
    """Each part to the value that it is."""
    leaves = _leaves(relevance, call)
    outputs = relevance.evaluate(call, leaves)
    parts = [(output, part) for output, part in zip(outputs, arrived, strict=True) if part is not None]
    found = torch.autograd.grad([o for o, _ in parts], list(leaves.values()), [p for _, p in parts], allow_unused=True)
    return {value: share for value, share in zip(leaves, found, strict=True) if share is not None}


@torch.enable_grad()
def _share(relevance: Relevance, call: Call, arrived: Arrived, epsilon: float = _STABILIZER) -> Mapping[int, Tensor]:
    """Each term of a sum by its share: x dz/dx R / z, as zennit's Norm and Epsilon. Constants keep theirs."""
    leaves = _leaves(relevance, call)
    z = relevance.evaluate(call, leaves)[0]
    found = torch.autograd.grad(z, list(leaves.values()), _per_unit(arrived, z, epsilon))
    return {value: leaf.detach() * share for (value, leaf), share in zip(leaves.items(), found, strict=True)}


def _share_densely(relevance: Relevance, call: Call, arrived: Arrived) -> Mapping[int, Tensor]:
    """By `_share` with `epsilon`; a batch norm behind is a part of the layer."""
    if call.outputs[0] not in relevance.norms:
        return _share(relevance, call, arrived, relevance.epsilon)
    layer = _Affine.of(relevance, call)
    with torch.enable_grad():
        x = layer.x.clone().requires_grad_()
        z = layer.function(x, layer.weight, layer.bias)
        (share,) = torch.autograd.grad(z, x, _per_unit(arrived, z, relevance.epsilon))
    return {layer.source: layer.x * share}


@torch.enable_grad()
def _share_positive(relevance: Relevance, call: Call, arrived: Arrived) -> Mapping[int, Tensor]:
    """By the shares of what is positive in the sum, as zennit's ZPlus (alpha 1, beta 0)."""
    layer = _Affine.of(relevance, call)
    parts = [layer.x.clamp(min=0).requires_grad_(), layer.x.clamp(max=0).requires_grad_()]
    bias = None if layer.bias is None else layer.bias.clamp(min=0)
    z = layer.function(parts[0], layer.weight.clamp(min=0), bias)
    z = z + layer.function(parts[1], layer.weight.clamp(max=0), None)
    found = torch.autograd.grad(z, parts, _per_unit(arrived, z, _STABILIZER))
    return {layer.source: parts[0].detach() * found[0] + parts[1].detach() * found[1]}


def _takes_a_norm(call: Call) -> bool:
    """Whether a batch norm behind an operation can be made a part of it."""
    a = call.arguments
    return (call.name == "convolution" and not a["transposed"]) or (
        call.name == "addmm" and a["alpha"] == a["beta"] == 1
    )


@dataclass(frozen=True, eq=False)
class _Affine:
    """A convolution or linear layer of the value `source`, `function(x, weight, bias)`, with the batch norm behind."""

    source: int
    x: Tensor
    weight: Tensor
    bias: Tensor | None
    function: Callable[[Tensor, Tensor, Tensor | None], Tensor]

    @classmethod
    def of(cls, relevance: Relevance, call: Call) -> _Affine:
        a, values = call.arguments, relevance.values
        convolution = call.name == "convolution"
        names = ("input", "weight", "bias") if convolution else ("mat1", "mat2", "self")
        source = a[names[0]].value
        x, weight = (_wide(values[a[name].value]).detach() for name in names[:2])
        bias = None if a[names[2]] is None else _wide(values[a[names[2]].value]).detach()

        def run(x: Tensor, weight: Tensor, bias: Tensor | None) -> Any:
            if convolution:
                return torch.ops.aten.convolution.default(x, weight, bias, *(a[name] for name in _WINDOW))
            return x @ weight if bias is None else torch.addmm(bias, x, weight)

        norm = relevance.norms.get(call.outputs[0])
        if norm is not None:
            scale, shift = _scale_and_shift(norm, values)
            weight = weight * (scale.view(-1, *[1] * (weight.ndim - 1)) if convolution else scale)
            bias = shift if bias is None else bias * scale + shift
        return cls(source, x, weight, bias, run)


def _scale_and_shift(norm: Call, values: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """What a batch norm with fixed statistics does, values * scale + shift, each (C,)."""
    a = norm.arguments
    mean, variance = (_wide(values[a[name].value]) for name in ("running_mean", "running_var"))
    epsilon = a["eps"] if "eps" in a else a["epsilon"]
    scale = (variance + epsilon).rsqrt()
    if a["weight"] is not None:
        scale = scale * _wide(values[a["weight"].value])
    shift = -mean * scale
    return scale, shift if a["bias"] is None else shift + _wide(values[a["bias"].value])
