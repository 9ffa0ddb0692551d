"""A heatmap on a matplotlib axes, in the colours of the page."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import MissingExtra, PictureError
from cnnviz_widgets.paint import color_table, colorize, table_names
from cnnviz_widgets.picture import read_picture

#: What is drawn as zeros is less than a step of a colour table of 256.
_BLANK = 1000.0


class _Map(Protocol):
    """What is asked of a heatmap."""

    @property
    def values(self) -> NDArray[np.float32]: ...
    @property
    def quantity(self) -> str: ...
    @property
    def signed(self) -> bool: ...
    @property
    def blank(self) -> bool: ...


def plot(heatmap: _Map, ax: Any, picture: object, table: str, end: float | None) -> Any:
    """Draw a heatmap as `Heatmap.plot` says."""
    try:
        from matplotlib import cm, colors, pyplot
    except ImportError as error:
        raise MissingExtra('`plot` needs matplotlib: pip install "cnnviz-widgets[figures]".') from error
    chosen = _table(table, signed=heatmap.signed)
    high = _end(heatmap) if end is None else end
    if not (np.isfinite(high) and high > 0):
        raise ValueError(f"`end` is a number above 0, not {end!r}.")
    low = -high if heatmap.signed else 0.0
    grey = None if picture is None else _grey(picture, heatmap.values.shape)
    layers = _layers(heatmap.values, low, high, chosen, grey)
    if ax is None:
        ax = pyplot.subplots(layout="constrained")[1]
    for layer in layers:
        ax.imshow(layer, interpolation="nearest")
    ax.set_axis_off()
    scale = cm.ScalarMappable(colors.Normalize(low, high), colors.ListedColormap(color_table(chosen) / 255))
    ticks = [low, 0.0, high] if heatmap.signed else [low, high]
    bar = ax.figure.colorbar(scale, ax=ax, ticks=ticks, label=heatmap.quantity)
    bar.ax.set_yticklabels([f"{tick:.3g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
    return ax


def _table(name: str, *, signed: bool) -> str:
    names = table_names(signed=signed)
    if name and name not in names:
        kind = "signed" if signed else "unsigned"
        raise ValueError(f"There is no colour table {name!r} for {kind} maps; there are {', '.join(names)}.")
    return name or names[0]


def _end(heatmap: _Map) -> float:
    """The largest absolute value; of a blank map a number so large that all is drawn as zero."""
    finite = np.abs(heatmap.values[np.isfinite(heatmap.values)])
    largest = float(finite.max()) if finite.size else 0.0
    return max(1.0, _BLANK * largest) if heatmap.blank else largest or 1.0


def _layers(
    values: NDArray[np.float32], low: float, high: float, table: str, grey: NDArray[np.uint8] | None
) -> list[NDArray[np.uint8]]:
    """Pictures to lay over each other, uint8 (H, W, 3) or, where something is below, (H, W, 4)."""
    colours = colorize(values, low, high, table)
    if grey is None:
        return [colours]
    opacity = np.clip(np.abs(np.nan_to_num(values)) / high, 0, 1)
    return [grey, np.dstack([colours, np.rint(opacity * 255).astype(np.uint8)])]


def _grey(picture: object, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """A picture at the map's size in grey, uint8 (H, W, 3)."""
    image = read_picture(picture).image
    if image is None:
        raise PictureError("A map is drawn over an image, not a network input; pass classifier.appearance(pixels).")
    grey = np.asarray(image.convert("L").resize((size[1], size[0])))
    return np.repeat(grey[..., None], 3, axis=2)
