"""What is done over many pictures: the scan for patches, features, neighbours, t-SNE, class visualisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from sklearn.manifold import TSNE as PeerTSNE
from sklearn.neighbors import NearestNeighbors

from benchmarks.table import Row, compare
from cnnviz_widgets import Classifier, FeatureStore, demo
from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.projection import TSNE
from cnnviz_widgets.collection.source import Source, batches, source_of
from cnnviz_widgets.explain import ClassVisual

PICTURES, BATCH = 64, 16


def rows() -> Iterable[Row]:
    classifier = demo.classifier()
    source = source_of(demo.crops(PICTURES))
    yield from _passes(classifier, source)
    yield from _neighbours()
    yield _map()
    yield _visual(classifier)


def _passes(classifier: Classifier, source: Source) -> Iterator[Row]:
    def bare() -> None:
        with torch.no_grad():
            for _, pixels in batches(source, classifier, range(len(source)), BATCH):
                classifier.logits(pixels)

    note = f"{PICTURES} pictures, default network"
    last = [classifier.default_layer]
    limit = "bare forward pass, same loader"
    works: list[tuple[str, Callable[[], object], float | None]] = [
        ("scan for patches, 65 layers", lambda: list(scan(classifier, source, batch=BATCH)), 0.8),
        ("scan for patches, last layer", lambda: list(scan(classifier, source, last, batch=BATCH)), 0.9),
        ("features of the last layer", lambda: FeatureStore.build(classifier, source, batch=BATCH), 0.9),
    ]
    for name, work, bound in works:
        yield compare(name, work, bare, limit, bound=bound, note=note)


def _neighbours() -> Iterator[Row]:
    random = np.random.default_rng(0)
    for count in (10_000, 100_000, 1_000_000):
        vectors = random.standard_normal((count, 64), dtype=np.float32)
        peer = NearestNeighbors(n_neighbors=12, algorithm="brute").fit(vectors)
        yield compare(
            "12 nearest, euclidean",
            lambda vectors=vectors: nearest(vectors, vectors[0], 12, "euclidean"),  # type: ignore[misc]
            lambda vectors=vectors, peer=peer: peer.kneighbors(vectors[:1]),  # type: ignore[misc]
            "scikit-learn, brute force",
            note=f"{count:,} rows of 64, exact on both sides",
        )


def _map() -> Row:
    features = (demo.digits()[0].reshape(1797, -1) / 255).astype(np.float32)
    return compare(
        "t-SNE of the digits",
        lambda: TSNE()(features),
        lambda: PeerTSNE(init="pca", random_state=0).fit_transform(features),
        "scikit-learn",
        repeats=3,
        note="1,797 points of 64, perplexity 30; 750 iterations, theirs at most 1,000",
    )


def _visual(classifier: Classifier) -> Row:
    pixels = torch.zeros(1, 3, 224, 224)

    def bare() -> None:
        for _ in range(16):
            inputs = pixels.clone().requires_grad_()
            with classifier.evaluating():
                torch.autograd.grad(classifier.logits(inputs)[0, 281], inputs)

    return compare(
        "class visualisation, 16 steps",
        lambda: ClassVisual(iterations=16)(classifier, 281),
        bare,
        "bare forward + backward",
        note="default network",
    )
