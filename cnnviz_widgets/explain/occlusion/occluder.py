"""Class scores of a picture with a box, or any other part, of it covered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier.locks import network_lock
from cnnviz_widgets.classifier.replicas import parts_of
from cnnviz_widgets.classifier.workers import OutdatedError, Parts
from cnnviz_widgets.explain.occlusion.mask import Mask
from cnnviz_widgets.explain.perturbation import Variants, slices
from cnnviz_widgets.graph import Engine, engine_for
from cnnviz_widgets.graph.boxes import Box

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

__all__ = ["Box", "Occluder"]

#: With so many boxes at once the preparations for computing only what a box changes pay for themselves.
_SOON = 24


class Occluder:
    """Logits of a picture with one box at a time replaced by the same box of a baseline, both (1, C, H, W).

    Only what a box changes is computed where the network's operations allow it, once that is prepared; otherwise
    each box costs a forward pass of the whole network, `batch` at once. The pixels are as `Classifier.input_copy` gives
    them; nobody changes them.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor, baseline: Tensor) -> None:
        self.classifier = classifier
        self._variants = Variants(classifier, pixels)
        self.pixels = self._variants.pixels
        with torch.inference_mode(False):
            self._baseline = classifier.to_network(baseline).detach().clone()
        classifier.runner.weights(anew=True)
        self._engine: Engine | None = None
        self._tried = False

    @property
    def batch(self) -> int:
        """How many boxes to ask for next, wherever they are."""
        return self._variants.batch if self._engine is None else self._engine.batch

    def prepare(self, boxes: float = math.inf) -> None:
        """Make ready for computing only what a box changes, if so many `boxes` more make up for some forward passes.

        Without it, that is done when as many are asked for at once. Raises ClassifierError.
        """
        with network_lock:
            if self._engine is not None and not self._engine.current:
                self._engine, self._tried = None, False
            if boxes >= _SOON and not self._tried:
                self._tried = True
                self._engine = engine_for(self.classifier, self.pixels, self._baseline, self._by_network)

    @torch.no_grad()
    def uncovered(self) -> Tensor:
        """Logits (K,), float32 on the CPU, of the picture itself. Raises ClassifierError."""
        self.prepare(0)
        if self._engine is not None:
            return self._engine.uncovered[0]
        return self.classifier.logits(self.pixels)[0].to("cpu", torch.float32)

    def parts(self, boxes: int) -> Parts[Any, Any]:
        """Parts of a map with so many `boxes`: what each is given is for `logits_by`. Raises ClassifierError."""
        self.prepare(boxes)
        engine = self._engine
        if engine is None:
            return parts_of(self._variants.batches, boxes)
        parts: Parts[Any, Any] = Parts(self.classifier, lambda: engine.shared(lambda: parts.closed))
        return parts

    def logits_by(self, lent: Engine | Classifier, boxes: Sequence[Box]) -> Tensor:
        """The same as `logits`, by what a part of a map was given. Raises OutdatedError, ClassifierError."""
        if lent is self.classifier:
            return self.logits(boxes)
        if not isinstance(lent, Engine):
            return self._by_network(boxes, Variants(lent, self.pixels))
        try:
            found = lent.logits(boxes) if lent.current else None
        except (RuntimeError, MemoryError):
            found = None
        # What else can be done is for `logits` to find out.
        if found is None or not torch.isfinite(found).all():
            raise OutdatedError
        return found

    def runs(self, boxes: Sequence[Box]) -> list[NDArray[np.int64]]:
        """Boxes, by number, in groups of boxes near each other that are best run together. Raises ClassifierError."""
        self.prepare(len(boxes))
        if self._engine is not None:
            return self._engine.runs(boxes)
        return _compact(np.array(boxes)[:, :2], np.arange(len(boxes)), self.batch) if len(boxes) else []

    def logits(self, boxes: Sequence[Box]) -> Tensor:
        """Logits (n, K), float32 on the CPU, of boxes that lie inside the picture. Raises ClassifierError."""
        self.prepare(len(boxes))
        engine = self._engine
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
        return self._by_network(boxes, self._variants)

    def masked(self, masks: Sequence[Mask]) -> Tensor:
        """Logits (n, K), float32 on the CPU, with each mask's pixels covered: a pass of the whole network for each.

        Masks are bool (H, W). Raises ClassifierError.
        """
        found = [self._of_masks(masks[some]) for some in slices(self._variants, len(masks))]
        return torch.cat(found) if found else torch.empty(0, len(self.classifier.class_names))

    def _of_masks(self, masks: Sequence[Mask]) -> Tensor:
        covered = torch.from_numpy(np.stack(masks))[:, None].to(self.pixels.device)

        def cover(copies: Tensor) -> None:
            torch.where(covered, self._baseline, copies, out=copies)

        return self._variants.logits(len(masks), cover)

    def _by_network(self, boxes: Sequence[Box], variants: Variants | None = None) -> Tensor:
        variants = self._variants if variants is None else variants
        found: list[Tensor] = []
        while boxes:
            part, boxes = boxes[: (batch := variants.batch)], boxes[batch:]
            found.append(self._of_batch(part, variants))
        return torch.cat(found)

    def _of_batch(self, boxes: Sequence[Box], variants: Variants) -> Tensor:
        def cover(copies: Tensor) -> None:
            for copy, (top, left, height, width) in zip(copies, boxes, strict=True):
                area = (slice(None), slice(top, top + height), slice(left, left + width))
                copy[area] = self._baseline[0][area]

        return variants.logits(len(boxes), cover)


def _compact(corners: NDArray[np.int64], numbers: NDArray[np.int64], most: int) -> list[NDArray[np.int64]]:
    """Numbers of boxes in full groups of at most `most`, cut apart across where they extend farthest."""
    groups = -(-len(numbers) // most)
    if groups == 1:
        return [numbers]
    here = corners[numbers]
    axis = int(np.ptp(here, axis=0).argmax())
    order = numbers[np.lexsort((here[:, 1 - axis], here[:, axis]))]
    cut = groups // 2 * most
    return _compact(corners, order[:cut], most) + _compact(corners, order[cut:], most)
