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

from cnnviz_widgets.classifier.wording import short_repr, summarize_error
from cnnviz_widgets.errors import ClassifierError, PictureError
from cnnviz_widgets.picture import Picture

#: A PIL image in, a float tensor (C, H, W) out. For a network of other than 1 or 3 channels, bands (C, H, W) in.
Preprocess = Callable[[PIL.Image.Image], Tensor]

_LONGEST_SIDE = 8192


@dataclass(frozen=True)
class ResizeAndCrop:
    """Resize a picture so that it covers `size` (height, width), crop its centre, scale to 0..1 and normalise."""

    size: tuple[int, int]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __call__(self, image: PIL.Image.Image | Tensor) -> Tensor:
        """The network input (C, H, W) of a PIL image, or of bands (C, H, W) in 0..1."""
        if isinstance(image, Tensor):
            tensor = cover_bands(image, self.size)
        else:
            array = np.asarray(cover(image, self.size), dtype=np.float32) / 255
            tensor = torch.from_numpy(array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy())
        # A picture of another number of channels stays as it is, and is refused by its shape.
        if self.mean and len(self.mean) == len(tensor):
            tensor = tensor - torch.tensor(self.mean)[:, None, None]
        if self.std and len(self.std) == len(tensor):
            tensor = tensor / torch.tensor(self.std)[:, None, None]
        return tensor


def resize_and_crop(
    size: tuple[int, int], channels: int, mean: Sequence[float] | None, std: Sequence[float] | None
) -> ResizeAndCrop:
    """The preprocess of a classifier that was given none. Raises ClassifierError."""
    levels, spreads = _per_channel("mean", mean, channels), _per_channel("std", std, channels)
    if any(spread <= 0 for spread in spreads):
        raise ClassifierError(f"`std` must be positive, not {short_repr(std)}.")
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
            f"`{what}` must be a list of {channels} finite numbers, one per channel, not {short_repr(values)}."
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
            f"not {short_repr(size)}."
        )
    return height, width


def cover(image: PIL.Image.Image, size: tuple[int, int]) -> PIL.Image.Image:
    """`image` resized to cover (height, width), its centre cropped. A picture of that size is returned as it is."""
    height, width = size
    if image.size == (width, height):
        return image
    # The part of the picture that will be seen is cut out first: a 1 x 50,000 strip must not become huge. The scale is
    # a fraction of whole numbers, and one pair of sides is the picture's own: rounding must not leave the picture.
    if image.width * height > image.height * width:
        margin = (image.width - image.height * width / height) / 2
        box = (margin, 0.0, image.width - margin, float(image.height))
    else:
        margin = (image.height - image.width * height / width) / 2
        box = (0.0, margin, float(image.width), image.height - margin)
    return image.resize((width, height), PIL.Image.Resampling.BILINEAR, box=box)


def cover_bands(bands: Tensor, size: tuple[int, int]) -> Tensor:
    """Bands (C, H, W), float32, resized one by one to cover (height, width), their centre cropped."""
    return torch.stack([torch.from_numpy(np.array(cover(PIL.Image.fromarray(band.numpy()), size))) for band in bands])


def bands_of(picture: Picture) -> Tensor:
    """The bands (C, H, W) of a picture that is no network input, float32 in 0..1."""
    values = np.asarray(picture.image) if picture.bands is None else picture.bands
    values = values / np.float32(255) if values.dtype == np.uint8 else values
    return torch.from_numpy(values[None] if values.ndim == 2 else values.transpose(2, 0, 1).copy())


def preprocessed(preprocess: Preprocess, image: PIL.Image.Image | Tensor, what: str) -> Tensor:
    """`preprocess(image)` as a float32 tensor (C, H, W) on the CPU. Raises PictureError."""
    kind = "bands as a float tensor (C, H, W) in 0..1" if isinstance(image, Tensor) else "a PIL image"
    try:
        result = preprocess(image)  # type: ignore[arg-type]
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(f"`preprocess` failed on {what} ({summarize_error(error)}); it must take {kind}.") from error
    if not isinstance(result, Tensor):
        raise PictureError(f"`preprocess` must return a tensor (C, H, W), not {type(result).__name__}.")
    result = result.detach().to("cpu", torch.float32)
    return result[0] if result.ndim == 4 and len(result) == 1 else result


