"""A store of features: usable while it grows, and refused where it is of something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Classifier, batching
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import PictureError, StoreError

from .conftest import Small


def test_a_store_under_way_can_be_used(classifier: Classifier, pictures: np.ndarray) -> None:
    whole = FeatureStore.build(classifier, pictures, batch=5)
    sizes = []
    for store in FeatureStore.build_steps(classifier, pictures, batch=5):
        sizes.append(len(store))
        if len(store):
            np.testing.assert_allclose(store.features, whole.features[: len(store)], atol=1e-6)
        if sizes[-1] == 10:
            assert store.progress == pytest.approx(10 / 23)
            assert nearest(store.features, whole.features[3], 1, "euclidean").rows.tolist() == [3]
    assert sizes == [0, 5, 10, 15, 20, 23]


@pytest.mark.parametrize("path", [None, "store"])
def test_pictures_that_cannot_be_read_are_left_out_and_named(
    classifier: Classifier, pictures: np.ndarray, path: str | None, tmp_path: Path
) -> None:
    items: list[object] = list(pictures[:6])
    items[1] = items[5] = b"no picture"
    store = FeatureStore.build(classifier, items, batch=2, path=None if path is None else tmp_path / path)
    assert store.items.tolist() == [0, 2, 3, 4] and store.progress == 1
    assert set(store.skipped) == {1, 5} and "item 1" in store.skipped[1]
    assert store.rows_of([4, 1, 0]).tolist() == [0, 3]
    with pytest.raises(PictureError, match="None of the 2 pictures"):
        FeatureStore.build(classifier, [b"x", b"y"])
    with pytest.raises(PictureError, match="holds no pictures"):
        FeatureStore.build(classifier, [])


def test_another_networks_layers_or_data_sets_features_are_refused(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "store"
    store = FeatureStore.build(classifier, pictures, path=path)
    torch.manual_seed(1)
    other = Classifier(Small(), input_size=16)
    with pytest.raises(StoreError, match=r"of Small with other weights .* choose another path"):
        FeatureStore.build(other, pictures, path=path)
    with pytest.raises(StoreError, match=r"of the layer 'body\.3', not 'body\.0'"):
        FeatureStore.build(classifier, pictures, "body.0", path=path)
    with pytest.raises(StoreError, match="another data set"):
        FeatureStore.build(classifier, 255 - pictures, path=path)
    with pytest.raises(StoreError, match="another data set"):
        FeatureStore.open(path, 255 - pictures)
    with pytest.raises(StoreError, match="build features with this network"):
        store.features_of(other, other.pixels(pictures[0]))
    query = store.features_of(classifier, classifier.pixels(pictures[5]))
    np.testing.assert_allclose(query[0], store.features[5], atol=1e-6)
    with pytest.raises(StoreError, match="something else"):
        FeatureStore.build(classifier, pictures, path=Path(__file__).parent)
    with pytest.raises(StoreError, match="There are no features"):
        FeatureStore.open(tmp_path / "nowhere")


def test_the_fingerprint_sees_weights_and_preprocessing(classifier: Classifier) -> None:
    before = weights_fingerprint(classifier)
    assert weights_fingerprint(classifier) == before
    assert weights_fingerprint(Classifier(classifier.network, input_size=16, mean=[0.5] * 3, std=[0.5] * 3)) != before
    with torch.no_grad():
        classifier.network.head.bias[0] += 1e-3  # type: ignore[union-attr, operator]
    assert weights_fingerprint(classifier) != before


def test_by_default_as_many_pictures_are_run_at_once_as_are_over_soon(
    pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(batching, "_seconds", lambda *_: 0.04)
    classifier = Classifier(Small(), input_size=16)
    steps = FeatureStore.build_steps(classifier, pictures, path=tmp_path / "cut")
    assert [len(next(steps)) for _ in range(4)] == [0, 4, 8, 12]
    # On a quicker computer a build goes on as it began.
    monkeypatch.setattr(batching, "_seconds", lambda *_: 1e-6)
    quick = Classifier(classifier.network, input_size=16)
    assert [len(store) for store in FeatureStore.build_steps(quick, pictures, path=tmp_path / "cut")] == [
        12,
        16,
        20,
        23,
    ]
    assert [len(store) for store in FeatureStore.build_steps(quick, pictures)] == [0, 16, 23]
