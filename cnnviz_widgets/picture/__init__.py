"""Reading of pictures from files, arrays and tensors, with checks that make them safe to show and to compute with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture.arrays import of_tensor
from cnnviz_widgets.picture.checks import BYTE_LIMIT, NAME_LIMIT, PIXEL_LIMIT, printable
from cnnviz_widgets.picture.files import FORMATS, decode

__all__ = ["BYTE_LIMIT", "FORMATS", "NAME_LIMIT", "PIXEL_LIMIT", "Picture", "read_picture"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that has been decoded and checked.

    Either `image` is set, a PIL image in mode RGB or L, upright and opaque, or `tensor`, a network input (C, H, W)
    such as a DataLoader yields, float32 on the CPU. `name` is printable and at most 80 characters long. `bands`
    (H, W, C), uint8 or float32 in 0..1, is set for pictures with transparency, or with bands other than grey or
    colours, such as near infrared; `image` then shows some of them. `note` is a sentence on how the values were
    interpreted, if that had to be guessed, else "".
    """

    image: Image.Image | None
    tensor: Any | None = None
    name: str = ""
    bands: NDArray[Any] | None = None
    note: str = ""


def read_picture(source: object, name: str = "") -> Picture:
    """The decoded and checked Picture of `source`, with `name` or the name of the file.

    `source` is one of
    - a Picture, which is returned as it is;
    - a PIL image, or the path or the bytes of a PNG, JPEG, WebP, GIF, BMP or TIFF file, of which the first frame
      is read;
    - a NumPy array (H, W) or (H, W, C) of bool, integers in 0..255, uint16, or floats in 0..1 or 0..255;
    - a torch tensor of integers (C, H, W), taken as a picture, or one of floats (C, H, W) or (1, C, H, W), taken as a
      network input.

    Greyscale pictures get the mode L, all others RGB. Transparent parts are blended with white, and the EXIF
    orientation is applied. The fourth of four channels is transparency, unless the network has four input channels;
    pictures with another number of channels need a network with as many. 16-bit values are scaled by the smallest
    range of 8, 10, 12, 14 or 16 bits that holds them. In PIL's mode F values in 0..1 are multiplied by 255; in its
    modes I and F values in 0..255 are kept, and larger ones scaled as 16-bit values are. If a range was guessed, the
    picture's `note` says so.

    Raises PictureError for everything else.
    """
    if isinstance(source, Picture):
        return source
    if not name and isinstance(source, str | os.PathLike):
        name = os.path.basename(os.fsdecode(source))
    name = printable(name)
    subject = f'The picture "{name}"' if name else "The picture"
    try:
        if _is_tensor(source):
            values, is_input = of_tensor(source, subject)
            if is_input:
                return Picture(None, values, name)
            source = values
        image, bands, note = decode(source, subject)
        return Picture(image, None, name, bands, note)
    except MemoryError as error:
        raise PictureError(f"{subject} does not fit into memory; make it smaller.") from error


def _is_tensor(source: object) -> bool:
    # Without torch imported by someone, `source` cannot be a tensor, so there is no need to import it here.
    torch = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)
    return isinstance(tensor, type) and isinstance(source, tensor)
