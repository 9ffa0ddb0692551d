"""Techniques that explain a score, pure torch: `explainer(classifier, pixels, target)` gives a `Heatmap`."""

from cnnviz_widgets.explain.ablationcam import AblationCAM
from cnnviz_widgets.explain.base import Explainer, Heatmap, Range
from cnnviz_widgets.explain.baseline import baseline_pixels
from cnnviz_widgets.explain.cam import CAM, ClassMaps
from cnnviz_widgets.explain.class_visual import Channel, ClassVisual, Visual
from cnnviz_widgets.explain.eigencam import EigenCAM
from cnnviz_widgets.explain.gradcam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from cnnviz_widgets.explain.guided_backprop import GuidedBackprop
from cnnviz_widgets.explain.guided_gradcam import GuidedGradCAM
from cnnviz_widgets.explain.integrated_gradients import Attribution, IntegratedGradients
from cnnviz_widgets.explain.occlusion import Occlusion
from cnnviz_widgets.explain.occlusion_map import OcclusionMap
from cnnviz_widgets.explain.rise import RISE
from cnnviz_widgets.explain.saliency import GradientXInput, Saliency
from cnnviz_widgets.explain.scorecam import ScoreCAM
from cnnviz_widgets.explain.smoothgrad import SmoothGrad
from cnnviz_widgets.explain.tape import Tape, TapeExplainer

__all__ = [
    "CAM",
    "RISE",
    "AblationCAM",
    "Attribution",
    "Channel",
    "ClassMaps",
    "ClassVisual",
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
    "Visual",
    "XGradCAM",
    "baseline_pixels",
]
