"""How small a difference of scores may be before it is rounding and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Score, Target

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier
    from cnnviz_widgets.classifier.readout import Readout

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
    # The relative error of a probability is the absolute one of its logit.
    parts = (Target(index).of(logits, score, readout) for index in target.indices)
    return share * max(1.0, size) * sum(float(part.abs().max()) for part in parts)


class Floor:
    """How small gradients may be before no change of the picture moves the score by more than rounding."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._largest = 0.0

    def see(self, logits: Tensor) -> None:
        """Take note of logits (N, K) that are differentiated."""
        self._largest = max(self._largest, float(logits.detach().abs().max()))

    def rise_to(self, other: Floor) -> None:
        """Take note of what another one has seen."""
        self._largest = max(self._largest, other._largest)

    def is_above(self, gradients: Tensor) -> bool:
        """Whether gradients (C, H, W) times the range of each pixel are nothing but rounding."""
        ranges = (self._classifier.white - self._classifier.black).abs()
        return float((gradients.abs().double() * ranges).sum()) <= self.height

    @property
    def height(self) -> float:
        """How far two scores may differ by rounding alone."""
        return rounding(self._classifier) * self._largest
