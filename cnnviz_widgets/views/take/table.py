"""The numbers behind what a panel shows, as columns: one row for each cell, tile, class or point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.cluster import table_of
from cnnviz_widgets.collection.embedding import Embedding
from cnnviz_widgets.collection.neighbours import Neighbours
from cnnviz_widgets.collection.predictions import Predictions
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.explain import Agreement, Evaluation, Heatmap, RandomizedMap
from cnnviz_widgets.explain.occlusion.mask import mask_text
from cnnviz_widgets.session import Example
from cnnviz_widgets.study.activations import Activations
from cnnviz_widgets.study.filters import Filters
from cnnviz_widgets.study.maximisation.ascent import AscentState
from cnnviz_widgets.views.parts.crops import Sheet, title
from cnnviz_widgets.views.parts.probing import Probe

#: A name for each column, and its values, as many in each.
Columns = dict[str, list[object]]
_T = TypeVar("_T")


def required(result: _T | None) -> _T:
    """`result`, if there is one. Raises ExportError."""
    if result is None:
        raise ExportError(
            "There is nothing to take away yet: wait until `busy` is False, then see what the line below the view says."
        )
    return result


def of_heatmap(heatmap: Heatmap) -> Columns:
    """The cells of a map, with the quantity that a value is."""
    rows, columns = np.indices(heatmap.cells.shape)
    return {
        "row": _listed(rows),
        "column": _listed(columns),
        "value": _listed(heatmap.cells),
        "quantity": [heatmap.quantity] * heatmap.cells.size,
    }


def of_classes(example: Example) -> Columns:
    """What the network says of a picture, for each class."""
    return {
        "class": list(range(len(example.logits))),
        "name": list(example.classifier.class_names),
        "logit": example.logits.tolist(),
        **_shares("probability", example, example.logits),
    }


def of_probe(probe: Probe) -> Columns:
    """What the network says of the whole picture and with the window on it, for each class.

    Of a mask, too: its text, which `OcclusionView.mask` takes, stands in the first row.
    """
    example = probe.example
    columns: Columns = {
        "class": list(range(len(probe.logits))),
        "name": list(example.classifier.class_names),
        "logit": example.logits.tolist(),
        "logit_covered": probe.logits.tolist(),
        **_shares("probability", example, example.logits),
        **_shares("probability_covered", example, probe.logits),
    }
    if probe.mask is not None:
        covered, text = int(probe.mask.sum()), mask_text(probe.mask)
        rest = [""] * (len(probe.logits) - 1)
        return {**columns, "covered_pixels": [covered] * len(probe.logits), "mask": [text, *rest]}
    names = ("top", "left", "height", "width")
    return {**columns, **{name: [side] * len(probe.logits) for name, side in zip(names, probe.box, strict=True)}}


def _shares(name: str, example: Example, logits: NDArray[np.float32]) -> Columns:
    """Probabilities, where the network has any."""
    if example.classifier.scores == "none":
        return {}
    return {name: example.classifier.readout.probabilities(logits).tolist()}


def of_activations(maps: Activations, off: frozenset[int]) -> Columns:
    """How strong each channel is, and whether it is switched off."""
    flat = maps.maps.reshape(len(maps.maps), -1)
    return {
        "layer": [maps.layer] * len(flat),
        "channel": list(range(len(flat))),
        "mean": maps.strengths("mean").tolist(),
        "max": maps.strengths("max").tolist(),
        "share_of_zeros": (flat == 0).mean(axis=1).tolist(),
        "off": [channel in off for channel in range(len(flat))],
    }


def of_filters(filters: Filters) -> Columns:
    """Figures about each filter; `duplicate_of` is the first that is the same."""
    count = len(filters.weights)
    return {
        "layer": [filters.layer] * count,
        "filter": list(range(count)),
        "norm": filters.norms.tolist(),
        "share_near_zero": filters.sparsity.tolist(),
        "dead": filters.dead.tolist(),
        "duplicate_of": [None if other < 0 else int(other) for other in filters.duplicates],
    }


def of_sheet(sheet: Sheet, source: Source) -> Columns:
    """Where each patch is, and how strong the channel is there."""
    places = sheet.locations
    return {
        "layer": [sheet.layer] * len(places),
        "channel": [sheet.channel] * len(places),
        "rank": [sheet.rank] * len(places),
        "item": [int(place.image) for place in places],
        "name": [title(source, place.image) for place in places],
        "row": [int(place.row) for place in places],
        "column": [int(place.column) for place in places],
        "activation": [float(place.value) for place in places],
    }


def of_ascents(
    visuals: Sequence[AscentState | None], names: Sequence[str], curves: Sequence[Sequence[tuple[int, float]]]
) -> Columns:
    """The probability of each picture's class by step, and the score that the last step measured."""
    table: Columns = {"picture": [], "of": [], "step": [], "probability": [], "score": []}
    for place, state in enumerate(visuals):
        if state is None:
            continue
        curve: list[tuple[int, float | None]] = [*curves[place]]
        if not curve or curve[-1][0] != state.step:
            curve.append((state.step, None))
        for step, probability in curve:
            values = (place + 1, names[place], step, probability, state.score if step == state.step else None)
            for column, value in zip(table.values(), values, strict=True):
                column.append(value)
    return table


