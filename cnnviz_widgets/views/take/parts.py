"""What there is to draw of a panel, without a word on where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Top, left, bottom, right in pixels of a picture.
Frame = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class PicturePart:
    """A picture, uint8 (H, W, 3), with outlined `frames` on it."""

    caption: str
    picture: NDArray[np.uint8]
    frames: Sequence[Frame] = ()


@dataclass(frozen=True, eq=False)
class MapPart:
    """A map, (h, w), of a picture: beside it and over it, with the bar of its colours from `low` to `high`."""

    caption: str
    picture: NDArray[np.uint8]
    cells: NDArray[np.float32]
    quantity: str
    signed: bool
    low: float
    high: float
    scale: str
    table: str
    frames: Sequence[Frame] = ()


@dataclass(frozen=True, eq=False)
class TilesPart:
    """A sheet of equal tiles, uint8 (n, h, w, 3), with a label and a badge below each."""

    caption: str
    tiles: NDArray[np.uint8]
    labels: Sequence[str]
    badges: Sequence[str]
    width: int
    columns: int = 0


@dataclass(frozen=True, eq=False)
class BarsPart:
    """A bar for each name, on a scale from `low` to `high`; `behind` are ghosted behind them."""

    caption: str
    names: Sequence[str]
    values: Sequence[float]
    behind: Sequence[float]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class CurvesPart:
    """Lines through points (x, y), on axes of the names `across` and `up`; `ends` of the latter, if they are fixed."""

    caption: str
    across: str
    up: str
    lines: Sequence[Sequence[tuple[float, float]]]
    colours: Sequence[str]
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class PointsPart:
    """Points (N, 2) in -1..1, upwards, in `colours` "#rrggbb"; where rows are `selected`, the others are paler.

    `legend` has colours and what they stand for.
    """

    caption: str
    positions: NDArray[np.float32]
    colours: Sequence[str]
    selected: NDArray[np.intp]
    legend: Sequence[tuple[str, str]] = ()


Part = PicturePart | MapPart | TilesPart | BarsPart | CurvesPart | PointsPart
