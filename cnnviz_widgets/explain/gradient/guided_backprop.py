"""Guided backpropagation: a backward pass in which ReLUs let only positive gradients through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.input_gradients import input_gradients
from cnnviz_widgets.explain.gradient.relus import Spelled, relus
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import class_note
from cnnviz_widgets.explain.rounding import Floor


@dataclass(frozen=True)
class GuidedBackprop(Explainer):
    """max over channels of |d logit / d pixel|, where ReLUs pass on only what is positive of a gradient.

    ReLUs of any spelling are found: modules, functions, in-place ones, ReLU6, clamp(min=0), maximum(x, 0) and
    x * (x > 0). Gates, such as those of squeeze-and-excitation, are none and keep their gradient. It draws sharp
    edges that depend little on the class, or on the weights of the network's later layers (Adebayo et al. 2018,
    arXiv 1810.03292); with all weights drawn anew they change.
    Springenberg et al. 2014 (arXiv 1412.6806). Raises MethodError where activations are not ReLUs.
    """

    label = "guided backprop"
    family = "gradient"
    quantity = "guided gradient of the logit"

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once, after two passes for the class and two for an unrelated one that it is compared with."""
        floor, classifier, target = Floor(instance.classifier), instance.classifier, instance.target
        gradients = guided_gradients(instance, floor)[0]
        values = gradients.abs().amax(dim=0)
        heatmap = self.heatmap(instance, values, signed=False)
        if floor.is_above(gradients):
            yield heatmap.as_nothing("pixel")
            return

        def of_class(index: int) -> Tensor:
            own = index == target.index
            return values if own else guided_gradients(instance.of_class(index))[0].abs().amax(dim=0)

        with torch.no_grad():
            logits = classifier.logits(instance.pixels)[0]
        yield heatmap.noted(class_note(classifier, logits, target, of_class, "to ask about one class use Grad-CAM"))


def guided_gradients(instance: Instance, floor: Floor | None = None) -> Tensor:
    """The guided gradient at each value of the network input, (1, C, H, W); `floor` sees the logits.

    Raises MethodError.
    """
    with Spelled() as spelled:
        guide = partial(_guide, spelled=spelled, network=instance.classifier.name)
        return input_gradients(instance.classifier, instance.pixels, instance.target, guide, floor)


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
