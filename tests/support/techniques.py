"""Every technique, with parameters that make it quick."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from cnnviz_widgets import explain
from cnnviz_widgets.explain import Explainer, Heatmap

TECHNIQUES: dict[type[Explainer], Explainer] = {
    explain.AblationCAM: explain.AblationCAM(relu=False),
    explain.CAM: explain.CAM(),
    explain.EigenCAM: explain.EigenCAM(),
    explain.GradCAM: explain.GradCAM(),
    explain.GradCAMPlusPlus: explain.GradCAMPlusPlus(),
    explain.GradientXInput: explain.GradientXInput(),
    explain.GuidedBackprop: explain.GuidedBackprop(),
    explain.GuidedGradCAM: explain.GuidedGradCAM(),
    explain.HiResCAM: explain.HiResCAM(),
    explain.IntegratedGradients: explain.IntegratedGradients(points=150),
    explain.LayerCAM: explain.LayerCAM(),
    explain.Occlusion: explain.Occlusion(window=3, stride=1),
    explain.RISE: explain.RISE(masks=150, cells=3),
    explain.Saliency: explain.Saliency(),
    explain.ScoreCAM: explain.ScoreCAM(),
    explain.SmoothGrad: explain.SmoothGrad(samples=150),
    explain.XGradCAM: explain.XGradCAM(),
}

#: Exported for views and for new techniques to build on; not techniques themselves.
BASES = {explain.Explainer, explain.TapeExplainer}


def all_techniques(function: Callable[..., None]) -> Callable[..., None]:
    ids = [type(explainer).__name__ for explainer in TECHNIQUES.values()]
    return pytest.mark.parametrize("explainer", TECHNIQUES.values(), ids=ids)(function)


def having(field: str) -> pytest.MarkDecorator:
    chosen = [e for e in TECHNIQUES.values() if field in {f.name for f in dataclasses.fields(e)}]
    return pytest.mark.parametrize("explainer", chosen, ids=[type(e).__name__ for e in chosen])


def same(first: Heatmap, second: Heatmap) -> None:
    np.testing.assert_allclose(first.values, second.values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(first.cells, second.cells, rtol=1e-5, atol=1e-6)
