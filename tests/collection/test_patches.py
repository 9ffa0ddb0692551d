"""The scan for top patches equals brute force, goes on where it stopped, and leaves the network as found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.classifier import Classifier, batching
from cnnviz_widgets.collection.lock import try_lock
from cnnviz_widgets.collection.patches import LayerLocations, Patches, scan
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import ClassifierError, LayerError, MethodError, PictureError, TargetError
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import Crowded, Poison, seeded

ARRAYS = ("values", "images", "cells", "sample_values", "sample_cells")


def pictures(count: int, seed: int = 0) -> list[Any]:
    """Noise, with repeated pictures: maxima tie."""
    made = np.random.default_rng(seed).integers(0, 256, (count, *networks.SIZE, 3), np.uint8)
    made[7::5] = made[2:3]
    return list(made)


def last(steps: Any) -> Patches:
    *_, patches = steps
    return patches


def same(first: Patches, second: Patches) -> None:
    assert (first.done, first.total, first.unreadable) == (second.done, second.total, second.unreadable)
    assert list(first.layers) == list(second.layers) and first.identity == second.identity
    np.testing.assert_array_equal(first.sampled, second.sampled)
    for name, locations in first.layers.items():
        for array in ARRAYS:
            np.testing.assert_array_equal(getattr(locations, array), getattr(second.layers[name], array))


def stored(classifier: Classifier, data: Sequence[Any], layer: str) -> np.ndarray:
    """Every activation (N, C, h, w) of a layer, one picture after the other in batches of `scan`'s."""
    found = []
    for start in range(0, len(data), 8):
        pixels = torch.cat([classifier.pixels(picture) for picture in data[start : start + 8]])
        with torch.no_grad(), classifier.recording(layer) as outputs:
            classifier.logits(pixels)
        found.append(outputs[layer])
    return torch.cat(found).numpy()


# -- brute force -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build", [networks.ConvGapLinear, networks.InPlace, networks.UsedTwice, networks.FunctionalReLU, guest]
)
def test_equals_storing_every_activation(build: Callable[[], nn.Module]) -> None:
    classifier = networks.classifier(seeded(build) if isinstance(build, type) else build())
    data = pictures(37)
    patches = last(scan(classifier, data, [layer.name for layer in classifier.layers], k=5, sample=10, batch=8))
    for layer in classifier.layers:
        maps = stored(classifier, data, layer.name)
        flat = maps.reshape(*maps.shape[:2], -1)
        for channel in range(maps.shape[1]):
            highest = flat[:, channel].max(axis=1)
            order = sorted(range(len(data)), key=lambda i: (-highest[i], i))
            locations = patches.top(layer.name, channel)
            assert [location.image for location in locations] == order[:5]
            for location in locations:
                assert (
                    location.value
                    == highest[location.image]
                    == maps[location.image, channel, location.row, location.column]
                )
                assert location.row * maps.shape[3] + location.column == flat[location.image, channel].argmax()
            # The sample, in order of strength, whatever its members are.
            sample = sorted(map(int, patches.sampled), key=lambda i: (-highest[i], i))
            assert len(sample) == 10
            assert [location.image for location in patches.around(layer.name, channel, 1, 3)] == sample[:3]
            assert [location.image for location in patches.around(layer.name, channel, 0, 3)] == sample[-3:]
            assert [location.image for location in patches.around(layer.name, channel, 0.5, 10)] == sample
            drawn = patches.random(layer.name, channel, 4)
            assert {location.image for location in drawn} < set(sample)
            assert all(location.value == highest[location.image] for location in drawn)


def test_results_are_partial_in_between_and_each_is_kept_as_it_was() -> None:
    classifier, data = networks.classifier(guest()), pictures(20)
    steps = list(scan(classifier, data, k=3, sample=4, batch=6))
    assert [step.done for step in steps] == [6, 12, 18, 20]
    assert [step.progress for step in steps] == [0.3, 0.6, 0.9, 1]
    for step in steps:
        expected = last(scan(classifier, data[: step.done], k=3, sample=4, batch=6))
        for name, locations in step.layers.items():
            np.testing.assert_array_equal(locations.images, expected.layers[name].images)
            np.testing.assert_array_equal(locations.cells, expected.layers[name].cells)
            np.testing.assert_array_equal(locations.sample_cells, expected.layers[name].sample_cells)


def test_what_is_kept_does_not_grow_with_the_pictures() -> None:
    classifier = networks.classifier(guest())

    def size(patches: Patches) -> int:
        return sum(getattr(locations, array).nbytes for locations in patches.layers.values() for array in ARRAYS)

    assert size(last(scan(classifier, pictures(30), k=4, sample=8))) == size(
        last(scan(classifier, pictures(90), k=4, sample=8))
    )


def test_the_sample_is_random_and_of_all_pictures() -> None:
    classifier = networks.classifier(guest())
    sampled = last(scan(classifier, pictures(200), ["conv"], sample=40)).sampled
    assert len(set(sampled)) == 40
    assert [int(((sampled >= low) & (sampled < low + 50)).sum()) for low in range(0, 200, 50)] == pytest.approx(
        [10] * 4, abs=6
    )


