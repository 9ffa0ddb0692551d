"""Look inside convolutional networks by hand, in a notebook.

from cnnviz_widgets import explore
explore(model, pictures)                     # everything, linked

OcclusionView(model, picture)                 # one technique

occlusion = explain.Occlusion(window=64)     # no widget
heatmap = occlusion(Classifier(model), pixels, target)
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier as Classifier
    from cnnviz_widgets.classifier import Target as Target
    from cnnviz_widgets.collection.store import FeatureStore as FeatureStore
    from cnnviz_widgets.hosts import check as check
    from cnnviz_widgets.session import Session as Session
    from cnnviz_widgets.views.activation import ActivationView as ActivationView
    from cnnviz_widgets.views.app import explore as explore
    from cnnviz_widgets.views.cam import CAMView as CAMView
    from cnnviz_widgets.views.camera import CameraView as CameraView
    from cnnviz_widgets.views.compare import compare as compare
    from cnnviz_widgets.views.embedding import EmbeddingView as EmbeddingView
    from cnnviz_widgets.views.evaluation import TestView as TestView
    from cnnviz_widgets.views.filters import FilterView as FilterView
    from cnnviz_widgets.views.labelled import DataView as DataView
    from cnnviz_widgets.views.maximisation import MaximisationView as MaximisationView
    from cnnviz_widgets.views.neighbours import NeighbourView as NeighbourView
    from cnnviz_widgets.views.occlusion import OcclusionView as OcclusionView
    from cnnviz_widgets.views.patches import PatchView as PatchView
    from cnnviz_widgets.views.saliency import SaliencyView as SaliencyView
    from cnnviz_widgets.views.sketch import SketchView as SketchView

__version__ = "0.1.0"

# Names and modules are imported when they are first used: importing the package must not wait for torch.
_MODULES = ("collection", "demo", "errors", "explain", "export", "study")
_HOMES = {
    "ActivationView": "views.activation",
    "CAMView": "views.cam",
    "CameraView": "views.camera",
    "Classifier": "classifier",
    "DataView": "views.labelled",
    "EmbeddingView": "views.embedding",
    "FeatureStore": "collection.store",
    "FilterView": "views.filters",
    "MaximisationView": "views.maximisation",
    "NeighbourView": "views.neighbours",
    "OcclusionView": "views.occlusion",
    "PatchView": "views.patches",
    "SaliencyView": "views.saliency",
    "Session": "session",
    "SketchView": "views.sketch",
    "Target": "classifier",
    "TestView": "views.evaluation",
    "check": "hosts",
    "compare": "views.compare",
    "explore": "views.app",
}
#: Old names, which go on for one release.
_RENAMED = {"ClassVisualView": "MaximisationView"}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _RENAMED:
        warnings.warn(f"{name} is now {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
