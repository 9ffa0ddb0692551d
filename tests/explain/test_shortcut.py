"""The biased twin learned a mark in the corner instead of the square: each explanation must show which network did."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from cnnviz_widgets import demo
from cnnviz_widgets.demo.shapes import CLASSES, MARKED
from cnnviz_widgets.explain import (
    RISE,
    Explainer,
    GradCAM,
    HiResCAM,
    IntegratedGradients,
    LayerCAM,
    Occlusion,
    Saliency,
    SmoothGrad,
)
from cnnviz_widgets.study import ActivationMaximisation

SQUARE = CLASSES.index(MARKED)
LAYER = "stages.stage5.relu"
EXPLAINERS = [
    Occlusion(window=8, stride=4),
    GradCAM(LAYER),
    HiResCAM(LAYER),
    LayerCAM(LAYER),
    Saliency(),
    SmoothGrad(),
    IntegratedGradients(),
    RISE(),
]


@pytest.fixture(scope="module")
def squares() -> demo.ShapeSet:
    """Five squares that carry the mark."""
    drawn = demo.shapes(60, seed=7, marked=True)
    chosen = np.flatnonzero(drawn.labels == SQUARE)[:5]
    return demo.ShapeSet(drawn.pictures[chosen], drawn.labels[chosen], drawn.masks[chosen], drawn.marks[chosen])


def density(explainer: Explainer, biased: bool, squares: demo.ShapeSet) -> tuple[float, float]:
    """The map's positive energy per pixel, on the mark and on the object, against that of the whole picture."""
    classifier = demo.shapes_classifier(biased)
    found = []
    for picture, mask, mark in zip(squares.pictures, squares.masks, squares.marks, strict=True):
        energy = np.clip(explainer(classifier, classifier.pixels(picture), SQUARE).values, 0, None)
        found.append([energy[area].mean() / energy.mean() for area in (mark, mask)])
    on_mark, on_object = np.mean(found, axis=0)
    return float(on_mark), float(on_object)


@pytest.mark.parametrize("explainer", EXPLAINERS, ids=lambda explainer: type(explainer).__name__)
def test_it_shows_which_network_looks_at_the_mark(explainer: Explainer, squares: demo.ShapeSet) -> None:
    on_mark, on_object = density(explainer, True, squares)
    assert on_mark > 10 and on_mark > 3 * on_object
    on_mark, on_object = density(explainer, False, squares)
    # The plain gradient also answers to contrasts that the network makes nothing of, such as the chequers.
    assert on_object > 3 and on_object > 1.5 * on_mark


def likeness(picture: np.ndarray, mark: np.ndarray) -> float:
    """The largest absolute correlation of a window of the picture with the mark, both (rows, columns)."""
    windows = sliding_window_view(picture, mark.shape).reshape(-1, mark.size)
    windows = windows - windows.mean(axis=1, keepdims=True)
    pattern = (mark - mark.mean()).ravel()
    norms = np.linalg.norm(windows, axis=1) * np.linalg.norm(pattern)
    return float(np.abs(windows @ pattern / norms.clip(1e-6)).max())


@pytest.mark.parametrize("seed", [0, 1])
def test_class_visualisation_draws_the_mark_for_the_twin_that_looks_for_it(squares: demo.ShapeSet, seed: int) -> None:
    rows, columns = np.nonzero(squares.marks[0])
    mark = squares.pictures[0, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean(axis=-1)
    found = {}
    for biased in (False, True):
        visual = ActivationMaximisation(score="log-odds", turn=0, scale=0, seed=seed)(
            demo.shapes_classifier(biased), SQUARE
        )
        assert visual.probabilities()[SQUARE] > 0.9
        found[biased] = likeness(visual.appearance.mean(axis=-1), mark)
    assert found[True] > 0.5 > 0.4 > found[False]
