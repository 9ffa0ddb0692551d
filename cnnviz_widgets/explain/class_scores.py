"""The explained score of each row of logits, with or without the classifier that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torch import Tensor

from cnnviz_widgets.classifier import Contrast
from cnnviz_widgets.errors import TargetError

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target

#: Which score of a class is explained: before or after the softmax.
Score = Literal["logit", "probability"]


def resolved(classifier: Classifier, target: Target) -> Target:
    """`target` with class indices that exist. Raises TargetError."""
    if isinstance(target, Contrast):
        return Contrast(classifier.class_index(target.target), classifier.class_index(target.against))
    return classifier.class_index(target)


def class_scores(logits: Tensor, target: Target, score: Score) -> Tensor:
    """The score (N,) of `target` in logits (N, K), of a `Contrast` the difference. Raises TargetError."""
    if isinstance(target, Contrast):
        return class_scores(logits, target.target, score) - class_scores(logits, target.against, score)
    classes = logits.shape[1]
    if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target < classes:
        raise TargetError(f"A class is an index from 0 to {classes - 1}, not {target!r}.")
    return (logits.softmax(dim=1) if score == "probability" else logits)[:, target]
