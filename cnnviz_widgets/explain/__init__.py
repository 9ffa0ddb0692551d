"""Techniques that explain a score, pure torch: `explainer(classifier, pixels, target)` gives a `Heatmap`."""

import importlib
import warnings
from typing import Any

from cnnviz_widgets.explain.baseline import baseline_pixels
from cnnviz_widgets.explain.cam.ablationcam import AblationCAM
from cnnviz_widgets.explain.cam.cam import CAM
from cnnviz_widgets.explain.cam.eigencam import EigenCAM
from cnnviz_widgets.explain.cam.gradcam import FinerCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from cnnviz_widgets.explain.cam.scorecam import ScoreCAM
from cnnviz_widgets.explain.evaluation.agreement import Agreement, agreement
from cnnviz_widgets.explain.evaluation.insertion import Evaluation, OrderTest, evaluate
from cnnviz_widgets.explain.evaluation.other_class import OtherClass, another_class
from cnnviz_widgets.explain.evaluation.pointing import Pointing, pointing_game
from cnnviz_widgets.explain.evaluation.randomization import RandomizationTest, RandomizedMap, randomize
from cnnviz_widgets.explain.explainer import Explainer, LayerExplainer
from cnnviz_widgets.explain.gradient.guided_backprop import GuidedBackprop
from cnnviz_widgets.explain.gradient.guided_gradcam import GuidedGradCAM
from cnnviz_widgets.explain.gradient.integrated_gradients import IntegratedGradients
from cnnviz_widgets.explain.gradient.lrp import LRP
from cnnviz_widgets.explain.gradient.saliency import GradientXInput, Saliency
from cnnviz_widgets.explain.gradient.smoothgrad import SmoothGrad
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.occlusion.kernelshap import KernelSHAP
from cnnviz_widgets.explain.occlusion.occlusion import Occlusion
from cnnviz_widgets.explain.occlusion.rise import RISE
from cnnviz_widgets.parameters import Range

#: All techniques, in the order in which panels list them.
TECHNIQUES: tuple[type[Explainer], ...] = (
    Occlusion,
    RISE,
    KernelSHAP,
    GradCAM,
    FinerCAM,
    HiResCAM,
    GradCAMPlusPlus,
    LayerCAM,
    XGradCAM,
    EigenCAM,
    ScoreCAM,
    AblationCAM,
    CAM,
    Saliency,
    GradientXInput,
    SmoothGrad,
    IntegratedGradients,
    GuidedBackprop,
    GuidedGradCAM,
    LRP,
)

__all__ = [
    "CAM",
    "LRP",
    "RISE",
    "TECHNIQUES",
    "AblationCAM",
    "Agreement",
    "EigenCAM",
    "Evaluation",
    "Explainer",
    "FinerCAM",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientXInput",
    "GuidedBackprop",
    "GuidedGradCAM",
    "Heatmap",
    "HiResCAM",
    "Instance",
    "IntegratedGradients",
    "KernelSHAP",
    "LayerCAM",
    "LayerExplainer",
    "Occlusion",
    "OrderTest",
    "OtherClass",
    "Pointing",
    "RandomizationTest",
    "RandomizedMap",
    "Range",
    "Saliency",
    "ScoreCAM",
    "SmoothGrad",
    "XGradCAM",
    "agreement",
    "another_class",
    "baseline_pixels",
    "evaluate",
    "pointing_game",
    "randomize",
]

#: What was imported from here before -> where it is, and its name there if that is another one, for one release.
_MOVED = {
    "Attribution": "explain.gradient.integrated_gradients",
    "Channel": "study",
    "ClassMaps": "explain.cam.cam",
    "ClassVisual": "study.maximisation.ascent:ActivationMaximisation",
    "OcclusionMap": "explain.occlusion.occlusion_map",
    "Tape": "explain.cam.tape",
    "Visual": "study.maximisation.ascent:AscentState",
}


def __getattr__(name: str) -> Any:
    if name == "TapeExplainer":
        warnings.warn("explain.TapeExplainer is now explain.LayerExplainer", DeprecationWarning, stacklevel=2)
        return LayerExplainer
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, new = _MOVED[name].partition(":")
    warnings.warn(f"explain.{name} is now {module}.{new or name}", DeprecationWarning, stacklevel=2)
    return getattr(importlib.import_module(f"cnnviz_widgets.{module}"), new or name)
