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
from cnnviz_widgets.collection.extraction import features_in, layer_name, recording, with_features
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.locations import Maxima
from cnnviz_widgets.collection.maxima import maxima_in
from cnnviz_widgets.collection.patches import Patches, begin
from cnnviz_widgets.collection.reading import MAX_BATCH, ReadBatch, read_in_turn
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.storage import InMemoryStorage, RowBatch, StoreMetadata
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import LayerError, PictureError


class Seen(NamedTuple):
    """What one pass shows of n pictures: features (n, D) and logits (n, K), float32, and each layer's maxima."""

    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    maxima: dict[str, Maxima]


_Result = tuple[ReadBatch, RowBatch | None, dict[str, Maxima]]

#: Runs network inputs (n, C, H, W): what is seen at the layer of the features and at those of the patches.
Run = Callable[[Classifier, Tensor, str, Sequence[str]], Seen]


def run_by_torch(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
    """One forward pass, or several where memory runs out. Raises LayerError, ClassifierError."""
    batches = Batches(classifier, pixels.shape[1:], "maxima")
    parts = batches.run(len(pixels), lambda part: _seen(classifier, pixels[part], layer, layers))
    joined = {
        name: Maxima(*map(np.concatenate, zip(*(part.maxima[name] for part in parts), strict=True))) for name in layers
    }
    return Seen(np.concatenate([part.features for part in parts]), np.concatenate([p.logits for p in parts]), joined)


@torch.inference_mode(False)
@torch.no_grad()
def _seen(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
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
    run: Run = run_by_torch,
) -> Iterator[tuple[FeatureStore, Patches]]:
    """Yield a store of the features at `layer` and the patches of `layers`, empty and again after each batch.

    The store is one and the same, which grows; patches stay as they are. They are those of `FeatureStore.build` and of
    `scan`, by half as many forward passes. Raises LayerError, ClassifierError, PictureError, MethodError.
    """
    if not len(source):
        raise PictureError("The data set holds no pictures; pass one with pictures.")
    batch = quickly(classifier, "maxima", MAX_BATCH)
    store, patches = _empty(classifier, source, layer, batch), begin(classifier, source, layers, k, sample)
    names = list(patches.layers)

    def call(read: ReadBatch) -> Callable[[Classifier], _Result]:
        return lambda replica: (read, *_made_of(replica, source, read, store.layer, names, run=run))

    yield store, patches
    batches = Batches(classifier, (classifier.channels, *classifier.input_size), "maxima")
    reads = read_in_turn(source, classifier, range(len(source)), batch)
    for read, rows, maxima in parts_of(batches, len(source)).in_order(map(call, reads), lambda seen: seen):
        patches = patches.after(read, maxima, sample)
        yield store.after(read, rows), patches


def _empty(classifier: Classifier, source: Source, layer: str | None, batch: int) -> FeatureStore:
    about = StoreMetadata(
        classifier.name, weights_fingerprint(classifier), layer_name(classifier, layer), source.fingerprint,
        len(source), batch, source.class_names,
    )  # fmt: skip
    return FeatureStore(about, InMemoryStorage(), source)


def _made_of(
    classifier: Classifier, source: Source, read: ReadBatch, layer: str, layers: Sequence[str], *, run: Run
) -> tuple[RowBatch | None, dict[str, Maxima]]:
    if not read.indices:
        return None, {}
    found = run(classifier, read.pixels, layer, layers)
    return with_features(classifier, source, read, found.features, found.logits), found.maxima
