"""Nearest rows, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from cnnviz_widgets.collection import neighbours
from cnnviz_widgets.collection.neighbours import (
    METRICS,
    Metric,
    distances_to,
    farthest_neighbour,
    label_agreement,
    nearest,
    nearest_of_rows,
)
from cnnviz_widgets.errors import StoreError


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("block", [1, 50, 2**22])
def test_they_are_scikit_learns(metric: Metric, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    random = np.random.default_rng(0)
    vectors = random.normal(size=(200, 7)).astype(np.float32)
    queries = random.normal(size=(5, 7)).astype(np.float32)
    distances, rows = NearestNeighbors(n_neighbors=9, metric=metric, algorithm="brute").fit(vectors).kneighbors(queries)
    for query, expected, order in zip(queries, distances, rows, strict=True):
        found = nearest(vectors, query, 9, metric)
        np.testing.assert_array_equal(found.rows, order)
        np.testing.assert_allclose(found.distances, expected, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=30), st.integers(0, 29))
def test_ties_are_broken_by_the_rows_number(points: list[tuple[int, int]], query: int) -> None:
    vectors = np.array(points, np.float32)
    target = vectors[query % len(vectors)]
    for metric in METRICS:
        found = nearest(vectors, target, len(vectors), metric)
        distances = distances_to(vectors, target, metric)
        expected = sorted(range(len(vectors)), key=lambda row: (distances[row], row))
        assert found.rows.tolist() == expected


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-120, 1e-25, 1e-10, 1, 1e10, 1e25, 1e30])
@pytest.mark.parametrize("offset", [0, 1, 1e6])
def test_the_quick_comparison_loses_none(metric: Metric, scale: float, offset: float) -> None:
    random = np.random.default_rng(0)
    vectors = scale * (offset + random.normal(size=(400, 5)))
    vectors[7] = vectors[30] = 0
    vectors[200:220] = vectors[3]
    for query in (vectors[3], vectors[5] * 1.1, vectors[7]):
        distances = distances_to(vectors, query, metric)
        expected = np.argsort(distances, kind="stable")
        np.testing.assert_array_equal(nearest(vectors, query, 30, metric).rows, expected[:30])
        found = nearest(vectors, query, 12, metric, exclude=[3, 201]).rows
        np.testing.assert_array_equal(found, expected[~np.isin(expected, [3, 201])][:12])


def test_few_rows_are_compared_twice() -> None:
    vectors = np.random.default_rng(0).normal(size=(2000, 64)).astype(np.float32)
    for metric in METRICS:
        assert len(neighbours._candidates(vectors, vectors[0], 10, metric)) < 20


def test_equal_vectors_are_at_distance_zero_and_a_zero_vector_at_right_angles() -> None:
    vectors = np.array([[0.1, 0.7, 3.3], [0, 0, 0], [0.2, 1.4, 6.6]], np.float32)
    assert distances_to(vectors, vectors[0], "euclidean")[0] == 0
    cosine = distances_to(vectors, vectors[0], "cosine")
    np.testing.assert_allclose(cosine, [0, 1, 0], atol=1e-12)
    np.testing.assert_array_equal(distances_to(vectors, vectors[1], "cosine"), [1, 1, 1])


def test_rows_can_be_left_out_and_k_is_clamped() -> None:
    vectors = np.arange(5, dtype=np.float32)[:, None]
    assert nearest(vectors, vectors[2], 2, "euclidean", exclude=[2]).rows.tolist() == [1, 3]
    assert len(nearest(vectors, vectors[2], 99, "euclidean", exclude=[2])) == 4


def test_pictures_are_compared_as_they_are() -> None:
    pictures = np.zeros((3, 4, 4, 3), np.uint8)
    pictures[1], pictures[2] = 200, 10
    found = nearest(pictures, pictures[2], 3, "euclidean")
    assert found.rows.tolist() == [2, 0, 1]
    np.testing.assert_allclose(found.distances, [0, 10 * 48**0.5, 190 * 48**0.5], rtol=1e-6)


def test_label_agreement() -> None:
    labels = np.array([1, 1, 2, -1])
    assert label_agreement(labels, 1) == pytest.approx(2 / 3)
    assert label_agreement(labels, -1) is None
    assert label_agreement(np.array([-1]), 1) is None


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(StoreError, match="cannot be compared"):
        nearest(np.zeros((3, 4)), np.zeros(5), 1)
    with pytest.raises(StoreError, match="no metric 'taxi'"):
        nearest(np.zeros((3, 4)), np.zeros(4), 1, "taxi")  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", METRICS)
def test_many_rows_at_once_have_the_same_neighbours(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 500)
    vectors = np.random.default_rng(0).normal(size=(90, 6)).astype(np.float32)
    rows = np.array([4, 80, 7, 33, 0, 1, 2, 3])
    for row, found in zip(rows, nearest_of_rows(vectors, rows, 5, metric), strict=True):
        np.testing.assert_array_equal(found, nearest(vectors, vectors[row], 5, metric, exclude=[int(row)]).rows)


@pytest.mark.parametrize("metric", METRICS)
def test_the_farthest_neighbour(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    found = farthest_neighbour(vectors, metric)
    expected = [np.delete(distances_to(vectors, vector, metric), row).min() for row, vector in enumerate(vectors)]
    assert found == pytest.approx(max(expected))
    monkeypatch.setattr(neighbours, "_MAX_DISTANCES", 0)
    monkeypatch.setattr(neighbours, "_MIN_QUERIES", 2)
    assert farthest_neighbour(vectors, metric) == pytest.approx(max(expected[0], expected[49]))
    assert farthest_neighbour(vectors[:1], metric) == float("inf")


@pytest.mark.parametrize("metric", METRICS)
def test_many_at_once_in_blocks_are_those_of_one_go(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).integers(0, 3, (60, 4)).astype(np.float32)  # with ties and zero vectors
    rows = np.array([0, 17, 59])
    whole = nearest_of_rows(vectors, rows, 7, metric)
    monkeypatch.setattr(neighbours, "_BLOCK", 4 * 9)
    np.testing.assert_array_equal(nearest_of_rows(vectors, rows, 7, metric), whole)
