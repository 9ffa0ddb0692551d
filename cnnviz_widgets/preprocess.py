"""From a picture to a network input and back to what the network sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.errors import ClassifierError, PictureError
from cnnviz_widgets.scores import brief

#: A PIL image in, a float tensor (C, H, W) out.
Preprocess = Callable[[PIL.Image.Image], Tensor]


@dataclass(frozen=True)
class ResizeAndCrop:
    """Resize a picture so that it covers `size` (height, width), crop its centre, scale to 0..1 and normalise."""

    size: tuple[int, int]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __call__(self, image: PIL.Image.Image) -> Tensor:
        array = np.asarray(cover(image, self.size), dtype=np.float32) / 255
        tensor = torch.from_numpy(array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy())
        if self.mean:
            tensor = tensor - torch.tensor(self.mean)[:, None, None]
        if self.std:
            tensor = tensor / torch.tensor(self.std)[:, None, None]
        return tensor


def resize_and_crop(
    size: tuple[int, int], channels: int, mean: Sequence[float] | None, std: Sequence[float] | None
) -> ResizeAndCrop:
    """The preprocess of a classifier that was given none. Raises ClassifierError."""
    for what, values in (("mean", mean), ("std", std)):
        if values is not None and (len(values) != channels or not np.isfinite(values).all()):
            raise ClassifierError(f"`{what}` must be {channels} finite numbers, one per channel, not {values!r}.")
    if std is not None and min(std) <= 0:
        raise ClassifierError(f"`std` must be positive, not {std!r}.")
    return ResizeAndCrop(size, tuple(map(float, mean or ())), tuple(map(float, std or ())))


def cover(image: PIL.Image.Image, size: tuple[int, int]) -> PIL.Image.Image:
    """`image` resized to cover (height, width), its centre cropped. A picture of that size is returned as it is."""
    height, width = size
    if image.size == (width, height):
        return image
    # The part of the picture that will be seen is cut out first: a 1 x 50,000 strip must not become huge.
    scale = min(image.width / width, image.height / height)
    seen_width, seen_height = width * scale, height * scale
    left, top = (image.width - seen_width) / 2, (image.height - seen_height) / 2
    box = (left, top, left + seen_width, top + seen_height)
    return image.resize((width, height), PIL.Image.Resampling.BILINEAR, box=box)


def preprocessed(preprocess: Preprocess, image: PIL.Image.Image, what: str) -> Tensor:
    """`preprocess(image)` as a float32 tensor (C, H, W) on the CPU. Raises PictureError."""
    try:
        result = preprocess(image)
    except Exception as error:
        raise PictureError(f"`preprocess` failed on {what} ({brief(error)}); it must take a PIL image.") from error
    if not isinstance(result, Tensor):
        raise PictureError(f"`preprocess` must return a tensor (C, H, W), not {type(result).__name__}.")
    result = result.detach().to("cpu", torch.float32)
    return result[0] if result.ndim == 4 and len(result) == 1 else result


@dataclass(frozen=True, eq=False)
class Colours:
    """The network-input values of black and of white, each (C, 1, 1)."""

    black: Tensor
    white: Tensor

    def picture_of(self, pixels: Tensor) -> NDArray[np.uint8]:
        """`pixels` (1, C, H, W) or (C, H, W) as uint8 (H, W, 3), black and white mapped back to 0 and 255."""
        values = pixels.detach().to("cpu", torch.float32)
        values = values[0] if values.ndim == 4 else values
        shares = ((values - self.black) / (self.white - self.black)).clamp(0, 1)
        shares = shares[:3] if len(shares) >= 3 else shares[:1].expand(3, -1, -1)
        return (shares * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def measured_colours(preprocess: Preprocess, channels: int, size: tuple[int, int]) -> Colours:
    """What `preprocess` makes of a black and of a white picture; 0 and 1 where that is no plain colour."""
    mode = "L" if channels == 1 else "RGB"
    values = []
    for level in (0, 255):
        image = PIL.Image.new(mode, (size[1], size[0]), level if channels == 1 else (level, level, level))
        values.append(preprocessed(preprocess, image, "a plain picture").mean(dim=(1, 2)))
    black, white = values
    if len(black) != channels or not bool((white - black).abs().min() > 1e-6):
        black, white = torch.zeros(channels), torch.ones(channels)
    return Colours(black[:, None, None], white[:, None, None])
