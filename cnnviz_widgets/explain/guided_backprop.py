"""Guided backpropagation: a backward pass in which ReLUs let only positive gradients through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.graph import Node

from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.base import Explainer, Heatmap
from cnnviz_widgets.explain.gradients import Floor, input_gradients
from cnnviz_widgets.explain.remarks import on_class
from cnnviz_widgets.explain.rounding import nothing
from cnnviz_widgets.explain.variants import single_input

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target

#: The lower bound that makes an operation's backward step that of a ReLU, by where autograd keeps it.
_BOUNDS = {
    "HardtanhBackward": "_saved_min_val",
    "ThresholdBackward": "_saved_threshold",
    "ClampBackward": "_saved_min",
    "ClampMinBackward": "_saved_min",
}

_OTHER_ACTIVATIONS = {
    "CeluBackward": "CELU",
    "EluBackward": "ELU",
    "GeluBackward": "GELU",
    "HardswishBackward": "Hardswish",
    "LeakyReluBackward": "LeakyReLU",
    "MishBackward": "Mish",
    "PreluKernelBackward": "PReLU",
    "RreluWithNoiseBackward": "RReLU",
    "SiluBackward": "SiLU",
    "SoftplusBackward": "Softplus",
}

_INSTEAD = "use Saliency, SmoothGrad or IntegratedGradients instead"


@dataclass(frozen=True)
class GuidedBackprop(Explainer):
    """max over channels of |d logit / d pixel|, where ReLUs pass on only what is positive of a gradient.

    ReLUs of any spelling are found: modules, functions, in-place ones, ReLU6 and clamp(min=0). It draws sharp
    edges that depend little on the class, or on the weights of the network's later layers (Adebayo et al. 2018,
    arXiv 1810.03292); with all weights drawn anew they change.
    Springenberg et al. 2014 (arXiv 1412.6806). Raises MethodError where activations are not ReLUs.
    """

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield once, after two passes for the class and two for an unrelated one that it is compared with."""
        floor = Floor(classifier)
        gradients = guided_gradients(classifier, pixels, target, floor)[0]
        values = gradients.abs().amax(dim=0)
        quantity = classifier.readout.worded("guided gradient of the logit")
        heatmap = Heatmap.of_values(values, quantity, signed=False, target=target)
        if floor.is_above(gradients):
            yield heatmap.noted(nothing("pixel"), blank=True)
            return

        def values_of(other: Target) -> Tensor:
            return values if other == target else guided_gradients(classifier, pixels, other)[0].abs().amax(dim=0)

        with torch.no_grad():
            logits = classifier.logits(single_input(classifier, pixels))[0]
        yield heatmap.noted(on_class(classifier, logits, target, values_of, "to ask about one class use Grad-CAM"))


def guided_gradients(classifier: Classifier, pixels: Tensor, target: Target, floor: Floor | None = None) -> Tensor:
    """The guided gradient at each value of one network input, (1, C, H, W); `floor` sees the logits.

    Raises MethodError.
    """
    inputs = single_input(classifier, pixels)
    return input_gradients(classifier, inputs, target, lambda score: _guide(score, classifier.name), floor)


def _guide(score: Tensor, network: str) -> None:
    """Make the ReLUs in the graph behind `score` guided.

    The graph, not the modules: it holds every ReLU however it was spelled, one for each call, and hooks on it
    are gone with it. A hook sees what comes back to this ReLU, not to other users of the ReLU's input.
    """
    relus = 0
    for node in _graph(score):
        name = re.sub(r"\d+$", "", node.name())
        if name in _OTHER_ACTIVATIONS:
            raise MethodError(
                f"Guided backpropagation is defined for ReLUs only, and {network} uses "
                f"{_OTHER_ACTIVATIONS[name]}; {_INSTEAD}."
            )
        # A step done in place on a part or a reshaped view of a tensor: autograd does not say which it was.
        if name.endswith("CopySlices") and len(node.next_functions) == 1:
            raise MethodError(
                f"{network} changes a view of a tensor in place, where guided backpropagation "
                f"could miss a ReLU; {_INSTEAD}."
            )
        if name == "ReluBackward" or (name in _BOUNDS and getattr(node, _BOUNDS[name], None) == 0):
            node.register_prehook(_positive)
            relus += 1
    if not relus:
        raise MethodError(f"Guided backpropagation finds no ReLU in {network}; {_INSTEAD}.")


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


def _positive(gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(None if gradient is None else gradient.clamp_min(0) for gradient in gradients)
