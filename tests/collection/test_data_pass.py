"""One pass gives the features of `FeatureStore.build` and the patches of `scan`, on however many cores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, workers
from cnnviz_widgets.collection.data_pass import Seen, data_pass, run_by_torch
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import LayerError, PictureError
from tests.collection.test_patches import last, pictures, same
from tests.support import networks
from tests.support.guest import guest, state
from tests.support.networks import seeded


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    yield
    workers.WORKERS.wait_for(lambda: not workers.WORKERS.busy)


def whole(steps: Any) -> tuple[FeatureStore, Any]:
    *_, found = steps
    return found


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("build", [networks.ConvGapLinear, networks.UsedTwice, guest])
def test_it_is_both(build: Callable[[], Any], count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.WORKERS, "count", count)
    network = seeded(build) if isinstance(build, type) else build()
    before = state(network)
    classifier = networks.classifier(network)
    data: list[Any] = pictures(37)
    data[4] = "no such file.png"
    source = source_of(data)
    store, patches = whole(data_pass(classifier, source))
    same(patches, last(scan(classifier, source)))
    other = FeatureStore.build(classifier, source)
    for name in ("items", "features", "logits", "labels", "names"):
        np.testing.assert_array_equal(getattr(store, name), getattr(other, name))
    np.testing.assert_array_equal(store.thumbnails(), other.thumbnails())
    assert store.layer == other.layer and list(store.skipped) == list(other.skipped) == [4]
    assert store.progress == patches.progress == 1
    assert state(network) == before


def test_each_step_is_of_the_pictures_so_far_and_each_picture_is_read_once() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    read: Counter[int] = Counter()

    class Data:
        def __len__(self) -> int:
            return 40

        def __getitem__(self, index: int) -> np.ndarray:
            read[index] += 1
            return made[index]

    made = pictures(40)
    steps = list(data_pass(classifier, source := source_of(Data())))
    fingerprint, done = source.fingerprint, [patches.done for _, patches in steps]
    assert fingerprint and done == sorted(set(done)) and done[0] == 0 and done[-1] == 40 and len(done) > 2
    assert list(read.values()).count(1) >= 37, "others were read to tell what kind of data they are"
    middle = steps[1][1]
    same_so_far = last(scan(classifier, made[: middle.done]))
    np.testing.assert_array_equal(middle.sampled, same_so_far.sampled)
    assert steps[0][0] is steps[-1][0]


def test_another_engine_can_run_the_batches() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    source = source_of(pictures(20))
    asked: list[int] = []

    def run(classifier: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
        asked.append(len(pixels))
        return run_by_torch(classifier, pixels, layer, layers)

    store, patches = whole(data_pass(classifier, source, run=run))
    assert sum(asked) == 20 == len(store)
    same(patches, last(scan(classifier, source)))


def test_what_cannot_be_done_is_said() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with pytest.raises(PictureError, match="holds no pictures"):
        next(data_pass(classifier, source_of([])))
    with pytest.raises(PictureError):
        list(data_pass(classifier, source_of(["no.png"] * 3)))
    with pytest.raises(LayerError):
        next(data_pass(classifier, source_of(pictures(8)), "no layer"))
