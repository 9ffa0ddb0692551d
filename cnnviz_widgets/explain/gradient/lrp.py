"""Layer-wise relevance propagation: the score is handed back, layer by layer, to the pixels that it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.relevance import Relevance
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import OTHER_METHOD, class_note
from cnnviz_widgets.explain.rounding import rounding
from cnnviz_widgets.parameters import check_share


@dataclass(frozen=True)
class LRP(Explainer):
    """sum over channels of the relevance: the logit, shared out layer by layer among what it was summed up from.

    The rules are those of zennit's EpsilonPlus: in linear layers each term gets its share of the sum, with `epsilon`
    added to that; in convolutions only positive terms do; batch norms are a part of the layer before. Biases keep what
    is theirs, so that the map adds up to the logit minus their share, which the note says. Positive terms are much the
    same for all classes in the first layers (Sixt et al. 2020, arXiv 1912.09818).
    Raises MethodError, with the name of the layer, for an operation without a rule, such as the product of two maps.
    As with gradients, scores that are cut off from the pixels, by `detach` or NumPy, raise MethodError.
    Bach et al. 2015 (PLOS ONE 10, e0130140).
    """

    label = "LRP"
    family = "gradient"
    quantity = "share of the logit"

    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        check_share("epsilon", self.epsilon, 1e-12, 1e6)

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield once, after about five forward passes."""
        yield self._map(instance)

    @torch.inference_mode(False)
    @torch.no_grad()
    def _map(self, instance: Instance) -> Heatmap:
        classifier, target = instance.classifier, instance.target
        with classifier.evaluating():
            relevance = Relevance(classifier, instance.pixels, self.epsilon)
            values = relevance.of(target)[0].sum(dim=0)
            heatmap, logits = self.heatmap(instance, values, signed=True), relevance.logits[0]
            if float(values.abs().sum()) <= rounding(classifier) * float(logits.abs().max()):
                return heatmap.as_nothing("pixel")

            def of_class(index: int) -> Tensor:
                return relevance.of(Target(index))[0].sum(dim=0)

            score = float(target.of(relevance.logits))
            kept = f"The map adds up to {float(values.sum()):.3g} of {score:.3g}; biases keep the rest."
            return heatmap.noted(kept, class_note(classifier, logits, target, of_class, OTHER_METHOD))
