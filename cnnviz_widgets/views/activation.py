"""What a layer's channels say about the picture, and what happens without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.errors import TargetError
from cnnviz_widgets.export import Axis
from cnnviz_widgets.paint import table_names
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.study.ablation import ablate
from cnnviz_widgets.study.activations import Activations, Strength, activations
from cnnviz_widgets.study.receptive_field import ReceptiveField
from cnnviz_widgets.views.cells import Cell, look_at_cell, said_of, shaded
from cnnviz_widgets.views.deprecated import old_name
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, one_step
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.next_step import MainButton
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.class_list import ClassList
from cnnviz_widgets.views.parts.contributions import Contributions, contributions_to, strength_badge
from cnnviz_widgets.views.parts.controls import amount, percent
from cnnviz_widgets.views.parts.layers import LayerSlider
from cnnviz_widgets.views.parts.next_steps import next_switch
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.vector import VectorBars
from cnnviz_widgets.views.questions.pairs import stronger_channel
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.page.wanted import Wanted, layers_and_tiles
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.picture import PictureCanvas, PointPicked
from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved
from cnnviz_widgets.widgets.tiles import TileEntered, TilePicked, Tiles

#: By what each channel gives to the class, or by its strength whatever the class.
ORDERS: tuple[Literal["class"] | Strength, ...] = ("class", "mean", "max")
#: So many channels are on one screen.
SHOWN_FIRST = 16
SCALES = ("all channels", "each channel by itself")
SHOWN = ("activation map", "region above the quantile")
QUANTILES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
#: How dark the picture is outside a region, as a share of its brightness.
_OUTSIDE = 0.25


@dataclass(frozen=True, eq=False)
class ActivationState:
    """What the view draws; `logits` are those with the channels in `off` switched off, None where none is.

    `shares` are what the channels give to the class, None where that is not known.
    """

    example: Example
    class_index: int
    maps: Activations
    off: frozenset[int]
    logits: NDArray[np.float32] | None
    shares: Contributions | None = None


class ActivationView(Panel):
    """A layer's activation maps for this picture, those that give most to the class first.

    Hover a map to lay it over the picture, click it to choose its channel, Shift-click it to switch the channel off
    and see the class scores move. Click the picture: the box is what the cell painted there can see, shaded where a
    change would alter its activation now. A cell keeps its tile of the picture; its box may lie half a cell beside it.
    `ActivationView(model, picture)` or, linked with other views, `ActivationView(session)`.
    """

    topic = "activations"
    follows = ("classifier", "picture", "target", "layer", "channel")

    settings: ClassVar[Mapping[str, object]] = {"off": frozenset()}

    off = traitlets.Any(frozenset(), help="The channels that are switched off; assign others of the session's layer.")
    activations = traitlets.Instance(
        Activations, None, allow_none=True, read_only=True, help="The activation maps that are shown."
    )
    field = traitlets.Instance(
        ReceptiveField, None, allow_none=True, read_only=True, help="What the layer's cells see, once one was clicked."
    )
    maps = old_name("maps", "activations")

    def __init__(self, model: object, picture: object = None, **options: Any) -> None:
        super().__init__(model, picture, **options)
        self._shown: ActivationState | None = None
        self._order: NDArray[np.int64] = np.arange(0)
        self._cell: Cell | None = None
        self.work, self.cell_job = self.job(self._draw), self.job(self._draw_cell)
        self._make_widgets()
        # A channel of one layer is none of another.
        self.follow(["classifier", "layer"], self._layer_changed, hidden=True)
        self.link(lambda _: self.refresh(), ["off"])
        self.begin()

    def _make_widgets(self) -> None:
        self.canvas = PictureCanvas(label="no picture yet", mode="point", display_width=384)
        self.layer_slider = LayerSlider(self.session)
        self.class_list = ClassList(self, self.work, "classes.channels")
        self.bars, self.class_picker = self.class_list.bars, self.class_list.picker
        self.order_picker = Picker(options=list(ORDERS), index=0, description="sort by", searchable=False)
        self.scale_picker = Picker(options=list(SCALES), index=0, description="scale", searchable=False)
        self.shown_picker = Picker(options=list(SHOWN), index=0, description="picture shows", searchable=False)
        quantiles = [f"{quantile:g}" for quantile in QUANTILES]
        self.quantile_slider = OptionSlider(options=quantiles, index=QUANTILES.index(0.9), description="quantile")
        self.off_button = self.button("Switch channel off", lambda: self._toggle(self.session.channel), disabled=True)
        self.on_button = self.button("All on", lambda: self.set_trait("off", frozenset()), disabled=True)
        self.vector = VectorBars()
        self.tiles = Tiles(tile_width=72, pixelated=True, height=400, placeholder="no activations yet")
        self.on(self.canvas, PointPicked, self._pointed)
        self.on(self.layer_slider, SliderMoved, self._layer_picked)
        for control in (self.order_picker, self.scale_picker):
            self.on(control, Picked, lambda _: self._show_tiles())
        self.on(self.shown_picker, Picked, lambda _: self._show_channel())
        self.on(self.quantile_slider, SliderMoved, self._quantile_changed)
        self.on(self.tiles, (TileEntered, TilePicked), self._tile_event)
        pickers = (self.order_picker, self.scale_picker, self.shown_picker, self.quantile_slider)
        buttons = row(self.off_button, self.on_button, gap=4)
        self.main_button = MainButton(self, lambda: next_switch(self, self._order), self.stop)
        controls = column(self.class_list, self.layer_slider, *pickers, buttons, self.vector, self.main_button)
        self.show(row(self.canvas, controls), self.tiles)

    def question(self) -> Question | None:
        shown = self._shown
        return None if shown is None or self.work.busy else stronger_channel(shown.maps)

    @traitlets.validate("off")
    def _channels(self, proposal: Any) -> frozenset[int]:
        value = proposal["value"]
        off = frozenset(value) if isinstance(value, Iterable) else frozenset([value])
        depth = self.session.classifier.layer(self.session.layer).shape[0]
        wrong = [channel for channel in off if not isinstance(channel, int) or not 0 <= channel < depth]
        if wrong:
            raise TargetError(f"{self.session.layer} has channels 0 to {depth - 1}; {wrong[0]!r} is not one of them.")
        return off

    def _layer_changed(self) -> None:
        self.off = frozenset()
        self.layer_slider.follow()

    def _layer_picked(self, event: SliderMoved) -> Job:
        self.layer_slider.choose(event)
        return self.work

    def table(self) -> Columns:
        """How strong each channel of the layer is."""
        return table.of_activations(required(self.activations), self.off)

    def page_axes(self, wanted: Wanted) -> Sequence[Axis]:
        return layers_and_tiles(self.layer_slider, self.tiles, wanted, SHOWN_FIRST)

    # -- work ----------------------------------------------------------------------------------------------------

    def compute(self) -> Job:
        self.canvas.stale = self.canvas.map_size != (0, 0)
        return self.work.start(_look(self.session.scene, self.off, self._shown))

    def _draw(self, result: ActivationState) -> None:
        before, self._shown = self._shown, result
        example = result.example
        if before is None or before.example is not example:
            self.canvas.show(example.appearance)
        if before is None or before.maps is not result.maps:
            for name in ("box", "marker"):
                self.canvas.set_trait(name, None)
            self._cell = None
            self.set_trait("field", None)
            self.set_trait("activations", result.maps)
            self.vector.show(None)
            self._show_tiles()
        else:
            if before.shares is not result.shares and self._by == "class":
                self._show_tiles()
            if self._cell is not None and self.session.channel not in (None, self._cell.channel):
                self._cell = replace(self._cell, answers=None)
            self._mark()
        self._show_channel()
        self.class_list.show(example, result.class_index, result.logits)
        self.on_button.disabled = not result.off
        self._tell(result)

    def _tell(self, shown: ActivationState) -> None:
        answer = _answer(shown, self.session.channel)
        self.say(_summary(shown, self.session.channel, self._region_quantile), answer=answer)

    @property
    def _by(self) -> Literal["class"] | Strength:
        """What the channels are sorted by: their mean, where nothing is known of the class."""
        by = ORDERS[self.order_picker.index or 0]
        return "mean" if by == "class" and (self._shown is None or self._shown.shares is None) else by

    def _show_tiles(self) -> None:
        shown = self._shown
        if shown is None:
            return
        maps, by, shares = shown.maps, self._by, shown.shares
        of_class = shares if by == "class" else None
        strength: Strength = "max" if by == "max" else "mean"
        self._order = maps.order(strength) if of_class is None else of_class.order
        small = maps.thumbnails[self._order]
        extent: Any = maps.extent or 1.0
        if self.scale_picker.index == 1:
            extent = np.maximum(np.abs(small).max(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny)
        shares = small / extent
        self.tiles.colormap = table_names(signed=maps.signed)[0]
        self._strengths = maps.strengths(strength) if of_class is None else of_class.values
        self._largest = maps.extent if of_class is None else float(np.abs(of_class.values).max())
        self.tiles.show(
            np.rint((shares + 1) * 127.5 if maps.signed else shares * 255).astype(np.uint8),
            [f"#{channel}" for channel in self._order],
        )
        self.tiles.description = self._caption(maps, by)
        self._mark()

    def _caption(self, maps: Activations, by: str) -> str:
        low = f"\N{MINUS SIGN}{short(maps.extent)}" if maps.signed else "0"
        on = (
            "each map on its own scale"
            if self.scale_picker.index == 1
            else f"colours from {low} to {short(maps.extent)}"
        )
        silent = int((np.abs(maps.maps).max(axis=(1, 2)) == 0).sum())
        return f"{len(maps.maps)} channels of {maps.layer}, by {by}; {on}; {silent} are zero everywhere"

    def _mark(self) -> None:
        """Mark the session's channel, and those that are off."""
        channel, shown = self.session.channel, self._shown
        assert shown is not None
        self.tiles.badges = [
            "off" if channel in shown.off else strength_badge(float(self._strengths[channel]), self._largest)
            for channel in map(int, self._order)
        ]
        known = channel is not None and channel < len(self._order)
        self.tiles.selected = int(np.flatnonzero(self._order == channel)[0]) if known else None
        self.off_button.disabled = not known
        self.off_button.description = "Switch channel on" if channel in shown.off else "Switch channel off"

    def _show_channel(self, channel: int | None = None) -> None:
        """Lay the map of a channel over the picture, or darken what lies outside its region."""
        shown = self._shown
        if shown is None:
            return
        chosen = self.session.channel if channel is None else channel
        picture, maps = shaded(shown.example.appearance, self._cell), shown.maps
        name = shown.example.picture.name or "picture"
        if chosen is None or chosen >= len(maps.maps):
            self._light(picture)
            self.canvas.overlay(None)
            self.canvas.label = name
        elif self.shown_picker.index == 1 and channel is None:
            region, _ = maps.region(chosen, self._quantile)
            self._light(np.where(region[..., None], picture, picture * _OUTSIDE).astype(np.uint8))
            self.canvas.overlay(None)
            self.canvas.label = (
                f"{name}: where channel {chosen} of {maps.layer} exceeds its quantile {self._quantile:g}"
            )
        else:
            self._light(picture)
            values = maps.maps[chosen]
            scales = [(SCALES[0], maps.extent), ("this map", float(np.abs(values).max()))]
            self.canvas.overlay(
                values,
                quantity=f"activation of channel {chosen}",
                signed=maps.signed,
                scales=[
                    (scale, -end if maps.signed else 0.0, end) for scale, end in ((s, e or 1.0) for s, e in scales)
                ],
            )
            self.canvas.label = f"{name} under channel {chosen} of {maps.layer}"

    def _light(self, picture: NDArray[np.uint8]) -> None:
        if self.canvas.picture != picture.tobytes():
            self.canvas.show(picture)

    @property
    def _quantile(self) -> float:
        return QUANTILES[self.quantile_slider.index]

    @property
    def _region_quantile(self) -> float | None:
        """The quantile, where a region is shown."""
        return self._quantile if self.shown_picker.index == 1 else None

    def _quantile_changed(self, _: SliderMoved) -> None:
        self.shown_picker.index = 1
        self._show_channel()
        if self._shown is not None:
            self._tell(self._shown)

    # -- events --------------------------------------------------------------------------------------------------

    def _tile_event(self, event: TileEntered | TilePicked) -> Job | None:
        if isinstance(event, TileEntered):
            self._show_channel(None if event.index is None else int(self._order[event.index]))
            return None
        channel = int(self._order[event.index])
        if "shift" in event.modifiers:
            self._toggle(channel)
            self._mark()
        else:
            self.session.channel = channel
        return self.work

    def _toggle(self, channel: int | None) -> None:
        if channel is not None:
            self.off = self.off ^ {channel}

    def _pointed(self, event: PointPicked) -> Job | None:
        shown = self._shown
        if shown is None:
            return None
        chosen = self.session.channel
        return self.cell_job.start(
            look_at_cell(shown.example, shown.maps, event.row, event.column, chosen, final=event.final)
        )

    def _draw_cell(self, cell: Cell) -> None:
        if self._shown is None or cell.maps is not self._shown.maps:
            return
        self._cell = cell
        self.canvas.box = cell.box
        self.vector.show(cell.vector)
        self._show_channel()
        self.canvas.label += "; box: what a cell can see"
        self.say(said_of(cell))
        self.set_trait("field", cell.field)


