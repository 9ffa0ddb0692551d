"""Techniques that explain a score, pure torch: `explainer(classifier, pixels, target)` gives a `Heatmap`."""

from cnnviz_widgets.explain.base import Explainer, Heatmap, Range
from cnnviz_widgets.explain.cam import CAM, ClassMaps
from cnnviz_widgets.explain.eigencam import EigenCAM
from cnnviz_widgets.explain.gradcam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from cnnviz_widgets.explain.scorecam import ScoreCAM
from cnnviz_widgets.explain.tape import Tape, TapeExplainer

__all__ = [
    "CAM",
    "ClassMaps",
    "EigenCAM",
    "Explainer",
    "GradCAM",
    "GradCAMPlusPlus",
    "Heatmap",
    "HiResCAM",
    "LayerCAM",
    "Range",
    "ScoreCAM",
    "Tape",
    "TapeExplainer",
    "XGradCAM",
]
