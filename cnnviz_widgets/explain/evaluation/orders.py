"""Orders in which the pixels of a picture are revealed: that of a map, random ones, from the middle outwards."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.heatmap import Heatmap

#: Cells of a random order for a map that is smooth and has finer cells or none, such as one of masks or windows: those
#: of the last layer of most networks. Finer cells make a lower, easier floor.
SMOOTH = (7, 7)
#: A map whose pixels correlate this much with those a quarter of a cell of `SMOOTH` away is smooth. On photographs maps
#: of gradients do at 0 to 0.43, those of windows and masks at 0.9 to 0.96, one of single cells at 0.75.
_ALIKE = 0.65


def check_map(heatmap: Heatmap, size: tuple[int, int]) -> None:
    """Raises MethodError unless the map puts the pixels of a picture of `size` in an order."""
    values = heatmap.values
    if values.shape != size:
        shape, wanted = (" x ".join(map(str, sides)) for sides in (values.shape, size))
        raise MethodError(f"The map is {shape} and the picture {wanted} pixels; make a map of this picture first.")
    if not np.isfinite(values).all():
        raise MethodError("The map holds values that are no numbers; finish it first.")
    if heatmap.blank or values.min() == values.max():
        raise MethodError(
            "The map is the same everywhere and puts the pixels in no order; choose another class, layer or technique."
        )


def cells_of(heatmap: Heatmap) -> tuple[int, int]:
    """The grid (h, w) whose cells a random order is to shuffle: as coarse as the map; that of pixels for a fine one."""
    own = heatmap.cells.shape[0], heatmap.cells.shape[1]
    coarse = min(SMOOTH[0], own[0]), min(SMOOTH[1], own[1])
    # Windows and masks overlap: a map of many of them is coarser than their number says.
    return coarse if own == coarse or _smoothness(heatmap.values) >= _ALIKE else own


def _smoothness(values: FloatArray) -> float:
    """How much pixels correlate with those a quarter of a cell below and to the right, the lesser of the two."""
    down, across = (max(1, side // (4 * cells)) for side, cells in zip(values.shape, SMOOTH, strict=True))
    pairs = (values[:-down], values[down:]), (values[:, :-across], values[:, across:])
    if not all(one.size for one, _ in pairs):
        return 0.0
    with np.errstate(invalid="ignore"):  # a side may be the same everywhere
        return float(np.nan_to_num([np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in pairs]).min())


def falling(values: Tensor, generator: torch.Generator) -> Tensor:
    """The place of each pixel, int64 (H, W) from 0, in the order of falling signed values; ties at random."""
    shuffled = torch.randperm(values.numel(), generator=generator)
    order = shuffled[values.flatten()[shuffled].argsort(descending=True, stable=True)]
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order))
    return places.reshape(values.shape)


def at_random(size: tuple[int, int], cells: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Places as `falling`: cell after cell of a grid over the picture, the pixels of each at random."""
    rows, columns = (torch.arange(side) * count // side for side, count in zip(size, cells, strict=True))
    values = torch.rand(cells, generator=generator)
    return falling(values[rows][:, columns], generator)


def from_the_middle(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Places as `falling` of a Gaussian in the middle, whose sigma is a quarter of each side."""
    # The order is that of the exponent, whose values stay apart where the Gaussian's would round to 0.
    down, across = (((torch.arange(side) + 0.5) / side - 0.5) ** 2 for side in size)
    return falling(-(down[:, None] + across), generator)
