"""The pointing game: does the highest value of a map lie on the object?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.evaluation.orders import check_map
from cnnviz_widgets.explain.heatmap import Heatmap


@dataclass(frozen=True)
class Pointing:
    """Whether the map's highest value lies in the mask, a `hit`, and where it is.

    `energy` is the share of the map's positive values inside the mask, `area` the mask's share of the picture: what
    `energy` is for a map that is the same everywhere.
    """

    hit: bool
    row: int
    column: int
    energy: float
    area: float


def pointing_game(heatmap: Heatmap, mask: ArrayLike, tolerance: int = 0) -> Pointing:
    """Where a map's highest value lies, of a mask (H, W) that is true on the object.

    Of several highest values the one nearest to their centre counts. Within `tolerance` pixels of the mask it is a hit
    too. Zhang et al. 2016 (arXiv 1608.00507). Raises MethodError for a mask of another size or an empty one, and for a
    map that is the same everywhere.
    """
    wanted = np.asarray(mask).astype(bool)
    check_map(heatmap, heatmap.values.shape)
    if wanted.shape != heatmap.values.shape:
        shape, size = (" x ".join(map(str, sides)) for sides in (wanted.shape, heatmap.values.shape))
        raise MethodError(f"The mask is {shape} and the map {size} pixels; make the mask at the network's input size.")
    if not wanted.any():
        raise MethodError("The mask is empty; mark at least one pixel of the object.")
    row, column = _highest(heatmap.values)
    rows, columns = np.nonzero(wanted)
    distance = float(np.hypot(rows - row, columns - column).min())
    positive = np.maximum(heatmap.values, 0).astype(np.float64)
    energy = float(positive[wanted].sum() / positive.sum()) if positive.any() else 0.0
    return Pointing(distance <= tolerance, row, column, energy, float(wanted.mean()))


def _highest(values: NDArray[np.float32]) -> tuple[int, int]:
    spots = np.argwhere(values == values.max())
    nearest = int(np.square(spots - spots.mean(axis=0)).sum(axis=1).argmin())
    row, column = (int(place) for place in spots[nearest])
    return row, column
