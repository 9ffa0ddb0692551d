"""One pass over a data set for all that is made of it: features, logits, thumbnails, and the patches of every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches, quickly
from cnnviz_widgets.classifier.replicas import parts_of
from cnnviz_widgets.collection.extraction import by_another_engine, features_in, recording, with_features
from cnnviz_widgets.collection.locations import Maxima
from cnnviz_widgets.collection.maxima import joined, maxima_in
from cnnviz_widgets.collection.patches import Patches, begin
from cnnviz_widgets.collection.reading import MAX_BATCH, ReadBatch, read_in_turn
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.storage import InMemoryStorage, RowBatch
from cnnviz_widgets.collection.store import FeatureStore, metadata_of
from cnnviz_widgets.errors import LayerError, PictureError


class Seen(NamedTuple):
    """What one pass shows of n pictures: features (n, D) and logits (n, K), float32, and each layer's maxima."""

    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    maxima: dict[str, Maxima]


_Result = tuple[ReadBatch, RowBatch | None, dict[str, Maxima]]

#: Runs network inputs (n, C, H, W): what is seen at the layer of the features and at those of the patches.
Run = Callable[[Classifier, Tensor, str, Sequence[str]], Seen]


def run_batch(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
    """One pass by the classifier's engine, or several where memory runs out. Raises LayerError, ClassifierError."""
    batches = Batches(classifier, pixels.shape[1:], "maxima")
    parts = batches.run(len(pixels), lambda part: _seen(classifier, pixels[part], layer, layers))
    features, logits, maxima = zip(*parts, strict=True)
    return Seen(np.concatenate(features), np.concatenate(logits), joined(maxima))


@torch.inference_mode(False)
@torch.no_grad()
def _seen(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
    return _by_another_engine(classifier, pixels, layer, layers) or _by_torch(classifier, pixels, layer, layers)


def _by_another_engine(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen | None:
    """What is seen, or None where torch runs it; also with numbers that are none, as torch has to say so."""
    each = by_another_engine(
        classifier, pixels, layer, layers, lambda maps: {name: maxima_in(maps[name]) for name in layers}
    )
    if each is None:
        return None
    maxima = joined(each[2])
    finite = all(np.isfinite(found.values).all() for found in maxima.values())
    return Seen(each[0], each[1], maxima) if finite else None


def _by_torch(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
    found: dict[str, Maxima] = {}

    def look(names: list[str], _: list[Any], output: Tensor) -> None:
        found.update(dict.fromkeys(names, maxima_in(output)))

    with classifier.evaluating(), recording(classifier, layer) as outputs, classifier.watching(layers, look):
        logits = classifier.logits(pixels)
    if missing := set(layers) - found.keys():
        raise LayerError(f"{classifier.name} skipped the layer {min(missing)!r} on this picture; choose another one.")
    return Seen(features_in(classifier, layer, outputs, len(pixels)), logits.cpu().numpy(), found)


def data_pass(
    classifier: Classifier,
    source: Source,
    layer: str | None = None,
    layers: Sequence[str] | None = None,
    *,
    k: int = 9,
    sample: int = 64,
    run: Run = run_batch,
) -> Iterator[tuple[FeatureStore, Patches]]:
    """Yield a store of the features at `layer` and the patches of `layers`, empty and again after each batch.

    The store is one and the same, which grows; patches stay as they are. They are those of `FeatureStore.build` and of
    `scan`, by half as many forward passes. Raises LayerError, ClassifierError, PictureError, MethodError.
    """
    if not len(source):
        raise PictureError("The data set holds no pictures; pass one with pictures.")
    batch = quickly(classifier, "maxima", MAX_BATCH)
    store = FeatureStore(metadata_of(classifier, source, layer, batch), InMemoryStorage(), source)
    patches = begin(classifier, source, layers, k, sample)
    names = list(patches.layers)

    def call(read: ReadBatch) -> Callable[[Classifier], _Result]:
        return lambda replica: (read, *_made_of(replica, source, read, store.layer, names, run=run))

    yield store, patches
    batches = Batches(classifier, (classifier.channels, *classifier.input_size), "maxima")
    reads = read_in_turn(source, classifier, range(len(source)), batch)
    for read, rows, maxima in parts_of(batches, len(source)).in_order(map(call, reads), lambda seen: seen):
        patches = patches.after(read, maxima, sample)
        yield store.after(read, rows), patches


def _made_of(
    classifier: Classifier, source: Source, read: ReadBatch, layer: str, layers: Sequence[str], *, run: Run
) -> tuple[RowBatch | None, dict[str, Maxima]]:
    if not read.indices:
        return None, {}
    found = run(classifier, read.pixels, layer, layers)
    return with_features(classifier, source, read, found.features, found.logits), found.maxima
