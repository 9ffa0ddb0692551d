"""Grad-CAM and its siblings: ways to reduce a layer's activations and their gradients to one map.

In the equations A is the activations (C, h, w) and g the gradients of the class's logit with respect to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import relu

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.cam.tape import layer_before
from cnnviz_widgets.explain.explainer import LayerExplainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import ONE_CLASS, OTHER_METHOD, class_note, same_maps
from cnnviz_widgets.explain.rounding import rounding
from cnnviz_widgets.parameters import Range, check_count, check_share


@dataclass(frozen=True)
class _GradientCAM(LayerExplainer):
    """A map that is a function of activations and gradients: a forward and a partial backward pass."""

    #: Whether it is the same map as its siblings' where the gradient is the same in every cell.
    _linear: ClassVar[bool] = False

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        """The map (h, w) of one class."""
        raise NotImplementedError

    def cells(self, instance: Instance) -> Tensor:
        # Not all of these are linear in g, so the gradients of a difference would not do.
        return instance.target.combine(lambda index: self._of_class(instance, index))

    def _of_class(self, instance: Instance, index: int) -> Tensor:
        g = instance.gradients(index)  # first, as with other weights the tape is recorded anew
        return self.weighted(instance.activations, g)

    def remark(self, instance: Instance, heatmap: Heatmap) -> Heatmap:
        if _is_nothing(instance, heatmap.signed_cells):
            return heatmap.as_nothing("cell of this layer")
        if _is_nothing(instance, heatmap.cells):
            rounded = bool(heatmap.cells.any())  # what is left is the rounding of zeros
            return heatmap.noted("No cell speaks for the class; what speaks against it is cut off.", blank=rounded)
        same = same_maps(instance) if self._linear else ""
        if not heatmap.values.any():
            return heatmap.noted(same)
        logits, advice = instance.tape.logits[0], ONE_CLASS if self._linear else OTHER_METHOD

        def of_class(index: int) -> Tensor:
            return self._of_class(instance, index)

        return heatmap.noted(same, class_note(instance.classifier, logits, instance.target, of_class, advice))


@dataclass(frozen=True)
class GradCAM(_GradientCAM):
    """Grad-CAM: sum_k mean(g_k) A_k, each channel weighted by its mean gradient.

    Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2, on the logit.
    """

    label = "Grad-CAM"
    _linear = True
    quantity = "activations weighted by the logit's mean gradient"

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        return (g.mean(dim=(1, 2), keepdim=True) * A).sum(dim=0)


@dataclass(frozen=True)
class FinerCAM(_GradientCAM):
    """Finer-CAM: Grad-CAM of y - `strength` x mean(y_d), y_d the logits of the `similar` classes next to y.

    Shows what tells the class from those that are most like it, and leaves out what they share. Similar are the classes
    whose logits differ least from its own on this picture; all of them count the same. Costs a backward pass for each.
    Raises MethodError for a network with a single score. Zhang et al. 2025 (arXiv 2501.11309).
    """

    label = "Finer-CAM"
    quantity = "activations weighted by the mean gradient of the logit minus those of similar classes"

    similar: Annotated[int, Range(1, 10)] = 3
    strength: Annotated[float, Range(0, 1, 0.1)] = 1.0

    def __post_init__(self) -> None:
        check_count("similar", self.similar)
        check_share("strength", self.strength, 0, 10)

    def neighbours(self, logits: Tensor, index: int) -> list[int]:
        """The classes that class `index` is compared with, of logits (K,): the most similar first."""
        order = (logits - logits[index]).abs().argsort(stable=True).tolist()
        return [other for other in order if other != index][: self.similar]

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        return (g.mean(dim=(1, 2), keepdim=True) * A).sum(dim=0)

    def _of_class(self, instance: Instance, index: int) -> Tensor:
        g = instance.gradients(index)
        others = self.neighbours(instance.tape.logits[0], index)
        if not others:
            raise MethodError(f"Finer-CAM compares classes, and {instance.classifier.name} has one; use Grad-CAM.")
        mean = torch.stack([instance.gradients(other) for other in others]).mean(dim=0)
        return self.weighted(instance.activations, g - self.strength * mean)


@dataclass(frozen=True)
class HiResCAM(_GradientCAM):
    """HiResCAM: sum_k g_k A_k, cell by cell.

    Without `relu`, and with a single linear layer behind, the cells add up to the logit minus its bias: they
    are what the network used. Draelos and Carin 2020 (arXiv 2011.08891).
    """

    label = "HiResCAM"
    _linear = True
    quantity = "contribution to the logit (activation x gradient)"

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        return (g * A).sum(dim=0)


@dataclass(frozen=True)
class _EarlierCAM(_GradientCAM):
    """A map of positive gradients, which hardly tell classes apart right before the pooling."""

    def layer_in(self, classifier: Classifier) -> str:
        return layer_before(classifier) if self.layer is None else self.layer


@dataclass(frozen=True)
class LayerCAM(_EarlierCAM):
    """LayerCAM: sum_k relu(g_k) A_k, cell by cell; meant for early layers too.

    Where a linear layer follows the pooling, positive gradients alone give nearly the same map for every class at the
    last layer. So it begins one block earlier where no `layer` is named.
    Jiang et al. 2021 (IEEE Transactions on Image Processing 30).
    """

    label = "LayerCAM"
    quantity = "activations weighted by the logit's positive gradients"

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        return (relu(g) * A).sum(dim=0)


@dataclass(frozen=True)
class GradCAMPlusPlus(_EarlierCAM):
    """Grad-CAM++: sum_k w_k A_k, w_k = sum(a_k relu(g_k)), a_k = g_k^2 / (2 g_k^2 + sum(A_k) g_k^3).

    It begins one block before the default layer, for the reason that `LayerCAM` does.
    Chattopadhay et al. 2018 (arXiv 1710.11063), equation 19, the common factor exp(logit) left out.
    """

    label = "Grad-CAM++"
    quantity = "activations weighted by the logit's positive gradients in Grad-CAM++'s shares"

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        # g^2 is cancelled, as it underflows in deep layers. A share without a denominator is none.
        denominator = 2 + A.sum(dim=(1, 2), keepdim=True) * g
        shares = torch.where(denominator == 0, 0, 1 / denominator)
        weights = (shares * relu(g)).sum(dim=(1, 2), keepdim=True)
        return (weights * A).sum(dim=0)


@dataclass(frozen=True)
class XGradCAM(_GradientCAM):
    """XGrad-CAM: sum_k w_k A_k, w_k = sum(g_k A_k) / sum(A_k); channels that add up to zero are left out.

    Fu et al. 2020 (arXiv 2008.02312).
    """

    label = "XGrad-CAM"
    _linear = True
    quantity = "activations weighted by the logit's gradient where they are large"

    def weighted(self, A: Tensor, g: Tensor) -> Tensor:
        totals = A.sum(dim=(1, 2), keepdim=True)
        shares = torch.where(totals == 0, 0, A / totals)
        weights = (shares * g).sum(dim=(1, 2), keepdim=True)
        return (weights * A).sum(dim=0)


def _is_nothing(instance: Instance, cells: FloatArray) -> bool:
    """Whether a map's `cells` (h, w), of the instance's layer, are what rounding makes of zeros."""
    tape = instance.tape
    gradients = instance.target.combine(instance.gradients).abs()
    activations = instance.activations.abs()
    share = rounding(instance.classifier)
    if float((activations * gradients).sum()) <= share * float(tape.logits.abs().max()):
        return True
    largest = (activations * gradients.amax(dim=(1, 2), keepdim=True)).sum(dim=0).max()
    return float(np.abs(cells).max()) <= share * float(largest)
