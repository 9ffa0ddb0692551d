"""The lasso finds the shortcut: pictures that carry the mark are one group to the network that learned it."""

from __future__ import annotations

import numpy as np

from cnnviz_widgets import FeatureStore, demo
from cnnviz_widgets.collection.cluster import inside
from cnnviz_widgets.collection.projection import TSNE

PICTURES = demo.shapes(300, seed=11)
MARKED = PICTURES.marks.any(axis=(1, 2))


def lassoed(biased: bool) -> tuple[float, float]:
    """Of the points in a ring around the middle of the marked ones: the share marked; and the share of all marked."""
    store = FeatureStore.build(demo.shapes_classifier(biased), PICTURES)
    positions = TSNE()(store.features).positions
    middle = np.median(positions[MARKED], axis=0)
    radius = np.quantile(np.linalg.norm(positions[MARKED] - middle, axis=1), 0.7)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    chosen = inside(middle + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1), positions)
    return float(MARKED[chosen].mean()), float(chosen[MARKED].mean())


def test_a_lasso_on_the_biased_networks_map_catches_the_marked_pictures() -> None:
    purity, caught = lassoed(biased=True)
    assert purity > 0.9 and caught > 0.6


def test_on_the_clean_networks_map_they_are_spread_among_the_others() -> None:
    purity, _ = lassoed(biased=False)
    assert purity < 2 * MARKED.mean()
