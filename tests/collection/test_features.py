"""Features of a data set: what they are, what they refuse, and that a killed build goes on as if nothing had been."""

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
import torch

from cnnviz_widgets.classifier import Classifier, batching
from cnnviz_widgets.collection import disk
from cnnviz_widgets.collection.features import FeatureStore
from cnnviz_widgets.collection.fingerprint import weights_fingerprint
from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.collection.rows import Rows
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import LayerError, MissingExtra, PictureError, StoreError
from tests.support.tally import Tally

from .conftest import Small

LABELS = np.arange(23) % 4


def expected(classifier: Classifier, pictures: np.ndarray, layer: str) -> np.ndarray:
    rows = []
    for picture in pictures:
        with torch.no_grad(), classifier.recording(layer) as outputs:
            classifier.logits(classifier.pixels(picture))
        rows.append(outputs[layer].mean((2, 3))[0].numpy())
    return np.stack(rows)


def columns(store: FeatureStore) -> dict[str, Any]:
    return {
        "items": store.items, "features": store.features, "logits": store.logits, "labels": store.labels,
        "names": store.names, "thumbnails": store.thumbnails(),
    }  # fmt: skip


def assert_equal(first: FeatureStore, second: FeatureStore) -> None:
    for name, column in columns(first).items():
        np.testing.assert_array_equal(column, columns(second)[name], err_msg=name)


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


def test_a_store_under_way_can_be_used(classifier: Classifier, pictures: np.ndarray) -> None:
    whole = FeatureStore.build(classifier, pictures, batch=5)
    sizes = []
    for store in FeatureStore.building(classifier, pictures, batch=5):
        sizes.append(len(store))
        if len(store):
            np.testing.assert_allclose(store.features, whole.features[: len(store)], atol=1e-6)
        if sizes[-1] == 10:
            assert store.progress == pytest.approx(10 / 23)
            assert nearest(store.features, whole.features[3], 1, "euclidean").rows.tolist() == [3]
    assert sizes == [0, 5, 10, 15, 20, 23]


def test_thumbnails_are_small(pictures: np.ndarray) -> None:
    store = FeatureStore.build(Classifier(Small(), input_size=(96, 128)), pictures[:2])
    assert store.thumbnails().shape == (2, 48, 64, 3)


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


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_cancelled_build_goes_on(classifier: Classifier, pictures: np.ndarray, tmp_path: Path, batches: int) -> None:
    steps = FeatureStore.building(classifier, pictures, batch=4, path=tmp_path / "cut")
    for _ in range(batches + 1):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    cut = FeatureStore.building(classifier, pictures, batch=9, path=tmp_path / "cut")
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
from cnnviz_widgets.collection.features import FeatureStore
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


def test_a_killed_build_loses_at_most_its_last_batch(
    classifier: Classifier, pictures: np.ndarray, tmp_path: Path
) -> None:
    here = Path(__file__).parent.parent
    path = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), "14"], env={**os.environ, "PYTHONPATH": path}
    )
    assert ended.returncode == -9
    assert len(FeatureStore.open(tmp_path / "killed")) == 12
    resumed = FeatureStore.build(classifier, pictures, batch=4, path=tmp_path / "killed")
    assert_equal(resumed, FeatureStore.build(classifier, pictures, batch=4))


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
    steps = FeatureStore.building(classifier, source_of((pictures, LABELS)), batch=2, path=tmp_path / "store")
    versions = [store._shelf.version for store in steps]  # type: ignore[attr-defined]
    assert versions == sorted(set(versions))
    assert_equal(FeatureStore.open(tmp_path / "store"), FeatureStore.build(classifier, (pictures, LABELS), batch=2))


def test_an_index_says_its_recall(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (600, 16, 16, 3), dtype=np.uint8)
    monkeypatch.setattr("cnnviz_widgets.collection.features.INDEX_FROM", 500)
    store = FeatureStore.build(classifier, pictures, batch=200, path=tmp_path / "store")
    query = store.features[17]
    found = store.nearest(query, 5, exclude=[17])
    exact = nearest(store.features, query, 5, exclude=[17])
    assert found.recall is not None and found.recall > 0.9
    assert len(set(found.rows) & set(exact.rows)) >= 4 and 17 not in found.rows
    assert exact.recall is None and store.nearest(query, 5, "euclidean").recall is None
    assert FeatureStore.open(tmp_path / "store").nearest(query, 5).recall == found.recall


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


def test_by_default_as_many_pictures_are_run_at_once_as_are_over_soon(
    pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(batching, "_seconds", lambda *_: 0.04)
    classifier = Classifier(Small(), input_size=16)
    steps = FeatureStore.building(classifier, pictures, path=tmp_path / "cut")
    assert [len(next(steps)) for _ in range(4)] == [0, 4, 8, 12]
    # On a quicker computer a build goes on as it began.
    monkeypatch.setattr(batching, "_seconds", lambda *_: 1e-6)
    quick = Classifier(classifier.network, input_size=16)
    assert [len(store) for store in FeatureStore.building(quick, pictures, path=tmp_path / "cut")] == [12, 16, 20, 23]
    assert [len(store) for store in FeatureStore.building(quick, pictures)] == [0, 16, 23]


def test_features_in_fewer_bits_are_others(pictures: np.ndarray) -> None:
    exact = Classifier(Small(), input_size=16)
    classifier = exact.with_autocast("bfloat16")
    found, expected = (FeatureStore.build(each, pictures, batch=5) for each in (classifier, exact))
    assert found.features.dtype == found.logits.dtype == np.float32
    assert 0 < np.abs(found.features - expected.features).max() < 0.02 * np.abs(expected.features).max()
    found.check(classifier)
    with pytest.raises(StoreError, match="build features with this network"):
        found.check(exact)


# -- on disk: one builder at a time, and what is said when something is wrong -----------------------------------------

WAITING = """
import sys
import numpy as np, torch
from collection.conftest import Small
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.features import FeatureStore
pictures = np.random.default_rng(0).integers(0, 256, (23, 16, 16, 3), dtype=np.uint8)
torch.manual_seed(0)
steps = FeatureStore.building(Classifier(Small(), input_size=16), pictures, batch=4, path=sys.argv[1])
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
    left = FeatureStore.building(classifier, pictures, batch=4, path=tmp_path / "store")
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
    other = disk.Disk(path, {**asdict(store.about), "total": 23})
    columns_ = {name: value for name, value in columns(store).items() if name != "items"}
    other.append(Rows(np.array(items), **columns_))
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
    steps = FeatureStore.building(classifier, pictures, batch=4, path=path)
    next(steps), next(steps)
    with monkeypatch.context() as patch:
        patch.setattr(disk.Disk, "_append", Mock(side_effect=error))
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
