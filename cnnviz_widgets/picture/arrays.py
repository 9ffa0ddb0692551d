"""Conversion of arrays and tensors to pictures: their axes, number of bands and range of values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture.checks import check_finite, check_size, printable, refuse_not_finite

#: Bits per value of common sensors whose data are stored in 16 bits. A picture is scaled by the smallest of them that
#: holds its largest value; one more entry would make pictures of that range brighter.
_BITS = (8, 10, 12, 14, 16)
#: Most channels of a picture. A longer axis is refused, as it is hardly that of the channels.
_MAX_BANDS = 1024
#: Largest float that may come from values in 0..1, by resizing or by adding pictures. Fractions up to it are refused as
#: ambiguous, larger ones are taken as 0..255; a smaller bound would show pictures near 0..1 as black.
_MAX_AMBIGUOUS = 8.0


def bands_of_array(array: NDArray[Any], subject: str) -> tuple[NDArray[Any], str]:
    """The bands of a picture, uint8 (H, W) or (H, W, C), and a note on how its values were interpreted, or "".

    Two bands, or more than four, are no colours and keep their precision: other types than uint8 become float32 in
    0..1. Raises PictureError.
    """
    if array.dtype.kind not in "buif":
        raise PictureError(f"{subject} holds the type {printable(str(array.dtype))}; convert it to uint8.")
    _check_axes(array, subject)
    check_size(array.shape[1], array.shape[0], subject)
    shares, note = in_unit_range(np.asarray(array), subject)
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        kept = np.uint8 if shares.dtype == np.uint8 else np.float32
        return np.array(shares, kept, order="C", copy=True), note
    levels = _levels(shares)
    return (levels[:, :, 0] if levels.ndim == 3 and levels.shape[2] == 1 else levels), note


def _check_axes(array: NDArray[Any], subject: str) -> None:
    shape = array.shape
    if array.ndim == 4:
        raise PictureError(f"{subject} is a batch of shape {shape}; pass one picture of it, as batch[0].")
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] > _MAX_BANDS):
        raise PictureError(f"{subject} has shape {shape}; pass (height, width), or (height, width, channels).")
    if array.ndim == 3 and shape[2] not in (1, 3, 4) and (shape[0] in (1, 3, 4) or shape[0] < min(shape[1:])):
        raise PictureError(f"{subject} has shape {shape}, channels first; pass array.transpose(1, 2, 0).")
    if array.ndim == 3 and shape[2] == 0:
        raise PictureError(f"{subject} has shape {shape}, no channels; pass (height, width, channels).")


def _levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """A copy of uint8 values, or floats in 0..1 scaled to uint8."""
    if values.dtype == np.uint8:
        return np.array(values, order="C", copy=True)
    levels: NDArray[np.uint8] = np.rint(values.astype(np.float32) * 255).astype(np.uint8, order="C")
    return levels


def in_unit_range(array: NDArray[Any], subject: str) -> tuple[NDArray[Any], str]:
    """Floats in 0..1, or uint8 for bool and integers in 0..255; and a note on a guessed range, or ""."""
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255), ""
    if kind == "f":
        check_finite(array, subject)
    if not array.size:
        return array.astype(np.uint8), ""
    low, high = array.min(), array.max()
    if array.dtype == np.uint16:
        return of_sixteen_bits(array, int(high))
    if kind == "f":
        return _of_floats(array, float(low), float(high), subject)
    if low < 0 or high > 255:
        raise PictureError(f"{subject} holds whole numbers from {low} to {high}; scale them to 0..255.")
    return array.astype(np.uint8), _note_on_mask(int(low), int(high))


def of_sixteen_bits(array: NDArray[Any], high: int) -> tuple[NDArray[Any], str]:
    """16-bit values as floats in 0..1, scaled by the guessed range of the sensor, and a note on that range, or ""."""
    bits = next(bits for bits in _BITS if high < 2**bits)
    shares = array.astype(np.float64) / (2**bits - 1)
    if bits == 16 or high == 0:
        return shares, ""
    return shares, (
        f"Its 16-bit values end at {high}: they are taken as {bits} bits, 0..{2**bits - 1}. For another range pass "
        "floats in 0..1."
    )


def _of_floats(array: NDArray[Any], low: float, high: float, subject: str) -> tuple[NDArray[Any], str]:
    # Resizing and colour conversion overshoot by rounding errors, half precision by more.
    if low < -1e-3:
        raise PictureError(
            f"{subject} holds values from {low:.4g} to {high:.4g}; scale them to 0..1, or pass a torch float "
            "tensor if they are a network input."
        )
    if high <= 1 + 1e-3:
        return np.clip(array, 0, 1), ""
    if high <= 255 + 0.5 and (high > _MAX_AMBIGUOUS or bool((array == np.rint(array)).all())):
        note = f"Its floats go up to {high:.4g}: they are taken as 0..255. For another range scale them to 0..1."
        return np.clip(array / 255, 0, 1), note
    mend = "divide them by 255" if high <= 255 else "scale them to 0..1"
    raise PictureError(f"{subject} holds values up to {high:.4g}, and floats are taken as 0..1; {mend}.")


def _note_on_mask(low: int, high: int) -> str:
    """A note on integers that are all 0 or 1: they look like a mask, but are taken as 0..255. Else ""."""
    if (low, high) != (0, 1):
        return ""
    return "Its values are only 0 and 1 of 255, black to the network: multiply them by 255 if 1 means white."


def of_tensor(source: Any, subject: str) -> tuple[Any, bool]:
    """An integer tensor as an array (H, W, C) and False, or a float tensor as a network input (C, H, W) and True.

    Raises PictureError.
    """
    shape = tuple(source.shape)
    if source.ndim == 4 and shape[0] == 1:
        source, shape = source[0], shape[1:]
    if source.ndim == 4:
        raise PictureError(f"{subject} is a batch of shape {shape}; pass one picture of it, as batch[0].")
    if source.ndim != 3:
        raise PictureError(f"{subject} is a tensor of shape {shape}; pass (channels, height, width).")
    if shape[0] not in (1, 3, 4) and (shape[2] in (1, 3, 4) or shape[2] < min(shape[:2])):
        raise PictureError(f"{subject} has shape {shape}, channels last; pass tensor.permute(2, 0, 1).")
    if not 0 < shape[0] <= _MAX_BANDS:
        raise PictureError(f"{subject} is a tensor of {shape[0]} channels; pass one of 1, 3 or 4 channels.")
    check_size(shape[2], shape[1], subject)
    try:
        if not source.is_floating_point():
            return source.detach().cpu().permute(1, 2, 0).numpy(), False
        values = source.detach().cpu().float().clone()
        finite = bool(values.isfinite().all())
    # Raised for sparse, quantised and meta tensors, and for lost devices.
    except (RuntimeError, TypeError) as error:
        raise PictureError(f"{subject} is a tensor that cannot be read; pass a dense one.") from error
    if not finite:
        refuse_not_finite(subject)
    return values, True


def shown(bands: NDArray[Any]) -> Image.Image:
    """An image of bands (H, W) or (H, W, C): the first as grey if they are one or two, else the first three as colours.

    A fourth of four bands is transparency.
    """
    if bands.ndim == 3 and bands.shape[2] not in (3, 4):
        bands = bands[:, :, :3] if bands.shape[2] > 4 else bands[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(_levels(bands)))
