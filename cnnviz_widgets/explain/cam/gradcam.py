"""Grad-CAM and its siblings: ways to reduce a layer's activations and their gradients to one map.

In the equations A is the activations (C, h, w) and g the gradients of the class's logit with respect to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import relu

from cnnviz_widgets.classifier import Classifier, Contrast, Target
from cnnviz_widgets.explain.cam.tape import Tape, TapeExplainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.remarks import (
    ONE_CLASS,
    OTHER_METHOD,
    is_nothing,
    layer_before,
    on_class,
    same_maps,
)
from cnnviz_widgets.explain.rounding import nothing


@dataclass(frozen=True)
class _GradientMap(TapeExplainer):
    """A map that is a function of activations and gradients: a forward and a partial backward pass."""

    #: Whether it is the same map as its siblings' where the gradient is the same in every cell.
    _linear: ClassVar[bool] = False

    def _noted(self, heatmap: Heatmap, tape: Tape, layer: str, drawn: Tensor) -> Heatmap:
        if is_nothing(tape, layer, heatmap.target, drawn):
            return heatmap.noted(nothing("cell of this layer"), blank=True)
        if not drawn.any():
            return heatmap.noted("No cell speaks for the class; what speaks against it is cut off.")
        return heatmap.noted(same_maps(tape, layer, heatmap.target) if self._linear else "")

    def compared(self, heatmap: Heatmap, tape: Tape) -> Heatmap:
        if heatmap.blank or not heatmap.values.any():
            return heatmap
        layer = tape.layer(self.layer_in(tape.classifier))

        def cells(target: Target) -> Tensor:
            return self._cells(tape, layer, target)

        advice = ONE_CLASS if self._linear else OTHER_METHOD
        return heatmap.noted(on_class(tape.classifier, tape.logits[0], heatmap.target, cells, advice))

    def _cells(self, tape: Tape, layer: str, target: Target) -> Tensor:
        # Not all of these are linear in the gradients, so the gradients of a difference would not do.
        if isinstance(target, Contrast):
            return self._cells(tape, layer, target.target) - self._cells(tape, layer, target.against)
        gradients = tape.gradient(layer, target)[0]
        return self._combined(tape.activations[layer][0].float(), gradients.float())

    @staticmethod
    def _combined(activations: Tensor, gradients: Tensor) -> Tensor:
        """The map (h, w) of activations and gradients (C, h, w)."""
        raise NotImplementedError


@dataclass(frozen=True)
class GradCAM(_GradientMap):
    """Grad-CAM: sum_k mean(g_k) A_k, each channel weighted by its mean gradient.

    Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2, on the logit.
    """

    _linear = True
    quantity = "activations weighted by the logit's mean gradient"

    @staticmethod
    def _combined(activations: Tensor, gradients: Tensor) -> Tensor:
        weights = gradients.mean(dim=(1, 2), keepdim=True)
        return (weights * activations).sum(dim=0)


@dataclass(frozen=True)
class HiResCAM(_GradientMap):
    """HiResCAM: sum_k g_k A_k, cell by cell.

    Without `relu`, and with a single linear layer behind, the cells add up to the logit minus its bias: they
    are what the network used. Draelos and Carin 2020 (arXiv 2011.08891).
    """

    _linear = True
    quantity = "contribution to the logit (activation x gradient)"

    @staticmethod
    def _combined(activations: Tensor, gradients: Tensor) -> Tensor:
        return (gradients * activations).sum(dim=0)


@dataclass(frozen=True)
class _EarlierMap(_GradientMap):
    """A map of positive gradients, which hardly tell classes apart right before the pooling."""

    def layer_in(self, classifier: Classifier) -> str:
        return layer_before(classifier) if self.layer is None else self.layer


@dataclass(frozen=True)
class LayerCAM(_EarlierMap):
    """LayerCAM: sum_k relu(g_k) A_k, cell by cell; meant for early layers too.

    Where a linear layer follows the pooling, positive gradients alone give nearly the same map for every class at the
    last layer. So it begins one block earlier where no `layer` is named.
    Jiang et al. 2021 (IEEE Transactions on Image Processing 30).
    """

    quantity = "activations weighted by the logit's positive gradients"

    @staticmethod
    def _combined(activations: Tensor, gradients: Tensor) -> Tensor:
        return (relu(gradients) * activations).sum(dim=0)


@dataclass(frozen=True)
class GradCAMPlusPlus(_EarlierMap):
    """Grad-CAM++: sum_k w_k A_k, w_k = sum(a_k relu(g_k)), a_k = g_k^2 / (2 g_k^2 + sum(A_k) g_k^3).

    It begins one block before the default layer, for the reason that `LayerCAM` does.
    Chattopadhay et al. 2018 (arXiv 1710.11063), equation 19, the common factor exp(logit) left out.
    """

    quantity = "activations weighted by the logit's positive gradients in Grad-CAM++'s shares"

    @staticmethod
    def _combined(activations: Tensor, gradients: Tensor) -> Tensor:
        # g^2 is cancelled, as it underflows in deep layers. A share without a denominator is none.
        denominator = 2 + activations.sum(dim=(1, 2), keepdim=True) * gradients
        shares = torch.where(denominator == 0, 0, 1 / denominator)
        weights = (shares * relu(gradients)).sum(dim=(1, 2), keepdim=True)
        return (weights * activations).sum(dim=0)


@dataclass(frozen=True)
class XGradCAM(_GradientMap):
    """XGrad-CAM: sum_k w_k A_k, w_k = sum(g_k A_k) / sum(A_k); channels that add up to zero are left out.

    Fu et al. 2020 (arXiv 2008.02312).
    """

    _linear = True
    quantity = "activations weighted by the logit's gradient where they are large"

    @staticmethod
    def _combined(activations: Tensor, gradients: Tensor) -> Tensor:
        totals = activations.sum(dim=(1, 2), keepdim=True)
        shares = torch.where(totals == 0, 0, activations / totals)
        weights = (shares * gradients).sum(dim=(1, 2), keepdim=True)
        return (weights * activations).sum(dim=0)
