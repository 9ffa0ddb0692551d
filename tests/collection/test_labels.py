"""Targets of every kind are kept as they are, or left out with a word; never renumbered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas
import PIL.Image
import pytest
import torch

from cnnviz_widgets.collection.items import Source
from cnnviz_widgets.collection.labels import names_of_classes, read_targets

MASK = PIL.Image.new("L", (4, 4))
BOXES = {"boxes": torch.zeros(1, 4), "labels": torch.tensor([3])}


@pytest.mark.parametrize(
    ("targets", "labels"),
    [
        ([2, 0, 10], [2, 0, 10]),
        ([2, None, 10, 2], [2, -1, 10, 2]),
        ([None] * 3, [-1] * 3),
        ((5, 1_000_000_007, 5), [5, 1_000_000_007, 5]),
        ([True, False], [1, 0]),
        (np.array([7, 3], np.uint8), [7, 3]),
        (np.array([0, 1, 2, 10], object), [0, 1, 2, 10]),
        (np.array([1, None, np.nan, 4.0], object), [1, -1, -1, 4]),
        (np.array([0.0, 1.0, np.nan]), [0, 1, -1]),
        (np.array([[4], [2]]), [4, 2]),
        (np.ma.MaskedArray([4, 2, 7], [False, True, False]), [4, -1, 7]),
        (torch.tensor([3, 9]), [3, 9]),
        (torch.tensor([0.0, 1.0], dtype=torch.bfloat16), [0, 1]),
        (torch.tensor([3.0, 1.0], requires_grad=True), [3, 1]),
        ([torch.tensor(3), np.int64(4), np.float32(5), np.array([6]), torch.tensor([7.0])], [3, 4, 5, 6, 7]),
        (torch.eye(3)[[2, 0]], [2, 0]),
        (np.array([[0, 1], [1, 0]], bool), [1, 0]),
        (pandas.Series([1, 3]), [1, 3]),
        (pandas.Series([1, None], dtype="Int64"), [1, -1]),
        (["10", "2", "10"], [10, 2, 10]),
        ([], []),
    ],
)
def test_numbers_are_kept_as_they_are(targets: Any, labels: list[int]) -> None:
    found = read_targets(targets)
    assert found.labels is not None and found.labels.dtype == np.int64
    assert found.labels.tolist() == labels and found.class_names is None and not found.note


@pytest.mark.parametrize(
    ("targets", "what"),
    [
        (np.array([0.5, 1.0, 2.0]), "fractions"),
        ([0.5, 1], "fractions"),
        (torch.eye(6)[:, :4], "several numbers each"),
        (torch.rand(3, 4), "several numbers each"),
        (np.zeros((3, 8, 8), np.uint8), "tables or masks"),
        ([torch.zeros(8, 8)] * 2, "tables or masks"),
        ([MASK] * 2, "of type Image"),
        ([BOXES] * 2, "of type dict"),
        ([[1, 2], [3]], "of type list"),
        (["cat", 1], "some are names"),
        (["a.png", "b.PNG"], "picture files"),
        ([10**30, 10**31], "too large"),
        ([1 + 2j], "of type complex"),
        (np.array([np.inf]), "fractions"),
        (np.array(["2020-01-01"], "datetime64[D]"), "of type date"),
    ],
)
def test_what_is_no_label_is_left_out_with_a_word(targets: Any, what: str) -> None:
    found = read_targets(targets)
    assert found.labels is None and what in found.note


def test_a_few_that_are_none_are_left_out_alone() -> None:
    found = read_targets([4, BOXES, 2])
    assert found.labels is not None and found.labels.tolist() == [4, -1, 2]
    assert "1 of 3 pictures, whose targets are of type dict" in found.note
    found = read_targets(np.array([-100, -1, 3]))
    assert found.labels is not None and found.labels.tolist() == [-1, -1, 3] and "-100" in found.note


@pytest.mark.parametrize(
    ("targets", "names", "labels", "expected"),
    [
        (["dog", "cat", None, ""], None, [1, 0, -1, -1], ("cat", "dog")),
        ([b"dog", np.str_("cat")], None, [1, 0], ("cat", "dog")),
        (["dog", "cat"], ("dog", "cat", "cow"), [0, 1], ("dog", "cat", "cow")),
        (["dog", "emu"], ("cow", "dog"), [1, 2], ("cow", "dog", "emu")),
        (["dog", 0, None], ("cow", "dog"), [1, 0, -1], ("cow", "dog")),
        (["1", "0"], ("1", "0"), [0, 1], ("1", "0")),
        (["007", "1"], None, [0, 1], ("007", "1")),
        (pandas.Categorical(["b", "a", None], ["b", "a"]), None, [1, 0, -1], ("a", "b")),
    ],
)
def test_names(targets: Any, names: Any, labels: list[int], expected: tuple[str, ...]) -> None:
    found = read_targets(targets, names)
    assert found.labels is not None and found.labels.tolist() == labels
    assert found.class_names == expected and not found.note


def test_class_names_that_do_not_fit_are_left_out_with_a_word() -> None:
    found = read_targets([0, 7], ("a", "b"))
    assert found.labels is not None and found.labels.tolist() == [0, 7]
    assert found.class_names is None and "names 2 classes but has a label 7" in found.note


@pytest.mark.parametrize(
    ("classes", "places", "expected"),
    [
        (["a", "b"], {"a": 0, "b": 1}, ("a", "b")),
        (["a", "b"], {"a": 1, "b": 0}, ("b", "a")),
        (None, {"a": 0, "b": 2, "c": 2}, ("a", "1", "b")),
        ([("tench", "Tinca"), "shark"], {"tench": 0, "Tinca": 0, "shark": 1}, ("tench, Tinca", "shark")),
        ([3, 4], None, ("3", "4")),
        ("ab", None, None),
        (10, {"a": "b"}, None),
        (None, None, None),
    ],
)
def test_names_of_classes(classes: Any, places: Any, expected: tuple[str, ...] | None) -> None:
    data = type("Data", (), {"classes": classes, "class_to_idx": places})()
    assert names_of_classes(data) == expected


PIXELS = np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("target", "label", "note"),
    [
        (3, 3, ""),
        (None, -1, ""),
        (torch.tensor([2.0]), 2, ""),
        (-1, -1, ""),
        ("bee", 1, ""),
        ("12", 12, ""),
        ("cow", -1, "pass labels="),
        (0.5, -1, "fractions, as 0.5"),
        (-100, -1, "below -1"),
        (BOXES, -1, "of type dict"),
        (MASK, -1, "of type Image"),
        (torch.tensor([0.0, 1.0, 1.0]), -1, "several numbers"),
    ],
)
def test_the_label_that_an_item_brings(target: object, label: int, note: str) -> None:
    source = Source(lambda _: (PIXELS, target), 3, class_names=("ant", "bee"))
    assert [source.item(index)[1] for index in range(3)] == [label] * 3
    assert len(source.notes) == bool(note) and note in " ".join(source.notes)
