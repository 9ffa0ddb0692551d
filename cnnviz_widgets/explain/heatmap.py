"""The result of every technique."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier.inputs import FloatArray

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Target


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap:
    """An explanation of one score on one picture.

    `values` is float32 (H, W) at the size of the network's input; `cells` is the grid it was computed on (h, w),
    the same array where there is no coarser one. `quantity` says what a value is. Where `signed`, negative values
    mean something and zero is neutral. `progress` runs from 0 to 1. `note` is what a reader of this map should know,
    in whole sentences; views show it beside the map. A `blank` map holds nothing above rounding and is drawn as zeros.
    `uncut` is the grid before negative values were cut off, where they were.
    """

    values: FloatArray
    cells: FloatArray
    quantity: str
    signed: bool
    target: Target
    progress: float = 1.0
    note: str = ""
    blank: bool = False
    uncut: FloatArray | None = None

    @property
    def signed_cells(self) -> FloatArray:
        """`cells` before negative values were cut off, to compare two maps by; `cells` where none were."""
        return self.cells if self.uncut is None else self.uncut

    def noted(self, *notes: str, blank: bool = False) -> Self:
        """The same map with further notes; empty ones are left out."""
        note = " ".join(filter(None, [self.note, *notes]))
        return dataclasses.replace(self, note=note, blank=self.blank or blank)

    def as_nothing(self, what: str) -> Self:
        """The same map as one of which `what`, such as "window", changes nothing."""
        said = f"No {what} changes the score by more than rounding, so the map is drawn as zero."
        return self.noted(said, blank=True)

    def plot(self, ax: Any = None, *, picture: object = None, table: str = "", end: float | None = None) -> Any:
        """Draw the map on a matplotlib axes, by default a new one, with a bar of its colours, and return the axes.

        Zero is white where the map is `signed`, else the first colour of `table`, the name of a colour table of
        `paint.table_names`. `end` is the largest value of the scale, by default that of the map; give the same to maps
        that are to be compared. Over a `picture`, anything `read_picture` takes, which is drawn in grey, a value is the
        more opaque the larger it is. Raises MissingExtra without matplotlib, PictureError, and ValueError for a table
        that is not there or does not fit.
        """
        from cnnviz_widgets.explain.plot import plot

        return plot(self, ax, picture, table, end)

    def __repr__(self) -> str:
        height, width = self.values.shape
        low, high = float(self.values.min()), float(self.values.max())
        return f"<Heatmap {height} x {width} of {self.target}: {self.quantity}, {low:.3g} to {high:.3g}>"

    @staticmethod
    def of_cells(
        cells: Tensor, size: tuple[int, int], quantity: str, *, signed: bool, target: Target, progress: float = 1.0
    ) -> Heatmap:
        """A heatmap of a coarse grid (h, w), upsampled bilinearly (half-pixel centres) to `size`."""
        grid = cells.detach().to("cpu", torch.float32)
        values = functional.interpolate(grid[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
        return Heatmap(values.numpy(), grid.numpy(), quantity, signed, target, progress)

    @staticmethod
    def of_values(values: Tensor, quantity: str, *, signed: bool, target: Target, progress: float = 1.0) -> Heatmap:
        """A heatmap computed pixel by pixel, (H, W)."""
        array = values.detach().to("cpu", torch.float32).numpy()
        return Heatmap(array, array, quantity, signed, target, progress)
