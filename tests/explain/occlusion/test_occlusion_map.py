"""A finished occlusion map answers for other classes and for a drag without the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import TargetError
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap, Windows
from tests.support import networks
from tests.support.networks import Counted, seeded


@pytest.fixture
def classifier() -> Classifier:
    return networks.classifier(Counted(seeded(networks.VGGLike)))


@pytest.fixture
def found(classifier: Classifier) -> OcclusionMap:
    result = Occlusion((5, 6), (3, 4))(classifier, networks.picture(classifier) * 5, 1)
    classifier.network.calls = 0
    return result


@pytest.mark.parametrize("target", [0, 1, 4, Target(4, 2)])
@pytest.mark.parametrize("score", ["logit", "probability"])
def test_another_class_or_score_is_what_another_run_gives(
    classifier: Classifier, found: OcclusionMap, target: int | Target, score: str
) -> None:
    switched = found.for_score(score).for_target(target)
    assert classifier.network.calls == 0
    pixels = networks.picture(classifier) * 5
    expected = Occlusion((5, 6), (3, 4), score=score)(classifier, pixels, target)
    np.testing.assert_array_equal(switched.values, expected.values)
    np.testing.assert_array_equal(switched.cells, expected.cells)
    assert (switched.quantity, switched.target, switched.score) == (expected.quantity, classifier.target(target), score)
    assert switched.signed and switched.progress == 1 and expected.values.any()


@pytest.mark.parametrize("target", [-1, networks.CLASSES, True, 1.0, None, "cat", Target(0, 99)])
def test_a_class_that_does_not_exist(found: OcclusionMap, target: Any) -> None:
    with pytest.raises(TargetError, match="A class is an index from 0 to 4, not"):
        found.for_target(target)


def test_the_logits_behind_the_nearest_window(classifier: Classifier, found: OcclusionMap) -> None:
    windows = found.windows
    assert (windows.tops, windows.lefts, windows.shape) == ((0, 3, 6, 7), (0, 4, 8, 10), (4, 4))
    assert found.logits.shape == (4, 4, networks.CLASSES)
    # 6 is nearest to 6.4; 9 is as near to 8 as to 10; what lies outside belongs to the border.
    for (top, left), (row, column) in {
        (0, 0): (0, 0),
        (6.4, 5.9): (2, 1),
        (6.6, 6.1): (3, 2),
        (1, 9): (0, 2),
        (-50, 1e9): (0, 3),
    }.items():
        assert windows.cell(top, left) == (row, column)
        np.testing.assert_array_equal(found.nearest(top, left), found.logits[row, column])
    assert classifier.network.calls == 0
    pixels = networks.picture(classifier) * 5
    boxes = [windows.box(row, column) for row in range(4) for column in range(4)]
    expected = Occlusion().occluded(classifier, pixels, boxes)
    np.testing.assert_allclose(found.logits.reshape(16, -1), expected, atol=1e-5)
    assert found.whole.shape == (networks.CLASSES,)
    np.testing.assert_allclose(found.cells, found.whole[1] - found.logits[..., 1])


def test_an_unfinished_map_answers_with_a_neighbour(classifier: Classifier) -> None:
    pixels = networks.picture(classifier)
    first = next(iter(Occlusion(3, 1).steps(classifier, pixels, 1)))
    assert 0 < first.progress < 1 and not first.known.all()
    row, column = np.argwhere(~first.known)[0]
    answer = first.nearest(first.windows.tops[row], first.windows.lefts[column])
    assert (first.logits[first.known] == answer).all(axis=1).any()
    again = first.for_target(2)
    assert again.progress == first.progress
    np.testing.assert_array_equal(again.known, first.known)


@pytest.mark.parametrize(
    ("size", "window", "tops", "lefts"),
    [
        ((7, 9), (3, 3), (0, 2, 4), (0, 3, 6)),
        ((7, 9), (3, 4), (0, 3, 4), (0, 5)),
        ((7, 9), (7, 9), (0,), (0,)),
        ((7, 9), (1, 1), (0, 3, 6), (0, 4, 8)),
        ((12, 5), (2, 1), (0, 5, 10), (0, 4)),
    ],
)
def test_pixels_are_the_mean_over_their_windows(
    size: tuple[int, int], window: tuple[int, int], tops: tuple[int, ...], lefts: tuple[int, ...]
) -> None:
    windows = Windows(size, window, tops, lefts)
    cells = np.random.default_rng(0).normal(size=windows.shape).astype(np.float32)
    found = windows.averaged(cells)

    def rows_of(at: int, starts: tuple[int, ...], length: int) -> list[int]:
        covering = [index for index, start in enumerate(starts) if start <= at < start + length]
        away = [max(start - at, at - (start + length - 1)) for start in starts]
        return covering or [away.index(min(away))]

    for i in range(size[0]):
        for j in range(size[1]):
            values = [
                cells[row, column] for row in rows_of(i, tops, window[0]) for column in rows_of(j, lefts, window[1])
            ]
            assert found[i, j] == pytest.approx(np.mean(values), abs=1e-6)
    assert found.dtype == np.float32
