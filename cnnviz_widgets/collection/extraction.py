"""The features, logits and thumbnails of network inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier, hooks
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.runtime.runtime import Maps
from cnnviz_widgets.collection.items import Source
from cnnviz_widgets.collection.reading import ReadBatch
from cnnviz_widgets.collection.storage import RowBatch
from cnnviz_widgets.errors import ClassifierError, LayerError

_T = TypeVar("_T")

#: Longer side of a thumbnail in pixels. A larger one is sharper in tiles; a store on disk grows with its square.
THUMBNAIL = 64


@torch.no_grad()
def features_and_logits(
    classifier: Classifier, pixels: Tensor, layer: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The features (n, D) at `layer` of network inputs (n, C, H, W), and their logits (n, K), both float32.

    Features are the mean over space of maps (n, D, h, w), the mean over tokens (n, T, D), or rows (n, D) as they are.
    One forward pass, or several where memory runs out. Raises LayerError when the layer was not run or gives no row
    for each picture, ClassifierError when it gives NaN or infinity.
    """
    batches = Batches(classifier, pixels.shape[1:], "features")
    parts = batches.run(len(pixels), lambda part: _features_and_logits(classifier, pixels[part], layer))
    return np.concatenate([features for features, _ in parts]), np.concatenate([logits for _, logits in parts])


def _features_and_logits(
    classifier: Classifier, pixels: Tensor, layer: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    each = by_another_engine(classifier, pixels, layer, (), lambda _: None)
    if each is not None:
        return each[:2]
    with classifier.evaluating(), recording(classifier, layer) as outputs:
        logits = classifier.logits(pixels)
    return features_in(classifier, layer, outputs, len(pixels)), logits.cpu().numpy()


def features_in(classifier: Classifier, layer: str, outputs: Mapping[str, Tensor], count: int) -> NDArray[np.float32]:
    """The features (count, D) in what `recording` of a layer has of a pass. Raises LayerError, ClassifierError."""
    if layer not in outputs:
        raise LayerError(f"{classifier.name} skipped the layer {layer!r} on this picture; choose another one.")
    output = outputs[layer].detach().float()
    if output.ndim > 2:
        output = output.mean(dim=(2, 3)) if output.ndim == 4 else output.flatten(1, -2).mean(dim=1)
    if len(output) != count or output.ndim != 2:
        raise LayerError(f"The layer {layer!r} gives no row for each picture; choose {classifier.default_layer!r}.")
    if not bool(torch.isfinite(output).all()):
        raise ClassifierError(f"The layer {layer!r} of {classifier.name} answered with NaN or infinite values.")
    found: NDArray[np.float32] = output.cpu().numpy()
    return found


def by_another_engine(
    classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str], reduce: Callable[[Maps], _T]
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[_T]] | None:
    """What `features_and_logits` returns, and what `reduce` makes of each picture's maps by layer, those of `layers`.

    None where torch runs them; also with features or logits that are no numbers, as torch has to say so.
    """
    if not _is_spatial(classifier, layer):
        return None
    each = classifier.each_picture(
        pixels,
        list(dict.fromkeys([*layers, layer])),
        lambda maps: (maps[layer].mean(dim=(2, 3)), maps["logits"], reduce(maps)),
    )
    if each is None:
        return None
    features, logits = torch.cat([one[0] for one in each]), torch.cat([one[1] for one in each])
    finite = bool(torch.isfinite(features).all() and torch.isfinite(logits).all())
    return (features.numpy(), logits.numpy(), [one[2] for one in each]) if finite else None


def recording(classifier: Classifier, layer: str) -> AbstractContextManager[dict[str, Tensor]]:
    """Inside, the outputs of a layer in the passes of this thread, by its name, behind the pooling too."""
    if _is_spatial(classifier, layer):
        return classifier.recording(layer)
    # A layer behind the pooling is none of the classifier's; of one that is called several times, the last call.
    return hooks.recording(classifier.shadow, {layer: {0: [layer]}}, {layer: 1})


def _is_spatial(classifier: Classifier, layer: str) -> bool:
    return any(layer == known.name or layer in known.aliases for known in classifier.layers)


def layer_name(classifier: Classifier, layer: str | None) -> str:
    """The name of a layer that features can be taken from, behind the pooling too.

    An alias becomes the layer's own name, None the default layer's. Raises LayerError when there is no such layer.
    """
    if layer is None:
        return classifier.default_layer
    if not _is_spatial(classifier, layer) and layer in dict(classifier.shadow.named_modules()):
        return layer
    return classifier.layer(layer).name


def thumbnail_of(classifier: Classifier, pixels: Tensor) -> NDArray[np.uint8]:
    """A small picture of what the network sees of one input (1, C, H, W): uint8 (h, w, 3), at most 64 pixels a side."""
    seen = torch.from_numpy(classifier.appearance(pixels)).permute(2, 0, 1)[None]
    longest = max(seen.shape[-2:])
    if longest > THUMBNAIL:
        size = [max(1, round(side * THUMBNAIL / longest)) for side in seen.shape[-2:]]
        seen = functional.interpolate(seen.float(), size, mode="bilinear", antialias=True).round().to(torch.uint8)
    return seen[0].permute(1, 2, 0).contiguous().numpy()


def rows_from(classifier: Classifier, source: Source, read: ReadBatch, layer: str) -> RowBatch | None:
    """The rows of what could be read, None where nothing could. Raises LayerError, ClassifierError."""
    if not read.indices:
        return None
    return with_features(classifier, source, read, *features_and_logits(classifier, read.pixels, layer))


def with_features(
    classifier: Classifier, source: Source, read: ReadBatch, features: NDArray[np.float32], logits: NDArray[np.float32]
) -> RowBatch:
    """The rows of what was read, with features (n, D) and logits (n, K)."""
    names = np.array([source.names[item] or f"item {item}" for item in read.indices], object)
    thumbnails = np.stack([thumbnail_of(classifier, one[None]) for one in read.pixels])
    items, labels = np.array(read.indices, np.int64), np.array(read.labels, np.int64)
    return RowBatch(items, features, logits, labels, names, thumbnails)