def checked_input(preprocess: Preprocess, picture: Picture, shape: tuple[int, int, int], network: str) -> Tensor:
    """The input (C, H, W), of that `shape` and finite, of a network of that name. Raises PictureError."""
    told = f"The picture {picture.name!r}" if picture.name else "The picture"
    channels, *size = shape
    tensor = network_input(preprocess, picture, channels, (size[0], size[1]), told.lower())
    if tuple(tensor.shape) != shape:
        mend = "a picture of that size, or another `preprocess` or `input_size`"
        if len(tensor) != channels:
            mend = f"a uint8 array (H, W, {channels}), or the network input itself as a float tensor"
        raise PictureError(
            f"{told} became a network input of shape {tuple(tensor.shape)}, but {network} takes {shape}; pass {mend}."
        )
    if not torch.isfinite(tensor).all():
        raise PictureError(f"{told} holds NaN or infinite values; check the picture and `preprocess`.")
    return tensor


def network_input(preprocess: Preprocess, picture: Picture, channels: int, size: tuple[int, int], what: str) -> Tensor:
    """The network input (C, H, W) that `preprocess` makes of a picture, float32 on the CPU.

    A network of other than 1 or 3 channels is given the picture's bands where it has as many; where `preprocess` takes
    no bands, its colours. Raises PictureError.
    """
    if picture.image is None:
        tensor: Tensor = picture.tensor.detach().to("cpu", torch.float32, copy=True)  # type: ignore[union-attr]
        return tensor[0] if tensor.ndim == 4 and len(tensor) == 1 else tensor
    image = picture.image.convert("L" if channels == 1 else "RGB")
    if channels not in (1, 3) and len(bands := bands_of(picture)) == channels:
        try:
            return _of_size(preprocess, bands, size, what)
        except PictureError:
            # It may take PIL images and add channels of its own.
            tensor = _of_size(preprocess, image, size, what)
            if len(tensor) != channels:
                raise
            return tensor
    return _of_size(preprocess, image, size, what)


def _of_size(preprocess: Preprocess, image: PIL.Image.Image | Tensor, size: tuple[int, int], what: str) -> Tensor:
    tensor = preprocessed(preprocess, image, what)
    if tensor.shape[-2:] == size:
        return tensor
    # A preprocess that only resizes, or not at all, keeps the picture's proportions.
    covered = cover_bands(image, size) if isinstance(image, Tensor) else cover(image, size)
    return preprocessed(preprocess, covered, what)


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
    tensor = _preprocessed_plain(preprocess, 0, size, channels)
    if tensor.ndim != 3 or not tensor.numel():
        raise PictureError(f"`preprocess` must return a tensor (C, H, W), not one of shape {tuple(tensor.shape)}.")
    return tuple(tensor.shape)


def _preprocessed_plain(preprocess: Preprocess, level: int, size: tuple[int, int], channels: int) -> Tensor:
    """What `preprocess` makes of one level of grey, 0 to 255. Raises PictureError."""
    try:
        return preprocessed(preprocess, _plain(level, size, channels), "a plain picture")
    except PictureError:
        if channels in (1, 3):
            raise
        # It may take PIL images and add channels of its own.
        return preprocessed(preprocess, _plain(level, size, 3), "a plain picture")


def _plain(level: int, size: tuple[int, int], channels: int) -> PIL.Image.Image | Tensor:
    """A picture of one level of grey, 0 to 255; as bands in 0..1 for a network that takes no colours."""
    height, width = size
    if channels not in (1, 3):
        return torch.full((channels, height, width), level / 255)
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

    def note_on(self, values: Tensor) -> str:
        """A sentence where a network input (C, H, W) is far outside of what black and white become; mostly ""."""
        low, high = float(values.min()), float(values.max())
        ends = torch.stack([self.black, self.white])
        darkest, brightest = float(ends.min()), float(ends.max())
        slack = brightest - darkest
        if darkest - slack <= low and high <= brightest + slack:
            return ""
        return (
            f"This network input holds values from {low:.3g} to {high:.3g}, far outside of what pictures become "
            f"({darkest:.3g} to {brightest:.3g}): check that it was scaled and normalised."
        )


def measured_colours(preprocess: Preprocess, channels: int, size: tuple[int, int]) -> Colours:
    """What `preprocess` makes of a black and of a white picture; 0 and 1 where that is no plain colour."""
    # The median: a preprocess may pad the picture with another colour.
    values = [
        _preprocessed_plain(preprocess, level, size, channels).flatten(1).median(dim=1).values for level in (0, 255)
    ]
    black, white = values
    if len(black) != channels or not bool((white - black).abs().min() > 1e-6):
        black, white = torch.zeros(channels), torch.ones(channels)
    return Colours(black[:, None, None], white[:, None, None])
