"""The explained score of each row of logits, with or without the classifier that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torch import Tensor

from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.classifier.scores import Contrast, Target
from cnnviz_widgets.errors import MethodError, TargetError

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

#: Which score of a class is explained: its logit or its probability, by whatever the network's scores are.
Score = Literal["logit", "probability"]


def resolved(classifier: Classifier, target: Target, score: Score = "logit") -> Target:
    """`target` with class indices that exist. Raises TargetError, and MethodError where there is no such score."""
    _check(score, classifier.readout)
    if isinstance(target, Contrast):
        return Contrast(classifier.class_index(target.target), classifier.class_index(target.against))
    return classifier.class_index(target)


def class_scores(logits: Tensor, target: Target, score: Score, readout: Readout) -> Tensor:
    """The score (N,) of `target` in logits (N, K), of a `Contrast` the difference.

    Raises TargetError, and MethodError where there are no probabilities.
    """
    _check(score, readout)
    if isinstance(target, Contrast):
        first = class_scores(logits, target.target, score, readout)
        return first - class_scores(logits, target.against, score, readout)
    classes = logits.shape[1]
    if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target < classes:
        raise TargetError(f"A class is an index from 0 to {classes - 1}, not {target!r}.")
    return (readout.probabilities(logits) if score == "probability" else logits)[:, target]


def _check(score: str, readout: Readout) -> None:
    if score == "probability" and readout.mode == "none":
        raise MethodError(
            "These scores are no probabilities (scores='none'): choose score='logit', which is the score itself, or "
            "make the Classifier with scores='softmax' or 'sigmoid'."
        )
