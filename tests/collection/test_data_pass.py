"""One pass gives the features of `FeatureStore.build` and the patches of `scan`, on however many cores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, workers
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.runtime import activation_name, runtime, sessions
from cnnviz_widgets.collection.data_pass import Seen, data_pass, run_batch
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
        return run_batch(classifier, pixels, layer, layers)

    store, patches = whole(data_pass(classifier, source, run=run))
    assert sum(asked) == 20 == len(store)
    same(patches, last(scan(classifier, source)))


# -- another engine ----------------------------------------------------------------------------------------------

SIDE = (64, 64)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures ONNX Runtime was given, batch by batch; it is quicker, whatever the clock says here."""
    passing, given, each = iter(range(10**9)), [], sessions.each
    monkeypatch.setattr(runtime, "perf_counter", lambda: -(next(passing) ** 3))

    def counting(session: Any, pixels: Tensor, reduce: Any) -> Any:
        given.append(len(pixels))
        return each(session, pixels, reduce)

    monkeypatch.setattr(sessions, "each", counting)
    return given


def by(engine: Any, kind: Callable[[], Any] = networks.FunctionalReLU) -> Classifier:
    return Classifier(seeded(kind), input_size=SIDE, engine=engine)


def noise(count: int) -> list[Any]:
    return list(np.random.default_rng(count).integers(0, 256, (count, *SIDE, 3), np.uint8))


def inputs(count: int) -> Tensor:
    return torch.randn(count, 3, *SIDE, generator=torch.Generator().manual_seed(count))


def settled(runs: list[int], classifier: Classifier) -> Classifier:
    """The same, once it is found out that ONNX Runtime runs the default layers."""
    _, patches = next(data_pass(classifier, source_of(noise(2))))
    run_batch(classifier, inputs(2), classifier.default_layer, list(patches.layers))
    runs.clear()
    return classifier


