"""Scores of guesses against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cnnviz_widgets.views.parts.guess_scores import (
    against_best,
    best_window,
    most_hands,
    overlap,
    quarters,
    rank,
    share_inside,
)

#: What is positive adds up to 10.
MAP = np.array([[1, 0, -5, 0], [0, 3, 2, 0], [0, 0, 4, -1]], np.float32)


def test_quarters_cover_every_pixel_once() -> None:
    covered = np.zeros((5, 7), int)
    for top, left, height, width in quarters(5, 7).values():
        covered[top : top + height, left : left + width] += 1
    assert (covered == 1).all()
    assert quarters(4, 6) == {"A": (0, 0, 2, 3), "B": (0, 3, 2, 3), "C": (2, 0, 2, 3), "D": (2, 3, 2, 3)}


@pytest.mark.parametrize(
    ("window", "share"),
    [((0, 0, 3, 4), 1.0), ((0, 0, 1, 1), 0.1), ((1, 1, 2, 2), 0.9), ((0, 2, 1, 2), 0.0), ((0, 0, 2, 2), 0.4)],
)
def test_negative_values_count_for_nothing(window: tuple[int, int, int, int], share: float) -> None:
    assert share_inside(MAP, window) == pytest.approx(share)


def test_the_share_of_nothing_is_no_number() -> None:
    assert math.isnan(share_inside(-np.ones((2, 2)), (0, 0, 1, 1)))
    assert math.isnan(against_best(0.0, 0.0))


@pytest.mark.parametrize(
    ("size", "window"),
    [((2, 2), (1, 1, 2, 2)), ((1, 1), (2, 2, 1, 1)), ((1, 2), (1, 1, 1, 2)), ((3, 4), (0, 0, 3, 4))],
)
def test_the_best_window_of_a_size(size: tuple[int, int], window: tuple[int, int, int, int]) -> None:
    assert best_window(MAP, *size) == window


def test_the_best_window_is_that_of_a_search_through_all() -> None:
    values = np.random.default_rng(0).normal(size=(9, 11))
    shares = {(t, x): share_inside(values, (t, x, 3, 4)) for t in range(7) for x in range(8)}
    assert best_window(values, 3, 4)[:2] == max(shares, key=lambda at: shares[at])


def test_a_guess_is_measured_against_the_best_of_its_size() -> None:
    assert against_best(0.4, 0.9) == pytest.approx(4 / 9)
    assert against_best(-0.1, 0.9) == 0 and against_best(1.2, 0.9) == 1


def test_ranks_begin_at_one_and_equal_scores_share_the_better() -> None:
    assert [rank([0.1, 0.6, 0.6, 0.2], index) for index in range(4)] == [4, 1, 1, 3]


def test_the_overlap_of_a_lasso() -> None:
    assert overlap([1, 2, 3], [2, 3, 4, 5]) == pytest.approx(2 / 5)
    assert overlap([1], [1]) == 1 and overlap([], [1]) == 0 and overlap([], []) == 0


def test_hands() -> None:
    assert most_hands({"A": 8, "B": 19, "C": 3, "D": 6}) == ("B", 19, 36)
    assert most_hands({"A": 2, "B": 2}) == ("A", 2, 4)
    assert most_hands({"A": 0}) is None and most_hands({}) is None
