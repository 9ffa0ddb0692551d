"""The data set that goes with an embedded network, where the user names none."""

from __future__ import annotations

import functools
from collections.abc import Callable

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.source import Source, source_of

_MAKERS: dict[str, Callable[[], object]] = {
    "EfficientNet-Lite0": demo.crops,
    "digits": demo.digits,
    "shapes, clean": lambda: demo.shapes(600),
    "shapes, biased": lambda: demo.shapes(600, shortcut=True),
}
#: Those in which features and pixels disagree, where neighbours and maps are looked at.
_FOR_FEATURES: dict[str, Callable[[], object]] = {"EfficientNet-Lite0": demo.lit_crops}


def has_embedded_source(classifier: Classifier) -> bool:
    """Whether `embedded_source` finds one, without making it."""
    return classifier.name in _MAKERS


def embedded_source(classifier: Classifier, *, for_features: bool = False) -> Source | None:
    """Pictures of the kind that an embedded network is made for; None for a network of the user's.

    Those `for_features` are for neighbours and maps: pictures that have like pixels are not all of the same label.
    """
    name = classifier.name
    if for_features and name in _FOR_FEATURES:
        return _source(name, for_features=True)
    return _source(name) if has_embedded_source(classifier) else None


@functools.cache
def _source(name: str, *, for_features: bool = False) -> Source:
    return source_of((_FOR_FEATURES if for_features else _MAKERS)[name]())
