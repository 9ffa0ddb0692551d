"""Guided Grad-CAM: guided backpropagation times Grad-CAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from cnnviz_widgets.explain.cam.gradcam import GradCAM
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.guided_backprop import guided_gradients
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.rounding import Floor


@dataclass(frozen=True)
class GuidedGradCAM(Explainer):
    """max over channels of |guided gradient|, times Grad-CAM at `layer`, by default the last spatial one.

    For a difference Grad-CAM, and with it the product, is negative where the other class is looked for.
    Selvaraju et al. 2017 (arXiv 1610.02391), section 3.2. Raises MethodError and LayerError.
    """

    label = "guided Grad-CAM"
    family = "gradient"
    quantity = "guided gradient x Grad-CAM"

    layer: str | None = None

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once, after two forward and backward passes."""
        (cam,) = GradCAM(layer=self.layer).explain(instance)
        floor = Floor(instance.classifier)
        gradients = guided_gradients(instance, floor)[0]
        values = gradients.abs().amax(dim=0) * torch.from_numpy(cam.values)
        heatmap = self.heatmap(instance, values, signed=cam.signed)
        yield heatmap.as_nothing("pixel") if cam.blank or floor.is_above(gradients) else heatmap
