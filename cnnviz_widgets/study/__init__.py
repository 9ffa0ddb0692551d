"""What a network or one of its layers is, independent of any class score.

Functions: `activations` and `filters` of a layer, its `receptive_field`, the logits after `ablate`-ing channels,
the picture that `maximise`s a class or a channel, and what channels fire for where masks show it (`dissect`). A
`Concept` is a direction of features.
"""

import warnings
from typing import Any

from cnnviz_widgets.study.ablation import ablate
from cnnviz_widgets.study.activations import Activations, activations
from cnnviz_widgets.study.concept import Concept, Sensitivity
from cnnviz_widgets.study.dissection import Dissection, dissect
from cnnviz_widgets.study.filters import Filters, filters, initial_filters
from cnnviz_widgets.study.maximisation.ascent import ActivationMaximisation, AscentState, Channel, maximise
from cnnviz_widgets.study.receptive_field import ReceptiveField, receptive_field

__all__ = [
    "ActivationMaximisation",
    "Activations",
    "AscentState",
    "Channel",
    "Concept",
    "Dissection",
    "Filters",
    "ReceptiveField",
    "Sensitivity",
    "ablate",
    "activations",
    "dissect",
    "filters",
    "initial_filters",
    "maximise",
    "receptive_field",
]

# Old names, which warn for one release.
_RENAMED = {"ClassVisual": ActivationMaximisation, "Visual": AscentState}


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    renamed = _RENAMED[name]
    warnings.warn(f"study.{name} is now study.{renamed.__name__}", DeprecationWarning, stacklevel=2)
    return renamed