def test_fewer_pictures_than_asked_for() -> None:
    classifier = networks.classifier(guest())
    patches = last(scan(classifier, pictures(3), ["conv"], k=9))
    assert len(patches.top("conv", 0)) == 3 and len(patches.around("conv", 0, 0.5)) == 3
    nothing = last(scan(classifier, [], ["conv"]))
    assert nothing.progress == 1 and nothing.top("conv", 0) == nothing.around("conv", 0, 1) == []


def test_a_greyscale_network_and_one_layer_only_is_run_no_further() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(True), networks.Failing(), nn.Flatten(), nn.LazyLinear(3))
    network(torch.zeros(1, 1, *networks.SIZE))
    classifier = networks.classifier(network)
    assert classifier.layers
    network[2].left = 0
    assert last(scan(classifier, pictures(5), ["0"])).done == 5
    with pytest.raises(ClassifierError):
        classifier.logits(classifier.pixels(pictures(1)[0]))


# -- stopping and going on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [1, 2, 4])
def test_going_on_gives_what_an_uninterrupted_scan_gives(tmp_path: Path, stop: int) -> None:
    classifier, data = networks.classifier(guest()), pictures(33)
    whole = last(scan(classifier, data, batch=8))
    steps = scan(classifier, data, batch=8)
    for _ in range(stop):
        stopped = next(steps)
    steps.close()  # type: ignore[attr-defined]
    same(last(scan(classifier, data, batch=8, start=stopped)), whole)
    path = tmp_path / "scan.npz"
    steps = scan(classifier, data, batch=8, path=path)
    for _ in range(stop):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    same(Patches.load(path), stopped)
    again = list(scan(networks.classifier(guest()), data, batch=8, path=path))
    assert again[0].done == stopped.done + 8 if stop < 4 else again[0].done == 33
    same(again[-1], whole)
    same(last(scan(classifier, data, batch=8, path=path)), whole)
    assert [file.name for file in tmp_path.iterdir()] == ["scan.npz"]


SCAN = """
import sys, numpy as np
from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.patches import scan
data = demo.shapes(64).pictures
classifier = Classifier(demo.shapes_classifier().network, input_size=64, engine="torch")
for number, patches in enumerate(scan(classifier, data, batch=4, path=sys.argv[1])):
    print(number, flush=True)
"""


