"""Class scores of a picture with a box of it covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnviz_widgets.explain.variants import Variants

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

#: (top, left, height, width) in pixels of the network's input.
Box = tuple[int, int, int, int]


class Occluder:
    """Logits of a picture with one box at a time replaced by the same box of a baseline, both (1, C, H, W).

    Each box costs a forward pass of the whole network; `batch` boxes are run at once. Raises PictureError.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor, baseline: Tensor) -> None:
        self._variants = Variants(classifier, pixels)
        self._baseline = classifier.to_network(baseline)[0]
        self.batch = self._variants.batch

    def logits(self, boxes: Sequence[Box]) -> Tensor:
        """Logits (n, K), float32 on the CPU, of boxes that lie inside the picture. Raises ClassifierError."""
        parts = [boxes[start : start + self.batch] for start in range(0, len(boxes), self.batch)]
        return torch.cat([self._of_batch(part) for part in parts])

    def _of_batch(self, boxes: Sequence[Box]) -> Tensor:
        def cover(copies: Tensor) -> None:
            for copy, (top, left, height, width) in zip(copies, boxes, strict=True):
                area = (..., slice(top, top + height), slice(left, left + width))
                copy[area] = self._baseline[area]

        return self._variants.logits(len(boxes), cover)
