"""The nearest pictures of one, in features and in pixels, and what their labels say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.extraction import thumbnail_of
from cnnviz_widgets.collection.neighbours import Metric, Neighbours, distances_to, label_agreement, nearest
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts.answers import Answer, near_labels

#: How pictures are compared pixel by pixel, whatever the metric in the features: by the cosine a dim picture and a
#: bright one would be alike. The distance is the root of the mean square difference, in levels of 0 to 255.
PIXEL_METRIC: Metric = "euclidean"
#: Cosine distance in features, and Euclidean one of thumbnails, below which a picture is a copy of the one looked at.
_COPY = 1e-6
#: Of a larger data set so many thumbnails, evenly spaced, are compared pixel by pixel.
PIXELS = 20_000


@dataclass(frozen=True, eq=False)
class FoundNeighbours:
    """The neighbours of an example in features and in pixels; `row` is its own, where it is of the data set."""

    store: FeatureStore
    example: Example
    row: int | None
    seen: NDArray[np.uint8]
    features: Neighbours
    pixels: Neighbours
    compared: int
    #: Thumbnails of both kinds of neighbours.
    tiles: tuple[NDArray[np.uint8], NDArray[np.uint8]]


def find_neighbours(store: FeatureStore, example: Example, row: int | None, metric: Metric, k: int) -> Steps:
    """The FoundNeighbours of an example in `store`, of which it may be a row itself."""
    vector = store.features_of(example.classifier, example.pixels)[0]
    seen = thumbnail_of(example.classifier, example.pixels)

    def search() -> tuple[list[int], NDArray[np.intp], Neighbours, Neighbours]:
        itself = copies_of(store, vector, seen, [] if row is None else [row])
        sample = np.linspace(0, len(store) - 1, min(len(store), PIXELS)).astype(np.intp)
        sample = sample[~np.isin(sample, itself)]
        near = store.nearest(vector, k, metric, itself)
        return itself, sample, near, nearest(store.thumbnails(sample), seen, k, PIXEL_METRIC)

    searched = Aside("neighbours", search)
    yield searched
    itself, sample, near, by_pixels = searched.result()
    pixels = Neighbours(sample[by_pixels.rows], by_pixels.distances / np.sqrt(seen.size), PIXEL_METRIC)
    tiles = store.thumbnails(near.rows), store.thumbnails(pixels.rows)
    return FoundNeighbours(store, example, row, seen, near, pixels, len(sample) + len(itself), tiles)


def copies_of(store: FeatureStore, vector: NDArray[np.float32], seen: NDArray[np.uint8], known: list[int]) -> list[int]:
    """The rows of the picture itself, of which some are `known`: those at no distance in features and in pixels."""
    copies, asked = list(known), 4
    while True:
        near = store.nearest(vector, asked, "cosine", known)
        same = near.rows[near.distances < _COPY]
        if len(same) < len(near) or len(near) < asked:
            break
        asked *= 4
    if len(same):
        apart = distances_to(store.thumbnails(same), seen, "euclidean")
        copies += [int(row) for row, distance in zip(same, apart, strict=True) if distance < _COPY]
    return copies


def near_answer(found: FoundNeighbours) -> Answer | None:
    """How many neighbours share the picture's label, or the most frequent one, in features and in pixels."""
    store, labels = found.store, found.store.labels
    around, by_pixels = (labels[near.rows] for near in (found.features, found.pixels))
    around, by_pixels = around[around >= 0], by_pixels[by_pixels >= 0]
    if not len(around) or len(around) != len(by_pixels):
        return None
    own = -1 if found.row is None else int(labels[found.row])
    if own < 0:
        values, counts = np.unique(around, return_counts=True)
        own = int(values[counts.argmax()])
    name = store.label_name(int(np.flatnonzero(labels == own)[0]))
    return near_labels(name, int((around == own).sum()), int((by_pixels == own).sum()), len(around))


def agreement(found: FoundNeighbours, near: Neighbours) -> str:
    """How many neighbours share the picture's label, or which label is the most frequent."""
    store, labels = found.store, found.store.labels
    own = -1 if found.row is None else int(labels[found.row])
    around = labels[near.rows]
    known = around[around >= 0]
    if not len(known):
        return "no labels are known."
    share = label_agreement(around, own)
    if share is not None and found.row is not None:
        return f"{round(share * len(known))} of {len(known)} have its label, {store.label_name(found.row)}."
    values, counts = np.unique(known, return_counts=True)
    best = int(values[counts.argmax()])
    row = int(near.rows[np.flatnonzero(around == best)[0]])
    return f"{counts.max()} of {len(known)} have the label {store.label_name(row)}."
