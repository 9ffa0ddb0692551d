"""Network inputs: made of pictures, checked, copied, and shown as the network sees them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier.locks import locked_property
from cnnviz_widgets.classifier.preprocess import Colours, Preprocess, checked_input, measured_colours
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture

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


class PictureInputs:
    """What a classifier makes of pictures, by its `preprocess`."""

    name: str
    channels: int
    input_size: tuple[int, int]
    preprocess: Preprocess

    def pixels(self, source: object) -> Tensor:
        """The network input (1, C, H, W), float32 on the CPU, of anything `read_picture` takes.

        Raises PictureError when the picture cannot be read or does not fit the network.
        """
        picture = read_picture(source)
        return checked_input(self.preprocess, picture, (self.channels, *self.input_size), self.name)[None]

    def input_copy(self, pixels: Tensor) -> Tensor:
        """A private copy of one network input (1, C, H, W), float32 on the CPU. Raises PictureError."""
        return input_copy(pixels, self.channels)

    def note_on(self, picture: Picture) -> str:
        """A sentence on how the values of a picture are read, where that is not plain; mostly ""."""
        return picture.note if picture.tensor is None else self.colours.note_on(picture.tensor)

    def appearance(self, pixels: Tensor) -> NDArray[np.uint8]:
        """What the network sees, uint8 (H, W, 3): `pixels` (1, C, H, W) with the normalisation undone."""
        return self.colours.picture_of(pixels)

    @locked_property
    def colours(self) -> Colours:
        """The network-input values of black and white, measured by preprocessing a black and a white picture."""
        return measured_colours(self.preprocess, self.channels, self.input_size)

    @property
    def black(self) -> Tensor:
        """Network-input value of black, (C, 1, 1)."""
        return self.colours.black

    @property
    def white(self) -> Tensor:
        """Network-input value of white, (C, 1, 1)."""
        return self.colours.white
