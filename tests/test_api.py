"""The public names, which stay."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import pytest

import cnnviz_widgets
from cnnviz_widgets import explain

NAMES = [
    "ActivationView",
    "CAMView",
    "CameraView",
    "Classifier",
    "DataView",
    "EmbeddingView",
    "FeatureStore",
    "FilterView",
    "MaximisationView",
    "NeighbourView",
    "OcclusionView",
    "PatchView",
    "SaliencyView",
    "Session",
    "SketchView",
    "Target",
    "TestView",
    "check",
    "compare",
    "explore",
]
TECHNIQUES = {
    "AblationCAM",
    "CAM",
    "EigenCAM",
    "FinerCAM",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientXInput",
    "GuidedBackprop",
    "GuidedGradCAM",
    "HiResCAM",
    "IntegratedGradients",
    "KernelSHAP",
    "LRP",
    "LayerCAM",
    "Occlusion",
    "RISE",
    "Saliency",
    "ScoreCAM",
    "SmoothGrad",
    "XGradCAM",
}


def test_names_of_the_package() -> None:
    assert cnnviz_widgets.__all__ == NAMES
    assert set(NAMES) <= set(dir(cnnviz_widgets))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name: str) -> None:
    assert getattr(cnnviz_widgets, name).__name__ == name


def test_old_names_warn() -> None:
    with pytest.warns(DeprecationWarning, match="ClassVisualView is now MaximisationView"):
        assert cnnviz_widgets.ClassVisualView is cnnviz_widgets.MaximisationView


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="explorer"):
        cnnviz_widgets.explorer  # noqa: B018


@pytest.mark.parametrize("name", ["collection", "demo", "errors", "explain", "export", "study"])
def test_modules_are_there_in_a_fresh_interpreter(name: str) -> None:
    code = f"import cnnviz_widgets; assert cnnviz_widgets.{name}.__name__ == 'cnnviz_widgets.{name}'"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert name in dir(cnnviz_widgets)


def test_names_of_explain() -> None:
    assert set(explain.__all__) >= TECHNIQUES


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
def test_a_technique_is_a_frozen_dataclass_that_explains(name: str) -> None:
    technique = getattr(explain, name)
    assert issubclass(technique, explain.Explainer)
    assert dataclasses.is_dataclass(technique)
    assert technique.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert list(inspect.signature(technique.__call__).parameters) == [
        "self",
        "classifier",
        "pixels",
        "target",
    ]


def test_parameters_that_stay() -> None:
    assert "layer" in inspect.signature(explain.GradCAM).parameters
    assert {"window", "stride", "baseline"} <= set(inspect.signature(explain.Occlusion).parameters)
