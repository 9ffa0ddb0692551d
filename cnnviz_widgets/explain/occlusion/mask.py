"""Masks: which pixels of a network's input are covered, of any shape."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import MethodError

#: Which pixels are covered, (H, W).
Mask = NDArray[np.bool_]

_TEXT = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3}):([A-Za-z0-9+/]*={0,2})")


def checked_mask(mask: object, size: tuple[int, int]) -> Mask:
    """A read-only copy of `mask`: bool (H, W) of this `size`, or the text that `mask_text` makes of it.

    What it returned before is returned as it is. Raises MethodError.
    """
    if isinstance(mask, np.ndarray) and not mask.flags.writeable and mask.base is None:
        values: Mask = mask
    else:
        values = _copied(mask)
    if values.dtype != np.bool_ or values.shape != size:
        raise MethodError(
            f"A mask for this network is bool ({size[0]}, {size[1]}), True where it covers, not {values.dtype} "
            f"{values.shape}."
        )
    return values


def _copied(mask: object) -> Mask:
    try:
        values = _mask_of_text(mask) if isinstance(mask, str) else np.array(mask)
    except ValueError as error:
        raise MethodError(f"This is no mask: {error}. A mask is bool (H, W), True where it covers.") from None
    values.flags.writeable = False
    return values


def mask_text(mask: Mask) -> str:
    """The mask as text, for a state or a line of code: "HxW:" and its rows, packed to bits, compressed, in base64."""
    height, width = mask.shape
    return f"{height}x{width}:{base64.b64encode(zlib.compress(np.packbits(mask).tobytes(), 9)).decode()}"


def _mask_of_text(text: str) -> Mask:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError("it does not begin with its size, as in '224x224:'")
    height, width = int(match[1]), int(match[2])
    expected = -(-height * width // 8)
    try:
        unpacking = zlib.decompressobj()
        packed = unpacking.decompress(base64.b64decode(match[3], validate=True), expected + 1)
    except (binascii.Error, zlib.error):
        raise ValueError("it is damaged") from None
    if len(packed) != expected:
        raise ValueError("it holds another number of pixels than its size says")
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=height * width).reshape(height, width).astype(bool)