def near(found: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> None:
    assert found.shape == expected.shape
    assert float(np.abs(found - expected).max()) <= runtime.TOLERANCE * float(scale.max() - scale.min())


def agree(found: tuple[FeatureStore, Any], expected: tuple[FeatureStore, Any], maps: Mapping[str, np.ndarray]) -> None:
    """Values within the engine's tolerance; at the places, torch's `maps` (N, C, h, w) are within it of the maxima."""
    (store, patches), (other, others) = found, expected
    assert list(store.skipped) == list(other.skipped) and patches.progress == others.progress == 1
    near(store.features, other.features, other.features)
    near(store.logits, other.logits, other.logits)
    np.testing.assert_array_equal(patches.sampled, others.sampled)
    assert list(patches.layers) == list(others.layers) == list(maps)
    for name, whole_maps in maps.items():
        ours, theirs = patches.layers[name], others.layers[name]
        flat, channels = whole_maps.reshape(*whole_maps.shape[:2], -1), np.arange(whole_maps.shape[1])
        near(ours.values, theirs.values, flat)
        near(flat[ours.images, channels[:, None], ours.cells], theirs.values, flat)
        assert all(len(set(images)) == len(images) for images in ours.images.tolist())
        near(ours.sample_values, theirs.sample_values, flat)
        near(flat[patches.sampled[:, None], channels, ours.sample_cells], theirs.sample_values, flat)


def maps_of(classifier: Classifier, data: Sequence[Any]) -> dict[str, np.ndarray]:
    """What the default layers put out for each picture, by torch."""
    _, patches = next(data_pass(classifier, source_of(data)))
    pixels = torch.cat([classifier.pixels(picture) for picture in data])
    with torch.no_grad(), classifier.recording(*patches.layers) as outputs:
        classifier.logits(pixels)
    return {name: outputs[name].numpy() for name in patches.layers}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", [networks.FunctionalReLU, networks.DenseNetLike])
def test_by_another_engine_it_is_torch_s(
    kind: Callable[[], Any], count: int, runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.WORKERS, "count", count)
    ours, plain, data = settled(runs, by("onnxruntime", kind)), by("torch", kind), noise(37)
    before, source = state(ours.network), source_of([*data, "no such file.png"])
    found = whole(data_pass(ours, source))
    assert sum(runs) == 37
    runs.clear()
    agree(found, whole(data_pass(plain, source)), maps_of(plain, data))
    assert not runs and state(ours.network) == before


def test_with_a_hook_of_the_user_it_is_torch_s_own(runs: list[int]) -> None:
    ours, plain, source = settled(runs, by("onnxruntime")), by("torch"), source_of(noise(20))
    for classifier in (ours, plain):
        classifier.network.conv1.register_forward_hook(lambda _, __, output: 2 * output)
    (store, patches), (other, others) = (whole(data_pass(each, source)) for each in (ours, plain))
    same(patches, others)
    np.testing.assert_array_equal(store.features, other.features)
    unhooked, _ = whole(data_pass(by("torch"), source))
    assert not runs and not np.allclose(store.logits, unhooked.logits)


def test_a_change_of_weights_in_the_middle_counts_from_there_on(
    runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.WORKERS, "count", 1)
    monkeypatch.setattr(Batches, "batch", 8)
    source = source_of(noise(40))

    def changed_in_the_middle(classifier: Classifier) -> FeatureStore:
        """The batches before the third by the network as it was, the others by the changed one."""
        asked: list[int] = []

        def run(lent: Classifier, pixels: Tensor, layer: str, layers: Sequence[str]) -> Seen:
            asked.append(len(pixels))
            if len(asked) == 3:
                classifier.network.conv2.weight.data.mul_(-2)
            return run_batch(lent, pixels, layer, layers)

        store, _ = whole(data_pass(classifier, source, run=run))
        assert asked == [8] * 5
        return store

    found, expected = changed_in_the_middle(settled(runs, by("onnxruntime"))), changed_in_the_middle(by("torch"))
    assert runs[:2] == [8, 8]
    near(found.features, expected.features, expected.features)
    near(found.logits, expected.logits, expected.logits)
    unchanged, _ = whole(data_pass(by("torch"), source))
    differs = np.abs(expected.features - unchanged.features).max(axis=1) > 0.01
    assert list(differs) == [False] * 16 + [True] * 24


@pytest.mark.parametrize("output", ["logits", activation_name("conv1"), activation_name("conv2")])
def test_of_numbers_that_are_none_torch_has_the_last_word(
    output: str, runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, pixels, each = settled(runs, by("onnxruntime")), inputs(3), sessions.each

    def spoilt(session: Any, pixels: Tensor, reduce: Any) -> Any:
        return each(session, pixels, lambda found: reduce({**found, output: found[output] / 0}))

    monkeypatch.setattr(sessions, "each", spoilt)
    layers = list(next(data_pass(ours, source_of(noise(2))))[1].layers)
    found, expected = (run_batch(each, pixels, "conv2", layers) for each in (ours, by("torch")))
    assert runs == [3]
    np.testing.assert_array_equal(found.features, expected.features)
    np.testing.assert_array_equal(found.logits, expected.logits)
    for name, maxima in expected.maxima.items():
        np.testing.assert_array_equal(found.maxima[name].values, maxima.values)


def test_features_behind_the_pooling_are_torch_s(runs: list[int], caplog: pytest.LogCaptureFixture) -> None:
    (ours, _), (plain, _) = (whole(data_pass(by(name), source_of(noise(5)), "fc")) for name in ("onnxruntime", "torch"))
    np.testing.assert_array_equal(ours.features, plain.features)
    assert not runs and not caplog.messages


def test_what_cannot_be_done_is_said() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with pytest.raises(PictureError, match="holds no pictures"):
        next(data_pass(classifier, source_of([])))
    with pytest.raises(PictureError):
        list(data_pass(classifier, source_of(["no.png"] * 3)))
    with pytest.raises(LayerError):
        next(data_pass(classifier, source_of(pictures(8)), "no layer"))
