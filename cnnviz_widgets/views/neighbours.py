"""The nearest pictures of this one: in the network's features, and, for contrast, in plain pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import traitlets

from cnnviz_widgets.collection.neighbours import (
    METRICS,
    Metric,
)
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.export import Axis, axis_of
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.next_step import MainButton, NextStep
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.data_set import captions, picture_of, row_of
from cnnviz_widgets.views.parts.features import FeatureBuilder
from cnnviz_widgets.views.parts.nearest import PIXEL_METRIC, FoundNeighbours, agreement, find_neighbours, near_answer
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.uploads import small_picture
from cnnviz_widgets.views.questions.pairs import nearer_picture
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.page.wanted import Wanted
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles
from cnnviz_widgets.widgets.upload import Upload, Uploaded

COUNTS = (3, 6, 9, 12, 18, 24, 36, 48)


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
        self.main_button = MainButton(self, self._next_step, self.features.stop)
        side = [self.query, self.upload, self.metric_picker, self.k_slider, self.features, self.main_button]
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

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        """How distances are taken."""
        return [] if wanted.brief else [axis_of(self.metric_picker)]

    def _next_step(self) -> NextStep | None:
        found = self.neighbours
        if found is None or not len(found.features.rows):
            return None
        return NextStep("step.nearest", lambda: self._ask_with(found, int(found.features.rows[0])))

    def _ask_with(self, found: FoundNeighbours, row: int) -> None:
        self.session.picture = picture_of(found.store, row)

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

    def _features_changed(self, _: FeatureStore) -> None:
        if self.features.has_grown:
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
        self.agreement.say(f"{layer}: {agreement(found, found.features)}")
        some = "" if found.compared == len(store) else f" of {found.compared} thumbnails"
        by_pixels = f"Nearest by {PIXEL_METRIC} distance in pixels{some}, for contrast"
        self.agreement_pixels.say(f"{by_pixels}: {agreement(found, found.pixels)}")
        self.set_trait("neighbours", found)
        if not self.features.build_job.busy:
            answer = near_answer(found)
            self.say(f"{name} among {len(store)} pictures.{self.features.note}", answer=answer)
