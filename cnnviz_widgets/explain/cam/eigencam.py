"""Eigen-CAM: what a layer's channels have in common, whatever the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain.explainer import LayerExplainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.rounding import rounding


@dataclass(frozen=True)
class EigenCAM(LayerExplainer):
    """Eigen-CAM: the activations projected on their first principal direction. The same for every class.

    Each cell is a vector of C activations. The direction is the one in which these are longest (their first
    right singular vector) or, if `centred`, vary most; its sign is such that the inner product of the map and
    the mean activation is positive. Muhammad and Yeasin 2020 (arXiv 2008.00299).
    """

    centred: bool = False

    label = "Eigen-CAM"
    quantity = "first principal component of the activations, whatever the class"

    def cells(self, instance: Instance) -> Tensor:
        return first_component(instance.activations, centred=self.centred)

    def is_signed(self, target: Target) -> bool:
        return not self.relu

    def remark(self, instance: Instance, heatmap: Heatmap) -> Heatmap:
        longest = float(instance.activations.norm(dim=0).max())
        if float(np.abs(heatmap.cells).max()) <= rounding(instance.classifier) * longest:
            return heatmap.noted("The layer answers the same everywhere, so the map is drawn as zero.", blank=True)
        return heatmap.noted("It uses no class: every class has this same map.")


@torch.no_grad()
def first_component(activations: Tensor, *, centred: bool) -> Tensor:
    """Activations (C, h, w) projected on their first principal direction, (h, w)."""
    cells = activations.cpu().double().flatten(1).T
    mean = cells.mean(dim=1)
    if centred:
        cells = cells - cells.mean(dim=0)
    # Eigenvectors of the smaller Gram matrix: 49 x 49 where 7 x 7 cells have 2,048 channels.
    if len(cells) < cells.shape[1]:
        values, vectors = torch.linalg.eigh(cells @ cells.T)
        projection = vectors[:, -1] * values[-1].clamp_min(0).sqrt()
    else:
        projection = cells @ torch.linalg.eigh(cells.T @ cells).eigenvectors[:, -1]
    return torch.where(projection @ mean < 0, -projection, projection).reshape(activations.shape[1:])
