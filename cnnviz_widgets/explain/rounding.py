"""How small a difference of scores may be before it is rounding and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Contrast
from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.explain.class_scores import Score, class_scores

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target

#: Units in the last place that the sums of a deep network are off by in float32, whatever the order of the terms.
_PLACES = 8


def rounding(classifier: Classifier) -> float:
    """The share of a score that is rounding: 1e-6 in float32, one unit in the last place of the shorter types."""
    kind = classifier.dtype if classifier.autocast is None else getattr(torch, classifier.autocast)
    return max(_PLACES * torch.finfo(torch.float32).eps, torch.finfo(kind).eps)


def floor_of(logits: Tensor, target: Target, score: Score, readout: Readout, share: float) -> float:
    """How far scores of `target` in logits (n, K) may differ by rounding alone, `share` of what was rounded."""
    size = float(logits.abs().max()) if logits.numel() else 0.0
    if score == "logit":
        return share * size
    parts = (target.target, target.against) if isinstance(target, Contrast) else (target,)
    # The relative error of a probability is the absolute one of its logit.
    return share * max(1.0, size) * sum(float(class_scores(logits, part, score, readout).abs().max()) for part in parts)


def nothing(what: str) -> str:
    """The sentence about a map of which `what`, such as "window", changes nothing."""
    return f"No {what} changes the score by more than rounding, so the map is drawn as zero."
