"""Saliency: how much a small change of each pixel would change the score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.rounding import Floor
from cnnviz_widgets.parameters import check_choice

Unit = Literal["network", "picture"]


@dataclass(frozen=True)
class Saliency(Explainer):
    """max over channels of |d logit / d pixel|.

    With `unit="network"` the change is per unit of the network's input, which preprocessing may have scaled
    differently for each channel; with "picture" it is per step from black to white in each channel.
    Simonyan et al. 2013 (arXiv 1312.6034), section 3.
    """

    label = "gradient"
    family = "gradient"
    quantity = "change of the logit per unit of the network's input"

    unit: Unit = "network"

    def __post_init__(self) -> None:
        check_choice("unit", self.unit, Unit)

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once, after a forward and a backward pass."""
        floor, quantity = Floor(instance.classifier), self.quantity
        gradients = instance.input_gradients(instance.pixels, floor)
        blank = floor.is_above(gradients[0])
        if self.unit == "picture":
            gradients = gradients * (instance.classifier.white - instance.classifier.black)
            quantity = "change of the logit per step from black to white"
        heatmap = self.heatmap(instance, gradients[0].abs().amax(dim=0), signed=False, quantity=quantity)
        yield heatmap.as_nothing("pixel") if blank else heatmap


@dataclass(frozen=True)
class GradientXInput(Explainer):
    """sum over channels of d logit / d pixel x (pixel - baseline).

    To first order, how much of the logit's difference to the baseline each pixel makes.
    Shrikumar et al. 2016 (arXiv 1605.01713), whose baseline is a network input of zeros.
    """

    label = "gradient x input"
    family = "gradient"
    quantity = "first-order share of the logit's difference to the baseline"

    baseline: Baseline = "black"

    def __post_init__(self) -> None:
        check_choice("baseline", self.baseline, Baseline)

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once, after a forward and a backward pass."""
        difference, floor = instance.pixels - instance.baseline(self.baseline), Floor(instance.classifier)
        gradients = instance.input_gradients(instance.pixels, floor)
        values, quantity = (gradients * difference)[0].sum(dim=0), f"{self.quantity} ({self.baseline})"
        heatmap = self.heatmap(instance, values, signed=True, quantity=quantity)
        yield heatmap.as_nothing("pixel") if floor.is_above(gradients[0]) else heatmap