def _answer(shown: ActivationState, channel: int | None) -> answers.Answer | None:
    """What the chosen channel, or else the one that gives most, gives to the class; what those that are off did."""
    example, index, shares = shown.example, shown.class_index, shown.shares
    if shown.logits is not None:
        return answers.switched_off(example.classifier, index, len(shown.off), example.logits, shown.logits)
    if shares is None:
        return None
    best = int(shares.order[0])
    chosen = channel if channel is not None and channel < len(shares.values) else best
    if not shares.exact and chosen != best:
        return None
    name, score = example.classifier.class_names[index], float(example.logits[index])
    return answers.contributions(chosen, shares.values, SHOWN_FIRST, name, score, exact=shares.exact)


def _summary(shown: ActivationState, channel: int | None, quantile: float | None) -> str:
    """What the chosen channel says of the picture, and what the class's score is without those that are off."""
    maps = shown.maps
    classifier = shown.example.classifier
    name = classifier.class_names[shown.class_index]
    text = ""
    if channel is not None and channel < len(maps.maps):
        values = maps.maps[channel]
        text = (
            f"Channel {channel} of {maps.layer}: mean {short(float(values.mean()))}, "
            f"max {short(float(values.max()))}, zero in {percent(float((values == 0).mean()))} of the cells. "
        )
        if quantile is not None:
            region, threshold = maps.region(channel, quantile)
            text += f"It exceeds {short(threshold)} in {percent(float(region.mean()))} of the picture. "
    if shown.logits is None:
        text += f"{name}: {amount(classifier, float(shown.example.probabilities[shown.class_index]))}."
    else:
        before, now = float(shown.example.logits[shown.class_index]), float(shown.logits[shown.class_index])
        shares = (
            float(shown.example.probabilities[shown.class_index]),
            float(classifier.readout.probabilities(shown.logits)[shown.class_index]),
        )
        listed = ", ".join(map(str, sorted(shown.off)[:6])) + (", ..." if len(shown.off) > 6 else "")
        text += f"Without {listed}: {name} " + " \N{RIGHTWARDS ARROW} ".join(amount(classifier, s) for s in shares)
        if classifier.scores != "none":
            text += f", logit {short(before)} \N{RIGHTWARDS ARROW} {short(now)}"
        text += "."
        winner = int(shown.logits.argmax())
        if winner != shown.example.predicted:
            text += f" Now {classifier.class_names[winner]}."
    return text


@one_step
def _look(scene: Scene, off: frozenset[int], known: ActivationState | None) -> ActivationState:
    example, layer = scene.example, scene.layer
    if known is not None and known.example is example and known.maps.layer == layer:
        maps = known.maps
    else:
        maps = activations(example.classifier, example.pixels, layer)
        _ = maps.thumbnails, maps.extent, example.logits, example.appearance
    logits = ablate(example.classifier, example.pixels, layer, sorted(off)) if off else None
    shares = None if known is None else known.shares
    if shares is None or not shares.is_of(example, layer, scene.class_index):
        shares = contributions_to(example, layer, scene.class_index)
    return ActivationState(example, scene.class_index, maps, off, logits, shares)
