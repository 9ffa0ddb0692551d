"""Kinds of data sets, and what they say of labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import PIL.Image
import pytest
import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Subset,
    SubsetRandomSampler,
)

from cnnviz_widgets.collection.source import is_data_set, source_of
from cnnviz_widgets.errors import PictureError

from .data_sets import ARRAY, LABELS, Endless, Pairs, folder


class ClassLabel:
    def __init__(self, names: list[str]) -> None:
        self.names = names


class Image:
    """The type of a column of pictures."""


class Columns:
    """A data set of Hugging Face's kind: rows are dicts, columns are lists, `with_format` undoes a transform."""

    def __init__(self, transform: bool = False) -> None:
        self.column_names = ["id", "photo", "breed"]
        self.features = {"id": None, "photo": Image(), "breed": ClassLabel(["ant", "bee", "cat"])}
        self._transform = transform

    def __len__(self) -> int:
        return len(ARRAY)

    def with_format(self, _: None) -> Columns:
        return Columns()

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            if self._transform:
                raise KeyError("photo")
            return LABELS.tolist()
        return {"id": key, "photo": ARRAY[key], "breed": int(LABELS[key])}


class Targets(Pairs):
    """A data set with a list of targets; an item's own label is `own` of it."""

    def __init__(self, targets: object, own: Any = None, **attributes: object) -> None:
        super().__init__()
        self.targets = targets
        self._own = own
        self.__dict__.update(attributes)

    def __getitem__(self, index: int) -> Any:
        target = self.targets[index]  # type: ignore[index]
        return ARRAY[index], target if self._own is None else self._own(target)


def written(path: Path) -> list[str]:
    for index, array in enumerate(ARRAY):
        PIL.Image.fromarray(array).save(path / f"{index}.png")
    return [str(path / f"{index}.png") for index in range(6)]


LABELLED = {
    "hugging face": lambda _: Columns(),
    "hugging face with a transform": lambda _: Columns(transform=True),
    "list of pairs": lambda _: list(zip(ARRAY, LABELS, strict=True)),
    "list of dicts": lambda _: [{"image": a, "label": b} for a, b in zip(ARRAY, LABELS, strict=True)],
    "list of paths and labels": lambda path: list(zip(written(path), LABELS.tolist(), strict=True)),
    "columns": lambda _: {"images": list(ARRAY), "targets": LABELS},
    "columns of arrays": lambda _: {"data": ARRAY, "target": LABELS},
    "by class": lambda _: {f"c{label}": list(ARRAY[label == LABELS]) for label in range(3)},
    "data frame": lambda path: pandas.DataFrame({"path": written(path), "label": LABELS}),
    "data frame of names": lambda path: pandas.DataFrame({"file": written(path), "class": list("abcabc")}),
    "array and object labels": lambda _: (ARRAY, LABELS.astype(object)),
    "list of two arrays": lambda _: [ARRAY, LABELS],
    "array and one-hot rows": lambda _: (ARRAY, np.eye(3)[LABELS]),
    "encoded": lambda path: [
        {"image": {"bytes": Path(file).read_bytes(), "path": None}, "label": label}
        for file, label in zip(written(path), LABELS.tolist(), strict=True)
    ],
    "subset of parts": lambda _: Subset(ConcatDataset([Targets(LABELS), Targets(LABELS)]), [0, 1, 2, 9, 10, 11]),
    "loader of some": lambda _: DataLoader(
        ConcatDataset([Targets(LABELS), Targets(LABELS)]), sampler=SubsetRandomSampler(range(6))
    ),
}


@pytest.mark.parametrize("kind", LABELLED)
def test_every_kind_gives_its_labels(kind: str, tmp_path: Path) -> None:
    data = LABELLED[kind](tmp_path)
    source = source_of(data)
    assert is_data_set(data) and len(source) == 6
    assert source.labels is not None and not source.notes
    if kind == "by class":
        assert source.labels.tolist() == [0, 0, 1, 1, 2, 2] and source.class_names == ("c0", "c1", "c2")
        return
    assert source.labels.tolist() == LABELS.tolist()
    for index in range(6):
        picture, label = source.item(index)
        np.testing.assert_array_equal(np.asarray(picture.image), ARRAY[index])
        assert label == LABELS[index]
    if kind.startswith("hugging face"):
        assert source.class_names == ("ant", "bee", "cat")


