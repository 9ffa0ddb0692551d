"""The order from coarse to fine."""

from __future__ import annotations

import numpy as np
import pytest

from cnnviz_widgets.explain.occlusion.refinement import Refinement, depths, interpolate_missing, spread_evenly


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


@pytest.mark.parametrize(
    ("rows", "columns", "most"),
    [(13, 13, 8), (12, 12, 7), (25, 25, 31), (5, 40, 10), (40, 5, 10), (1, 1, 1), (1, 9, 2)],
)
def test_the_first_cells_are_spread_evenly(rows: int, columns: int, most: int) -> None:
    cells = spread_evenly(rows, columns, most)
    assert 0.8 * most <= len(set(cells.tolist())) == len(cells) <= most
    assert cells.min() >= 0 and cells.max() < rows * columns
    holes = [distances(rows, columns, cells).max()]
    generator = np.random.default_rng(0)
    for _ in range(200):
        some = generator.permutation(rows * columns)[: len(cells)]
        holes.append(distances(rows, columns, some).max())
    # No cell is farther from one of them than hardly any random choice leaves it.
    assert holes[0] <= np.quantile(holes, 0.1)


def distances(rows: int, columns: int, cells: np.ndarray) -> np.ndarray:
    """How far each cell (rows, columns) is from each of `cells`, the nearest."""
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1)
    places = np.array([divmod(int(cell), columns) for cell in cells])
    found: np.ndarray = np.linalg.norm(grid[:, :, None] - places, axis=-1).min(axis=2)
    return found


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 2), (7, 11)])
def test_between_the_known_cells_is_their_mean_by_inverse_distance(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(size=shape).astype(np.float32)
    known = generator.random(shape) < 0.3
    known.flat[0] = True
    found = interpolate_missing(values, known)
    for row in range(shape[0]):
        for column in range(shape[1]):
            if known[row, column]:
                assert found[row, column] == values[row, column]
                continue
            total = weights = 0.0
            for i, j in np.argwhere(known):
                weight = np.hypot(i - row, j - column) ** -3
                total, weights = total + weight * values[i, j], weights + weight
            assert found[row, column] == pytest.approx(total / weights, abs=1e-5)
    assert found.dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (13, 13), (8, 31)])
def test_the_nearest_known_cell_stands_for_each(shape: tuple[int, int]) -> None:
    refinement = Refinement(*shape)
    order = np.random.default_rng(2).permutation(shape[0] * shape[1])
    kept = []
    for start in range(0, len(order), 5):
        refinement.add(order[start : start + 5])
        done = order[: start + 5]
        assert refinement.done == len(done) and set(np.flatnonzero(refinement.known)) == set(done.tolist())
        standing = np.array([np.divmod(order[refinement.source], shape[1])])[0]
        own = np.indices(shape)
        np.testing.assert_allclose(np.hypot(*(standing - own)), distances(*shape, done))
        kept.append((refinement.source, refinement.source.copy(), refinement.known, refinement.known.copy()))
    for source, copied, known, also in kept:
        assert (source == copied).all() and (known == also).all()


def test_there_is_more_to_learn_where_the_map_is_large_steep_and_unknown() -> None:
    refinement = Refinement(5, 9)
    refinement.add(np.array([2 * 9 + 4]))
    flat = refinement.interest(np.zeros((5, 9), np.float32))
    np.testing.assert_allclose(flat, distances(5, 9, np.array([22])))
    large = np.zeros((5, 9), np.float32)
    large[:, :3] = -2
    found = refinement.interest(large)
    assert found[2, 4] == 0  # nothing more is learned of what is known
    assert found[2, 0] > 2 * found[2, 8] == 2 * flat[2, 8]  # large
    assert found[1, 3] > found[1, 5]  # steep
    assert refinement.interest(np.zeros((5, 9), np.float32))[2, 8] > 0  # a dull corner has its turn
