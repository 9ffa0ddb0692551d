"""Passes of which only scores or layers are wanted, by the engine that is chosen, by torch and by ONNX Runtime bare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import onnxruntime
import torch

from benchmarks.table import Rival, Row, compare
from cnnviz_widgets import Classifier, FeatureStore, demo
from cnnviz_widgets.classifier.runtime import onnx_model
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.source import source_of

NETWORKS = ("mobilenet_v2", "resnet18", "resnet50", "densenet121")
PICTURES = 32


def rows() -> Iterable[Row]:
    default = demo.classifier()
    yield from _passes("default network", default)
    for name in NETWORKS:
        yield from _passes(name, Classifier.of(name, None))
    yield from _scans(default)


def _bare(classifier: Classifier) -> Any:
    """A session with as many threads as torch has, as ONNX Runtime is used by itself."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(onnx_model(classifier), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def _passes(name: str, classifier: Classifier) -> Iterable[Row]:
    by_torch, session = (
        Classifier(classifier.network, input_size=classifier.input_size, engine="torch"),
        _bare(classifier),
    )
    for count in (1, 8):
        pixels = torch.rand(count, classifier.channels, *classifier.input_size)
        array = {"pixels": pixels.numpy()}
        yield from compare(
            f"logits of {count}, {name}",
            lambda pixels=pixels: classifier.logits(pixels),
            Rival("torch", lambda pixels=pixels: by_torch.logits(pixels), 1.0),
            Rival("ONNX Runtime bare", lambda array=array: session.run(None, array)),
            note=str(classifier.engine.name),
        )


def _scans(classifier: Classifier) -> Iterable[Row]:
    by_torch = Classifier(classifier.network, classifier.preprocess, classifier.class_names, engine="torch")
    source = source_of(demo.crops(PICTURES))
    note = f"{PICTURES} pictures, default network"
    yield from compare(
        "top patches of all layers",
        lambda: list(scan(classifier, source)),
        Rival("torch", lambda: list(scan(by_torch, source)), 1.0),
        note=note,
        repeats=3,
    )
    yield from compare(
        "features of the last layer",
        lambda: FeatureStore.build(classifier, source),
        Rival("torch", lambda: FeatureStore.build(by_torch, source), 1.0),
        note=note,
        repeats=3,
    )
