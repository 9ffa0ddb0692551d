"""Limits on pictures, and the errors for those that exceed them."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import PictureError

#: Largest picture file, in bytes. It bounds the memory for the bytes of an upload.
BYTE_LIMIT = 64 * 2**20
#: Most pixels of a picture; as RGB they take 150 MB. It bounds the memory for the decoded picture.
PIXEL_LIMIT = 50_000_000
#: Largest ratio of the longer to the shorter side. It bounds the size of the picture after the shorter side has been
#: resized to a network's input.
ASPECT_LIMIT = 100
#: Most characters of a picture's name. Longer names are cut.
NAME_LIMIT = 80


def check_size(width: int, height: int, subject: str) -> None:
    """Raise PictureError for a picture without pixels, with too many, or too narrow to resize."""
    if width < 1 or height < 1:
        raise PictureError(f"{subject} is {width} x {height} pixels; pass one of at least 1 x 1.")
    if width * height > PIXEL_LIMIT:
        raise too_large(subject)
    if max(width, height) > ASPECT_LIMIT * min(width, height):
        raise PictureError(
            f"{subject} is {width} x {height} pixels, too narrow to resize; crop it to {ASPECT_LIMIT} : 1."
        )


def check_finite(values: NDArray[Any], subject: str) -> None:
    """Raise PictureError for NaN and infinite values."""
    if not np.isfinite(values).all():
        refuse_not_finite(subject)


def refuse_not_finite(subject: str) -> NoReturn:
    """Raise the PictureError for NaN or infinite values."""
    raise PictureError(f"{subject} holds NaN or infinite values; replace them, as with numpy.nan_to_num.")


def refuse_bytes(count: int, subject: str) -> NoReturn:
    """Raise the PictureError for a file with too many bytes, `count`."""
    limit = BYTE_LIMIT // 2**20
    raise PictureError(f"{subject} is a file of {count / 2**20:.0f} MiB; save it smaller than {limit} MiB.")


def too_large(subject: str) -> PictureError:
    """The PictureError for a picture with too many pixels."""
    return PictureError(f"{subject} has more than {PIXEL_LIMIT // 10**6} million pixels; make it smaller.")


def damaged(subject: str) -> PictureError:
    """The PictureError for a file that cannot be decoded."""
    return PictureError(f"{subject} is damaged or cut off; save or upload it again.")


def printable(text: str) -> str:
    """`text` cut to NAME_LIMIT characters, with a replacement for control, invisible and direction characters."""
    head = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: NAME_LIMIT + 1])
    return head if len(head) <= NAME_LIMIT else head[: NAME_LIMIT - 1] + "\N{HORIZONTAL ELLIPSIS}"
