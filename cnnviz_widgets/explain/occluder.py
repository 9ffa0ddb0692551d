"""Class scores of a picture with a box of it covered."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets import guest
from cnnviz_widgets.explain.incremental import Engine, engine_for
from cnnviz_widgets.explain.incremental.boxes import Box
from cnnviz_widgets.explain.variants import Variants

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

__all__ = ["Box", "Occluder"]

#: After so many boxes the preparations for computing only what a box changes have paid for themselves.
_SOON = 24


class Occluder:
    """Logits of a picture with one box at a time replaced by the same box of a baseline, both (1, C, H, W).

    Only what a box changes is computed where the network's operations allow it and many boxes are asked for;
    otherwise each box costs a forward pass of the whole network, `batch` at once. Raises PictureError.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor, baseline: Tensor) -> None:
        self._classifier = classifier
        self._variants = Variants(classifier, pixels)
        self._pixels = self._variants.pixels
        with torch.inference_mode(False):
            self._baseline = classifier.to_network(baseline).detach().clone()
        self.batch = self._variants.batch
        self._engine: Engine | None = None
        self._asked = 0

    def runs(self, boxes: Sequence[Box], levels: NDArray[np.intp]) -> list[NDArray[np.int64]]:
        """Boxes, by number, in the groups and the order in which `logits` is quickest.

        Boxes of a lower level, of which `levels` has one for each box in rising order, stay before those of a higher
        one. Raises ClassifierError.
        """
        engine = self._prepared(len(boxes))
        if engine is None:
            numbers = np.arange(len(boxes))
            return [numbers[start : start + self.batch] for start in range(0, len(boxes), self.batch)]
        edges = [0, *(np.flatnonzero(np.diff(levels)) + 1).tolist(), len(boxes)]
        return [start + run for start, end in itertools.pairwise(edges) for run in engine.runs(boxes[start:end])]

    def logits(self, boxes: Sequence[Box]) -> Tensor:
        """Logits (n, K), float32 on the CPU, of boxes that lie inside the picture. Raises ClassifierError."""
        engine = self._prepared(len(boxes))
        if engine is not None:
            try:
                found = engine.logits(boxes)
            except (RuntimeError, MemoryError):
                # It keeps more in memory than the network alone.
                self._engine = None
            else:
                # With numbers that are none the network itself has the last word.
                if torch.isfinite(found).all():
                    return found
        return self._by_network(boxes)

    def _prepared(self, count: int) -> Engine | None:
        """The engine, if there is one, once it has paid for itself with `count` boxes more."""
        with guest.LOCK:
            if self._engine is not None and not self._engine.current:
                self._engine, self._asked = None, 0
            before, self._asked = self._asked, self._asked + count
            if self._engine is None and before < _SOON <= self._asked:
                self._engine = engine_for(self._classifier, self._pixels, self._baseline, self._by_network)
            return self._engine

    def _by_network(self, boxes: Sequence[Box]) -> Tensor:
        parts = [boxes[start : start + self.batch] for start in range(0, len(boxes), self.batch)]
        return torch.cat([self._of_batch(part) for part in parts])

    def _of_batch(self, boxes: Sequence[Box]) -> Tensor:
        def cover(copies: Tensor) -> None:
            for copy, (top, left, height, width) in zip(copies, boxes, strict=True):
                area = (slice(None), slice(top, top + height), slice(left, left + width))
                copy[area] = self._baseline[0][area]

        return self._variants.logits(len(boxes), cover)
