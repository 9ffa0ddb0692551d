"""The nearest pictures of this one: in the network's features, and, for contrast, in plain pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.features import FeatureStore, thumbnail_of
from cnnviz_widgets.collection.neighbours import METRICS, Metric, Neighbours, label_agreement, nearest
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.collected import CollectionView, captions, row_of
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.uploads import small_picture
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles
from cnnviz_widgets.widgets.upload import Upload, Uploaded

COUNTS = (3, 6, 9, 12, 18, 24, 36, 48)
#: Of a larger data set so many thumbnails, evenly spaced, are compared pixel by pixel.
PIXELS = 20_000


@dataclass(frozen=True, eq=False)
class Found:
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


class NeighbourView(CollectionView):
    """The nearest pictures of the session's picture, with their distances in the space of a layer's features.

    `NeighbourView(model, picture, source)` builds features of `source`; `NeighbourView(model, picture,
    store=store)` uses those of a FeatureStore; `NeighbourView(session, source=...)` is linked with other views.
    Clicking a tile makes it the picture; an uploaded picture is looked up as well.
    """

    def __init__(
        self, model: object, picture: object = None, source: object = None, *, metric: Metric = "cosine", k: int = 12,
        **options: Any,
    ) -> None:  # fmt: skip
        self._metric: Metric = metric
        self._k = k
        #: What was found last, for reading in Python.
        self.found: Found | None = None
        super().__init__(model, picture, source, **options)

    @property
    def metric(self) -> Metric:
        """ "cosine" or "euclidean"."""
        return self._metric

    @metric.setter
    def metric(self, metric: Metric) -> None:
        if metric not in METRICS:
            raise ValueError(f"There is no metric {metric!r}; there are {' and '.join(METRICS)}.")
        self._metric = metric
        self.metric_picker.index = METRICS.index(metric)
        self.refresh()

    @property
    def k(self) -> int:
        """How many neighbours are shown."""
        return self._k

    @k.setter
    def k(self, k: int) -> None:
        if k < 1:
            raise ValueError(f"{k} neighbours are none; ask for at least 1.")
        self._k = k
        self._describe_k()
        self.refresh()

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.query = Tiles(tile_width=128, height=190, placeholder="no picture yet", description="this picture")
        self.upload = Upload()
        self.upload.on_event(self._uploaded)
        self.metric_picker = Picker(
            options=list(METRICS), index=METRICS.index(self._metric), description="distance", searchable=False
        )
        self.k_slider = OptionSlider(description="neighbours")
        self._describe_k()
        self.on_control(self.metric_picker, lambda event: setattr(self, "metric", METRICS[event.index]))
        self.on_control(self.k_slider, lambda event: setattr(self, "k", int(self.k_slider.options[event.index])))
        self.near = Tiles(tile_width=72, height=360, description="nearest in features", placeholder="no features yet")
        self.near_pixels = Tiles(
            tile_width=72, height=360, description="nearest in pixels", placeholder="no features yet"
        )
        self.agreement, self.agreement_pixels = Status(), Status()
        for tiles in (self.near, self.near_pixels):
            tiles.on_event(self._picked_of(tiles))
        side = ipywidgets.VBox(
            [self.query, self.upload, self.metric_picker, self.k_slider, self.build_controls()],
            layout=ipywidgets.Layout(flex="1 1 260px", max_width="340px"),
        )
        columns = [
            ipywidgets.VBox([line, tiles], layout=ipywidgets.Layout(flex="1 1 320px", max_width="520px"))
            for line, tiles in ((self.agreement, self.near), (self.agreement_pixels, self.near_pixels))
        ]
        return [ipywidgets.HBox([side, *columns], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"))]

    def _describe_k(self) -> None:
        options = sorted({*COUNTS, self._k})
        with self.k_slider.hold_sync():
            self.k_slider.options = [str(count) for count in options]
            self.k_slider.index = options.index(self._k)

    def _picked_of(self, tiles: Tiles) -> Callable[[object, Callable[[], None]], None]:
        def picked(event: object, done: Callable[[], None]) -> None:
            try:
                found = self.found
                if isinstance(event, TilePicked) and found is not None:
                    rows = (found.features if tiles is self.near else found.pixels).rows
                    self.look_at(found.store, int(rows[event.index]))
            except ExplanationError as error:
                self.fail(error)
            finally:
                done()

        return picked

    def _uploaded(self, event: Uploaded, done: Callable[[], None]) -> None:
        try:
            picture = small_picture(event, self.upload.max_side)
            self.session.classifier.pixels(picture)
            self.session.picture = picture
            self.upload.say(f"{picture.name or 'The picture'} is shown.")
        except ExplanationError as error:
            self.upload.say(str(error), failed=True)
        finally:
            done()

    # -- work ----------------------------------------------------------------------------------------------------

    def store_growing(self, store: FeatureStore, *, first: bool) -> None:
        tenth = max(1, store.about.total // (10 * store.about.batch))
        if first or len(store) // store.about.batch % tenth == 0:
            self.refresh()

    def store_built(self, store: FeatureStore) -> None:
        self.refresh()

    def work(self, scene: Scene) -> Work:
        store = self._store
        if store is None:
            return _nothing()
        return _look_up(store, scene.example, row_of(store, scene.example.picture), self._metric, self._k)

    def draw(self, result: Found) -> None:
        self.found = result
        store, example = result.store, result.example
        name = example.picture.name or "this picture"
        self.query.show(result.seen[None], [name if result.row is None else captions(store, [result.row])[0]])
        for tiles, near, sheet in zip(
            (self.near, self.near_pixels), (result.features, result.pixels), result.tiles, strict=True
        ):
            tiles.show(sheet, captions(store, near.rows), [short(float(distance)) for distance in near.distances])
        search = "exact"
        if result.features.recall is not None:
            search = f"by an index that finds {percent(result.features.recall)} of the true ones"
        layer = f"Nearest by {result.features.metric} distance in features of {store.layer} ({search})"
        self.agreement.say(f"{layer}: {_agreement(result, result.features)}")
        some = "" if result.compared == len(store) else f" of {result.compared} thumbnails"
        self.agreement_pixels.say(f"Nearest in pixels{some}, for contrast: {_agreement(result, result.pixels)}")
        if not self._builds.busy:
            self.status.say(f"{name} among {len(store)} pictures.{self.offered}")


def _nothing() -> Work:
    yield from ()


def _look_up(store: FeatureStore, example: Example, row: int | None, metric: Metric, k: int) -> Work:
    # The picture itself is no neighbour of its own.
    itself = [] if row is None else [row]
    vector = store.features_of(example.classifier, example.pixels)[0]
    seen = thumbnail_of(example.classifier, example.pixels)
    sample = np.linspace(0, len(store) - 1, min(len(store), PIXELS)).astype(np.intp)
    sample = sample[~np.isin(sample, itself)]
    searched = Aside(
        "neighbours",
        lambda: (store.nearest(vector, k, metric, itself), nearest(store.thumbnails(sample), seen, k, metric)),
    )
    yield searched
    near, found = searched.result()
    pixels = Neighbours(sample[found.rows], found.distances, metric)
    tiles = store.thumbnails(near.rows), store.thumbnails(pixels.rows)
    yield Found(store, example, row, seen, near, pixels, len(sample) + len(itself), tiles)


def _agreement(found: Found, near: Neighbours) -> str:
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
