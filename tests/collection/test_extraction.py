"""Features are the mean of a layer's maps, whatever the layer, the memory and the arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import LayerError, StoreError
from tests.support.tally import Tally

from .conftest import Small
from .stores import LABELS


def expected(classifier: Classifier, pictures: np.ndarray, layer: str) -> np.ndarray:
    rows = []
    for picture in pictures:
        with torch.no_grad(), classifier.recording(layer) as outputs:
            classifier.logits(classifier.pixels(picture))
        rows.append(outputs[layer].mean((2, 3))[0].numpy())
    return np.stack(rows)


@pytest.mark.parametrize("path", [None, "store"])
@pytest.mark.parametrize("layer", ["body.0", "body.3"])
def test_features_are_the_mean_of_the_maps(
    classifier: Classifier, pictures: np.ndarray, layer: str, path: str | None, tmp_path: Path
) -> None:
    store = FeatureStore.build(
        classifier, pictures, layer, labels=LABELS, batch=5, path=None if path is None else tmp_path / path
    )
    np.testing.assert_allclose(store.features, expected(classifier, pictures, layer), atol=1e-6)
    assert store.features.dtype == np.float32
    np.testing.assert_array_equal(store.labels, LABELS)
    np.testing.assert_array_equal(store.items, np.arange(23))
    np.testing.assert_array_equal(store.thumbnails([3, 1]), pictures[[3, 1]])
    with torch.no_grad():
        logits = torch.cat([classifier.logits(classifier.pixels(picture)) for picture in pictures])
    np.testing.assert_allclose(store.logits, logits, atol=1e-5)
    assert store.progress == 1 and store.picture(7).name == "item 7" and len(store) == 23


def test_a_layer_behind_the_pooling_is_taken_as_it_is(classifier: Classifier, pictures: np.ndarray) -> None:
    pooled = FeatureStore.build(classifier, pictures, "pool")
    maps = FeatureStore.build(classifier, pictures)
    assert maps.layer == "body.3"
    np.testing.assert_allclose(pooled.features, maps.features, atol=1e-6)
    head = FeatureStore.build(classifier, pictures, "head")
    np.testing.assert_array_equal(head.features, head.logits)
    with pytest.raises(LayerError, match=r"no layer 'body\.9'"):
        FeatureStore.build(classifier, pictures, "body.9")


def test_thumbnails_are_small(pictures: np.ndarray) -> None:
    store = FeatureStore.build(Classifier(Small(), input_size=(96, 128)), pictures[:2])
    assert store.thumbnails().shape == (2, 48, 64, 3)


class Crowded(Small):
    """Has room for three pictures at once."""

    failed = Tally()
    most = 3

    def forward(self, pixels: torch.Tensor) -> Any:
        if len(pixels) > self.most:
            self.failed.append(len(pixels))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return super().forward(pixels)


@pytest.mark.parametrize("layer", ["body.3", "head"])
def test_a_build_goes_on_with_fewer_pictures_when_memory_runs_out(layer: str, pictures: np.ndarray) -> None:
    network = Crowded()
    network.failed = []
    store = FeatureStore.build(Classifier(network, input_size=16), pictures, layer, batch=8)
    assert network.failed == [8, 4]
    network.most = 8
    expected = FeatureStore.build(Classifier(network, input_size=16), pictures, layer, batch=8)
    assert network.failed == [8, 4]
    np.testing.assert_allclose(store.features, expected.features, atol=1e-6)
    np.testing.assert_allclose(store.logits, expected.logits, atol=1e-6)
    np.testing.assert_array_equal(store.items, expected.items)


def test_features_in_fewer_bits_are_others(pictures: np.ndarray) -> None:
    exact = Classifier(Small(), input_size=16)
    classifier = exact.with_autocast("bfloat16")
    found, expected = (FeatureStore.build(each, pictures, batch=5) for each in (classifier, exact))
    assert found.features.dtype == found.logits.dtype == np.float32
    assert 0 < np.abs(found.features - expected.features).max() < 0.02 * np.abs(expected.features).max()
    found.check(classifier)
    with pytest.raises(StoreError, match="build features with this network"):
        found.check(exact)
