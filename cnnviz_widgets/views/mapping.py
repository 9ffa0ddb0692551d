"""The work behind a map: its steps, how far to trust it, and where a picture lies on it."""

from __future__ import annotations

import dataclasses
import time

from cnnviz_widgets.collection.features import FeatureStore
from cnnviz_widgets.collection.projection import Map, Projection, trustworthiness
from cnnviz_widgets.errors import StoreError
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.pace import Pace

#: Seconds between two pictures of a moving map: a browser draws thousands of points in half of that.
INTERVAL = 0.25


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A map as it is to be drawn, and what made it; `trust` is known when it rests."""

    store: FeatureStore
    label: str
    method: Projection
    map: Map
    trust: float | None = None


def mapping(store: FeatureStore, label: str, method: Projection, start: Frame | None, pace: Pace) -> Work:
    """The frames of a map that are due, and None for the others; the last one says how far to trust it."""
    features, shown, made = store.features, float("-inf"), None
    for made in method.steps(features, None if start is None else start.map):
        now = time.monotonic()
        due = now - shown >= INTERVAL and pace.arrived
        if due:
            shown = now
        # Not every step is drawn, but at each the work can be dropped.
        yield Frame(store, label, method, made) if due else None
    if made is None:
        raise StoreError("This map is finished; Compute makes another.")
    while not pace.arrived:
        pace.wait(0.05)
        yield None
    yield Frame(store, label, method, made)
    yield Frame(store, label, method, made, trustworthiness(features, made.positions))


def measuring(frame: Frame) -> Work:
    """The frame with its trustworthiness."""
    features = frame.store.features[: len(frame.map.positions)]
    yield dataclasses.replace(frame, trust=trustworthiness(features, frame.map.positions))


def placing(frame: Frame, example: Example, row: int | None) -> Work:
    """Where an example lies on the map, (2,); one that is no row of it, once it rests."""
    if row is not None and row < len(frame.map.positions):
        yield frame.map.positions[row]
    elif frame.trust is not None:
        yield frame.map.place(frame.store.features_of(example.classifier, example.pixels))[0]
