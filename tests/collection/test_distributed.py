"""Passes of a Ray cluster on this computer: the same to the bit, with a worker killed, resumed, of Ray's datasets."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection import Cluster, FeatureStore, Patches, scan
from cnnviz_widgets.collection.distributed import RayPictures, Shard, run_shards, shards_of, source_of_block
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import ClusterError, PictureError
from tests.collection.stores import LABELS, assert_equal

ray = pytest.importorskip("ray")

LAYERS = ["body.0", "body.3"]
#: Ray Data uses what it deprecates.
of_ray = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def two() -> Iterator[Cluster]:
    """Two workers, small shards."""
    # Its own short folder: the paths of its sockets may have 107 characters.
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else it leaves a token in the home folder
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("OMP_NUM_THREADS", "1")
        # Without the guard: Ray finds its own address by a socket to one that nobody has, and sends nothing there.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
        _start(folder)
        yield Cluster(workers=2, shard=6)
        ray.shutdown()
    assert not Path(folder).exists()


def _start(folder: str) -> None:
    """Start Ray, which gives up where its processes are not there within 30 seconds: up to three times."""
    for attempt in range(3):
        try:
            ray.init(
                num_cpus=2, object_store_memory=200 * 2**20, include_dashboard=False, log_to_driver=False,
                _temp_dir=folder,
            )  # fmt: skip
            return
        except Exception:  # the very class that it raises
            ray.shutdown()
            if attempt == 2:
                raise


def assert_same(found: Patches, expected: Patches) -> None:
    assert (found.done, found.total, found.unreadable) == (expected.done, expected.total, expected.unreadable)
    assert found.identity == expected.identity
    np.testing.assert_array_equal(found.sampled, expected.sampled)
    for name, layer in expected.layers.items():
        for array in ("values", "images", "cells", "sample_values", "sample_cells"):
            np.testing.assert_array_equal(getattr(found.layers[name], array), getattr(layer, array), err_msg=array)


@pytest.fixture
def damaged(pictures: np.ndarray) -> list[Any]:
    """Pictures of which some cannot be read, and some are equal."""
    found: list[Any] = list(pictures)
    found[3], found[11], found[20] = b"none", b"", found[2]
    return found


def test_features_and_patches_are_the_same_to_the_bit_and_go_on_where_they_stopped(
    two: Cluster, classifier: Classifier, damaged: list[Any], tmp_path: Path
) -> None:
    pytest.importorskip("lancedb")
    arguments: dict[str, Any] = {"path": tmp_path / "store", "batch": 3, "cluster": two}
    steps = FeatureStore.build_steps(classifier, damaged, **arguments)
    assert [next(steps).visited for _ in range(2)] == [0, 3]
    steps.close()  # type: ignore[attr-defined]
    stores = list(FeatureStore.build_steps(classifier, damaged, **arguments))
    expected = FeatureStore.build(classifier, damaged, batch=3)
    assert len(stores) == 1 + 7  # as it was, and after each batch
    assert_equal(stores[-1], expected)
    assert set(expected.skipped) == {3, 11} and stores[-1].skipped == expected.skipped
    assert stores[-1].progress == 1

    arguments = {"k": 4, "sample": 5, "batch": 2}
    scanning = scan(classifier, damaged, LAYERS, cluster=two, path=tmp_path / "scan.npz", **arguments)
    assert next(scanning).done == 6
    scanning.close()  # type: ignore[attr-defined]
    found = list(scan(classifier, damaged, LAYERS, cluster=two, path=tmp_path / "scan.npz", **arguments))
    *_, whole = scan(classifier, damaged, LAYERS, **arguments)
    assert [one.done for one in found] == [12, 18, 23]
    assert_same(found[-1], whole)


class DiesOnce:
    """Takes its process along the first time that it comes to a shard."""

    def __init__(self, mark: Path, number: int, times: int = 1) -> None:
        self.mark, self.number, self.times = mark, number, times

    def __call__(self, shard: Shard) -> tuple[int, int]:
        if shard.items.start == self.number:
            with self.mark.open("a") as file:
                file.write("x")
            if len(self.mark.read_text()) <= self.times:
                os.kill(os.getpid(), signal.SIGKILL)
        return shard.items.start, os.getpid()


def shards() -> Iterator[Shard]:
    return (Shard(range(start, start + 2)) for start in range(0, 12, 2))


def test_a_killed_worker_costs_its_shard_only(two: Cluster, tmp_path: Path) -> None:
    found = list(run_shards(two, DiesOnce(tmp_path / "mark", 4), shards()))
    assert [shard.items.start for shard, _ in found] == [start for _, (start, _) in found] == [0, 2, 4, 6, 8, 10]
    assert (tmp_path / "mark").read_text() == "xx"
    assert len({process for _, (_, process) in found}) <= 3


def test_a_shard_that_kills_every_worker_is_given_up(two: Cluster, tmp_path: Path) -> None:
    one = replace(two, workers=1, attempts=2)
    with pytest.raises(ClusterError, match="Pictures 0 to 1 were lost with their worker 2 times"):
        list(run_shards(one, DiesOnce(tmp_path / "mark", 0, times=9), shards()))


@of_ray
def test_a_dataset_of_ray(two: Cluster, classifier: Classifier, pictures: np.ndarray) -> None:
    pytest.importorskip("pyarrow")
    one = replace(two, workers=1)
    rows = [{"image": picture, "label": int(label)} for picture, label in zip(pictures, LABELS, strict=True)]
    dataset = ray.data.from_items(rows, override_num_blocks=4)
    expected = FeatureStore.build(classifier, pictures, batch=1, labels=LABELS)
    found = FeatureStore.build(classifier, dataset, batch=1, cluster=one)
    assert not dataset.context.execution_options.preserve_order  # the user's, who had not asked for it
    np.testing.assert_array_equal(found.features, expected.features)
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.items, np.arange(23))
    assert found.names.tolist() == [f"item {item}" for item in range(23)]
    *_, patches = scan(classifier, dataset, LAYERS, k=3, sample=4, batch=1, cluster=one)
    *_, local = scan(classifier, pictures, LAYERS, k=3, sample=4, batch=1)
    assert_same(replace(patches, identity=local.identity), local)


def test_what_a_worker_raises_is_raised_here(two: Cluster, classifier: Classifier) -> None:
    with pytest.raises(PictureError, match='"item 3" is in no format that can be read'):
        list(scan(classifier, [b"none"] * 4, LAYERS, batch=2, cluster=replace(two, workers=1)))


def test_shards_are_of_whole_batches() -> None:
    source = source_of(np.zeros((23, 4, 4, 3), np.uint8))
    found = [shard.items for shard in shards_of(source, 4, 4, Cluster(shard=10))]
    assert found == [range(4, 12), range(12, 20), range(20, 23)]
    assert [shard.items for shard in shards_of(source, 0, 30, Cluster(shard=1))] == [range(23)]


def test_rows_of_a_block_have_the_names_of_their_files(pictures: np.ndarray) -> None:
    pandas = pytest.importorskip("pandas")
    columns = {"image": list(pictures[:2]), "label": [3, 1], "path": ["/a/one.png", None]}
    found = source_of_block(pandas.DataFrame(columns), range(7, 9))
    assert found.names == ["one.png", "item 8"] and [found.item(number)[1] for number in range(2)] == [3, 1]


@of_ray
def test_workers_that_leave_no_processor_to_read_with(two: Cluster) -> None:
    dataset = RayPictures(ray.data.range(3))
    with pytest.raises(ClusterError, match="Ray needs one to read"):
        next(shards_of(dataset, 0, 1, Cluster(workers=2)))


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"shard": 0}, {"attempts": 0}])
def test_a_cluster_that_is_none(wrong: dict[str, int]) -> None:
    with pytest.raises(ClusterError, match="at least 1"):
        Cluster(**wrong)
