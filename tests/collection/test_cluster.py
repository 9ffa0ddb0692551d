"""What a selection has in common, against slow or closed forms."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.cluster import (
    common_neighbours,
    csv_of,
    distinctions,
    inside,
    label_counts,
    pair_distance,
    table_of,
)
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.collection.store import FeatureStore

coordinates = st.floats(-10, 10, allow_nan=False, width=32)


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 12), st.integers(0, 10_000))
def test_inside_a_star_shaped_polygon(corners: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    radii = random.uniform(0.3, 1, corners)
    polygon = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    points = random.uniform(-1, 1, (300, 2))
    expected = Polygon(polygon).contains_points(points)
    np.testing.assert_array_equal(inside(polygon, points), expected)


def test_a_lasso_that_crosses_itself_leaves_its_middle_out() -> None:
    angles = np.arange(5) * 4 * np.pi / 5
    pentagram = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    np.testing.assert_array_equal(inside(pentagram, np.array([[0, 0], [0, 0.7], [2, 2]])), [False, True, False])
    assert not inside(pentagram[:2], np.zeros((3, 2))).any()


@pytest.fixture
def store(classifier: Classifier, pictures: np.ndarray) -> FeatureStore:
    labels = np.array([0, 1, 2, -1] * 5 + [0, 0, 1])
    return FeatureStore.build(classifier, source_of((pictures, labels), class_names=["x", "y", "z"]))


def test_label_counts(store: FeatureStore) -> None:
    counts = label_counts(store, np.array([0, 1, 4, 8, 3]))
    assert [(count.name, count.inside, count.whole) for count in counts] == [
        ("x", 3, 7), ("no label", 1, 5), ("y", 1, 6),
    ]  # fmt: skip


def test_distinctions_are_the_standardised_mean_differences() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(50, 6)).astype(np.float32)
    rows = np.arange(12)
    features[rows, 4] += 5
    features[:, 2] = 1
    found = distinctions(features, rows, 9)
    assert found[0].channel == 4 and 2 not in [one.channel for one in found] and len(found) == 5
    within, rest = features[:12].astype(float), features[12:].astype(float)
    for one in found:
        c = one.channel
        expected = (within[:, c].mean() - rest[:, c].mean()) / np.sqrt((within[:, c].var() + rest[:, c].var()) / 2)
        assert one.difference == pytest.approx(expected)
        assert one.inside == pytest.approx(within[:, c].mean())
    features[:, 2] = np.arange(50) < 12
    assert distinctions(features, rows, 1)[0].channel == 2
    assert distinctions(features, np.arange(50)) == [] == distinctions(features, np.arange(0))


def test_common_neighbours_are_those_that_most_members_have() -> None:
    line = np.array([0, 1, 2, 3, 4, 50, 51], np.float32)[:, None]
    found = common_neighbours(line, np.array([0, 1, 2]), 3, "euclidean")
    # 0 -> 1 2 3, 1 -> 0 2 3, 2 -> 1 3 0 (0 and 4 are as near): only 3 is outside.
    assert found == [(3, 3)]
    assert common_neighbours(line, np.array([], np.intp)) == []


def test_the_table_and_its_csv(store: FeatureStore) -> None:
    table = table_of(store, np.array([1, 3]), "my cluster")
    assert table["item"] == [1, 3] and table["label"] == [1, None] and table["label_name"] == ["y", ""]
    assert table["selection"] == ["my cluster"] * 2
    np.testing.assert_array_equal(table["predicted"], store.logits[[1, 3]].argmax(axis=1))
    rows = list(csv.reader(io.StringIO(csv_of(table))))
    assert rows[0] == list(table) and rows[1] == ["1", "item 1", "1", "y", str(table["predicted"][0]), "my cluster"]


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@sum", "\t=1", " =1", "\r=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_of({"name": [name, 'a "b", c'], "item": [-1, 2]}), newline="")))
    assert rows[1][0] == f"'{name}" and rows[1][1] == "-1" and rows[2][0] == 'a "b", c'


def test_the_distance_of_a_pair_and_its_rank() -> None:
    line = np.array([0, 1, 2, 10], np.float32)[:, None]
    assert pair_distance(line, [0, 2], "euclidean") == (2.0, pytest.approx(1 / 2))
    assert pair_distance(line, [0, 1], "euclidean") == (1.0, 0.0)
