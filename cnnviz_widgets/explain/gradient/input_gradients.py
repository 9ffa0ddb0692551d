"""Gradients of a class's score with respect to the network's input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.classifier.differentiation import INSTEAD, cut_off, gradients_of
from cnnviz_widgets.errors import ClassifierError, MethodError
from cnnviz_widgets.explain.cuts import looking_for_cuts
from cnnviz_widgets.explain.rounding import rounding

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target
    from cnnviz_widgets.classifier.batching import Batches


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
    its graph, before that is differentiated; `floor` sees the logits. Raises MethodError where the scores are cut off
    from the pixels, and ClassifierError when the network cannot be differentiated.
    """
    # Gradients are wanted whatever the caller has switched off.
    with torch.inference_mode(False), torch.enable_grad(), classifier.evaluating():
        leaf = batch.detach().clone().requires_grad_()
        with looking_for_cuts(classifier, leaf) as judge:
            logits = classifier.logits(leaf)
        judge(logits)
        if floor is not None:
            floor.see(logits)
        score = classifier.score(logits, target).sum()
        try:
            if before_backward is not None and score.requires_grad:
                before_backward(score)
        except MethodError:
            if gradients_of(classifier, score, [leaf])[0] is None:
                raise cut_off(classifier.name) from None
            raise
        (gradients,) = gradients_of(classifier, score, [leaf])
    if gradients is None:
        raise cut_off(classifier.name)
    if not torch.isfinite(gradients).all():
        raise ClassifierError(f"The gradients of {classifier.name} are NaN or infinite; {INSTEAD}.")
    return gradients.to("cpu", torch.float32)
