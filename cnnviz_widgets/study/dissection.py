"""Network dissection: which channels fire where pictures show a concept, by masks that somebody has drawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import MethodError, PictureError
from cnnviz_widgets.parameters import check_share
from cnnviz_widgets.study.activations import activations

#: A network input (C, H, W) and its mask (H, W), whole numbers: the concept of each pixel, below 0 for none.
Masked = tuple[Tensor, NDArray[np.integer] | Tensor]


@dataclass(frozen=True, eq=False)
class Dissection:
    """How far each channel of `layer` and each concept cover the same pixels: `iou` is (channels, concepts), 0 to 1.

    `thresholds` (channels,) are the activations above which a channel fires.
    """

    layer: str
    concepts: tuple[str, ...]
    iou: FloatArray
    thresholds: FloatArray

    @property
    def best(self) -> NDArray[np.intp]:
        """The concept that each channel covers best, (channels,)."""
        best: NDArray[np.intp] = self.iou.argmax(axis=1)
        return best

    def detectors(self, least: float = 0.04) -> list[tuple[int, str, float]]:
        """Channel, concept and IoU of the channels that reach `least` with their best concept, the best first."""
        best = self.best
        found = [(c, self.concepts[k], float(self.iou[c, k])) for c, k in enumerate(best) if self.iou[c, k] >= least]
        return sorted(found, key=lambda row: (-row[2], row[0]))

    def table(self) -> dict[str, list[Any]]:
        """One row for each channel and concept, as columns: channel, concept, iou, threshold."""
        channels, concepts = self.iou.shape
        return {
            "channel": [c for c in range(channels) for _ in range(concepts)],
            "concept": list(self.concepts) * channels,
            "iou": self.iou.ravel().tolist(),
            "threshold": np.repeat(self.thresholds, concepts).tolist(),
        }


@torch.no_grad()
def dissect(
    classifier: Classifier,
    examples: Collection[Masked],
    layer: str,
    concepts: Sequence[str],
    *,
    share: float = 0.005,
) -> Dissection:
    """Compare where the channels of `layer` fire with where `examples` show each of `concepts`.

    A channel fires where its map, upsampled bilinearly to the mask, exceeds the threshold that `share` of its
    activations over all examples are above. IoU is taken over all pixels of all examples together. The examples are
    gone through twice; the activations of all of them are kept meanwhile. Bau et al. 2017 (arXiv 1704.05796),
    section 2.2. Raises MethodError, LayerError, PictureError, ClassifierError.
    """
    check_share("share", share, 1e-6, 0.5)
    if not len(examples) or not len(concepts):
        raise MethodError("A dissection compares examples by concepts; pass at least one of each.")
    maps, masks = [], []
    for pixels, mask in examples:
        maps.append(activations(classifier, pixels[None], layer).maps)
        masks.append(_checked_mask(mask, pixels, len(concepts)))
    of_channels = np.stack(maps).swapaxes(0, 1).reshape(maps[0].shape[0], -1)
    thresholds = np.quantile(of_channels, 1 - share, axis=1).astype(np.float32)
    both = np.zeros((len(thresholds), len(concepts)), np.int64)
    fires, shown = np.zeros(len(thresholds), np.int64), np.zeros(len(concepts), np.int64)
    for cells, mask in zip(maps, masks, strict=True):
        values = functional.interpolate(torch.from_numpy(cells)[None], mask.shape, mode="bilinear")[0]
        above = (values > torch.from_numpy(thresholds)[:, None, None]).flatten(1)
        of_concept = functional.one_hot(torch.from_numpy(mask).flatten() + 1, len(concepts) + 1)[:, 1:].bool()
        both += (above.float() @ of_concept.float()).round().long().numpy()
        fires += above.sum(dim=1).numpy()
        shown += of_concept.sum(dim=0).numpy()
    union = fires[:, None] + shown[None] - both
    iou = (both / np.maximum(union, 1)).astype(np.float32)
    return Dissection(classifier.layer(layer).name, tuple(concepts), iou, thresholds)


def _checked_mask(mask: NDArray[np.integer] | Tensor, pixels: Tensor, concepts: int) -> NDArray[np.int64]:
    found = np.asarray(mask)
    if found.shape != tuple(pixels.shape[1:]) or found.dtype.kind not in "iub":
        raise PictureError(
            f"A mask holds one whole number for each pixel of the network's input, {tuple(pixels.shape[1:])}; this one "
            f"is {found.dtype} {found.shape}."
        )
    if found.size and int(found.max()) >= concepts:
        raise PictureError(f"A mask has the concept {int(found.max())}, and there are {concepts}; name them all.")
    return np.maximum(found.astype(np.int64), -1)
