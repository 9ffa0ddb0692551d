"""Saliency: how much a small change of each pixel would change the score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from cnnviz_widgets.classifier.inputs import single_input
from cnnviz_widgets.explain.baseline import Baseline, baseline_pixels
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.input_gradients import Floor, input_gradients
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.rounding import nothing
from cnnviz_widgets.parameters import check_choice

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target

Unit = Literal["network", "picture"]


@dataclass(frozen=True)
class Saliency(Explainer):
    """max over channels of |d logit / d pixel|.

    With `unit="network"` the change is per unit of the network's input, which preprocessing may have scaled
    differently for each channel; with "picture" it is per step from black to white in each channel.
    Simonyan et al. 2013 (arXiv 1312.6034), section 3.
    """

    unit: Unit = "network"

    def __post_init__(self) -> None:
        check_choice("unit", self.unit, Unit)

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield once, after a forward and a backward pass."""
        floor = Floor(classifier)
        gradients = input_gradients(classifier, single_input(classifier, pixels), target, floor=floor)
        blank = floor.is_above(gradients[0])
        quantity = "change of the logit per unit of the network's input"
        if self.unit == "picture":
            gradients = gradients * (classifier.white - classifier.black)
            quantity = "change of the logit per step from black to white"
        values = gradients[0].abs().amax(dim=0)
        heatmap = Heatmap.of_values(values, classifier.readout.worded(quantity), signed=False, target=target)
        yield heatmap.noted(nothing("pixel") if blank else "", blank=blank)


@dataclass(frozen=True)
class GradientXInput(Explainer):
    """sum over channels of d logit / d pixel x (pixel - baseline).

    To first order, how much of the logit's difference to the baseline each pixel makes.
    Shrikumar et al. 2016 (arXiv 1605.01713), whose baseline is a network input of zeros.
    """

    baseline: Baseline = "black"

    def __post_init__(self) -> None:
        check_choice("baseline", self.baseline, Baseline)

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield once, after a forward and a backward pass."""
        pixels = single_input(classifier, pixels)
        contrast = pixels - baseline_pixels(classifier, pixels, self.baseline)
        floor = Floor(classifier)
        gradients = input_gradients(classifier, pixels, target, floor=floor)
        values = (gradients * contrast)[0].sum(dim=0)
        blank = floor.is_above(gradients[0])
        quantity = f"first-order share of the logit's difference to the baseline ({self.baseline})"
        heatmap = Heatmap.of_values(values, classifier.readout.worded(quantity), signed=True, target=target)
        yield heatmap.noted(nothing("pixel") if blank else "", blank=blank)
