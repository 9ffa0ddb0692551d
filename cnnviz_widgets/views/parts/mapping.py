"""The work behind a map: its steps, how far to trust it, and where a picture lies on it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.features import FeatureStore
from cnnviz_widgets.collection.neighbours import farthest_neighbour, nearest
from cnnviz_widgets.collection.projection import Map, Projection, trustworthiness
from cnnviz_widgets.errors import StoreError
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.parts.scatter import prepare
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.pace import FrameAcknowledger

#: Seconds between two pictures of a moving map: a browser draws thousands of points in half of that.
INTERVAL = 0.25


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A map as it is to be drawn, and what made it.

    When it rests, `trust` is known, and `reach`, the largest distance of one of its pictures to its nearest.
    """

    store: FeatureStore
    label: str
    method: Projection
    map: Map
    trust: float | None = None
    reach: float = float("inf")


@dataclasses.dataclass(frozen=True, eq=False)
class Placed:
    """Where a picture lies on a map, (2,), and what there is to say of it."""

    position: NDArray[np.float32]
    note: str = ""


def mapping(store: FeatureStore, label: str, method: Projection, start: Frame | None, pace: FrameAcknowledger) -> Work:
    """The frames of a map that are due, and None for the others; the last one says how far to trust it."""
    features, shown, made = store.features, float("-inf"), None
    steps = method.steps(features, None if start is None else start.map)
    # The first step imports, perhaps compiles, and for some methods is all there is.
    first = Aside(label, lambda: _first(steps, len(features)))
    yield first
    ahead = first.result()
    while ahead is not None:
        made = ahead
        now = time.monotonic()
        due = now - shown >= INTERVAL and pace.arrived
        if due:
            shown = now
        # Not every step is drawn, but at each the work can be dropped.
        yield Frame(store, label, method, made) if due else None
        ahead = next(steps, None)
    if made is None:
        raise StoreError("This map is finished; Compute makes another.")
    while not pace.arrived:
        pace.wait(0.05)
        yield None
    yield Frame(store, label, method, made)
    yield from measuring(Frame(store, label, method, made))


def _first(steps: Iterator[Map], count: int) -> Map | None:
    """The first map, and what is needed to draw so many points."""
    prepare(count)
    return next(steps, None)


def measuring(frame: Frame) -> Work:
    """The frame with its trustworthiness and reach."""
    features = frame.store.features[: len(frame.map.positions)]
    measured = Aside(
        "measure", lambda: (trustworthiness(features, frame.map.positions), farthest_neighbour(features, "euclidean"))
    )
    yield measured
    trust, reach = measured.result()
    yield dataclasses.replace(frame, trust=trust, reach=reach)


def placing(frame: Frame, example: Example, row: int | None) -> Work:
    """Where an example lies on the map; one that is no row of it, once it rests."""
    if row is not None and row < len(frame.map.positions):
        yield Placed(frame.map.positions[row])
    elif frame.trust is not None:
        vector = frame.store.features_of(example.classifier, example.pixels)
        placed = Aside(frame.label, lambda: _placed(frame, vector))
        yield placed
        yield placed.result()


def _placed(frame: Frame, vector: NDArray[np.float32]) -> Placed:
    features = frame.store.features[: len(frame.map.positions)]
    distance = float(nearest(features, vector[0], 1, "euclidean").distances[0])
    note = ""
    if distance > frame.reach:
        note = (
            f"This picture is unlike anything here, so its place says little: its nearest is {distance:.3g} away in "
            f"the features, and none of these pictures is more than {frame.reach:.3g} from its own nearest."
        )
    return Placed(frame.map.place(vector)[0], note)
