"""Limits of what is taken for a picture, and the sentences that refuse the rest."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import PictureError

BYTE_LIMIT = 64 * 2**20
PIXEL_LIMIT = 50_000_000
#: Longer side over shorter side; beyond it, resizing the shorter side to a network's input makes a giant.
ASPECT_LIMIT = 100
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
    """Raise PictureError: it holds NaN or infinite values."""
    raise PictureError(f"{subject} holds NaN or infinite values; replace them, as with numpy.nan_to_num.")


def refuse_bytes(count: int, subject: str) -> NoReturn:
    """Raise PictureError: the file has too many bytes."""
    limit = BYTE_LIMIT // 2**20
    raise PictureError(f"{subject} is a file of {count / 2**20:.0f} MiB; save it smaller than {limit} MiB.")


def too_large(subject: str) -> PictureError:
    """What to raise for a picture of too many pixels."""
    return PictureError(f"{subject} has more than {PIXEL_LIMIT // 10**6} million pixels; make it smaller.")


def damaged(subject: str) -> PictureError:
    """What to raise for a file that cannot be decoded."""
    return PictureError(f"{subject} is damaged or cut off; save or upload it again.")


def printable(text: str) -> str:
    """`text` without control, invisible and direction characters, cut to NAME_LIMIT characters."""
    head = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: NAME_LIMIT + 1])
    return head if len(head) <= NAME_LIMIT else head[: NAME_LIMIT - 1] + "\N{HORIZONTAL ELLIPSIS}"
