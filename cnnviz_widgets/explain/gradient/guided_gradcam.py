"""Guided Grad-CAM: guided backpropagation times Grad-CAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.explain.cam.gradcam import GradCAM
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.guided_backprop import guided_gradients
from cnnviz_widgets.explain.gradient.input_gradients import Floor
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.rounding import nothing

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target


@dataclass(frozen=True)
class GuidedGradCAM(Explainer):
    """max over channels of |guided gradient|, times Grad-CAM at `layer`, by default the last spatial one.

    For a `Contrast` Grad-CAM, and with it the product, is negative where the other class is looked for.
    Selvaraju et al. 2017 (arXiv 1610.02391), section 3.2. Raises MethodError and LayerError.
    """

    layer: str | None = None

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield once, after two forward and backward passes."""
        cam = GradCAM(layer=self.layer)(classifier, pixels, target)
        floor = Floor(classifier)
        gradients = guided_gradients(classifier, pixels, target, floor)[0]
        values = gradients.abs().amax(dim=0) * torch.from_numpy(cam.values)
        heatmap = Heatmap.of_values(values, "guided gradient x Grad-CAM", signed=cam.signed, target=target)
        blank = cam.blank or floor.is_above(gradients)
        yield heatmap.noted(nothing("pixel") if blank else "", blank=blank)
