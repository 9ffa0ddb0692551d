"""Colours of groups of points, and small pictures of maps."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Okabe and Ito (2008), for all kinds of colour vision, without black and with two greys' worth of more.
_FIRST = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7b4fa3", "#8c6d46", "#4d4d4d")
UNKNOWN = "#9aa4af"


def color_of(group: int) -> str:
    """A colour for a group; grey for -1. The first ten are easy to tell apart, later ones go round the hues."""
    if group < 0:
        return UNKNOWN
    if group < len(_FIRST):
        return _FIRST[group]
    # Steps of the golden ratio: any number of hues lies well apart.
    red, green, blue = colorsys.hls_to_rgb((group * 0.61803398875) % 1, 0.45, 0.65)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def small_map(
    positions: NDArray[np.float32], groups: Sequence[int] | NDArray[np.int64], side: int = 160
) -> NDArray[np.uint8]:
    """A map as a picture, uint8 (side, side, 3): a dot of 3 x 3 pixels for each point of `positions` in -1..1."""
    picture = np.full((side, side, 3), 255, np.uint8)
    at = np.clip(np.rint((positions * 0.94 + 1) / 2 * (side - 1)), 1, side - 2).astype(int)
    for (column, row), group in zip(at, groups, strict=True):
        color = color_of(int(group))
        upward = side - 1 - row
        picture[upward - 1 : upward + 2, column - 1 : column + 2] = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return picture
