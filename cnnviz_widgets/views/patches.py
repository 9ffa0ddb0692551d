"""The patches of a data set's pictures that each channel reacts to most, and those it reacts to less."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.patches import Patches, Spot, scan
from cnnviz_widgets.collection.source import Source, source_of
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.schedule import LatestWins
from cnnviz_widgets.study.receptive_field import Box, ReceptiveField, receptive_field
from cnnviz_widgets.views.collected import remembered
from cnnviz_widgets.views.parts.embedded import embedded_source, has_embedded_source
from cnnviz_widgets.views.parts.layers import LayerSlider, slidable
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: Where to look: the strongest of all pictures, or a random sample's around a quantile of its maxima.
PLACES: Mapping[str, float | None] = {
    "strongest": None,
    "95 %": 0.95,
    "90 %": 0.9,
    "75 %": 0.75,
    "median": 0.5,
    "25 %": 0.25,
    "weakest": 0.0,
    "random": None,
}
_TILE = 112
_GREY = (128, 128, 128)
#: So many pictures are kept as the network sees them.
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Sheet:
    """Patches to draw: of which layer and channel, their spots and crops, uint8 (n, side, side, 3)."""

    layer: str
    channel: int
    place: str
    spots: Sequence[Spot]
    tiles: NDArray[np.uint8]


class PatchView(View):
    """The patches that the session's channel reacts to most in a data set; the slider goes on to the median and below.

    `PatchView(model, source=data)` or, linked with other views, `PatchView(session, source=data)`; `data` is anything
    `source_of` takes, by default the embedded pictures that an embedded classifier is made for. One pass in the
    background is for all channels of all layers; `path` is a file to which it is saved and from which it goes on.
    """

    depends_on = ("classifier",)
    shows = ("layer", "channel")
    #: Seconds between two drawings of a scan under way.
    interval = 0.5

    def __init__(
        self, model: object, picture: object = None, *, source: object = None, path: str | Path | None = None,
        k: int = 9, **options: Any,
    ):  # fmt: skip
        self._given = source
        self._path = path
        self._k = k
        self._source: Source | None = None
        self._sheets = LatestWins()
        self._appearances: dict[int, NDArray[np.uint8]] = {}
        #: What the scan has found so far, for reading in Python.
        self.patches: Patches | None = None
        #: The patches drawn.
        self.sheet: Sheet | None = None
        super().__init__(model, picture, **options)

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        self.tiles = Tiles(tile_width=_TILE, columns=3, height=470, placeholder="no patches yet")
        self.layer_slider = LayerSlider(self.session)
        self.channel_slider = OptionSlider(description="channel")
        self.place_slider = OptionSlider(options=list(PLACES), index=0, description="among all")
        self.run_button = ipywidgets.Button(description="Stop", button_style="primary")
        self.run_button.on_click(lambda _: self.stop_here() if self._requests.busy else self.refresh())
        self.on_control(self.layer_slider, self.layer_slider.choose)
        self.on_control(self.channel_slider, lambda event: self.session.set_trait("channel", event.index))
        self.on_control(self.place_slider, lambda _: self.show_patches())
        self.on_control(self.tiles, self._tile_event)
        self._describe_channels()
        side = ipywidgets.VBox(
            [self.layer_slider, self.channel_slider, self.place_slider, self.run_button],
            layout=ipywidgets.Layout(flex="1 1 320px", max_width="520px"),
        )
        return [ipywidgets.HBox([self.tiles, side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"))]

    def _describe_channels(self) -> None:
        count = self.session.classifier.layer(self.session.layer).shape[0]
        with self.channel_slider.hold_sync():
            self.channel_slider.options = [str(channel) for channel in range(count)]
            self.channel_slider.index = self.channel

    @property
    def channel(self) -> int:
        """The session's channel, or the first."""
        return self.session.channel or 0

    @property
    def place(self) -> str:
        """Which patches are shown, one of `PLACES`; assign to change it."""
        return self.place_slider.options[self.place_slider.index]

    @place.setter
    def place(self, place: str) -> None:
        if place not in PLACES:
            raise ValueError(f"There is no place {place!r}; there are {', '.join(PLACES)}.")
        self.place_slider.index = list(PLACES).index(place)
        self.show_patches()

    @property
    def source(self) -> Source | None:
        """The data set; assign anything `source_of` takes to scan that."""
        return self._source

    @source.setter
    def source(self, source: object) -> None:
        self._given = source
        self._forget()
        self.refresh()

    def session_changed(self, names: set[str]) -> None:
        if "classifier" in names:
            self.layer_slider.describe()
            self._forget()
        else:
            self.layer_slider.follow()
        self._describe_channels()

    def redraw(self) -> None:
        self.show_patches()

    def _forget(self) -> None:
        self._requests.cancel()
        self._sheets.cancel()
        self._source = self.patches = self.sheet = None
        self._appearances = {}
        self.tiles.show(None)

    # -- the scan ------------------------------------------------------------------------------------------------

    def snapshot(self) -> tuple[Classifier, list[str]]:
        classifier = self.session.classifier
        if self._given is None and not has_embedded_source(classifier):
            raise PictureError(f"Pass pictures to scan with {classifier.name}, as PatchView(model, source=folder).")
        if self.patches is not None:
            return classifier, list(self.patches.layers)
        layers = [layer.name for layer in slidable(classifier)]
        return classifier, list(dict.fromkeys([*layers, self.session.layer]))

    def work(self, scene: Any) -> Work:
        classifier, layers = scene
        data = self._given if self._source is None else self._source
        return _found(classifier, layers, data, self._k, self.patches, self._path, self.interval)

    def draw(self, result: Source | Patches | None) -> None:
        if isinstance(result, Source):
            self._source = result
            self.run_button.description = "Stop"
            self.run_button.disabled = False
            self.status.say(f"scanning {len(result)} pictures ...", "busy", 0)
        if not isinstance(result, Patches):
            return
        self.patches = result
        finished = result.progress >= 1
        self.run_button.description = "Scanned" if finished else "Stop"
        self.run_button.disabled = finished
        self._tell()
        self.show_patches()

    def stop_here(self) -> None:
        """Stop the scan and keep what it has found."""
        self._requests.cancel()
        self.run_button.description = "Go on"
        self._tell()

    def pause(self) -> None:
        # In a hidden tab nothing is computed; the scan goes on when the tab is opened again.
        self.stop_here()

    # -- the patches ---------------------------------------------------------------------------------------------

    def show_patches(self) -> None:
        """Draw the patches of the session's channel that are known so far."""
        if self.patches is not None and self._source is not None:
            classifier = self.session.classifier
            layer = nearest_scanned(classifier, self.patches.layers, self.session.layer)
            channel = min(self.channel, classifier.layer(layer).shape[0] - 1)
            crops = _crops(
                classifier, self._source, self.patches, layer, channel, self.place, self._k, self._appearances
            )
            self.run(self._sheets, crops, self._draw_sheet)

    def _draw_sheet(self, sheet: Sheet) -> None:
        if self._source is None:
            return
        self.sheet = sheet
        names = [_title(self._source, spot.image) for spot in sheet.spots]
        self.tiles.show(sheet.tiles if len(sheet.tiles) else None, names, [short(spot.value) for spot in sheet.spots])
        self.tiles.description = f"patches for channel {sheet.channel} of {sheet.layer}, {sheet.place}"
        self._tell()

    def _tell(self) -> None:
        patches, sheet = self.patches, self.sheet
        if patches is None:
            return
        text = f"{patches.done} of {patches.total} pictures scanned"
        if patches.unreadable:
            text += f", {patches.unreadable} of them unreadable"
        if sheet is not None and sheet.spots:
            values = [spot.value for spot in sheet.spots]
            below = patches.share_below(sheet.layer, sheet.channel, min(values))
            text += (
                f". Channel {sheet.channel} of {sheet.layer}, {sheet.place}: activations {short(min(values))} to "
                f"{short(max(values))}; {below:.0%} of a sample of {len(patches.sampled)} pictures stay below these"
            )
        if sheet is not None and sheet.layer != self.session.layer:
            text += (
                f". {self.session.layer} was not scanned: these are of channel {sheet.channel} of {sheet.layer}, "
                "the nearest layer that was"
            )
        busy = self._requests.busy and patches.progress < 1
        self.status.say(f"{text}.", "busy" if busy else "info", patches.progress if patches.progress < 1 else -1)

    def _tile_event(self, event: object) -> None:
        if isinstance(event, TilePicked) and self.sheet is not None and self._source is not None:
            self.session.picture = remembered(self._source, self.sheet.spots[event.index].image)

    def stop(self) -> None:
        super().stop()
        self._sheets.cancel()

    def run(
        self,
        requests: LatestWins,
        work: Work,
        deliver: Callable[[Any], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        def scan_ended() -> None:
            if ended is not None:
                ended()
            # Only here is a scan that has failed no longer under way.
            if not requests.busy and (self.patches is None or self.patches.progress < 1):
                self.run_button.description = "Go on"
                self.run_button.disabled = False

        super().run(requests, work, deliver, scan_ended if requests is self._requests else ended)


def _found(
    classifier: Classifier, layers: list[str], data: object, k: int, start: Patches | None, path: Any, interval: float
) -> Work:
    """The data set, then what a scan of it finds; None in between, where it has been drawn a moment ago."""
    if data is None:
        made = Aside("pictures", lambda: embedded_source(classifier))  # it may import what is slow to import
        yield made
        data = made.result()
    source = source_of(data)
    yield source
    drawn = 0.0
    for patches in scan(classifier, source, layers, k=k, start=start, path=path):
        if patches.progress >= 1 or time.monotonic() - drawn >= interval:
            yield patches
            drawn = time.monotonic()
        else:
            yield None


def _crops(
    classifier: Classifier, source: Source, patches: Patches, layer: str, channel: int, place: str, k: int,
    appearances: dict[int, NDArray[np.uint8]],
) -> Work:  # fmt: skip
    """A Sheet, after None for each picture that had to be read; `appearances` keeps the last of them."""
    quantile = PLACES[place]
    if quantile is not None:
        spots = patches.around(layer, channel, quantile, k)
    else:
        spots = (patches.top if place == "strongest" else patches.random)(layer, channel, k)
    field = receptive_field(classifier, layer)
    tiles = np.zeros((len(spots), _TILE, _TILE, 3), np.uint8)
    for number, spot in enumerate(spots):
        if spot.image not in appearances:
            appearances[spot.image] = classifier.appearance(classifier.pixels(source.picture(spot.image)))
            if len(appearances) > _KEPT:
                del appearances[next(iter(appearances))]
            yield None
        cell = _cell(field, spot, classifier.layer(layer).stride)
        tiles[number] = crop(appearances[spot.image], field.box(spot.row, spot.column), cell)
    yield Sheet(layer, channel, place, spots, tiles)


def nearest_scanned(classifier: Classifier, scanned: Iterable[str], layer: str) -> str:
    """The layer itself if it was scanned, else the one that runs nearest to it, of two the earlier."""
    order = {known.name: place for place, known in enumerate(classifier.layers)}
    wanted = order[classifier.layer(layer).name]
    known = [name for name in scanned if name in order]
    return min(known, key=lambda name: (abs(order[name] - wanted), order[name]), default=layer)


def _title(source: Source, index: int) -> str:
    """A picture's name, or its class and number."""
    name = source.names[index] or f"item {index}"
    labels, class_names = source.labels, source.class_names
    if not source.names[index] and labels is not None and class_names is not None and labels[index] >= 0:
        return f"{class_names[labels[index]]}, {name}"
    return name


def _cell(field: ReceptiveField, spot: Spot, stride: tuple[float, float]) -> Box:
    """The part of the picture that a cell is above: a stride's worth around the middle of what it sees."""
    corner = [at * step for at, step in zip((spot.row, spot.column), stride, strict=True)]
    if field.regular:
        seen = zip((spot.row, spot.column), field.start, field.stride, field.size, strict=True)
        corner = [start + at * step + (size - step) / 2 for at, start, step, size in seen]
    return round(corner[0]), round(corner[1]), max(1, round(stride[0])), max(1, round(stride[1]))


def crop(picture: NDArray[np.uint8], box: Box, cell: Box) -> NDArray[np.uint8]:
    """The part `box` of a picture (H, W, 3), enlarged into a square tile on grey, uint8 (side, side, 3).

    Boxes are (top, left, height, width). Where `cell`, the place of the activation, is much smaller, it is outlined.
    """
    top, left, height, width = box
    tile = PIL.Image.new("RGB", (_TILE, _TILE), _GREY)
    if height and width:
        scale = _TILE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        seen = PIL.Image.fromarray(picture[top : top + height, left : left + width])
        part = seen.resize(size, PIL.Image.Resampling.BICUBIC)
        if 2 * max(cell[2:]) <= min(height, width):
            corner = (cell[1] - left) * scale, (cell[0] - top) * scale
            outline = (*corner, corner[0] + cell[3] * scale, corner[1] + cell[2] * scale)
            drawing = PIL.ImageDraw.Draw(part)
            drawing.rectangle(outline, outline="black", width=3)
            drawing.rectangle(outline, outline="white")
        tile.paste(part, ((_TILE - size[0]) // 2, (_TILE - size[1]) // 2))
    return np.asarray(tile)
