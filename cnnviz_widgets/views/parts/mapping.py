"""The work behind a map: its steps, its trustworthiness, and where a picture lies on it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.neighbours import farthest_neighbour, nearest
from cnnviz_widgets.collection.projection import Embedding, Projection, trustworthiness
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import StoreError
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scatter import prepare
from cnnviz_widgets.widgets.pace import FrameAcknowledger

#: Seconds between two pictures of a moving map: a browser draws thousands of points in half of that.
INTERVAL = 0.25


@dataclasses.dataclass(frozen=True, eq=False)
class EmbeddingFrame:
    """A map as it is to be drawn, the features it is of, and the projection that made it.

    When it rests, `trustworthiness` is known, and `farthest_nearest`, the largest distance of one of its pictures to
    its nearest in the features.
    """

    store: FeatureStore
    technique: Projection
    embedding: Embedding
    trustworthiness: float | None = None
    farthest_nearest: float = float("inf")

    @property
    def features(self) -> NDArray[np.float32]:
        """The features that are mapped, (N, D): the store may have grown since."""
        return self.store.features[: len(self.embedding.positions)]

    @property
    def groups(self) -> NDArray[np.int64]:
        """By what the points are coloured, (N,): their labels, or the predicted classes where none is known."""
        return groups_of(self.store, slice(len(self.embedding.positions)))


@dataclasses.dataclass(frozen=True, eq=False)
class PlacedPicture:
    """Where a picture lies on a map, (2,), and what there is to say of it."""

    position: NDArray[np.float32]
    note: str = ""


def groups_of(store: FeatureStore, rows: slice | NDArray[np.intp]) -> NDArray[np.int64]:
    """The labels of rows, (N,), or their predicted classes where no label is known."""
    labels = store.labels[rows]
    return labels if (labels >= 0).any() else store.logits[rows].argmax(axis=1)


def embed(store: FeatureStore, technique: Projection, start: EmbeddingFrame | None, pace: FrameAcknowledger) -> Steps:
    """The frames of a map that are due, and None for the others; the last one has the trustworthiness.

    `start` is gone on with. Raises StoreError when nothing is left to do, MissingExtra.
    """
    features, shown, made = store.features, float("-inf"), None
    steps = technique.steps(features, None if start is None else start.embedding)
    # The first step imports, perhaps compiles, and for some techniques is all there is.
    first = Aside(technique.label, lambda: _first(steps, len(features)))
    yield first
    ahead = first.result()
    while ahead is not None:
        made = ahead
        now = time.monotonic()
        due = now - shown >= INTERVAL and pace.arrived
        if due:
            shown = now
        # Not every step is drawn, but at each the work can be dropped.
        yield EmbeddingFrame(store, technique, made) if due else None
        ahead = next(steps, None)
    if made is None:
        raise StoreError("This map is finished; Compute makes another.")
    while not pace.arrived:
        pace.wait(0.05)
        yield None
    frame = EmbeddingFrame(store, technique, made)
    yield frame
    return (yield from measure(frame))


def _first(steps: Iterator[Embedding], count: int) -> Embedding | None:
    """The first map, and what is needed to draw so many points."""
    prepare(count)
    return next(steps, None)


def measure(frame: EmbeddingFrame) -> Steps:
    """The frame with its trustworthiness and `farthest_nearest`."""
    features, positions = frame.features, frame.embedding.positions
    measured = Aside(
        "measure", lambda: (trustworthiness(features, positions), farthest_neighbour(features, "euclidean"))
    )
    yield measured
    trust, farthest = measured.result()
    return dataclasses.replace(frame, trustworthiness=trust, farthest_nearest=farthest)


def place(frame: EmbeddingFrame, example: Example, row: int | None) -> Steps:
    """Where an example lies on the map; one that is no row of it, once it rests."""
    if row is not None and row < len(frame.embedding.positions):
        return PlacedPicture(frame.embedding.positions[row])
    if frame.trustworthiness is not None:
        vector = frame.store.features_of(example.classifier, example.pixels)
        placed = Aside(frame.technique.label, lambda: _place(frame, vector))
        yield placed
        return placed.result()
    return None


def _place(frame: EmbeddingFrame, vector: NDArray[np.float32]) -> PlacedPicture:
    distance = float(nearest(frame.features, vector[0], 1, "euclidean").distances[0])
    note = ""
    if distance > frame.farthest_nearest:
        note = (
            f"This picture is unlike anything here, so its place says little: its nearest is {distance:.3g} away in "
            f"the features, and none of these pictures is more than {frame.farthest_nearest:.3g} from its own nearest."
        )
    return PlacedPicture(frame.embedding.place(vector)[0], note)


def describe(frame: EmbeddingFrame) -> str:
    """How the map stands, and what it is coloured by, in one line."""
    done = frame.embedding
    parts = [f"{frame.technique.label} of {len(done.positions)} pictures by their features of {frame.store.layer}"]
    if np.isfinite(done.kl):
        phase = ", attraction exaggerated" if done.exaggerated else ""
        parts.append(f"iteration {done.iteration} of {done.iterations}{phase}, KL divergence {short(done.kl)}")
    if (seed := getattr(frame.technique, "seed", None)) is not None:
        parts.append(f"seed {seed}")
    if done.note:
        parts.append(done.note)
    if not (frame.store.labels >= 0).any():
        parts.append("coloured by the predicted class, as no labels are known")
    return "; ".join(parts) + "."
