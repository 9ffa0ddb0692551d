"""Techniques that explain a score, pure torch: `explainer(classifier, pixels, target)` gives a `Heatmap`."""

import importlib
import warnings
from typing import Any

from cnnviz_widgets.explain.baseline import baseline_pixels
from cnnviz_widgets.explain.cam.ablationcam import AblationCAM
from cnnviz_widgets.explain.cam.cam import CAM, ClassMaps
from cnnviz_widgets.explain.cam.eigencam import EigenCAM
from cnnviz_widgets.explain.cam.gradcam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from cnnviz_widgets.explain.cam.scorecam import ScoreCAM
from cnnviz_widgets.explain.cam.tape import Tape, TapeExplainer
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.guided_backprop import GuidedBackprop
from cnnviz_widgets.explain.gradient.guided_gradcam import GuidedGradCAM
from cnnviz_widgets.explain.gradient.integrated_gradients import Attribution, IntegratedGradients
from cnnviz_widgets.explain.gradient.saliency import GradientXInput, Saliency
from cnnviz_widgets.explain.gradient.smoothgrad import SmoothGrad
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.occlusion.occlusion import Occlusion
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap
from cnnviz_widgets.explain.occlusion.rise import RISE
from cnnviz_widgets.parameters import Range

__all__ = [
    "CAM",
    "RISE",
    "AblationCAM",
    "Attribution",
    "ClassMaps",
    "EigenCAM",
    "Explainer",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientXInput",
    "GuidedBackprop",
    "GuidedGradCAM",
    "Heatmap",
    "HiResCAM",
    "IntegratedGradients",
    "LayerCAM",
    "Occlusion",
    "OcclusionMap",
    "Range",
    "Saliency",
    "ScoreCAM",
    "SmoothGrad",
    "Tape",
    "TapeExplainer",
    "XGradCAM",
    "baseline_pixels",
]


def __getattr__(name: str) -> Any:
    if name not in ("Channel", "ClassVisual", "Visual"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"explain.{name} is now study.{name}", DeprecationWarning, stacklevel=2)
    return getattr(importlib.import_module("cnnviz_widgets.study"), name)
