"""Gradients of a class's score with respect to the network's input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.classifier.differentiation import INSTEAD, cut_off, gradients_of, looking_for_cuts
from cnnviz_widgets.errors import ClassifierError, MethodError

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target
    from cnnviz_widgets.classifier.batching import Batches
    from cnnviz_widgets.explain.rounding import Floor


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
        score = target.of(logits).sum()
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
