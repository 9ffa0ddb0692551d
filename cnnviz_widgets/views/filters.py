"""The kernels of a convolution as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier, Layer
from cnnviz_widgets.export import Axis
from cnnviz_widgets.paint import colorize, table_names
from cnnviz_widgets.study.filters import Filters, Order, convolution_of, convolutions
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.layout import row, show_if
from cnnviz_widgets.views.next_step import MainButton, NextStep
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.filter_state import FilterState, load_filters
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.questions.pairs import larger_filter
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.page.wanted import Wanted, layer_axes
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: What the tiles are of a layer whose kernels are too deep for one picture each.
SLICES = ("one input channel of every filter", "every input channel of one filter")
ORDERS: tuple[Order, ...] = ("index", "norm", "similarity")
SCALES = ("whole layer", "each tile by itself")
_FIRST_ORDER = ORDERS.index("norm")
_NONE, _UNTRAINED = "nothing", "the same layer drawn at random"


class FilterView(Panel):
    """Kernels of any convolution on one scale around zero, beside those of the same layer drawn at random.

    `FilterView(model)` or, linked with other views, `FilterView(session)`; it needs no picture, and says what a filter
    answers on one. Until a layer is chosen, here or in the session, it shows the first convolution, whose kernels can
    be read as pictures. A click makes the filter the session's channel. Kernels of the first layer are shown in the
    picture's own colours, deeper ones one input channel at a time.
    """

    topic = "filters"
    follows = ("classifier", "layer", "channel")

    filters = traitlets.Instance(
        Filters, None, allow_none=True, read_only=True, help="The kernels that are shown, and figures about them."
    )

    def __init__(self, model: object, picture: object = None, **options: Any) -> None:
        super().__init__(model, picture, **options)
        self._loaded: FilterState | None = None
        self._order: NDArray[np.int64] = np.arange(0)
        self._sorted_by: tuple[Filters, Order] | None = None
        self.work = self.job(self._draw)
        self._layer_chosen = self._session_has_chosen()
        self._make_widgets()
        self.follow(["classifier"], self._forget_layer, hidden=True)
        self.follow(["layer", "channel"], self._follow_layer, hidden=True)
        self.follow(["picture"], self.refresh)
        self.begin()

    def _make_widgets(self) -> None:
        self.layer_slider = LayerSlider(self.session, convolutions, self._shown_at)
        self.slice_picker = Picker(options=list(SLICES), index=0, description="show", searchable=False)
        self.input_slider = OptionSlider(description="input channel", options=["0"])
        self.order_picker = Picker(options=list(ORDERS), index=_FIRST_ORDER, description="sort by", searchable=False)
        self.scale_picker = Picker(options=list(SCALES), index=0, description="scale", searchable=False)
        self.beside_picker = Picker(options=[_NONE, _UNTRAINED], index=0, description="beside", searchable=False)
        self.tiles = Tiles(tile_width=72, pixelated=True, height=420, placeholder="no kernels yet")
        self.drawn_tiles = Tiles(tile_width=72, pixelated=True, height=420)
        show_if(False, self.drawn_tiles)
        self.tiles.layout.flex = self.drawn_tiles.layout.flex = "1 1 300px"
        self.on(self.layer_slider, SliderMoved, self._layer_picked)
        pickers = (self.slice_picker, self.input_slider, self.order_picker, self.scale_picker)
        for control in pickers:
            self.on(control, (Picked, SliderMoved), lambda _: self._show())
        self.on(self.beside_picker, Picked, lambda _: self.refresh())
        self.on(self.tiles, TilePicked, self._tile_picked)
        self.main_button = MainButton(self, self._next_step, self.stop)
        controls = ipywidgets.VBox(
            [self.layer_slider, *pickers, self.beside_picker, self.main_button],
            layout=ipywidgets.Layout(flex="0 1 360px"),
        )
        self.show(row(controls, row(self.tiles, self.drawn_tiles, gap=12, flex="3 1 420px")))

    def _next_step(self) -> NextStep | None:
        loaded = self._loaded
        return None if loaded is None or self.visit is None else NextStep("step.patches", self._look_for_patches)

    def _look_for_patches(self) -> None:
        """Choose the filter that is told of, and open its patches."""
        assert self._loaded is not None and self.visit is not None
        self._choose(self._loaded.filters.layer, self._told_of(self._loaded))
        self.visit("patches")

    def _choose(self, layer: str, channel: int) -> None:
        with self.session.hold_trait_notifications():
            self.session.channel = None
            self.session.layer = layer
        self.session.channel = channel

    def question(self) -> Question | None:
        return None if self.filters is None or self.work.busy else larger_filter(self.filters)

    def _layer_picked(self, event: SliderMoved) -> Job:
        self._layer_chosen = True
        before = self.session.layer
        with self.session.hold_trait_notifications():
            # A filter of one layer is none of another.
            self.session.channel = None
            self.layer_slider.choose(event)
        if self.session.layer == before:  # the session was there, but the kernels were not
            self.refresh()
        return self.work

    def _shown_at(self, classifier: Classifier, layer: str) -> Layer:
        """The convolution that is shown while the session is at `layer`."""
        known = convolutions(classifier)
        return known[0] if known and not self._layer_chosen else convolution_of(classifier, layer)

    def _session_has_chosen(self) -> bool:
        """Whether the session's layer, or a channel of it, was chosen; its default layer by itself is no choice."""
        session = self.session
        return session.layer != session.classifier.default_layer or session.channel is not None

    def _follow_layer(self) -> None:
        self._layer_chosen |= self._session_has_chosen()
        self.layer_slider.follow()

    def _forget_layer(self) -> None:
        self._layer_chosen = False
        self.layer_slider.describe()

    def table(self) -> Columns:
        """Figures about each filter; `filters.weights` are the kernels."""
        return table.of_filters(required(self.filters))

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        return layer_axes(self.layer_slider, wanted, 8 if wanted.brief else None)

    # -- work ----------------------------------------------------------------------------------------------------

    def compute(self) -> Job:
        session, beside = self.session, self.beside_picker.index == 1
        layer = session.layer if self._layer_chosen else self._shown_at(session.classifier, session.layer).name
        example = None if session.picture is None else session.example
        return self.work.start(load_filters(session.classifier, layer, beside, self._loaded, example))

    def _draw(self, result: FilterState) -> None:
        before, self._loaded = self._loaded, result
        if before is None or before.filters is not result.filters:
            inputs = result.filters.weights.shape[1]
            self.input_slider.options = [str(index) for index in range(inputs)]
            deep = not result.filters.first and inputs > 1
            show_if(deep, self.slice_picker, self.input_slider)
            self.set_trait("filters", result.filters)
        elif (before.drawn, before.asked, before.responses) == (result.drawn, result.asked, result.responses):
            self._mark()
            return
        self._show()

    @property
    def _slice(self) -> Literal["whole", "input", "filter"]:
        assert self._loaded is not None
        filters = self._loaded.filters
        if filters.first or filters.weights.shape[1] == 1:
            return "whole"
        return "input" if self.slice_picker.index == 0 else "filter"

    def _show(self) -> None:
        """Draw the tiles anew from the kernels that are loaded."""
        loaded = self._loaded
        if loaded is None:
            return
        filters, kind = loaded.filters, self._slice
        by = ORDERS[self.order_picker.index or 0]
        if self._sorted_by != (filters, by):
            self._order, self._sorted_by = filters.order(by), (filters, by)
        self._extent = max(kernels.extent for kernels in (filters, loaded.drawn) if kernels is not None) or 1.0
        self.input_slider.disabled = kind == "filter"
        self.order_picker.disabled = kind == "filter"
        if kind == "filter":
            names = [f"input {index}" for index in filters.inputs_of(self._filter)]
            self.tiles.show(self._drawn(filters.weights[self._filter]), names)
        else:
            shown = self._chosen(filters)[self._order]
            names = [f"#{index}" for index in self._order]
            self.tiles.show(self._drawn(shown), names, self._badges(filters), self._tile())
        self.tiles.description = f"{filters.layer}, as it is" if loaded.drawn is not None else filters.layer
        show_if(loaded.drawn is not None, self.drawn_tiles)
        if loaded.drawn is not None:
            drawn = loaded.drawn
            of_one = kind == "filter"
            names = [f"input {i}" for i in drawn.inputs_of(self._filter)] if of_one else []
            self.drawn_tiles.show(
                self._drawn(drawn.weights[self._filter] if of_one else self._chosen(drawn)),
                names or [f"#{index}" for index in range(len(drawn.weights))],
                () if of_one else [short(float(norm)) for norm in drawn.norms],
            )
            self.drawn_tiles.description = f"drawn at random: {drawn.drawn}"
        self._say(loaded)

    @property
    def _filter(self) -> int:
        """The filter whose inputs are shown: the session's channel, or the strongest."""
        assert self._loaded is not None
        channel = self._channel
        return int(self._loaded.filters.norms.argmax()) if channel is None else channel

    @property
    def _channel(self) -> int | None:
        """The session's channel where it is that of one of the filters, and not of a layer that mixes or joins them."""
        loaded, classifier = self._loaded, self.session.classifier
        if loaded is None or loaded.classifier is not classifier:
            return None
        layer, count = classifier.layer(self.session.layer), len(loaded.filters.weights)
        if layer.shape[0] != count or convolution_of(classifier, layer.name).name != loaded.filters.layer:
            return None
        channel: int | None = self.session.channel
        return channel

    def _chosen(self, filters: Filters) -> NDArray[np.float32]:
        """What of each filter makes its tile: (filters, h, w), or (filters, 3, h, w) for colours."""
        inputs = filters.weights.shape[1]
        if filters.first and inputs == 3:
            return filters.weights
        return filters.weights[:, min(self.input_slider.index, inputs - 1)]

    def _drawn(self, kernels: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Kernels (n, h, w) in diverging colours, or grey of a greyscale picture; (n, 3, h, w) in colours."""
        assert self._loaded is not None
        extent: Any = self._extent
        if self.scale_picker.index == 1:
            axes = tuple(range(1, kernels.ndim))
            extent = np.maximum(np.abs(kernels).max(axis=axes, keepdims=True), np.finfo(np.float32).tiny)
        shares = kernels / extent
        if self._loaded.filters.first:
            tiles = np.rint((shares + 1) * 127.5).astype(np.uint8)
            return np.moveaxis(tiles, 1, -1) if kernels.ndim == 4 else tiles[..., None].repeat(3, axis=-1)
        return colorize(shares, -1, 1, table_names(signed=True)[0])

    def _badges(self, filters: Filters) -> list[str]:
        def badge(index: int) -> str:
            if filters.dead[index]:
                return "dead"
            if filters.duplicates[index] >= 0:
                return f"= {filters.duplicates[index]}"
            return short(float(filters.norms[index]))

        return [badge(int(index)) for index in self._order]

    def _tile(self) -> int | None:
        """The tile of the session's channel."""
        channel = self._channel
        return None if channel is None else int(np.flatnonzero(self._order == channel)[0])

    def _mark(self) -> None:
        if self._slice == "filter":
            self._show()
        else:
            self.tiles.selected = self._tile()
            assert self._loaded is not None
            self._say(self._loaded)

    def _tile_picked(self, event: TilePicked) -> Job | None:
        loaded = self._loaded
        if loaded is None:
            return None
        if self._slice == "filter":
            # The tiles are inputs: their slices of all filters come next.
            self.input_slider.index = event.index
            return None
        self._choose(loaded.filters.layer, int(self._order[event.index]))
        return self.work

    def _say(self, loaded: FilterState) -> None:
        filters = loaded.filters
        count, inputs, height, width = filters.weights.shape
        dead, twins = int(filters.dead.sum()), int((filters.duplicates >= 0).sum())
        text = f"{filters.layer}: {count} filters of {inputs} x {height} x {width}"
        if filters.layer != loaded.asked:
            text += f" (the convolution before {loaded.asked})"
        text += (
            f"; norms {short(float(filters.norms.min()))} to {short(float(filters.norms.max()))}, "
            f"{percent(float(filters.sparsity.mean()))} of the weights near zero, {dead} dead, {twins} duplicates. "
        )
        middle = "Grey" if filters.first else "White"
        if self.scale_picker.index == 1:
            text += f"{middle} is 0; each tile is stretched to its own largest weight."
        else:
            text += f"{middle} is 0, the ends of the colours are \N{PLUS-MINUS SIGN}{short(self._extent)}."
        channel = self._channel
        if channel is not None and self._slice != "filter":
            norm, zero = float(filters.norms[channel]), float(filters.sparsity[channel])
            text += f" Filter {channel}: norm {short(norm)}, {percent(zero)} near zero."
        elif self._slice == "filter":
            text += f" Shown is filter {self._filter}."
        self.say(text, answer=self._answer(loaded))

    def _told_of(self, loaded: FilterState) -> int:
        """The chosen filter, or else the strongest that answers to the picture."""
        filters, responses = loaded.filters, loaded.responses
        chosen = self._channel if self._slice != "filter" else self._filter
        if chosen is not None:
            return chosen
        maps = None if responses is None else responses.maps
        ranked = map(int, filters.order("norm"))
        return next((k for k in ranked if maps is None or maps[k].max() > 0), int(filters.norms.argmax()))

    def _answer(self, loaded: FilterState) -> answers.Answer:
        """How strong the filter is that is told of."""
        filters, responses = loaded.filters, loaded.responses
        chosen = self._told_of(loaded)
        maps = None if responses is None else responses.maps
        dead, copies = int(filters.dead.sum()), int((filters.duplicates >= 0).sum())
        return answers.filter_strength(chosen, filters.norms, dead, copies, None if maps is None else maps[chosen])
