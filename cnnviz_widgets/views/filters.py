"""The kernels of a convolution as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.paint import colored, table_names
from cnnviz_widgets.study.filters import Filters, Order, convolution_of, convolutions, filters_of, untrained
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: What the tiles are of a layer whose kernels are too deep for one picture each.
SLICES = ("one input channel of every filter", "every input channel of one filter")
ORDERS: tuple[Order, ...] = ("index", "norm", "similarity")
SCALES = ("whole layer", "each tile by itself")
_NONE, _UNTRAINED = "nothing", "the same layer drawn at random"


@dataclass(frozen=True, eq=False)
class _Loaded:
    classifier: Classifier
    filters: Filters
    twin: Filters | None
    asked: str


class FilterView(View):
    """Kernels of any convolution on one scale around zero, beside those of the same layer drawn at random.

    `FilterView(model)` or, linked with other views, `FilterView(session)`; it needs no picture. A click makes the
    filter the session's channel. Kernels of the first layer are shown in the picture's own colours, deeper ones one
    input channel at a time.
    """

    depends_on = ("classifier", "layer", "channel")

    def __init__(self, model: object, picture: object = None, **options: Any):
        self._loaded: _Loaded | None = None
        self._order: NDArray[np.int64] = np.arange(0)
        self._sorted_by: tuple[Filters, Order] | None = None
        super().__init__(model, picture, **options)

    @property
    def filters(self) -> Filters | None:
        """The kernels that are shown, for reading in Python."""
        return None if self._loaded is None else self._loaded.filters

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.layer_slider = LayerSlider(self.session, convolutions, convolution_of)
        self.on_control(self.layer_slider, self._pick_layer)
        self.slice_picker = Picker(options=list(SLICES), index=0, description="show", searchable=False)
        self.input_slider = OptionSlider(description="input channel", options=["0"])
        self.order_picker = Picker(options=list(ORDERS), index=0, description="sort by", searchable=False)
        self.scale_picker = Picker(options=list(SCALES), index=0, description="scale", searchable=False)
        self.beside_picker = Picker(options=[_NONE, _UNTRAINED], index=0, description="beside", searchable=False)
        for control in (self.slice_picker, self.input_slider, self.order_picker, self.scale_picker):
            self.on_control(control, lambda _: self._show())
        self.on_control(self.beside_picker, lambda _: self.refresh())
        self.tiles = Tiles(tile_width=72, pixelated=True, height=420, placeholder="no kernels yet")
        self.tiles.on_event(self._picked)
        self.twin_tiles = Tiles(tile_width=72, pixelated=True, height=420)
        self.twin_tiles.layout.display = "none"
        self.tiles.layout.flex = self.twin_tiles.layout.flex = "1 1 300px"
        controls = ipywidgets.VBox(
            [
                self.layer_slider,
                self.slice_picker,
                self.input_slider,
                self.order_picker,
                self.scale_picker,
                self.beside_picker,
            ],
            layout=ipywidgets.Layout(flex="0 1 360px"),
        )
        grids = ipywidgets.HBox(
            [self.tiles, self.twin_tiles],
            layout=ipywidgets.Layout(flex="3 1 420px", flex_flow="row wrap", grid_gap="12px"),
        )
        return [ipywidgets.HBox([controls, grids], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"))]

    def _pick_layer(self, event: Any) -> None:
        with self.session.hold_trait_notifications():
            # A filter of one layer is none of another.
            self.session.channel = None
            self.layer_slider.choose(event)

    def session_changed(self, names: set[str]) -> None:
        if "classifier" in names:
            self.layer_slider.describe()
        elif "layer" in names:
            self.layer_slider.follow()

    # -- work ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Any:
        return self.session.classifier, self.session.layer

    def work(self, scene: Any) -> Work:
        classifier, layer = scene
        return _load(classifier, layer, self.beside_picker.index == 1, self._loaded)

    def draw(self, result: _Loaded) -> None:
        before, self._loaded = self._loaded, result
        if before is None or before.filters is not result.filters:
            inputs = result.filters.weights.shape[1]
            self.input_slider.options = [str(index) for index in range(inputs)]
            deep = not result.filters.first and inputs > 1
            for control in (self.slice_picker, self.input_slider):
                control.layout.display = None if deep else "none"
        elif before.twin is result.twin and before.asked == result.asked:
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
        self._extent = max(kernels.extent for kernels in (filters, loaded.twin) if kernels is not None) or 1.0
        self.input_slider.disabled = kind == "filter"
        self.order_picker.disabled = kind == "filter"
        if kind == "filter":
            names = [f"input {index}" for index in filters.inputs_of(self._filter)]
            self.tiles.show(self._drawn(filters.weights[self._filter]), names)
        else:
            shown = self._chosen(filters)[self._order]
            names = [f"#{index}" for index in self._order]
            self.tiles.show(self._drawn(shown), names, self._badges(filters), self._tile())
        self.tiles.description = f"{filters.layer}, as it is" if loaded.twin is not None else filters.layer
        self.twin_tiles.layout.display = "none" if loaded.twin is None else None
        if loaded.twin is not None:
            twin = loaded.twin
            of_one = kind == "filter"
            names = [f"input {i}" for i in twin.inputs_of(self._filter)] if of_one else []
            self.twin_tiles.show(
                self._drawn(twin.weights[self._filter] if of_one else self._chosen(twin)),
                names or [f"#{index}" for index in range(len(twin.weights))],
                () if of_one else [short(float(norm)) for norm in twin.norms],
            )
            self.twin_tiles.description = f"drawn at random: {twin.drawn}"
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
        return colored(shares, -1, 1, table_names(signed=True)[0])

    def _badges(self, filters: Filters) -> list[str]:
        def badge(index: int) -> str:
            if filters.dead[index]:
                return "dead"
            if filters.twins[index] >= 0:
                return f"= {filters.twins[index]}"
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

    def _picked(self, event: Any, done: Any) -> None:
        try:
            loaded = self._loaded
            if not isinstance(event, TilePicked) or loaded is None:
                return
            if self._slice == "filter":
                # The tiles are inputs: their slices of all filters come next.
                self.input_slider.index = event.index
                return
            with self.session.hold_trait_notifications():
                self.session.channel = None
                self.session.layer = loaded.filters.layer
            self.session.channel = int(self._order[event.index])
        except ExplanationError as error:
            self.fail(error)
        finally:
            done()

    def _say(self, loaded: _Loaded) -> None:
        filters = loaded.filters
        count, inputs, height, width = filters.weights.shape
        dead, twins = int(filters.dead.sum()), int((filters.twins >= 0).sum())
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
        self.status.say(text)


def _load(classifier: Classifier, layer: str, twin: bool, known: _Loaded | None) -> Work:
    name = convolution_of(classifier, layer).name
    filters, other = filters_of(classifier, name), None
    if known is not None and known.classifier is classifier and known.filters.layer == name:
        other = known.twin
        # A network may have been trained on meanwhile.
        if np.array_equal(known.filters.weights, filters.weights):
            filters = known.filters
    # What the panel draws from is computed here, on the worker.
    _ = filters.twins, filters.sparsity, filters.dead
    if twin:
        other = other or untrained(classifier, name)
    yield _Loaded(classifier, filters, other if twin else None, classifier.layer(layer).name)
