"""The kernels of a layer as a view draws them, and what they answer on a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnviz_widgets import study
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.session import Example
from cnnviz_widgets.study.activations import Activations, activations
from cnnviz_widgets.study.filters import Filters, convolution_of
from cnnviz_widgets.views.job import one_step


@dataclass(frozen=True, eq=False)
class FilterState:
    """What the view draws: the kernels, those of the same layer `drawn` at random, and the layer that was asked for.

    `responses` are what the filters answer on the `example`, where there is one.
    """

    classifier: Classifier
    filters: Filters
    drawn: Filters | None
    asked: str
    example: Example | None = None
    responses: Activations | None = None


@one_step
def load_filters(
    classifier: Classifier, layer: str, beside: bool, known: FilterState | None, example: Example | None
) -> FilterState:
    name = convolution_of(classifier, layer).name
    filters, other = study.filters(classifier, name), None
    if known is not None and known.classifier is classifier and known.filters.layer == name:
        other = known.drawn
        # A network may have been trained on meanwhile.
        if np.array_equal(known.filters.weights, filters.weights):
            filters = known.filters
    # What the panel draws from is computed here, on the worker.
    _ = filters.duplicates, filters.sparsity, filters.dead
    if beside:
        other = other or study.initial_filters(classifier, name)
    responses = None
    if known is not None and known.example is example and known.filters is filters:
        responses = known.responses
    elif example is not None:
        responses = _responses(example, name, len(filters.weights))
    drawn = other if beside else None
    return FilterState(classifier, filters, drawn, classifier.layer(layer).name, example, responses)


def _responses(example: Example, layer: str, count: int) -> Activations | None:
    """What the `count` filters of a convolution answer on a picture, or None where that cannot be told."""
    try:
        found = activations(example.classifier, example.pixels, layer)
    except ExplanationError:
        return None
    return found if len(found.maps) == count else None