@pytest.mark.parametrize(
    ("targets", "labels", "note"),
    [
        ([2, None, 10, 2, 0, 1], [2, -1, 10, 2, 0, 1], ""),
        (torch.eye(7)[:6, :5], None, "several numbers"),
        (np.linspace(0, 1, 6), None, "fractions"),
        ([{"boxes": 1}] * 6, None, "of type dict"),
        (object(), None, ""),
        ([1, 2], None, ""),
    ],
)
def test_a_target_that_is_no_label_refuses_no_data_set(targets: Any, labels: list[int] | None, note: str) -> None:
    source = source_of(Targets(targets, own=lambda _: None))
    assert (None if source.labels is None else source.labels.tolist()) == labels
    assert len(source.notes) == bool(note) and note in " ".join(source.notes)
    paired = source_of((ARRAY, targets)) if note else source
    assert len(paired) == 6 and paired.notes == source.notes


def test_the_label_of_an_item_comes_before_the_list_of_targets() -> None:
    source = source_of(Targets([207, 483, 207, 483, 207, 483], own=lambda target: int(target == 483)))
    assert [source.item(index)[1] for index in range(6)] == [0, 1] * 3
    assert source.notes == (
        "Items of the data set have other labels than its list of targets: those of items are shown.",
    )
    given = source_of(source, [5] * 6)
    assert given.item(0)[1] == 5


def test_targets_that_the_data_set_changes_are_those_of_items() -> None:
    source = source_of(Targets(LABELS, own=lambda label: label + 7, target_transform=len, classes=["a", "b", "c"]))
    assert source.labels is None and source.class_names is None and "class names are left out" in source.notes[0]
    assert [source.item(index)[1] for index in range(3)] == [7, 8, 9]


def test_class_names_of_a_data_set_where_they_fit() -> None:
    fits = source_of(Targets(LABELS, classes=["a", "b", "c"]))
    assert fits.class_names == ("a", "b", "c") and not fits.notes
    few = source_of(Targets(LABELS, classes=["a", "b"]))
    assert few.class_names is None and few.labels is not None and few.labels.tolist() == LABELS.tolist()
    assert "names 2 classes but has a label 2" in few.notes[0]
    names = source_of(Targets(list("babbab"), own="ba".index, class_to_idx={"b": 0, "a": 1}))
    assert names.labels is not None and names.labels.tolist() == [0, 1, 0, 0, 1, 0] and names.class_names == ("b", "a")
    assert names.item(0)[1] == 0
    parts = source_of(ConcatDataset([Targets(LABELS, classes=list("abc")), Targets(LABELS, classes=list("xyz"))]))
    assert parts.class_names is None and "name their classes differently" in parts.notes[0]
    assert parts.labels is not None and parts.labels.tolist() == [*LABELS, *LABELS]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Endless(), r"take some, as list\(itertools"),
        (DataLoader(Endless()), r"take some, as list\(itertools"),
        ((array for array in ARRAY), r"take some, as list\(itertools"),
        ({"train": Columns(), "test": Columns()}, r"several data sets \(train, test\); pass one, as data\['train'\]"),
    ],
)
def test_what_cannot_be_read_by_number_is_refused_with_the_mend(data: object, message: str) -> None:
    assert is_data_set(data)
    with pytest.raises(PictureError, match=message):
        source_of(data)


@pytest.mark.parametrize(
    "data",
    [
        ARRAY[0],
        ARRAY,
        list(ARRAY),
        list(ARRAY[:2]),
        tuple(ARRAY[:2]),
        list(ARRAY[:2, :, :, 0]),
        [torch.zeros(3, 8, 8)] * 2,
        torch.zeros(2, 3, 8, 8),
        {"image": ARRAY[0]},
        {"a": ARRAY[0], "b": ARRAY[1]},
        b"png",
        "a.png",
        PIL.Image.new("L", (4, 4)),
        [],
        {},
        None,
        7,
    ],
    ids=lambda data: str(data)[:20],
)
def test_pictures_are_no_data_set(data: object) -> None:
    assert not is_data_set(data)


def test_what_lies_beside_the_folders_of_classes_is_told(tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        folder(tmp_path / split)
    PIL.Image.fromarray(ARRAY[0]).save(tmp_path / "loose.png")
    source = source_of(tmp_path)
    assert len(source) == 12 and "1 pictures that lie beside" in source.notes[0]
    assert f"pass {tmp_path.name}/train" in source.notes[1]
    assert not source_of(tmp_path / "train").notes


def test_pictures_that_change_with_each_look_are_told() -> None:
    class Augmented(Pairs):
        def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
            image, label = super().__getitem__(index)
            return np.roll(image, len(self.read), axis=0), label

    source, again = source_of(Augmented()), source_of(Augmented())
    again.picture(0)
    assert source.fingerprint == again.fingerprint and "are random" in source.notes[0]
    assert not source_of(Pairs()).notes
