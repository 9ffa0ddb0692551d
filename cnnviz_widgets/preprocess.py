"""From a picture to a network input and back to what the network sees."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.errors import ClassifierError, PictureError
from cnnviz_widgets.scores import brief, brief_value

#: A PIL image in, a float tensor (C, H, W) out.
Preprocess = Callable[[PIL.Image.Image], Tensor]

_LONGEST_SIDE = 8192


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
    levels, spreads = _per_channel("mean", mean, channels), _per_channel("std", std, channels)
    if any(spread <= 0 for spread in spreads):
        raise ClassifierError(f"`std` must be positive, not {brief_value(std)}.")
    return ResizeAndCrop(size, levels, spreads)


def _per_channel(what: str, values: Sequence[float] | None, channels: int) -> tuple[float, ...]:
    if values is None:
        return ()
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != channels or not np.isfinite(numbers).all():
        raise ClassifierError(
            f"`{what}` must be a list of {channels} finite numbers, one per channel, not {brief_value(values)}."
        )
    return numbers


def pair_of(size: object) -> tuple[int, int] | None:
    """An `input_size` as (height, width), None where there is none. Raises ClassifierError."""
    if size is None:
        return None
    try:
        sides: list[Any] = list(size) if isinstance(size, Iterable) else [size, size]
        height, width = (operator.index(side) for side in sides)
    except (TypeError, ValueError):
        height = width = 0
    if isinstance(size, bool) or not (1 <= height <= _LONGEST_SIDE and 1 <= width <= _LONGEST_SIDE):
        raise ClassifierError(
            f"`input_size` is a number of pixels or (height, width), each from 1 to {_LONGEST_SIDE}, "
            f"not {brief_value(size)}."
        )
    return height, width


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


def shape_after(preprocess: Preprocess, size: tuple[int, int] | None, channels: int) -> tuple[int, tuple[int, int]]:
    """Channels and (height, width) of what `preprocess` makes; `size` decides where it leaves the size open.

    `channels` is what the network takes: greyscale pictures are shown to a network of one channel. Raises
    ClassifierError.
    """
    try:
        if size is None:
            made, larger = (_made_of_plain(preprocess, (side, side), channels) for side in (256, 320))
            if made != larger:
                raise ClassifierError("`preprocess` leaves the picture's size open; give `input_size` too.")
        else:
            made = _made_of_plain(preprocess, size, channels)
    except PictureError as error:
        raise ClassifierError(str(error)) from error
    if size is not None and made[1:] != size:
        raise ClassifierError(
            f"`preprocess` makes {made[1]} x {made[2]} pixels of a picture of {size[0]} x {size[1]}; "
            "give the size that it makes as `input_size`, or none."
        )
    return made[0], (made[1], made[2])


def _made_of_plain(preprocess: Preprocess, size: tuple[int, int], channels: int) -> tuple[int, ...]:
    tensor = preprocessed(preprocess, _plain(0, size, channels), "a plain picture")
    if tensor.ndim != 3 or not tensor.numel():
        raise PictureError(f"`preprocess` must return a tensor (C, H, W), not one of shape {tuple(tensor.shape)}.")
    return tuple(tensor.shape)


def _plain(level: int, size: tuple[int, int], channels: int) -> PIL.Image.Image:
    height, width = size
    if channels == 1:
        return PIL.Image.new("L", (width, height), level)
    return PIL.Image.new("RGB", (width, height), (level, level, level))


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
    # The median: a preprocess may pad the picture with another colour.
    values = [
        preprocessed(preprocess, _plain(level, size, channels), "a plain picture").flatten(1).median(dim=1).values
        for level in (0, 255)
    ]
    black, white = values
    if len(black) != channels or not bool((white - black).abs().min() > 1e-6):
        black, white = torch.zeros(channels), torch.ones(channels)
    return Colours(black[:, None, None], white[:, None, None])
