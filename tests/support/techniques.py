"""Every technique, with parameters that make it quick."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets import explain
from cnnviz_widgets.classifier import TargetLike
from cnnviz_widgets.explain import Explainer, Heatmap, Instance
from cnnviz_widgets.explain.cam.tape import Tape

#: What makes the slow ones quick, and what a map has to be compared.
PARAMETERS: dict[type[Explainer], dict[str, Any]] = {
    explain.AblationCAM: {"relu": False},
    explain.IntegratedGradients: {"points": 150},
    explain.KernelSHAP: {"segments": 9, "samples": 150},
    explain.Occlusion: {"window": 3, "stride": 1},
    explain.RISE: {"masks": 150, "cells": 3},
    explain.SmoothGrad: {"samples": 150},
}

TECHNIQUES = {technique: technique(**PARAMETERS.get(technique, {})) for technique in explain.TECHNIQUES}

#: Exported for new techniques to build on; not techniques themselves.
BASES = {explain.Explainer, explain.LayerExplainer}


def all_techniques(function: Callable[..., None]) -> Callable[..., None]:
    ids = [type(explainer).__name__ for explainer in TECHNIQUES.values()]
    return pytest.mark.parametrize("explainer", TECHNIQUES.values(), ids=ids)(function)


def having(field: str) -> pytest.MarkDecorator:
    chosen = [e for e in TECHNIQUES.values() if field in {f.name for f in dataclasses.fields(e)}]
    return pytest.mark.parametrize("explainer", chosen, ids=[type(e).__name__ for e in chosen])


def same(first: Heatmap, second: Heatmap) -> None:
    np.testing.assert_allclose(first.values, second.values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(first.cells, second.cells, rtol=1e-5, atol=1e-6)


def on_tape(explainer: Explainer, tape: Tape, target: TargetLike) -> Heatmap:
    """The final map from what a tape recorded."""
    *_, last = explainer.explain(Instance.of(tape.classifier, tape.pixels, target, tape=tape))
    return last
