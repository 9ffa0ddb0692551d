"""A grid of small images: thumbnails, filters, activation maps, patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.widgets.acknowledged import STATIC, Outdated, integers
from cnnviz_widgets.widgets.choice import truth
from cnnviz_widgets.widgets.described import Described

_MODIFIERS = ("shift", "ctrl", "alt", "meta")


@dataclass(frozen=True)
class TileEntered:
    """The pointer, or the keyboard's cursor, came to tile `index`, or left (None)."""

    index: int | None
    final: bool = False


@dataclass(frozen=True)
class TilePicked:
    """Tile `index` was clicked, or picked with Enter or Space, while the keys in `modifiers` were down."""

    index: int
    final: bool = True
    modifiers: frozenset[str] = frozenset()


class Tiles(Described):
    """A grid of equal images in one scrolling box; its events are `TileEntered` and `TilePicked`.

    `show` sets the images. `tile_width` (CSS pixels) is their width on the page, `columns` the number per row
    (0: as many as fit), `height` the most that the box takes (CSS pixels). One-channel tiles are coloured by
    the table `colormap`. `selected` follows every pick before the handlers run, as `index` of `OptionSlider`.
    """

    _esm = STATIC / "tiles.js"

    sheet = traitlets.Bytes().tag(sync=True)
    tile_size = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)
    channels = traitlets.Int(3).tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)
    #: Grows with every `show`: an index from the browser means a tile of one revision only.
    revision = traitlets.Int(0).tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    badges = traitlets.List(traitlets.Unicode()).tag(sync=True)
    selected = traitlets.Int(None, allow_none=True).tag(sync=True)
    colormap = traitlets.Unicode("viridis").tag(sync=True)
    columns = traitlets.Int(0, min=0).tag(sync=True)
    tile_width = traitlets.Int(72, min=8, max=1024).tag(sync=True)
    height = traitlets.Int(360, min=48).tag(sync=True)
    pixelated = traitlets.Bool(False).tag(sync=True)
    captions = traitlets.Bool(True).tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)
    #: Whether the tiles are of another question than the one that is asked now: they are drawn faintly.
    stale = traitlets.Bool(False).tag(sync=True)

    def show(
        self,
        tiles: NDArray[np.uint8] | None,
        labels: Sequence[str] = (),
        badges: Sequence[str] = (),
        selected: int | None = None,
    ) -> None:
        """Show `tiles`, uint8 (n, h, w) or (n, h, w, 1 or 3), in one message; None shows no tiles."""
        sheet = np.zeros((0, 1, 1, 3), np.uint8) if tiles is None else np.asarray(tiles)
        if sheet.ndim == 3:
            sheet = sheet[..., None]
        drawable = sheet.ndim == 4 and sheet.shape[-1] in (1, 3) and 0 not in sheet.shape[1:]
        if sheet.dtype != np.uint8 or not drawable:
            raise ValueError(f"tiles are uint8 (n, h, w[, 1 or 3]), not {sheet.dtype} {sheet.shape}.")
        count, height, width, channels = sheet.shape
        if selected is not None and not 0 <= selected < count:
            raise ValueError(f"tile {selected} is outside the {count} tiles.")
        with self.hold_sync():
            self.selected = None
            self.count, self.tile_size, self.channels = count, (height, width), channels
            self.sheet = sheet.tobytes()
            self.labels, self.badges = [str(label) for label in labels], [str(badge) for badge in badges]
            self.selected = selected
            self.revision += 1

    @traitlets.validate("selected")
    def _within(self, proposal: dict[str, Any]) -> int | None:
        selected: int | None = proposal["value"]
        if selected is not None and not 0 <= selected < self.count:
            raise traitlets.TraitError(f"tile {selected} is outside the {self.count} tiles.")
        return selected

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> TileEntered | TilePicked:
        """The message as an event; ValueError or KeyError if it is neither."""
        if buffers:
            raise ValueError("expected no binary data")
        if integers([content["revision"]], 1, 0, 2**31) != (self.revision,):
            raise Outdated("the tile belongs to a sheet that is no longer shown")
        name, final, index = content["name"], truth(content["final"]), content["index"]
        if name == "entered":
            return TileEntered(None if index is None else self._tile(index), final)
        if name != "picked":
            raise ValueError("expected a tile entered or picked")
        event = TilePicked(self._tile(index), final, _modifiers(content["modifiers"]))
        self.selected = event.index
        return event

    def _tile(self, value: object) -> int:
        return integers([value], 1, 0, self.count - 1)[0]


def _modifiers(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > len(_MODIFIERS):
        raise ValueError("expected the names of modifier keys")
    if any(key not in _MODIFIERS for key in value):
        raise ValueError(f"expected modifier keys out of {', '.join(_MODIFIERS)}")
    return frozenset(value)
