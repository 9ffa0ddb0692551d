"""Pictures from anywhere, decoded and verified: safe to show and to feed to a network."""

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
from cnnviz_widgets.picture.files import FORMATS, decoded

__all__ = ["BYTE_LIMIT", "FORMATS", "NAME_LIMIT", "PIXEL_LIMIT", "Picture", "read_picture"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded, verified picture.

    Either `image`, a PIL image in mode RGB or L, upright and opaque, or `tensor`, a network input (C, H, W)
    as it came from a DataLoader, float32 on the CPU. `name` is printable and at most 80 characters long. `bands`
    (H, W, C), uint8 or float32 in 0..1, is there where the picture has other bands than grey or colours, such as a
    near infrared one, or transparency: `image` then shows what can be shown of them. `note` is a sentence on how the
    values were read, where that had to be guessed.
    """

    image: Image.Image | None
    tensor: Any | None = None
    name: str = ""
    bands: NDArray[Any] | None = None
    note: str = ""


def read_picture(source: object, name: str = "") -> Picture:
    """Decode and verify a picture.

    `source`: a Picture (returned as it is); a PIL image; the path or the bytes of a PNG, JPEG, WebP, GIF, BMP
    or TIFF file (its first frame); a NumPy array (H, W) or (H, W, C) of bool, integers in 0..255, uint16, or floats
    in 0..1 or 0..255; a torch tensor of integers (C, H, W), taken as a picture; a torch tensor of floats (C, H, W) or
    (1, C, H, W), taken as a network input.

    Greyscale stays L, everything else becomes RGB. Transparency is laid on white, EXIF orientation applied. Four
    channels are colours and transparency, except to a network of four channels, which gets them as they are; other
    numbers of channels are for networks that take as many. 16-bit values are taken as of the least of 8, 10, 12, 14
    and 16 bits that holds them. PIL's modes I and F have no range of their own: values in 0..1 (F only) are multiplied
    by 255, those in 0..255 kept, others taken as 16-bit values are. Where the range is guessed, the picture's `note`
    says so.

    Raises PictureError, one sentence that names the mend, for everything else.
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
        image, bands, note = decoded(source, subject)
        return Picture(image, None, name, bands, note)
    except MemoryError as error:
        raise PictureError(f"{subject} does not fit into memory; make it smaller.") from error


def _is_tensor(source: object) -> bool:
    # Whoever holds a tensor has imported torch; nobody else pays for the import.
    torch = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)
    return isinstance(tensor, type) and isinstance(source, tensor)
