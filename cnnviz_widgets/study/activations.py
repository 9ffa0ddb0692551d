"""The activation maps of a layer for one picture: their strengths, order, thumbnails and regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import LayerError

Strength = Literal["mean", "max"]

#: Most values in the thumbnails of a layer together: 512 KiB, as they are sent as one byte each. Most cells along a
#: side of one thumbnail. Larger ones show more detail and take longer to reach the browser.
_MAX_VALUES = 1 << 19
_MAX_SIDE = 64


@dataclass(frozen=True, eq=False)
class Activations:
    """The activation maps of `layer` for one picture of `size` (H, W): `maps` is float32 (C, h, w)."""

    layer: str
    maps: FloatArray
    size: tuple[int, int]

    @property
    def signed(self) -> bool:
        """Whether there are negative activations."""
        return bool(self.maps.min() < 0)

    @cached_property
    def extent(self) -> float:
        """The largest absolute activation of all channels."""
        return float(np.abs(self.maps).max())

    def strengths(self, by: Strength) -> FloatArray:
        """Mean or maximum of each channel, (C,)."""
        flat = self.maps.reshape(len(self.maps), -1)
        strengths: FloatArray = flat.mean(axis=1) if by == "mean" else flat.max(axis=1)
        return strengths

    def order(self, by: Strength) -> NDArray[np.int64]:
        """The indices of the channels, strongest first, int64 (C,)."""
        return np.argsort(-self.strengths(by), kind="stable")

    @cached_property
    def thumbnails(self) -> FloatArray:
        """The maps, averaged down to at most 64 cells a side and 512 Ki values in all, (C, h', w')."""
        channels, height, width = self.maps.shape
        factor = max(1, -(-max(height, width) // _MAX_SIDE))
        while channels * -(-height // factor) * -(-width // factor) > _MAX_VALUES and factor < max(height, width):
            factor += 1
        if factor == 1:
            return self.maps
        maps = torch.from_numpy(self.maps)[None]
        small: FloatArray = functional.avg_pool2d(maps, factor, ceil_mode=True, count_include_pad=False)[0].numpy()
        return small

    def cell_at(self, row: int, column: int) -> tuple[int, int]:
        """The cell (row, column) of the maps that covers a pixel of the picture."""
        rows, columns = self.maps.shape[1:]
        return min(row * rows // self.size[0], rows - 1), min(column * columns // self.size[1], columns - 1)

    def region(self, channel: int, quantile: float) -> tuple[NDArray[np.bool_], float]:
        """A mask of the picture, bool (H, W), where the channel exceeds the quantile of its map, and that threshold.

        The map is upsampled bilinearly to the picture first, as in Bau et al., Network Dissection (2017), section
        2.2; there the threshold is the 0.995 quantile over a whole data set, here that of this one picture.
        """
        grid = torch.from_numpy(self.maps[channel])[None, None]
        values = functional.interpolate(grid, size=self.size, mode="bilinear", align_corners=False)[0, 0].numpy()
        threshold = float(np.quantile(values, quantile))
        return values > threshold, threshold


@torch.no_grad()
def activations(classifier: Classifier, pixels: Tensor, layer: str) -> Activations:
    """The Activations of a layer for one network input (1, C, H, W): its maps, recorded in one forward pass.

    Raises LayerError, PictureError, and ClassifierError when the network fails.
    """
    pixels = classifier.input_copy(pixels)
    with classifier.recording(layer) as outputs:
        classifier.logits(pixels)
    if layer not in outputs:
        raise LayerError(f"{classifier.name} skipped the layer {layer!r} on this picture; choose another one.")
    maps = outputs[layer][0].to("cpu", torch.float32).numpy()
    height, width = pixels.shape[2:]
    return Activations(layer, maps, (height, width))
