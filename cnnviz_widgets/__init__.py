"""Look inside convolutional networks by hand, in a notebook.

from cnnviz_widgets import explore
explore(model, images)                       # everything, linked

OcclusionView(model, image)                  # one technique

occlusion = explain.Occlusion(window=64)     # no widget
heatmap = occlusion(Classifier(model), pixels, target)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier
    from cnnviz_widgets.collection.features import FeatureStore
    from cnnviz_widgets.session import Session
    from cnnviz_widgets.views.activation import ActivationView
    from cnnviz_widgets.views.cam import CAMView
    from cnnviz_widgets.views.class_visual import ClassVisualView
    from cnnviz_widgets.views.embedding import EmbeddingView
    from cnnviz_widgets.views.explorer import explore
    from cnnviz_widgets.views.filters import FilterView
    from cnnviz_widgets.views.neighbours import NeighbourView
    from cnnviz_widgets.views.occlusion import OcclusionView
    from cnnviz_widgets.views.patches import PatchView
    from cnnviz_widgets.views.saliency import SaliencyView
    from cnnviz_widgets.views.sketch import SketchView

__all__ = [
    "ActivationView",
    "CAMView",
    "ClassVisualView",
    "Classifier",
    "EmbeddingView",
    "FeatureStore",
    "FilterView",
    "NeighbourView",
    "OcclusionView",
    "PatchView",
    "SaliencyView",
    "Session",
    "SketchView",
    "explore",
]
__version__ = "0.1.0"

# Names and modules are imported when they are first used: importing the package must not wait for torch.
_MODULES = ("collection", "demo", "errors", "explain", "study")
_HOMES = {
    "ActivationView": "views.activation",
    "CAMView": "views.cam",
    "ClassVisualView": "views.class_visual",
    "Classifier": "classifier",
    "EmbeddingView": "views.embedding",
    "FeatureStore": "collection.features",
    "FilterView": "views.filters",
    "NeighbourView": "views.neighbours",
    "OcclusionView": "views.occlusion",
    "PatchView": "views.patches",
    "SaliencyView": "views.saliency",
    "Session": "session",
    "SketchView": "views.sketch",
    "explore": "views.explorer",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
