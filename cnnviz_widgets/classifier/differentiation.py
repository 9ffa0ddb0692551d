"""Gradients of scores, and why there are none: no gradient is not a gradient of zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.classifier.scores import brief
from cnnviz_widgets.errors import ClassifierError, ExplanationError, MethodError

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

INSTEAD = "use Occlusion or RISE, which need no gradients"
#: What autograd does not follow.
CUTS = "`detach`, `no_grad`, `.data`, NumPy or integer arithmetic"


def cut_off(name: str, what: str = "its input") -> MethodError:
    """That no gradient leads from the scores of the network `name` to `what`."""
    return MethodError(f"The scores of {name} are cut off from {what} by {CUTS} in its forward; {INSTEAD}.")


def gradients_of(
    classifier: Classifier, score: Tensor, tensors: Sequence[Tensor], *, again: bool = False
) -> tuple[Tensor | None, ...]:
    """d score / d tensor for each of `tensors`; None for one that autograd does not lead to. `again`: keep the graph.

    Taken while the network is evaluating, as a checkpointed one is run again for it. Raises MethodError where the
    score has no gradient at all, or the network is checkpointed in torch's old way, and ClassifierError.
    """
    if not score.requires_grad:
        raise cut_off(classifier.name)
    with torch.inference_mode(False), torch.enable_grad(), classifier.evaluating():
        try:
            return torch.autograd.grad(score, list(tensors), retain_graph=again or None, allow_unused=True)
        except ExplanationError:
            raise
        except Exception as error:
            if "use_reentrant" in str(error):
                raise MethodError(
                    f"{classifier.name} is checkpointed with `use_reentrant=True`, of which torch gives no gradients "
                    f"of layers; pass `use_reentrant=False` to `checkpoint`, or {INSTEAD}."
                ) from error
            raise ClassifierError(
                f"{classifier.name} could not be differentiated ({brief(error)}); {INSTEAD}."
            ) from error
