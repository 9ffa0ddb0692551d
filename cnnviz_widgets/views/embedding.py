"""A map of a data set's features: watch it form, lasso a cluster, and see what it is and how far to trust it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.cluster import pair_distance
from cnnviz_widgets.collection.features import FeatureStore
from cnnviz_widgets.collection.projection import PCA, TSNE, UMAP, Map, Projection
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import LatestWins, in_turn
from cnnviz_widgets.session import Scene
from cnnviz_widgets.views.closing import discard
from cnnviz_widgets.views.collected import CollectionView, captions, row_of
from cnnviz_widgets.views.parts.controls import parameters, percent
from cnnviz_widgets.views.parts.descent import Descent
from cnnviz_widgets.views.parts.filmstrip import Filmstrip
from cnnviz_widgets.views.parts.mapping import Frame, Placed, mapping, measuring, placing
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scatter import PointMap, fitted, frame_of, point_map
from cnnviz_widgets.views.parts.selected import SelectionPanel, described
from cnnviz_widgets.views.view import Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import Tiles

METHODS: Mapping[str, Projection] = {"t-SNE": TSNE(), "PCA": PCA(), "UMAP": UMAP()}

_COMPARE = "Two clicked points are compared in the true space."


class EmbeddingView(CollectionView):
    """A map in which pictures with similar features lie together, with a lasso.

    `EmbeddingView(model, source=...)` builds features and maps them; `EmbeddingView(model, store=store)` maps those
    of a FeatureStore; `EmbeddingView(session, source=...)` is linked with other views: the lasso sets the session's
    `selection`, a click on a point its picture, and the picture looked at is marked on the map.
    """

    shows = ("selection",)

    def __init__(
        self, model: object, picture: object = None, source: object = None, *,
        methods: Mapping[str, Projection] = METHODS, **options: Any,
    ) -> None:  # fmt: skip
        self._methods = dict(methods)
        self._method = next(iter(self._methods))
        self._maps, self._selections = LatestWins(), LatestWins()
        self._frame: Frame | None = None
        self._mapped: FeatureStore | None = None
        self._pair: list[int] = []
        self._unlike = ""
        #: The drawing of the map, once there are features.
        self.points: PointMap | None = None
        super().__init__(model, picture, source, **options)

    @property
    def projection(self) -> Projection:
        """The chosen method with its parameters; assign another of the same type to change them."""
        return self._methods[self._method]

    @projection.setter
    def projection(self, projection: Projection) -> None:
        label = next((label for label, known in self._methods.items() if type(known) is type(projection)), None)
        if label is None:
            kinds = ", ".join(self._methods)
            raise ValueError(f"This view has {kinds}; {type(projection).__name__} is none of them.")
        self._methods[label] = projection
        self._choose(label)

    @property
    def map(self) -> Map | None:
        """The map as it was last drawn."""
        return None if self._frame is None else self._frame.map

    @property
    def trust(self) -> float | None:
        """The trustworthiness of the map, once it rests."""
        return None if self._frame is None else self._frame.trust

    @property
    def selection(self) -> Any:
        """The selected pictures, a pandas DataFrame with item, name, label, prediction and the selection's name."""
        table = self.panel.table
        try:
            import pandas
        except ImportError:
            return table
        return pandas.DataFrame(table)

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.map_box = ipywidgets.VBox(layout=ipywidgets.Layout(min_height="200px"))
        self.hovered = Tiles(tile_width=96, height=130, description="the point under the pointer", placeholder=" ")
        self.pair_line = Status(text=_COMPARE)
        self.method_picker = Picker(options=list(self._methods), index=0, description="method", searchable=False)
        self.on_control(self.method_picker, lambda event: self._choose(list(self._methods)[event.index]))
        self.parameter_box = ipywidgets.VBox()
        self.map_button = ipywidgets.Button(description="Compute", button_style="primary", disabled=True)
        self.map_button.on_click(lambda _: self.compute())
        self.go_on_button = ipywidgets.Button(
            description="Go on", disabled=True, layout=ipywidgets.Layout(width="72px")
        )
        self.go_on_button.on_click(lambda _: self.go_on())
        self.trust_line = Status()
        self.panel = SelectionPanel(self._look_at, self._channel_picked)
        self.strip = Filmstrip(self.run, self._perplexity_picked)
        self.descent = Descent()
        buttons = self.build_controls()
        buttons.children = (self.map_button, self.go_on_button, *buttons.children)
        buttons.layout.flex_flow = "row wrap"
        left = [self.map_box, self.trust_line, self.pair_line, self.hovered]
        right = [
            self.method_picker,
            self.parameter_box,
            buttons,
            self.descent,
            self.panel,
            self.strip,
        ]
        self._show_parameters()
        return [
            ipywidgets.HBox(
                [
                    ipywidgets.VBox(left, layout=ipywidgets.Layout(flex="0 1 480px")),
                    ipywidgets.VBox(right, layout=ipywidgets.Layout(flex="1 1 360px", max_width="560px")),
                ],
                layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"),
            )
        ]

    def _choose(self, label: str) -> None:
        self._method = label
        self.method_picker.index = list(self._methods).index(label)
        self._show_parameters()
        self.compute()

    def _show_parameters(self) -> None:
        old = self.parameter_box.children
        projection: Any = self.projection
        self.parameter_box.children = tuple(parameters(projection, self._parameter_changed))
        discard(*old)

    def _parameter_changed(self, name: str, value: Any, done: Callable[[], None]) -> None:
        method: Any = self.projection
        self._methods[self._method] = dataclasses.replace(method, **{name: value})
        self.go_on_button.disabled = True
        self.status.say(f"{name} {value}: Compute makes a map with it.")
        done()

    def _perplexity_picked(self, perplexity: float) -> None:
        known = next((method for method in self._methods.values() if isinstance(method, TSNE)), TSNE())
        self.projection = dataclasses.replace(known, perplexity=perplexity)

    # -- the map -------------------------------------------------------------------------------------------------

    def store_growing(self, store: FeatureStore, *, first: bool) -> None:
        self._offer()

    def store_built(self, store: FeatureStore) -> None:
        self.compute()

    def compute(self) -> None:
        """Make a map with the chosen method, from the start."""
        self._begin(None)

    def go_on(self) -> None:
        """Go on with a map that was stopped."""
        self._begin(self._frame)

    def _begin(self, start: Frame | None) -> None:
        store = self._store
        if store is None or not len(store) or not self.active:
            return
        label, method = self._method, self.projection
        if start is not None and start.store is store:
            label, method = start.label, start.method
        else:
            start = None
            self.descent.clear()
        self.go_on_button.disabled = True
        self.map_button.disabled = self.stop_button.disabled = False
        told = f"{label} of {len(store)} pictures ..."
        if not method.prepared:
            told = f"preparing {label} (once, this can take a minute) ..."
        self.status.say(told, "busy", 0)
        steps = mapping(store, label, method, start, self.pace)
        self.run(self._maps, steps, self._draw_frame, self._map_ended)

    def _draw_frame(self, frame: Frame) -> None:
        self._frame = frame
        positions = fitted(frame.map.positions, frame_of(frame.map.positions))
        points = self._points_of(frame.store, positions)
        if not np.array_equal(points.positions, positions):
            points.move(positions)
        row = row_of(frame.store, self.session.picture)
        if row is not None and row < len(positions):
            points.mark(positions[row])
        self.descent.add(frame.map.iteration, frame.map.kl)
        self._tell()
        if frame.trust is not None:
            self.refresh()  # the picture looked at lands on the finished map

    def _points_of(self, store: FeatureStore, positions: NDArray[np.float32]) -> PointMap:
        count = len(positions)
        if self.points is None or self._mapped is not store or len(self.points.groups) != count:
            groups = store.labels[:count]
            if not (groups >= 0).any():
                groups = store.logits[:count].argmax(axis=1)
            made = point_map(groups, positions, on_lasso=self._lassoed, on_hover=self._hovered, on_click=self._clicked)
            before, self.points, self._mapped = self.points, made, store
            self.map_box.children = (made,)
            self._pair = []
            if before is not None:
                before.close()
            self._show_selection()
        return self.points

    def _tell(self) -> None:
        """Say how the map stands, and what it must not be taken for."""
        frame = self._frame
        if frame is None:
            return
        done = frame.map
        parts = [f"{frame.label} of {len(done.positions)} pictures by their features of {frame.store.layer}"]
        if np.isfinite(done.kl):
            phase = ", attraction exaggerated" if done.exaggerated else ""
            parts.append(f"iteration {done.iteration} of {done.iterations}{phase}, KL divergence {short(done.kl)}")
        parts += [f"seed {seed}"] if (seed := getattr(frame.method, "seed", None)) is not None else []
        parts += [done.note] if done.note else []
        if not (frame.store.labels >= 0).any():
            parts.append("coloured by the predicted class, as no labels are known")
        moving = self._maps.busy and frame.trust is None
        self.status.say(
            " ".join(filter(None, ["; ".join(parts) + "." + self.offered, self._unlike])),
            "busy" if moving else "info",
            done.progress if moving else -1,
        )
        if frame.trust is not None:
            self.trust_line.say(
                f"Trustworthiness {frame.trust:.3f}: how far neighbours on the map are neighbours in the features "
                "(1 is best). Sizes of clusters and distances between them mean little."
            )
        else:
            self.trust_line.say("Trustworthiness is measured when the map rests.")

    def _map_ended(self) -> None:
        self._offer()
        if not self._maps.busy and not self._builds.busy:
            self.stop_button.disabled = True

    def stop_here(self) -> None:
        """Stop what is under way; a map can be gone on with."""
        if self._builds.busy:
            super().stop_here()
            self.map_button.disabled = self._store is None
            return
        self._maps.cancel()
        self.strip.stop()
        self.stop_button.disabled = True
        frame = self._frame
        if frame is not None and frame.map.progress < 1:
            self.go_on_button.disabled = False
            self.run(self._maps, measuring(frame), self._draw_frame)
        elif frame is not None:
            self._tell()
        else:
            self.status.say("stopped.")

    # -- the hand ------------------------------------------------------------------------------------------------

    @in_turn
    def _lassoed(self, rows: NDArray[np.intp]) -> None:
        if self._mapped is not None:
            self.session.selection = self._mapped.items[rows].tolist()

    def redraw(self) -> None:
        self._show_selection()

    def _show_selection(self) -> None:
        store, points = self._mapped, self.points
        if store is None or points is None:
            return
        rows = store.rows_of(self.session.selection)
        rows = rows[rows < len(points.groups)]
        if not np.array_equal(rows, points.selected):
            points.select(rows)
        self.run(self._selections, described(store, rows), self.panel.show)

    @in_turn
    def _hovered(self, row: int | None) -> None:
        store = self._mapped
        if store is None or row is None or not 0 <= row < len(store):
            return
        self.hovered.show(store.thumbnails([row]), captions(store, [row]))

    @in_turn
    def _clicked(self, row: int) -> None:
        store = self._mapped
        if store is None:
            return
        self._pair = [*self._pair[-1:], row]
        if len(set(self._pair)) == 2:
            names = " and ".join(f"{store.names[one]} ({store.label_name(one) or 'no label'})" for one in self._pair)
            found = [pair_distance(store.features, self._pair, metric) for metric in ("cosine", "euclidean")]
            self.pair_line.say(
                f"{names}: true cosine distance {short(found[0][0])}, euclidean {short(found[1][0])}; "
                f"{percent(found[0][1])} of all pictures are nearer to the first."
            )
        self._look_at(store, row)

    def _channel_picked(self, channel: int) -> None:
        if self._mapped is not None:
            self.session.layer = self._mapped.layer
            self.session.channel = channel

    def _look_at(self, store: FeatureStore, row: int) -> None:
        try:
            self.look_at(store, row)
        except ExplanationError as error:
            self.fail(error)

    # -- the picture on the map ----------------------------------------------------------------------------------

    def forget(self) -> None:
        super().forget()
        self._maps.cancel()
        self._selections.cancel()
        before, self.points, self._mapped, self._frame = self.points, None, None, None
        self.map_box.children = ()
        if before is not None:
            before.close()
        self._pair = []
        self.pair_line.say(_COMPARE)
        self.trust_line.say("")
        self.hovered.show(None)
        for part in (self.descent, self.panel, self.strip):
            part.clear()
        self.map_button.disabled = self.go_on_button.disabled = True

    def work(self, scene: Scene) -> Work:
        store, frame, self._unlike = self._store, self._frame, ""
        if store is not None and frame is None and not self._maps.busy and not self._builds.busy:
            self.compute()
        self.map_button.disabled = store is None or not len(store)
        if frame is None:
            return _nothing()
        self.strip.offer(frame.store)
        return placing(frame, scene.example, row_of(frame.store, scene.example.picture))

    def draw(self, result: Placed) -> None:
        self._unlike = result.note
        if self.points is not None and self._frame is not None:
            self.points.mark(fitted(result.position, frame_of(self._frame.map.positions)))
        if not self._builds.busy and not self._maps.busy:
            self._tell()

    def stop(self) -> None:
        super().stop()
        self._maps.cancel()
        self._selections.cancel()
        self.strip.stop()


def _nothing() -> Work:
    yield from ()
