"""How soon there is a map that says something, and how much of the whole map it says."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from benchmarks.occlusion import DEFAULT, STRIDE, TARGET, WINDOW, best_count, captum
from benchmarks.table import Rival, Row, compare, noted
from cnnviz_widgets import Classifier, demo
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap

#: The share of the windows from which on a map is taken for useful.
SHARE = 0.04


def rows() -> Iterable[Row]:
    classifier = demo.classifier()
    pixels = classifier.pixels(demo.pictures()[0])
    explainer = Occlusion(WINDOW, STRIDE)
    with torch.no_grad():
        target = int(classifier.logits(pixels)[0].argmax())
    first, whole = first_map(explainer, classifier, pixels, target), explainer(classifier, pixels, target)
    alike = float(np.corrcoef(first.values.ravel(), whole.values.ravel())[0, 1])
    count = best_count(classifier.network, pixels)
    found = compare(
        f"first useful map, {DEFAULT}",
        lambda: first_map(explainer, classifier, pixels, target),
        Rival(f"captum, whole map, {count} at once", captum(classifier.network, pixels, WINDOW, STRIDE, count)),
        Rival("our whole map", lambda: explainer(classifier, pixels, target)),
    )
    return noted(found, f"{first.progress:.1%} of the windows, correlation with the whole map {alike:.2f}")


def first_map(explainer: Occlusion, classifier: Classifier, pixels: torch.Tensor, target: int = TARGET) -> OcclusionMap:
    """The first map of at least SHARE of the windows."""
    return next(found for found in explainer.steps(classifier, pixels, target) if found.progress >= SHARE)
