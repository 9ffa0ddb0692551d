"""The nearest pictures of this one: in the network's features, and, for contrast, in plain pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.extraction import thumbnail_of
from cnnviz_widgets.collection.neighbours import (
    METRICS,
    Metric,
    Neighbours,
    distances_to,
    label_agreement,
    nearest,
)
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.answers import Answer, near_labels
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.data_set import captions, picture_of, row_of
from cnnviz_widgets.views.parts.features import FeatureBuilder
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.uploads import small_picture
from cnnviz_widgets.views.questions.pairs import nearer_picture
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles
from cnnviz_widgets.widgets.upload import Upload, Uploaded

#: How pictures are compared pixel by pixel, whatever the metric in the features: by the cosine a dim picture and a
#: bright one would be alike. The distance is the root of the mean square difference, in levels of 0 to 255.
PIXEL_METRIC: Metric = "euclidean"
#: Cosine distance in features, and Euclidean one of thumbnails, below which a picture is a copy of the one looked at.
_COPY = 1e-6
COUNTS = (3, 6, 9, 12, 18, 24, 36, 48)
#: Of a larger data set so many thumbnails, evenly spaced, are compared pixel by pixel.
PIXELS = 20_000
#: While features are built, neighbours are looked up anew whenever so large a share of them has come.
_SHARE = 0.1


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


class NeighbourView(Panel, once_positional=("source",)):
    """The nearest pictures of the session's picture, with their distances in the space of a layer's features.

    `NeighbourView(model, picture, source=source)` builds features of `source`; `NeighbourView(model, picture,
    store=store)` uses those of a FeatureStore; `NeighbourView(session, source=...)` is linked with other views.
    Clicking a tile makes it the picture; an uploaded picture is looked up as well. The picture itself and copies of it
    are none of its neighbours.
    """

    topic = "neighbours"
    follows = ("classifier", "picture", "layer")
    settings: ClassVar[Mapping[str, object]] = {"metric": "cosine", "k": 12}

    store = traitlets.Instance(
        FeatureStore, None, allow_none=True, read_only=True, help="The features so far; None while there are none."
    )
    neighbours = traitlets.Instance(
        FoundNeighbours, None, allow_none=True, read_only=True, help="The neighbours that are shown."
    )
    metric = traitlets.Any("cosine", help='How distances in the features are taken: "cosine" or "euclidean".')
    k = traitlets.Int(12, help="How many neighbours are shown.")

    found = old_name("found", "neighbours")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        source: object = None,
        store: FeatureStore | None = None,
        metric: Metric = "cosine",
        k: int = 12,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        self.metric, self.k = metric, k
        #: The features that neighbours were last looked up in, and how many there were.
        self._searched: tuple[FeatureStore | None, int] = None, 0
        self.search_job = self.job(self._draw)
        self.features = FeatureBuilder(self, self._features_changed, source=source, store=store)
        self._make_widgets()
        self.link(self._settings_changed, ["metric", "k"])
        self.features.link(self._follow_store, ["store"])
        self._follow_store()
        self.begin()

    def _make_widgets(self) -> None:
        self.query = Tiles(tile_width=128, height=190, placeholder="no picture yet", description="this picture")
        self.upload = Upload()
        self.metric_picker = Picker(options=list(METRICS), description="distance", searchable=False)
        self.k_slider = OptionSlider(description="neighbours")
        self._show_settings()
        self.near, self.near_pixels = (
            Tiles(tile_width=72, height=360, description=f"nearest in {space}", placeholder="no features yet")
            for space in ("features", "pixels")
        )
        self.agreement, self.agreement_pixels = Status(), Status()
        self.on(self.upload, Uploaded, self._uploaded)
        self.on(self.metric_picker, Picked, lambda event: self._set("metric", METRICS[event.index]))
        self.on(self.k_slider, SliderMoved, lambda event: self._set("k", int(self.k_slider.options[event.index])))
        self.on(self.near, TilePicked, lambda event: self._picked(event, pixels=False))
        self.on(self.near_pixels, TilePicked, lambda event: self._picked(event, pixels=True))
        side = [self.query, self.upload, self.metric_picker, self.k_slider, self.features]
        found = [column(self.agreement, self.near), column(self.agreement_pixels, self.near_pixels)]
        self.show(row(column(*side, least=260, most=340), *found))

    @property
    def source(self) -> Source | None:
        """The data set, or None while there is none."""
        return self.features.source

    def table(self) -> Columns:
        """The neighbours in features and in pixels, nearest first."""
        found = required(self.neighbours)
        return table.of_neighbours(found.store, {"features": found.features, "pixels": found.pixels})

    def options_made_with(self) -> Mapping[str, object]:
        return self.features.given

    def layer_made_at(self) -> str:
        return self.session.layer if self.store is None or "store" in self.features.given else self.store.layer

    def question(self) -> Question | None:
        found = self.neighbours
        return None if found is None or self.search_job.busy else nearer_picture(found)

    # -- metric and count ----------------------------------------------------------------------------------------

    @traitlets.validate("metric")
    def _known_metric(self, proposal: Any) -> Any:
        if proposal["value"] not in METRICS:
            raise ValueError(f"There is no metric {proposal['value']!r}; there are {' and '.join(METRICS)}.")
        return proposal["value"]

    @traitlets.validate("k")
    def _some(self, proposal: Any) -> Any:
        if proposal["value"] < 1:
            raise ValueError(f"{proposal['value']} neighbours are none; ask for at least 1.")
        return proposal["value"]

    def _set(self, name: str, value: Any) -> Job:
        setattr(self, name, value)
        return self.search_job

    def _settings_changed(self, _: Any) -> None:
        self._show_settings()
        self.refresh()

    def _show_settings(self) -> None:
        self.metric_picker.index = list(METRICS).index(self.metric)
        options = sorted({*COUNTS, self.k})
        with self.k_slider.hold_sync():
            self.k_slider.options = [str(count) for count in options]
            self.k_slider.index = options.index(self.k)

    # -- the hand ------------------------------------------------------------------------------------------------

    def _picked(self, event: TilePicked, *, pixels: bool) -> Job:
        found = self.neighbours
        if found is not None:
            rows = (found.pixels if pixels else found.features).rows
            self.session.picture = picture_of(found.store, int(rows[event.index]))
        return self.search_job

    def _uploaded(self, event: Uploaded) -> Job:
        try:
            picture = small_picture(event, self.upload.max_side)
            self.session.classifier.pixels(picture)
            self.session.picture = picture
            self.upload.say(f"{picture.name or 'The picture'} is shown.")
        except ExplanationError as error:
            self.upload.say(str(error), failed=True)
        return self.search_job

    # -- work ----------------------------------------------------------------------------------------------------

    def _follow_store(self, _: Any = None) -> None:
        self.set_trait("store", self.features.store)
        if self.store is None:
            self.search_job.cancel()

    def _features_changed(self, store: FeatureStore) -> None:
        before, searched = self._searched
        more = len(store) - (searched if store is before else 0)
        if store.progress == 1 or store is not before or more >= _SHARE * store.metadata.total:
            self.refresh()

    def compute(self) -> Job | None:
        try:
            store = self.features.prepare()
        except ExplanationError as error:
            self.search_job.cancel()
            self.fail(error)
            return None
        if store is None:
            return None
        self._searched = store, len(store)
        example = self.session.example
        own_row = row_of(store, example.picture)
        return self.search_job.start(find_neighbours(store, example, own_row, self.metric, self.k))

    def _draw(self, found: FoundNeighbours) -> None:
        store, example = found.store, found.example
        name = example.picture.name or "this picture"
        self.query.show(found.seen[None], [name if found.row is None else captions(store, [found.row])[0]])
        for tiles, near, sheet in zip(
            (self.near, self.near_pixels), (found.features, found.pixels), found.tiles, strict=True
        ):
            tiles.show(sheet, captions(store, near.rows), [short(float(distance)) for distance in near.distances])
        search = "exact"
        if found.features.recall is not None:
            search = f"by an index that finds {percent(found.features.recall)} of the true ones"
        layer = f"Nearest by {found.features.metric} distance in features of {store.layer} ({search})"
        self.agreement.say(f"{layer}: {_agreement(found, found.features)}")
        some = "" if found.compared == len(store) else f" of {found.compared} thumbnails"
        by_pixels = f"Nearest by {PIXEL_METRIC} distance in pixels{some}, for contrast"
        self.agreement_pixels.say(f"{by_pixels}: {_agreement(found, found.pixels)}")
        self.set_trait("neighbours", found)
        if not self.features.build_job.busy:
            answer = _answer(found)
            self.say(f"{name} among {len(store)} pictures.{self.features.note}", answer=answer)


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
    yield FoundNeighbours(store, example, row, seen, near, pixels, len(sample) + len(itself), tiles)


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


def _answer(found: FoundNeighbours) -> Answer | None:
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


def _agreement(found: FoundNeighbours, near: Neighbours) -> str:
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
