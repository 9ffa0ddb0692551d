"""Guided backpropagation: a backward pass in which ReLUs let only positive gradients through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.classifier.inputs import single_input
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.input_gradients import Floor, input_gradients
from cnnviz_widgets.explain.gradient.relus import Spelled, relus
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.remarks import on_class
from cnnviz_widgets.explain.rounding import nothing

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target


@dataclass(frozen=True)
class GuidedBackprop(Explainer):
    """max over channels of |d logit / d pixel|, where ReLUs pass on only what is positive of a gradient.

    ReLUs of any spelling are found: modules, functions, in-place ones, ReLU6, clamp(min=0), maximum(x, 0) and
    x * (x > 0). Gates, such as those of squeeze-and-excitation, are none and keep their gradient. It draws sharp
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
    with Spelled() as spelled:
        guide = partial(_guide, spelled=spelled, network=classifier.name)
        return input_gradients(classifier, inputs, target, guide, floor)


def _guide(score: Tensor, spelled: Spelled, network: str) -> None:
    """Make the ReLUs in the graph behind `score` guided.

    The graph, not the modules: it holds every ReLU however it was spelled, one for each call, and hooks on it
    are gone with it. A hook sees what comes back to this ReLU, not to other users of the ReLU's input.
    """
    for node in relus(score, spelled, network):
        node.register_prehook(_positive(spelled.relus.get(node)))


def _positive(where: Tensor | None) -> Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """Lets only positive gradients pass; of a ReLU spelled otherwise, only where it is positive itself."""

    def hook(gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        passed = [None if gradient is None else gradient.clamp_min(0) for gradient in gradients]
        return tuple(p if p is None or where is None else p * where for p in passed)

    return hook
