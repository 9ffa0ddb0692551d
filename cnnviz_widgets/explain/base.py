"""What every technique is: a frozen dataclass of parameters whose `steps` yields ever better heatmaps."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Range:
    """Allowed values of a numeric field, ends included; a view draws it as a slider."""

    low: float
    high: float
    step: float = 1


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap:
    """An explanation of one score on one picture.

    `values` is float32 (H, W) at the size of the network's input; `cells` is the grid it was computed on (h, w),
    the same array where there is no coarser one. `quantity` says what a value is. Where `signed`, negative values
    mean something and zero is neutral. `progress` runs from 0 to 1. `note` is what a reader of this map should know,
    in whole sentences; views show it beside the map. A `blank` map holds nothing above rounding and is drawn as zeros.
    """

    values: FloatArray
    cells: FloatArray
    quantity: str
    signed: bool
    target: Target
    progress: float = 1.0
    note: str = ""
    blank: bool = False

    def noted(self, *notes: str, blank: bool = False) -> Self:
        """The same map with further notes; empty ones are left out."""
        note = " ".join(filter(None, [self.note, *notes]))
        return dataclasses.replace(self, note=note, blank=self.blank or blank)

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


class Explainer:
    """Base of the techniques. Subclasses are frozen dataclasses; their fields are the parameters.

    An explainer knows no network: one instance serves many, can be compared, and is changed with
    `dataclasses.replace`.
    """

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield ever better heatmaps of `target` for one network input (1, C, H, W).

        Each yield is a progress report, a preview and a point at which the work can be dropped.
        """
        raise NotImplementedError

    def __call__(self, classifier: Classifier, pixels: Tensor, target: Target) -> Heatmap:
        """The final heatmap."""
        (last,) = deque(self.steps(classifier, pixels, target), maxlen=1)
        return last
