"""One network input, checked and copied."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.errors import PictureError

FloatArray = NDArray[np.float32]


def input_copy(pixels: Tensor, channels: int) -> Tensor:
    """A private float32 copy on the CPU of one network input (1, C, H, W). Raises PictureError."""
    shape = tuple(pixels.shape)
    if len(shape) != 4 or shape[:2] != (1, channels) or not pixels.is_floating_point():
        raise PictureError(
            f"One network input is explained at a time, a float tensor (1, {channels}, H, W) as "
            f"`Classifier.pixels` makes it, not {pixels.dtype} {shape}."
        )
    # A clone made in inference mode could not take part in a graph later.
    with torch.inference_mode(False):
        return pixels.detach().to("cpu", torch.float32).clone(memory_format=torch.contiguous_format)