def of_neighbours(store: FeatureStore, spaces: dict[str, Neighbours]) -> Columns:
    """The neighbours in each space, nearest first."""
    table: Columns = {}
    for space, found in spaces.items():
        columns: Columns = {
            "space": [space] * len(found),
            "rank": list(range(1, len(found) + 1)),
            "metric": [found.metric] * len(found),
            "distance": found.distances.tolist(),
            **table_of(store, found.rows),
        }
        table = {name: [*table.get(name, []), *values] for name, values in columns.items()}
    return table


def of_embedding(store: FeatureStore, embedding: Embedding) -> Columns:
    """Where each picture lies on the map."""
    positions = embedding.positions
    x, y = positions.T
    return {**table_of(store, np.arange(len(positions))), "x": x.tolist(), "y": y.tolist()}


def of_predictions(store: FeatureStore, known: Predictions) -> Columns:
    """What the network says of each picture of a labelled data set; the loss is NaN where the label is none of its."""
    names = (*known.class_names, "")  # -1 is the last
    return {
        "item": known.items.tolist(),
        "name": [str(name) for name in store.names[: len(known.items)]],
        "label": [names[label] for label in known.labels],
        "prediction": [names[label] for label in known.predicted],
        "confidence": known.confidence.tolist(),
        "loss": known.loss.tolist(),
    }


def of_curves(found: Evaluation) -> Columns:
    """The points of all curves: of the map, of the blob in the middle, and of each random order."""
    curves = {
        ("map", "insertion"): found.insertion,
        ("map", "deletion"): found.deletion,
        ("middle", "insertion"): found.middle_insertion,
        ("middle", "deletion"): found.middle_deletion,
        **{(f"random {number}", "insertion"): curve for number, curve in enumerate(found.random, 1)},
    }
    columns: Columns = {"order": [], "test": [], "share": [], "score": [], "quantity": []}
    for (order, test), curve in curves.items():
        if curve is not None:
            for share, score in zip(curve.shares.tolist(), curve.scores.tolist(), strict=True):
                for column, value in zip(columns.values(), (order, test, share, score, found.quantity), strict=True):
                    column.append(value)
    return columns


def of_randomized(maps: Sequence[RandomizedMap]) -> Columns:
    """How like the map of each random network is to the trained one's."""
    return {
        "layers_drawn_anew": [one.count for one in maps],
        "layers": [one.total for one in maps],
        "from_layer": [one.layer for one in maps],
        "rank_correlation": [one.correlation for one in maps],
    }


def of_agreement(found: Agreement) -> Columns:
    """The rank correlation of each pair of techniques."""
    pairs = [(one, other) for place, one in enumerate(found.names) for other in found.names[place + 1 :]]
    return {
        "technique": [one for one, _ in pairs],
        "other": [other for _, other in pairs],
        "rank_correlation": [found.between(*pair) for pair in pairs],
    }


def _listed(values: Any) -> list[object]:
    """The values of an array as Python's, row by row."""
    listed: list[object] = values.ravel().tolist()
    return listed
