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


def has_embedded_source(classifier: Classifier) -> bool:
    """Whether `embedded_source` finds one, without making it."""
    return classifier.name in _MAKERS


def embedded_source(classifier: Classifier) -> Source | None:
    """Pictures of the kind that an embedded network is made for; None for a network of the user's."""
    return _source(classifier.name) if has_embedded_source(classifier) else None


@functools.cache
def _source(name: str) -> Source:
    return source_of(_MAKERS[name]())
