"""The parts of a panel, taken from the widgets that it shows: a figure is what is on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.paint import color_table, table_names
from cnnviz_widgets.views.take.parts import Frame, MapPart, Part, PicturePart, TilesPart
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.tiles import Tiles


def parts_of(widget: Any) -> list[Part]:
    """What `widget`, and all that is shown inside it, draws."""
    return list(_parts(widget))


def _parts(widget: Any) -> Iterator[Part]:
    layout = getattr(widget, "layout", None)
    if layout is not None and layout.display == "none":
        return
    if isinstance(widget, PictureCanvas):
        yield from _of_canvas(widget)
    elif isinstance(widget, Tiles):
        yield from _of_tiles(widget)
    elif (drawn := getattr(widget, "drawn", None)) is not None:
        part = drawn()
        yield from () if part is None else (part,)
    if isinstance(widget, ipywidgets.Box):
        for child in widget.children:
            yield from _parts(child)


def _of_canvas(canvas: PictureCanvas) -> Iterator[Part]:
    height, width = canvas.picture_size
    if not height:
        return
    picture = np.frombuffer(canvas.picture, np.uint8).reshape(height, width, 3)
    picture, frames = _covered(canvas, picture)
    if not canvas.map:
        yield PicturePart(canvas.label, picture, frames)
        return
    cells = np.frombuffer(canvas.map, "<f4").reshape(canvas.map_size)
    name, low, high = scale_in_use(canvas)
    table = table_in_use(canvas)
    yield MapPart(canvas.label, picture, cells, canvas.quantity, canvas.signed, low, high, name, table, frames)


def _covered(canvas: PictureCanvas, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], list[Frame]]:
    """The picture with the occlusion window, or the mask, on it, and what is outlined."""
    frames: list[Frame] = []
    covered = canvas.mask
    if covered is None and canvas.mode == "window" and canvas.window is not None:
        top, left, tall, wide = canvas.window
        frames.append((top, left, top + tall, left + wide))
        covered = np.zeros(picture.shape[:2], bool)
        covered[top : top + tall, left : left + wide] = True
    if covered is not None and len(canvas.baseline) == picture.size:
        filling = np.frombuffer(canvas.baseline, np.uint8).reshape(picture.shape)
        picture = np.where(covered[..., None], filling, picture)
    if canvas.box is not None:
        frames.append(canvas.box)
    if canvas.marker is not None:
        row, column = canvas.marker
        frames.append((row, column, row + 1, column + 1))
    return picture, frames


def scale_in_use(canvas: PictureCanvas) -> tuple[str, float, float]:
    """Name and ends of the scale that the page draws a map on: the one held, the one chosen, or the first."""
    state, scales = canvas.view_state, canvas.scales
    held = state.get("held")
    if isinstance(held, dict) and (held.get("quantity"), held.get("signed")) == (canvas.quantity, canvas.signed):
        low: Any = held.get("low")
        high: Any = held.get("high")
        if _finite(low) and _finite(high):
            return ("held", *_ends(low, high, canvas.signed))
    if not scales:
        values = np.frombuffer(canvas.map, "<f4")
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        scales = [["this map", low, high]]
    name, low, high = next((scale for scale in scales if scale[0] == state.get("scale")), scales[0])
    return (name, *_ends(low, high, canvas.signed))


def table_in_use(canvas: PictureCanvas) -> str:
    """The colour table that the page draws a map with."""
    chosen = canvas.view_state.get("diverging" if canvas.signed else "colors")
    names = table_names(signed=canvas.signed)
    return chosen if chosen in names else names[0]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _ends(low: float, high: float, signed: bool) -> tuple[float, float]:
    reach = max(abs(low), abs(high))
    return (-reach, reach) if signed else (float(low), float(high))


def _of_tiles(tiles: Tiles) -> Iterator[Part]:
    if not tiles.count:
        return
    sheet = np.frombuffer(tiles.sheet, np.uint8).reshape(tiles.count, *tiles.tile_size, tiles.channels)
    if tiles.channels == 1:
        sheet = color_table(tiles.colormap)[sheet[..., 0]]
    yield TilesPart(tiles.description, sheet, tiles.labels, tiles.badges, tiles.tile_width, tiles.columns)