def test_a_killed_scan_loses_at_most_the_last_batch(tmp_path: Path) -> None:
    path = tmp_path / "scan.npz"
    process = subprocess.Popen([sys.executable, "-c", SCAN, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen = int(line) + 1
        if seen == 3:
            os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    from cnnviz_widgets import demo

    # Two engines agree but for rounding: which one runs a batch depends on what was run before.
    classifier = Classifier(demo.shapes_classifier().network, input_size=64, engine="torch")
    data = demo.shapes(64).pictures
    assert 4 * seen <= Patches.load(path).done < 64
    resumed = last(scan(classifier, data, batch=4, path=path))
    whole = last(scan(classifier, data, batch=4))
    same(resumed, whole)


def test_another_scan_is_not_gone_on_with(tmp_path: Path) -> None:
    classifier, data, path = networks.classifier(guest()), pictures(10), tmp_path / "scan.npz"
    last(scan(classifier, data, path=path))
    other = guest()
    with torch.no_grad():
        other.fc.weight.mul_(1.01)
    others: list[tuple[Classifier, Any, dict[str, Any]]] = [
        (networks.classifier(other), data, {}),
        (classifier, pictures(10, seed=1), {}),
        (classifier, data, {"k": 3}),
        (classifier, data, {"layers": ["conv"]}),
    ]
    for of, pixels, options in others:
        with pytest.raises(MethodError, match="begin a new one"):
            last(scan(of, pixels, path=path, **options))
    for rubbish in (b"", b"PK\x03\x04 not really", path.read_bytes()[:200]):
        path.write_bytes(rubbish)
        with pytest.raises(MethodError, match=r"'scan.npz' holds no scan"):
            last(scan(classifier, data, path=path))


def test_an_array_is_no_scan(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(MethodError, match=r"'array.npy' holds no scan"):
        Patches.load(tmp_path / "array.npy")


# -- bad input, and the network as a guest -----------------------------------------------------------------------


def test_unreadable_pictures_are_left_out_and_counted() -> None:
    classifier, data = networks.classifier(guest()), pictures(12)
    data[3] = b"no picture"
    patches = last(scan(classifier, data, ["conv"], k=12))
    assert patches.unreadable == 1 and patches.done == 12
    assert sorted(location.image for location in patches.top("conv", 0)) == [0, 1, 2, *range(4, 12)]
    with pytest.raises(PictureError, match="item 1"):
        last(scan(classifier, [b"", b""]))


def test_what_does_not_exist_is_refused() -> None:
    classifier = networks.classifier(guest())
    with pytest.raises(LayerError, match="no layer 'nope'"):
        last(scan(classifier, pictures(2), ["nope"]))
    with pytest.raises(MethodError, match="at least 1"):
        last(scan(classifier, pictures(2), k=0))
    patches = last(scan(classifier, pictures(2), ["conv"]))
    with pytest.raises(TargetError, match="not scanned"):
        patches.top("conv2", 0)
    with pytest.raises(TargetError, match="channels 0 to 5"):
        patches.top("conv", 6)


def test_nan_is_refused() -> None:
    network = guest()
    classifier = networks.classifier(network)
    assert classifier.layers
    next(module for module in network.modules() if isinstance(module, Poison)).on = True
    with pytest.raises(ClassifierError, match="NaN"):
        last(scan(classifier, pictures(3), ["relu"]))


@pytest.mark.parametrize("caller", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_network_and_caller_are_left_as_found(caller: Callable[[], Any]) -> None:
    network = guest()
    classifier, data = networks.classifier(network), source_of(pictures(12))
    expected = last(scan(classifier, data, batch=4))
    before = state(network)
    with caller():
        modes = mode()
        steps = scan(classifier, data, batch=4)
        for found in steps:  # noqa: B007
            assert state(network) == before and mode() == modes
        same(found, expected)
        steps = scan(classifier, data, batch=4)
        next(steps)
        steps.close()  # type: ignore[attr-defined]
        network.failing.left = 1
        with pytest.raises(ClassifierError, match="the failing module was called"):
            last(scan(classifier, data, batch=4))
        network.failing.left = float("inf")
        assert state(network) == before and mode() == modes


def test_empty_locations_are_arrays_of_the_right_kind() -> None:
    locations = next(iter(last(scan(networks.classifier(guest()), pictures(2), ["conv"])).layers.values()))
    assert isinstance(locations, LayerLocations)
    assert [getattr(locations, array).dtype for array in ARRAYS] == [np.float32, *[np.int64] * 2, np.float32, np.int64]


@pytest.mark.parametrize("layers", [None, ["network.conv"]])
def test_a_scan_goes_on_with_fewer_pictures_when_memory_runs_out(layers: list[str] | None) -> None:
    data = pictures(20)
    network = Crowded(guest(), most=3)
    classifier = networks.classifier(network)
    before = state(network)
    found = last(scan(classifier, data, layers, k=4, sample=6, batch=10))
    assert network.failed == [10, 4], "the second batch knows better"
    assert state(network) == before
    network.most = 10
    expected = last(scan(networks.classifier(network), data, layers, k=4, sample=6, batch=10))
    for name, locations in expected.layers.items():
        np.testing.assert_allclose(found.layers[name].values, locations.values, atol=1e-6)
        np.testing.assert_array_equal(found.layers[name].images, locations.images)
        np.testing.assert_allclose(found.layers[name].sample_values, locations.sample_values, atol=1e-6)


def test_by_default_as_many_pictures_are_run_at_once_as_are_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(guest())
    monkeypatch.setattr(batching, "_seconds", lambda *_: 0.04)
    # A quarter of a second has room for six; powers of two need fewer kinds of batches.
    assert [step.done for step in scan(classifier, pictures(10))] == [4, 8, 10]
    quick = networks.classifier(guest())
    monkeypatch.setattr(batching, "_seconds", lambda *_: 1e-6)
    assert [step.done for step in scan(quick, pictures(40))] == [16, 32, 40]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "is full"),
        (OSError(30, "Read-only file system"), "may not be written"),
        (PermissionError(13, "Permission denied"), "may not be written"),
    ],
)
def test_a_file_that_cannot_be_written_says_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, told: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(np, "savez", refuse)
    classifier = Classifier(seeded(networks.ConvGapLinear), input_size=networks.SIZE)
    with pytest.raises(MethodError, match=rf"he scan at 'scan\.npz'.*{told}"):
        last(scan(classifier, pictures(4), path=tmp_path / "scan.npz"))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_and_a_folder_for_a_file(tmp_path: Path) -> None:
    classifier = Classifier(seeded(networks.ConvGapLinear), input_size=networks.SIZE)
    with pytest.raises(MethodError, match=r"The folder of the scan at 'scan\.npz' does not exist; make it"):
        last(scan(classifier, pictures(4), path=tmp_path / "nowhere" / "scan.npz"))
    with pytest.raises(MethodError, match="choose another file"):
        last(scan(classifier, pictures(4), path=tmp_path))


def test_what_a_killed_scanner_left_is_removed_and_what_another_writes_is_not(tmp_path: Path) -> None:
    left, written, other = (tmp_path / name for name in (".a.npz.1.2.part", ".a.npz.3.4.part", ".b.npz.1.2.part"))
    left.write_bytes(b"half")
    other.write_bytes(b"half")
    classifier = Classifier(seeded(networks.ConvGapLinear), input_size=networks.SIZE)
    with written.open("wb") as file:
        assert try_lock(file)
        last(scan(classifier, pictures(4), path=tmp_path / "a.npz"))
        assert sorted(tmp_path.iterdir()) == sorted([written, other, tmp_path / "a.npz"])
