"""A picture, a heatmap over it, and an occlusion window or a point that the hand moves."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged, Outdated, integers
from cnnviz_widgets.widgets.choice import truth

Window = tuple[int, int, int, int]

_LONGEST_SIDE = 4096
_LONGEST_VIEW_STATE = 2000


@dataclass(frozen=True)
class WindowMoved:
    """The occlusion window is at (top, left), `height` x `width` pixels large; `final` ends a gesture."""

    top: int
    left: int
    height: int
    width: int
    final: bool


@dataclass(frozen=True)
class PointPicked:
    """The hand points at a pixel of the picture; `final` ends a gesture."""

    row: int
    column: int
    final: bool


@dataclass(frozen=True, eq=False)
class MaskPainted:
    """The hand paints what is covered: `mask`, bool (H, W), read-only; `final` ends a gesture."""

    mask: NDArray[np.bool_]
    final: bool


class PictureCanvas(Acknowledged):
    """Shows a picture with a map over it; its events are `WindowMoved`, `MaskPainted` and `PointPicked`.

    All positions are (row, column) in pixels of the picture. Colours, opacity, threshold and scale are set in
    the browser and need no kernel.

    `mode` is "view", "window" (the hand moves and resizes an occlusion window) or "point" (it picks a pixel).
    `baseline` is the wholly occluded picture, raw RGB of the picture's size: the window shows its part of it.
    `box`, (top, left, bottom, right), is outlined and may reach beyond the picture; so is the pixel `marker`.
    A `stale` map is of another question than the one that is asked now: it is drawn faintly until `overlay` brings
    the next. With `brush`, the texts of its tools by language, the hand may also paint what is covered: `mask`, of any
    shape, takes the place of the window until that is moved. `label` says in words what is shown; `display_width` is in
    CSS pixels.
    """

    _esm = STATIC / "picture.js"
    written_by_page = frozenset({"view_state"})

    # One trait for what must change at once: a map on the scales of another would flash up in wrong colours.
    _picture = traitlets.Dict().tag(sync=True)
    _map = traitlets.Dict().tag(sync=True)
    baseline = traitlets.Bytes().tag(sync=True)
    mode = traitlets.Enum(("view", "window", "point"), "view").tag(sync=True)
    box = traitlets.Tuple(*[traitlets.CInt()] * 4, allow_none=True, default_value=None).tag(sync=True)
    marker = traitlets.Tuple(*[traitlets.CInt()] * 2, allow_none=True, default_value=None).tag(sync=True)
    stale = traitlets.Bool(False).tag(sync=True)
    #: (top, left, height, width): where Escape puts the window; see `place_window`.
    window_start = traitlets.Tuple(*[traitlets.CInt()] * 4, default_value=(0, 0, 0, 0)).tag(sync=True)
    #: The least and the greatest side of the window.
    window_limits = traitlets.Tuple(traitlets.CInt(min=1), traitlets.CInt(min=1), default_value=(1, _LONGEST_SIDE)).tag(
        sync=True
    )
    # Where the last gesture left the window: what a reloaded page and a second page show.
    _window_final = traitlets.Tuple(*[traitlets.CInt()] * 4, default_value=(0, 0, 0, 0)).tag(sync=True)
    #: By language: patch, brush, cover, restore, radius, undo, clear, painted, keys. Empty: there is no brush.
    brush = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    # What the last gesture left covered: bits, row by row; none where the window covers. Of which picture: `revision`.
    _mask = traitlets.Dict({"revision": 0}).tag(sync=True)
    label = traitlets.Unicode("picture").tag(sync=True)
    display_width = traitlets.CInt(448, min=16).tag(sync=True)
    #: The toolbar's settings; nothing depends on them.
    view_state = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._window: Window | None = None
        self._painted: NDArray[np.bool_] | None = None
        super().__init__(**traits)

    # -- what is shown ---------------------------------------------------------------------------------------

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture, uint8 (H, W, 3). The map, the box and the marker stay as they are."""
        picture = np.asarray(picture)
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"a picture is uint8 (H, W, 3), not {picture.dtype} {picture.shape}.")
        size = _sides(picture.shape[:2])
        with self.hold_sync():  # a mask is of one picture: it is never drawn over another
            self._picture = {"pixels": picture.tobytes(), "size": list(size)}
            if self.brush:
                self._painted, self._mask = None, {"revision": self._mask["revision"] + 1}
        if self._window is None:
            side = max(1, min(size) // 4)
            self.place_window(((size[0] - side) // 2, (size[1] - side) // 2, side, side))
        else:
            self.window_start = self.fitted(self.window_start)
            self._window = self._window_final = self.fitted(self._window)

    def overlay(
        self,
        values: NDArray[np.floating[Any]] | None,
        quantity: str = "",
        signed: bool = False,
        scales: Sequence[tuple[str, float, float]] = (),
    ) -> None:
        """Lay a map, (h, w), over the whole picture; None takes it away. NaN is drawn as a hatch.

        `quantity` says what a value is, with its unit. `signed` values get a diverging colour table around 0.
        `scales`, (name, low, high), are those to choose from, the default first; none: the map's own extent.
        """
        if values is None:
            self._map = {}
            self.stale = False
            return
        cells = np.asarray(values)
        if cells.ndim != 2 or not np.issubdtype(cells.dtype, np.floating):
            raise ValueError(f"a map is floating-point numbers (h, w), not {cells.dtype} {cells.shape}.")
        size = _sides(cells.shape)
        for name, low, high in scales:
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise ValueError(f"the scale {name!r} needs finite ends in order, not {low} to {high}.")
        self._map = {
            "values": cells.astype("<f4").tobytes(),
            "size": list(size),
            "quantity": quantity,
            "signed": bool(signed),
            "scales": [[str(name), float(low), float(high)] for name, low, high in scales],
        }
        self.stale = False  # after the map: the old one does not come back for a moment

    def add_scale(self, name: str, low: float, high: float) -> None:
        """Let the map be drawn on a further scale, first of all; one of the same name is replaced."""
        if not self._map:
            return
        others = [scale for scale in self._map["scales"] if scale[0] != name]
        self._map = {**self._map, "scales": [[name, float(low), float(high)], *others]}

    def place_window(self, window: Window, limits: tuple[int, int] | None = None) -> None:
        """Put the occlusion window, and the place Escape returns it to, at (top, left, height, width)."""
        if limits is not None:
            self.window_limits = limits
        placed = self.fitted(window)
        self._window = placed
        self.window_start = placed
        self._window_final = placed

    def paint(self, mask: NDArray[np.bool_] | None) -> None:
        """Cover the pixels of `mask`, bool (H, W) of the picture's size; None: those of the window."""
        if mask is not None and (mask.dtype != np.bool_ or mask.shape != self.picture_size):
            raise ValueError(f"a mask is bool {self.picture_size}, not {mask.dtype} {mask.shape}.")
        self._painted = mask
        bits: dict[str, Any] = {} if mask is None else {"bits": np.packbits(mask).tobytes()}
        self._mask = {"revision": self._mask["revision"], **bits}

    # -- what is there ---------------------------------------------------------------------------------------

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """Which pixels are covered, the last heard of, during a stroke too; None where the window covers."""
        return self._painted

    @property
    def window(self) -> Window | None:
        """The last (top, left, height, width) heard of, during a drag too; None before a picture."""
        return self._window

    @property
    def picture(self) -> bytes:
        """The picture's raw RGB, row by row."""
        pixels: bytes = self._picture.get("pixels", b"")
        return pixels

    @property
    def picture_size(self) -> tuple[int, int]:
        """(H, W); (0, 0) before a picture."""
        rows, columns = self._picture.get("size", (0, 0))
        return rows, columns

    @property
    def map(self) -> bytes:
        """The map's values, float32, row by row."""
        values: bytes = self._map.get("values", b"")
        return values

    @property
    def map_size(self) -> tuple[int, int]:
        """(h, w); (0, 0) without a map."""
        rows, columns = self._map.get("size", (0, 0))
        return rows, columns

    @property
    def quantity(self) -> str:
        """What a value of the map is."""
        return str(self._map.get("quantity", ""))

    @property
    def signed(self) -> bool:
        """Whether the map's sign has a meaning."""
        return bool(self._map.get("signed", False))

    @property
    def scales(self) -> list[list[Any]]:
        """[name, low, high] of the map's scales, the default first."""
        return list(self._map.get("scales", []))

    # -- what the browser says -------------------------------------------------------------------------------

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> WindowMoved | MaskPainted | PointPicked:
        """The message as an event; ValueError or KeyError if it is none."""
        final = truth(content["final"])
        if content["name"] == "painted":
            return self._stroke(content, buffers, final)
        if buffers:
            raise ValueError("expected no binary data")
        rows, columns = self.picture_size
        if content["name"] == "picked":
            row, column = integers(content["point"], 2, 0, _LONGEST_SIDE)
            if row >= rows or column >= columns:
                raise ValueError("expected a pixel of the picture")
            if final:
                self.marker = (row, column)
            return PointPicked(row, column, final)
        if content["name"] != "moved":
            raise ValueError("expected a window moved, a mask painted or a point picked")
        top, left, height, width = integers(content["window"], 4, 0, _LONGEST_SIDE)
        window = (top, left, height, width)
        if rows == 0 or window != self.fitted(window):
            raise ValueError("expected a window inside the picture and of an allowed size")
        self._window, self._painted = window, None
        if final:
            self._window_final = window
            if "bits" in self._mask:
                self.paint(None)
        return WindowMoved(*window, final)

    def _stroke(self, content: dict[str, Any], buffers: list[memoryview], final: bool) -> MaskPainted:
        """The mask in a message, one bit a pixel."""
        rows, columns = self.picture_size
        if not self.brush or self.mode != "window" or rows == 0:
            raise ValueError("expected no mask here")
        (revision,) = integers([content["revision"]], 1, 0, 2**53)
        if revision != self._mask["revision"]:
            raise Outdated("the mask was painted on another picture")
        if len(buffers) != 1 or buffers[0].nbytes != -(-rows * columns // 8):
            raise ValueError("expected one bit for each pixel")
        bits = np.unpackbits(np.frombuffer(buffers[0], np.uint8), count=rows * columns)
        mask = bits.reshape(rows, columns).astype(bool)
        mask.flags.writeable = False
        if final:
            self.paint(mask)
        self._painted = mask
        return MaskPainted(mask, final)

    def writable(self, state: dict[str, Any]) -> dict[str, Any]:
        """`view_state` if it is a small dict."""
        return {
            name: value
            for name, value in super().writable(state).items()
            if isinstance(value, dict) and len(json.dumps(value, default=str)) <= _LONGEST_VIEW_STATE
        }

    def fitted(self, window: Sequence[int]) -> Window:
        """The allowed window nearest to `window`; any window where there is no picture yet."""
        rows, columns = self.picture_size
        top, left, height, width = (int(value) for value in window)
        if rows == 0:
            return top, left, height, width
        smallest, largest = self.window_limits
        height = min(max(height, smallest), largest, rows)
        width = min(max(width, smallest), largest, columns)
        return min(max(top, 0), rows - height), min(max(left, 0), columns - width), height, width


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    rows, columns = shape
    if not (0 < rows <= _LONGEST_SIDE and 0 < columns <= _LONGEST_SIDE):
        raise ValueError(f"sides are 1 to {_LONGEST_SIDE} pixels long, not {rows} x {columns}.")
    return int(rows), int(columns)
