"""A map of a data set's features: watch it form, lasso a cluster, and see what it is and how far to trust it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import traitlets

from cnnviz_widgets.collection.projection import PCA, PROJECTIONS, TSNE, Embedding, Projection
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.export import Player
from cnnviz_widgets.views.choice import Choice
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.next_step import MainButton, NextStep
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.answers import feature_map
from cnnviz_widgets.views.parts.data_set import picture_of, row_of
from cnnviz_widgets.views.parts.embedding_canvas import EmbeddingCanvas
from cnnviz_widgets.views.parts.features import FeatureBuilder
from cnnviz_widgets.views.parts.layer_names import staged_name
from cnnviz_widgets.views.parts.loss_curve import LossCurve
from cnnviz_widgets.views.parts.mapping import EmbeddingFrame, PlacedPicture, describe, embed, measure, place
from cnnviz_widgets.views.parts.perplexity_grid import PerplexityGrid
from cnnviz_widgets.views.parts.scatter import PointMap
from cnnviz_widgets.views.parts.selection import SelectionDetails, describe_selection
from cnnviz_widgets.views.questions.lasso import group_on_map
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.page.points import points_players
from cnnviz_widgets.views.take.page.wanted import SharedAxes
from cnnviz_widgets.views.take.table import Columns, required


class EmbeddingView(Panel, renamed={"methods": "techniques"}, once_positional=("source",)):
    """A map in which pictures with similar features lie together, with a lasso.

    `EmbeddingView(model, source=...)` builds features and maps them; `EmbeddingView(model, store=store)` maps those
    of a FeatureStore; `EmbeddingView(session, source=...)` is linked with other views: the lasso sets the session's
    `selection`, a click on a point its picture, and the picture looked at is marked on the map. `techniques` are
    projections, of which the first is chosen.
    """

    topic = "map"
    follows = ("classifier", "picture", "layer")
    settings: ClassVar[Mapping[str, object]] = {"technique": None}

    store = traitlets.Instance(
        FeatureStore, None, allow_none=True, read_only=True, help="The features so far; None while there are none."
    )
    embedding = traitlets.Instance(
        Embedding, None, allow_none=True, read_only=True, help="The map that is shown, finished or not."
    )
    trustworthiness = traitlets.Float(
        None,
        allow_none=True,
        read_only=True,
        help="How far neighbours on the map are neighbours in the features, 0 to 1; None until the map rests.",
    )
    selection = traitlets.Any((), help="The selected items of the data set, a tuple of ints: the session's selection.")

    map = old_name("map", "embedding")
    trust = old_name("trust", "trustworthiness")
    projection = old_name("projection", "technique")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        source: object = None,
        store: FeatureStore | None = None,
        techniques: Sequence[Projection] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        self._frame: EmbeddingFrame | None = None
        self._placed: PlacedPicture | None = None
        self.map_job = self.job(self._draw_frame, rests=False)
        self.place_job = self.job(self._draw_place)
        self.features = FeatureBuilder(self, self._features_changed, source=source, store=store)
        self.choice = Choice(self, techniques or self.techniques(), self.compute_map, adjusted=self._adjusted)
        self.canvas = EmbeddingCanvas(self, self._select, self._look_at)
        self.details = SelectionDetails(self, self._look_at, self._look_at_channel)
        self.selection_job = self.job(self.details.show, rests=False)
        self.grid = PerplexityGrid(self, self._choose_perplexity)
        self.loss_curve = LossCurve()
        self.map_button = self.button("Compute", self.compute_map, disabled=True)
        self.go_on_button = self.button("Go on", self.go_on, disabled=True)
        self.stop_button = self.button("Stop", self.stop_map, disabled=True)
        self._arrange()
        self.features.link(self._follow_store, ["store"])
        self._follow_store()
        self.follow(["selection"], self._follow_selection, hidden=True)
        self.follow(["selection"], self._show_selection)
        self._follow_selection()
        self.begin()

    def _arrange(self) -> None:
        buttons = row(self.map_button, self.go_on_button, self.stop_button, gap=4)
        self.main_button = MainButton(self, self._next_step, self.stop_map)
        right = [self.features, self.choice, buttons, self.loss_curve, self.details, self.grid, self.main_button]
        self.show(row(column(self.canvas, least=480, most=480), column(*right, least=360, most=560)))

    @staticmethod
    def techniques() -> list[Projection]:
        """The projections that are offered where none are given, to add your own to."""
        return [projection() for projection in PROJECTIONS]

    @property
    def technique(self) -> Any:
        """The chosen projection with its parameters; assign another, or a label, and a map is made by it."""
        return self.choice.value

    @technique.setter
    def technique(self, technique: Projection | str) -> None:
        before = self.choice.value
        self.choice.value = technique
        if self.choice.value == before:  # the map may be by another seed, or may have been stopped
            self.compute_map()

    @property
    def source(self) -> Source | None:
        """The data set, or None while there is none."""
        return self.features.source

    @property
    def points(self) -> PointMap | None:
        """The drawing of the points, or None while there is none."""
        return self.canvas.points

    def table(self) -> Columns:
        """Where each picture lies on the map."""
        frame = required(self._frame)
        return table.of_embedding(frame.store, frame.embedding)

    def options_made_with(self) -> Mapping[str, object]:
        return self.features.given

    def layer_made_at(self) -> str:
        return self.session.layer if self.store is None or "store" in self.features.given else self.store.layer

    @property
    def selection_table(self) -> Any:
        """The selected pictures, a pandas DataFrame with item, name, label, prediction and the selection's name."""
        try:
            import pandas
        except ImportError:
            return self.details.table
        return pandas.DataFrame(self.details.table)

    def _next_step(self) -> NextStep | None:
        return None if self.embedding is None else NextStep("step.again", self.compute_map)

    def question(self) -> Question | None:
        frame = self._frame
        return None if frame is None or frame.trustworthiness is None else group_on_map(self, frame)

    page_of_picture = False

    def page_players(self, shared: SharedAxes) -> Sequence[Player]:
        return points_players(self)

    # -- features ------------------------------------------------------------------------------------------------

    def _follow_store(self, _: Any = None) -> None:
        self.set_trait("store", self.features.store)
        if self.store is None:
            self._forget_map()

    def _features_changed(self, store: FeatureStore) -> None:
        self.map_button.disabled = False
        if store.progress == 1:
            self.compute_map()

    def _forget_map(self) -> None:
        for job in (self.map_job, self.place_job, self.selection_job):
            job.cancel()
        self._set_frame(None)
        for part in (self.canvas, self.loss_curve, self.details, self.grid):
            part.clear()
        self.map_button.disabled = self.go_on_button.disabled = True

    # -- the map -------------------------------------------------------------------------------------------------

    def compute_map(self) -> None:
        """Make a map with the chosen technique, from the start; put off while the panel is not active."""
        self.when_active(self._begin_anew)

    def _begin_anew(self) -> None:
        if self.store is not None and len(self.store):
            self.loss_curve.clear()
            self._begin(self.store, self.technique, None)

    def go_on(self) -> None:
        """Go on with a map that was stopped."""
        frame = self._frame
        if frame is None or frame.store is not self.store:
            self.compute_map()
        else:
            self._begin(frame.store, frame.technique, frame)

    def _begin(self, store: FeatureStore, technique: Projection, start: EmbeddingFrame | None) -> None:
        self.go_on_button.disabled = True
        self.map_button.disabled = self.stop_button.disabled = False
        told = f"{technique.label} of {len(store)} pictures ..."
        if not technique.prepared:
            told = f"preparing {technique.label} (once, this can take a minute) ..."
        self.say(told, "busy", 0)
        self.map_job.start(embed(store, technique, start, self.pace), self._map_ended)

    def _map_ended(self) -> None:
        if not self.map_job.busy:  # else another was begun
            self.stop_button.disabled = True

    def stop_map(self) -> None:
        """Stop the map that is under way; it can be gone on with."""
        self.map_job.cancel()
        self.grid.stop()
        self.stop_button.disabled = True
        frame = self._frame
        if frame is None:
            self.say("stopped.")
        elif frame.embedding.progress < 1:
            self.go_on_button.disabled = False
            self.map_job.start(measure(frame))
        else:
            self._tell()

    def _draw_frame(self, frame: EmbeddingFrame) -> None:
        self._set_frame(frame)
        if self.canvas.show(frame):
            self._show_selection()
        position = row_of(frame.store, self.session.picture)
        if position is not None and position < len(frame.embedding.positions):
            self.canvas.mark(frame.embedding.positions[position])
        self.loss_curve.add(frame.embedding.iteration, frame.embedding.kl)
        self._tell()
        if frame.trustworthiness is not None:
            self.refresh()  # the picture looked at lands on the finished map

    def _set_frame(self, frame: EmbeddingFrame | None) -> None:
        self._frame = frame
        self.set_trait("embedding", None if frame is None else frame.embedding)
        self.set_trait("trustworthiness", None if frame is None else frame.trustworthiness)

    def _tell(self) -> None:
        """Say how the map stands, and what it must not be taken for."""
        frame = self._frame
        if frame is None:
            return
        moving = self.map_job.busy and frame.trustworthiness is None
        unlike = f" {self._placed.note}" if self._placed is not None and self._placed.note else ""
        text = describe(frame) + self.features.note + unlike
        answer = None
        if frame.trustworthiness is not None and not isinstance(frame.technique, PCA):  # its distances mean something
            layer = staged_name(self.session.classifier, frame.store.layer)
            answer = feature_map(len(frame.embedding.positions), layer, frame.trustworthiness)
        self.say(text, "busy" if moving else "info", frame.embedding.progress if moving else -1, answer)

    # -- the picture on the map ----------------------------------------------------------------------------------

    def compute(self) -> Job | None:
        try:
            store = self.features.prepare()
        except ExplanationError as error:
            self.place_job.cancel()
            self.fail(error)
            return None
        frame, self._placed = self._frame, None
        if store is None:
            return None
        if frame is None:
            if not self.map_job.busy and not self.features.build_job.busy:
                self.compute_map()
            return None
        self.grid.offer(frame.store)
        example = self.session.example
        return self.place_job.start(place(frame, example, row_of(frame.store, example.picture)))

    def _draw_place(self, placed: PlacedPicture) -> None:
        self._placed = placed
        self.canvas.mark(placed.position)
        if not self.features.build_job.busy and not self.map_job.busy:
            self._tell()

    # -- the hand ------------------------------------------------------------------------------------------------

    def _adjusted(self, name: str, value: Any) -> None:
        self.go_on_button.disabled = True
        self.say(f"{name} {value}: Compute makes a map with it.")

    def _choose_perplexity(self, perplexity: float) -> None:
        known = next((option for option in self.choice.options if isinstance(option, TSNE)), TSNE())
        self.technique = dataclasses.replace(known, perplexity=perplexity)

    def _look_at(self, store: FeatureStore, row: int) -> Job:
        self.session.picture = picture_of(store, row)
        return self.place_job

    def _look_at_channel(self, channel: int) -> Job | None:
        if self.canvas.store is not None:
            self.session.layer = self.canvas.store.layer
            self.session.channel = channel
        return self.place_job

    def _select(self, items: Sequence[int]) -> None:
        self.session.selection = items

    # -- the selection -------------------------------------------------------------------------------------------

    @traitlets.validate("selection")
    def _valid_selection(self, proposal: Any) -> Any:
        self.session.selection = proposal["value"]  # refuses what is none
        return self.session.selection

    def _follow_selection(self) -> None:
        self.selection = self.session.selection

    def _show_selection(self) -> None:
        if self.canvas.store is not None:
            rows = self.canvas.select(self.session.selection)
            self.selection_job.start(describe_selection(self.canvas.store, rows))
