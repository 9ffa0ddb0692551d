"""Gradients of a class's score with respect to the network's input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.errors import ClassifierError, ExplanationError
from cnnviz_widgets.explain.rounding import rounding
from cnnviz_widgets.scores import brief

if TYPE_CHECKING:
    from cnnviz_widgets.batching import Batches
    from cnnviz_widgets.classifier import Classifier, Target


class Floor:
    """How small gradients may be before no change of the picture moves the score by more than rounding."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._largest = 0.0

    def see(self, logits: Tensor) -> None:
        """Take note of logits (N, K) that are differentiated."""
        self._largest = max(self._largest, float(logits.detach().abs().max()))

    def is_above(self, gradients: Tensor) -> bool:
        """Whether gradients (C, H, W) times the range of each pixel are nothing but rounding."""
        ranges = (self._classifier.white - self._classifier.black).abs()
        return float((gradients.abs().double() * ranges).sum()) <= self.height

    @property
    def height(self) -> float:
        """How far two scores may differ by rounding alone."""
        return rounding(self._classifier) * self._largest


def gradients_in_batches(
    classifier: Classifier, batches: Batches, pixels: Tensor, target: Target, floor: Floor | None = None
) -> Tensor:
    """`input_gradients` of as many of `pixels` (N, C, H, W) at once as memory allows."""
    return torch.cat(
        batches.run(len(pixels), lambda part: input_gradients(classifier, pixels[part], target, floor=floor))
    )


def input_gradients(
    classifier: Classifier,
    batch: Tensor,
    target: Target,
    before_backward: Callable[[Tensor], None] | None = None,
    floor: Floor | None = None,
) -> Tensor:
    """d score / d pixels for each picture of `batch` (N, C, H, W): (N, C, H, W), float32 on the CPU.

    The score is the logit, or the difference of two. `before_backward` is given the sum of the scores, with
    its graph, before that is differentiated; `floor` sees the logits. Raises ClassifierError when the network cannot be
    differentiated.
    """
    # Gradients are wanted whatever the caller has switched off.
    with torch.inference_mode(False), torch.enable_grad():
        leaf = batch.detach().clone().requires_grad_()
        logits = classifier.logits(leaf)
        if floor is not None:
            floor.see(logits)
        score = classifier.score(logits, target).sum()
        if not score.requires_grad:
            raise ClassifierError(
                f"The scores of {classifier.name} are cut off from its input by `no_grad` or `detach`; "
                "use Occlusion or RISE, which need no gradients."
            )
        if before_backward is not None:
            before_backward(score)
        try:
            (gradients,) = torch.autograd.grad(score, leaf, materialize_grads=True)
        except ExplanationError:
            raise
        except Exception as error:
            raise ClassifierError(
                f"{classifier.name} could not be differentiated ({brief(error)}); "
                "use Occlusion or RISE, which need no gradients."
            ) from error
    if not torch.isfinite(gradients).all():
        raise ClassifierError(
            f"The gradients of {classifier.name} are NaN or infinite; use Occlusion or RISE, which need none."
        )
    return gradients.to("cpu", torch.float32)
