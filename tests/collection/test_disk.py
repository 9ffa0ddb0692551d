"""Stores on disk: a killed build goes on as if nothing had been, one builder at a time, and what is said of damage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.cores import core_count
from cnnviz_widgets.collection import disk
from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.collection.storage import RowBatch
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import MissingExtra, StoreError

from .stores import LABELS, assert_equal, columns


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_cancelled_build_goes_on(classifier: Classifier, pictures: np.ndarray, tmp_path: Path, batches: int) -> None:
    steps = FeatureStore.build_steps(classifier, pictures, batch=4, path=tmp_path / "cut")
    for _ in range(batches + 1):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    cut = FeatureStore.build_steps(classifier, pictures, batch=9, path=tmp_path / "cut")
    assert len(next(cut)) == 4 * batches
    (resumed,) = deque(cut, maxlen=1)
    assert_equal(resumed, FeatureStore.build(classifier, pictures, batch=4))
    assert_equal(FeatureStore.open(tmp_path / "cut"), resumed)


KILLED = """
import os, signal, sys
import numpy as np, torch
from collection.conftest import Small
from cnnviz_widgets.classifier import batching
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.store import FeatureStore
pictures = np.random.default_rng(0).integers(0, 256, (23, 16, 16, 3), dtype=np.uint8)
class Deadly:
    def __len__(self): return len(pictures)
    def __getitem__(self, index):
        if index == int(sys.argv[2]) and os.path.exists(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return pictures[index]
torch.manual_seed(0)
FeatureStore.build(Classifier(Small(), input_size=16), Deadly(), batch=4, path=sys.argv[1])
"""


def test_a_killed_build_loses_at_most_the_batches_under_way(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path
) -> None:
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), "14"], env={**os.environ, "PYTHONPATH": path}
    )
    assert ended.returncode == -9
    done = len(FeatureStore.open(tmp_path / "killed"))
    assert done % 4 == 0 and 12 - 4 * core_count() <= done <= 12
    resumed = FeatureStore.build(classifier, pictures, batch=4, path=tmp_path / "killed")
    assert_equal(resumed, FeatureStore.build(classifier, pictures, batch=4))


def test_without_lancedb_the_sentence_names_the_extra(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(MissingExtra, match=r"pip install \"cnnviz-widgets\[scale\]\""):
        FeatureStore.build(classifier, pictures, path=tmp_path / "store")
    assert len(FeatureStore.build(classifier, pictures)) == 23


def test_versions_grow_with_each_batch_and_survive_compaction(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_COMPACT_EVERY", 3)
    steps = FeatureStore.build_steps(classifier, source_of((pictures, LABELS)), batch=2, path=tmp_path / "store")
    versions = [store._storage.version for store in steps]  # type: ignore[attr-defined]
    assert versions == sorted(set(versions))
    assert_equal(FeatureStore.open(tmp_path / "store"), FeatureStore.build(classifier, (pictures, LABELS), batch=2))


def test_an_index_says_its_recall(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (600, 16, 16, 3), dtype=np.uint8)
    monkeypatch.setattr("cnnviz_widgets.collection.store.INDEX_FROM", 500)
    store = FeatureStore.build(classifier, pictures, batch=200, path=tmp_path / "store")
    query = store.features[17]
    found = store.nearest(query, 5, exclude=[17])
    exact = nearest(store.features, query, 5, exclude=[17])
    assert found.recall is not None and found.recall > 0.9
    assert len(set(found.rows) & set(exact.rows)) >= 4 and 17 not in found.rows
    assert exact.recall is None and store.nearest(query, 5, "euclidean").recall is None
    assert FeatureStore.open(tmp_path / "store").nearest(query, 5).recall == found.recall


WAITING = """
import sys
import numpy as np, torch
from collection.conftest import Small
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.store import FeatureStore
pictures = np.random.default_rng(0).integers(0, 256, (23, 16, 16, 3), dtype=np.uint8)
torch.manual_seed(0)
steps = FeatureStore.build_steps(Classifier(Small(), input_size=16), pictures, batch=4, path=sys.argv[1])
next(steps), next(steps)
print("ready", flush=True)
sys.stdin.read()
for _ in steps: pass
"""


def test_two_processes_do_not_build_one_store(classifier: Classifier, pictures: np.ndarray, tmp_path: Path) -> None:
    here, store = Path(__file__).parent.parent, tmp_path / "store"
    path = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, str(store)], env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout is not None and other.stdin is not None and other.stdout.readline() == b"ready\n"
        with pytest.raises(StoreError, match=rf"'store' is being built by process {other.pid}; wait"):
            FeatureStore.build(classifier, pictures, batch=4, path=store)
        assert len(FeatureStore.open(store)) == 4
        other.kill()
        other.wait()
        assert (store / ".building").exists()
        resumed = FeatureStore.build(classifier, pictures, batch=4, path=store)
    assert_equal(resumed, FeatureStore.build(classifier, pictures, batch=4))
    assert not (store / ".building").exists()


def test_a_build_that_was_left_behind_in_this_process_is_taken_over(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path
) -> None:
    left = FeatureStore.build_steps(classifier, pictures, batch=4, path=tmp_path / "store")
    next(left), next(left)
    whole = FeatureStore.build(classifier, pictures, batch=4, path=tmp_path / "store")
    with pytest.raises(StoreError, match="Another build of 'store' was begun in this process"):
        next(left)
    assert_equal(FeatureStore.open(tmp_path / "store"), whole)
    assert_equal(whole, FeatureStore.build(classifier, pictures, batch=4))
    assert not (tmp_path / "store" / ".building").exists()


@pytest.mark.parametrize("items", [[0, 1, 1], [0, 2, 1], [-1, 0, 1]])
def test_mixed_rows_are_refused(classifier: Classifier, pictures: np.ndarray, tmp_path: Path, items: list[int]) -> None:
    path = tmp_path / "store"
    store = FeatureStore.build(classifier, pictures[:3], batch=3)
    other = disk.DiskStorage(path, {**asdict(store.metadata), "total": 23})
    columns_ = {name: value for name, value in columns(store).items() if name != "items"}
    other.append(RowBatch(np.array(items), **columns_))
    for use in (FeatureStore.open, lambda path: FeatureStore.build(classifier, pictures[:3], path=path)):
        with pytest.raises(StoreError, match=r"mixed, as two builders .* delete 'store'"):
            use(path)


def test_rows_stay_in_order_when_they_are_compacted(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_COMPACT_EVERY", 3)
    store = FeatureStore.build(classifier, pictures, batch=1, path=tmp_path / "store")
    assert_equal(FeatureStore.open(tmp_path / "store"), FeatureStore.build(classifier, pictures, batch=1))
    assert store.items.tolist() == list(range(23))


def _truncated(lance: Path) -> None:
    file = sorted((lance / "data").iterdir())[1]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _deleted(lance: Path) -> None:
    sorted((lance / "data").iterdir())[1].unlink()


def _emptied(lance: Path) -> None:
    for manifest in (lance / "_versions").iterdir():
        manifest.write_bytes(b"")


def _without_manifests(lance: Path) -> None:
    for manifest in (lance / "_versions").iterdir():
        manifest.unlink()


@pytest.mark.parametrize("damage", [_truncated, _deleted, _emptied, _without_manifests])
def test_a_damaged_store_says_what_helps(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path, damage: Any
) -> None:
    path = tmp_path / "store"
    FeatureStore.build(classifier, pictures, batch=4, path=path)
    damage(path / "features.lance")
    for use in (
        lambda: columns(FeatureStore.open(path)),
        lambda: columns(FeatureStore.build(classifier, pictures, path=path)),
    ):
        with pytest.raises(StoreError, match=r"^The store 'store' is damaged .* delete 'store' and build") as told:
            use()
        assert "/rustc" not in str(told.value) and "cargo" not in str(told.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("lance error: LanceError(IO): Generic error: No space left on device (os error 28)"), "is full"),
        (OSError(28, "No space left on device"), "is full"),
        (OSError(30, "Read-only file system"), "may not be written"),
        (RuntimeError("lance error: Permission denied (os error 13)"), "may not be written"),
        (PermissionError(13, "Permission denied"), "may not be written"),
        (RuntimeError("lance error: corrupt file"), "is damaged .* delete 'store'"),
    ],
)
def test_a_store_that_cannot_be_written_says_what_helps(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    error: Exception, told: str,
) -> None:  # fmt: skip
    path = tmp_path / "store"
    steps = FeatureStore.build_steps(classifier, pictures, batch=4, path=path)
    next(steps), next(steps)
    with monkeypatch.context() as patch:
        patch.setattr(disk.DiskStorage, "_append", Mock(side_effect=error))
        with pytest.raises(StoreError, match=told) as refused:
            next(steps)
    assert ("delete" in str(refused.value)) == ("delete" in told)
    resumed = FeatureStore.build(classifier, pictures, batch=4, path=path)
    assert_equal(resumed, FeatureStore.build(classifier, pictures, batch=4))


def test_a_finished_store_can_be_read_where_nothing_can_be_written(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store"
    whole = FeatureStore.build(classifier, pictures, path=path)
    real = Path.open

    def refuse(self: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if self.parent == path and mode != "r":
            raise OSError(30, "Read-only file system")
        return real(self, mode, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    assert_equal(FeatureStore.build(classifier, pictures, path=path), whole)
    with pytest.raises(StoreError, match=r"'notes\.txt' holds something else"):
        (tmp_path / "notes.txt").write_text("x")
        FeatureStore.build(classifier, pictures, path=tmp_path / "notes.txt")
