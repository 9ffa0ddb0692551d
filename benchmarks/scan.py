"""Passes over a data set, against the bare forward pass over the same pictures."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from benchmarks.table import Rival, Row, compare
from cnnviz_widgets import FeatureStore, demo
from cnnviz_widgets.collection.data_pass import data_pass
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.reading import read_batches
from cnnviz_widgets.collection.source import source_of

PICTURES, BATCH = 64, 16


def rows() -> Iterable[Row]:
    classifier = demo.classifier()
    source = source_of(demo.crops(PICTURES))
    last = [classifier.default_layer]

    def bare() -> None:
        with torch.no_grad():
            for read in read_batches(source, classifier, range(len(source)), BATCH):
                classifier.logits(read.pixels)

    def all_layers() -> None:
        for found in scan(classifier, source, batch=BATCH):
            layers.update(found.layers)

    def two_passes() -> None:
        FeatureStore.build(classifier, source, batch=BATCH)
        all_layers()

    layers: dict[str, object] = {}
    note = f"{PICTURES} pictures, default network"
    limit = Rival("bare forward pass", bare, 0.9)
    yield from compare("top patches of all layers", all_layers, limit, note=note)
    yield from compare(
        "top patches of the last layer", lambda: list(scan(classifier, source, last, batch=BATCH)), limit, note=note
    )
    yield from compare(
        "features of the last layer", lambda: FeatureStore.build(classifier, source, batch=BATCH), limit, note=note
    )
    yield from compare(
        "features and top patches of all layers, in one pass",
        lambda: list(data_pass(classifier, source)),
        Rival("one pass for each", two_passes, 1.5),
        note=note,
    )
