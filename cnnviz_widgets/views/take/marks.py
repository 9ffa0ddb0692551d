"""The marks that a drawing consists of. Lengths and places are in pixels, from the left and from the top."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Anchor = Literal["start", "middle", "end"]
#: Colours are "#rrggbb".
INK, PALE, ACCENT, GHOST, PAPER = "#1f2933", "#5f6b76", "#1976d2", "#c9cfd6", "#ffffff"


@dataclass(frozen=True, eq=False)
class Image:
    """`pixels`, uint8 (h, w, 3), stretched to `width` x `height`: each is a rectangle of one colour."""

    x: int
    y: int
    width: int
    height: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Rectangle:
    """A filled rectangle, or an outlined one where `fill` is empty."""

    x: float
    y: float
    width: float
    height: float
    fill: str = ""
    stroke: str = ""
    stroke_width: int = 1


@dataclass(frozen=True)
class Line:
    """A line through points (x, y)."""

    points: Sequence[tuple[float, float]]
    stroke: str = INK
    width: int = 2


@dataclass(frozen=True)
class Dot:
    """A filled circle around (x, y)."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True)
class Text:
    """One line of text whose base line is at `y` and which begins, is centred or ends at `x`."""

    x: float
    y: float
    text: str
    size: int
    fill: str = INK
    anchor: Anchor = "start"


Mark = Image | Rectangle | Line | Dot | Text


@dataclass(frozen=True, eq=False)
class Drawing:
    """Marks, the first at the bottom, on a white sheet of `width` x `height`."""

    width: int
    height: int
    marks: Sequence[Mark]


def moved(mark: Mark, right: int, down: int) -> Mark:
    """The mark, `right` and `down` pixels further."""
    if isinstance(mark, Line):
        return dataclasses.replace(mark, points=[(x + right, y + down) for x, y in mark.points])
    return dataclasses.replace(mark, x=mark.x + right, y=mark.y + down)  # type: ignore[arg-type]
