"""Data sets of every kind become the same pictures, names and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    DataLoader,
    Subset,
    TensorDataset,
)

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.reading import read_batches
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.errors import PictureError

from .data_sets import ARRAY, LABELS, Endless, Pairs, folder


class Dicts(Pairs):
    def __getitem__(self, index: int) -> dict[str, object]:  # type: ignore[override]
        return {"image": ARRAY[index], "label": torch.tensor(LABELS[index])}


KINDS = {
    "array": lambda _: ARRAY,
    "pair": lambda _: (ARRAY, LABELS),
    "pair of lists": lambda _: (list(ARRAY), [int(label) for label in LABELS]),
    "list": lambda _: list(ARRAY),
    "dict": lambda _: {f"n{index}": array for index, array in enumerate(ARRAY)},
    "pairs": lambda _: Pairs(),
    "dicts": lambda _: Dicts(),
    "loader": lambda _: DataLoader(Pairs(), batch_size=4),
    "tensor": lambda _: torch.from_numpy(ARRAY).permute(0, 3, 1, 2),
    "tensors": lambda _: TensorDataset(torch.from_numpy(ARRAY).permute(0, 3, 1, 2), torch.from_numpy(LABELS)),
    "source": lambda _: source_of(ARRAY),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_pictures(kind: str, tmp_path: Path) -> None:
    source = source_of(KINDS[kind](tmp_path))
    assert len(source) == len(ARRAY)
    for index, array in enumerate(ARRAY):
        np.testing.assert_array_equal(np.asarray(source.picture(index).image), array)
    assert len(source.names) == len(ARRAY)


@pytest.mark.parametrize("kind", ["pair", "pair of lists", "tensors"])
def test_labels_are_known_without_decoding(kind: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(source_of(KINDS[kind](tmp_path)).labels, LABELS)


@pytest.mark.parametrize("kind", ["pairs", "dicts", "loader"])
def test_labels_come_with_the_items(kind: str, tmp_path: Path) -> None:
    source = source_of(KINDS[kind](tmp_path))
    assert source.labels is None
    assert [source.item(index)[1] for index in range(len(source))] == LABELS.tolist()


def test_a_folder_of_classes(tmp_path: Path) -> None:
    source = source_of(folder(tmp_path))
    assert source.class_names == ("class0", "class1", "class2")
    assert source.labels is not None and source.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert list(source.names[:2]) == ["class0/0.png", "class0/3.png"]
    np.testing.assert_array_equal(np.asarray(source.picture(1).image), ARRAY[3])
    flat = source_of(str(tmp_path / "class1"))
    assert flat.labels is None and list(flat.names) == ["1.png", "4.png"]


def test_a_subset_keeps_names_and_labels(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    source = source_of(Subset(ImageFolder(str(folder(tmp_path))), [4, 1]))
    assert source.labels is not None and source.labels.tolist() == [2, 0]
    assert list(source.names) == ["2.png", "3.png"] and source.class_names == ("class0", "class1", "class2")
    np.testing.assert_array_equal(np.asarray(source.picture(0).image), ARRAY[2])


def test_the_demo_sets() -> None:
    digits = source_of(demo.digits())
    assert len(digits) == 1797 and digits.labels is not None and digits.labels.max() == 9
    shapes = source_of(demo.shapes(4))
    assert shapes.class_names is not None and "square" in shapes.class_names
    assert shapes.labels is not None and len(shapes.labels) == 4


def test_names_of_classes_as_labels() -> None:
    source = source_of(ARRAY, ["b", "a", "c", "b", "a", "c"])
    assert source.labels is not None and source.labels.tolist() == [1, 0, 2, 1, 0, 2]
    assert source.class_names == ("a", "b", "c")


def test_nothing_is_read_before_it_is_asked_for() -> None:
    data = Pairs()
    source = source_of(data)
    assert data.read == []
    source.picture(3)
    assert data.read == [3]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Endless(), "gives no picture by its number"),
        (7, "gives no picture by its number"),
        ("/no/such/folder", "is no folder"),
        (np.zeros((4, 4)), "shape"),
        (b"png", "is no bytes"),
    ],
)
def test_what_is_no_data_set_is_refused(data: object, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        source_of(data)


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="6 pictures, but 2 labels"):
        source_of(ARRAY, [0, 1])
    with pytest.raises(PictureError, match="2 class names, but a label 2"):
        source_of(ARRAY, LABELS, ["a", "b"])
    with pytest.raises(PictureError, match="one whole number"):
        source_of(ARRAY, LABELS / 2)
    with pytest.raises(PictureError, match="holds no pictures"):
        source_of(tmp_path)


def test_an_item_that_cannot_be_read_is_named() -> None:
    class Broken(Pairs):
        def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
            raise OSError("disk on fire")

    with pytest.raises(PictureError, match=r"item 2 .*disk on fire"):
        source_of(Broken()).picture(2)
    with pytest.raises(PictureError, match="no item 6"):
        source_of(ARRAY).picture(6)
    with pytest.raises(PictureError, match="no item -1"):
        source_of(ARRAY).picture(-1)


def test_the_fingerprint_tells_data_sets_apart() -> None:
    prints = [
        source_of(ARRAY).fingerprint,
        source_of(ARRAY[:5]).fingerprint,
        source_of(255 - ARRAY).fingerprint,
        source_of((ARRAY, LABELS)).fingerprint,
        source_of({str(index): array for index, array in enumerate(ARRAY)}).fingerprint,
    ]
    assert len(set(prints)) == len(prints)
    assert source_of(ARRAY.copy()).fingerprint == prints[0]


def test_batches_leave_out_what_cannot_be_read() -> None:
    classifier = Classifier(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), input_size=8
    )
    items: list[object] = list(ARRAY)
    items[1] = b"no picture"
    items[4] = items[5] = "/no/such.png"
    refused: dict[int, str] = {}
    found = list(
        read_batches(source_of(items), classifier, range(6), 2, lambda i, error: refused.update({i: str(error)}))
    )
    assert [batch.indices for batch in found] == [[0], [2, 3]]
    assert set(refused) == {1, 4, 5} and "item 1" in refused[1]
    torch.testing.assert_close(found[1].pixels, torch.cat([classifier.pixels(ARRAY[i]) for i in (2, 3)]))


def test_a_source_is_returned_as_it_is() -> None:
    source = source_of(ARRAY)
    assert source_of(source) is source
    assert isinstance(source_of(source, LABELS), Source) and source.labels is None
