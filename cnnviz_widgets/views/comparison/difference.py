"""The difference of two heatmaps, and how far they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.explain.notes import rank_correlation

_SHARE = "each as a share of its largest value"


@dataclass(frozen=True)
class MapDifference:
    """What two maps have in common. `heatmap` is B minus A, at A's size; `end` that of the scale of both, or None.

    `agreement` is Spearman's rank correlation of the values before any were cut off, -1 to 1, or None where one is the
    same everywhere. `counted` says of what: "49 cells". Maps of two quantities have no scale in common, and each is
    divided by its largest absolute value first. `note` is a sentence on what was made alike for that, or "".
    """

    heatmap: Heatmap
    agreement: float | None
    counted: str
    end: float | None
    signed: bool
    note: str


def difference_of(first: Heatmap, second: Heatmap, *, one_unit: bool = True) -> MapDifference:
    """B minus A for the maps A and B; without `one_unit`, and of two quantities, as shares of their largest value.

    On one grid the cells are compared, else the values at the size of A's picture. Where one value is missing so is
    the difference.
    """
    one_unit = one_unit and first.quantity == second.quantity
    ends = [_end(heatmap) for heatmap in (first, second)]
    factors = [1.0, 1.0] if one_unit else [1 / (end or 1.0) for end in ends]
    one_grid = first.cells.shape == second.cells.shape and first.values.shape == second.values.shape
    size = first.values.shape
    values = resized(second.values, size) * factors[1] - first.values * factors[0]
    cells = second.cells * factors[1] - first.cells * factors[0] if one_grid else values
    alike = first.signed_cells, second.signed_cells
    compared = alike if one_grid else (first.values, resized(second.values, size))
    heatmap = Heatmap(
        values.astype(np.float32),
        cells.astype(np.float32),
        f"B minus A: {first.quantity if one_unit else _SHARE}",
        signed=True,
        target=first.target,
        progress=min(first.progress, second.progress),
        note=_note(first, second, one_grid, one_unit),
    )
    counted = f"{compared[0].size:,} {'cells' if one_grid and first.cells.shape != size else 'pixels'}"
    signed = first.signed or second.signed
    return MapDifference(
        heatmap, agreement_of(*compared), counted, max(*ends) or 1.0 if one_unit else None, signed, heatmap.note
    )


def agreement_of(first: NDArray[np.floating], second: NDArray[np.floating]) -> float | None:
    """Spearman's rank correlation of two maps of one shape where both have a value; None where one is flat."""
    both = np.isfinite(first) & np.isfinite(second)
    found = rank_correlation(first[both], second[both]) if both.any() else math.nan
    return None if math.isnan(found) else found


def resized(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """A map at another size, (H, W), bilinear."""
    if values.shape == tuple(size):
        return values
    image = PIL.Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((size[1], size[0]), PIL.Image.Resampling.BILINEAR), np.float32)


def _end(heatmap: Heatmap) -> float:
    """The largest absolute value; 0 of a map that is drawn as zeros."""
    values = np.concatenate([np.abs(heatmap.cells).ravel(), np.abs(heatmap.values).ravel()])
    finite = values[np.isfinite(values)]
    return 0.0 if heatmap.blank or not finite.size else float(finite.max())


def _note(first: Heatmap, second: Heatmap, one_grid: bool, one_unit: bool) -> str:
    notes = []
    if not one_grid:
        grids = " and ".join(" x ".join(map(str, heatmap.cells.shape)) for heatmap in (first, second))
        notes.append(f"The maps have {grids} cells; they are compared at the size of A's picture.")
    if first.quantity != second.quantity:
        notes.append("They show two quantities, so each is on a scale of its own.")
    elif not one_unit:
        notes.append("Each is on a scale of its own.")
    return " ".join(notes)
