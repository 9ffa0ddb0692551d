"""The order from coarse to fine."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.explain.refinement import Refinement, depths


def test_depths_are_those_of_a_balanced_tree() -> None:
    assert depths(1).tolist() == [0]
    assert depths(3).tolist() == [1, 0, 1]
    assert depths(7).tolist() == [2, 1, 2, 0, 2, 1, 2]
    assert depths(4).tolist() == [1, 2, 0, 2]
    for count in range(1, 200):
        found = depths(count)
        assert len(found) == count and (found == 0).sum() == 1
        assert abs(int(found.argmin()) - (count - 1) / 2) <= 0.5  # in the middle
        for depth in range(found.max() + 1):
            gaps = np.diff(np.flatnonzero(found <= depth))
            assert (gaps == gaps[:1]).all()  # evenly spaced
            ends = np.flatnonzero(found <= depth)[[0, -1]]
            spacing = 2 ** (count.bit_length() - 1 - depth)
            assert ends[0] < spacing and count - 1 - ends[1] < spacing


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (13, 13), (5, 2), (8, 31)])
def test_every_cell_has_a_stand_in_that_is_known_and_near(shape: tuple[int, int]) -> None:
    refinement = Refinement(*shape)
    size = shape[0] * shape[1]
    assert sorted(refinement.order) == list(range(size))
    assert (refinement.rank.ravel()[refinement.order] == np.arange(size)).all()
    places = np.array(np.unravel_index(refinement.order, shape)).T
    reach = []
    for done in range(1, size + 1):
        source = refinement.source(done)
        assert source.shape == shape and source.max() < done and source.min() >= 0
        known = refinement.rank < done
        assert (source[known] == refinement.rank[known]).all()
        cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
        reach.append(int(np.abs(places[source] - cells).max()))
    assert reach == sorted(reach, reverse=True) and reach[-1] == 0
    assert reach[0] <= (max(shape) + 1) // 2


def test_the_first_nine_of_a_usual_map_are_a_grid() -> None:
    rows, columns = np.unravel_index(Refinement(13, 13).order[:9], (13, 13))
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (row, column) for row in (2, 6, 10) for column in (2, 6, 10)
    ]
