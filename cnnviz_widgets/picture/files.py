"""Picture files and PIL images, decoded and verified: hostile bytes are refused in one sentence."""

from __future__ import annotations

import io
import os
import re
import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.forks import lock
from cnnviz_widgets.picture.arrays import bands_of_array, of_sixteen_bits, shown
from cnnviz_widgets.picture.checks import (
    BYTE_LIMIT,
    PIXEL_LIMIT,
    check_finite,
    check_size,
    damaged,
    printable,
    refuse_bytes,
    too_large,
)

#: File formats that are decoded; everything else Pillow knows (PostScript, fonts, ...) is refused unread.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
#: A progressive JPEG has about ten scans; thousands of empty ones would decode for hours.
SCAN_LIMIT = 50

_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_TILE_SIDES = (322, 323)
# FF 00 and the restart markers D0 to D7 are compressed data of a scan; FF 01 has no length.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
# `warnings.catch_warnings` swaps process-wide filters: two at a time could put the wrong ones back.
_silencing = lock()


#: A decoded picture, its bands where they are more than the picture shows (H, W, C), and a note, mostly "".
Decoded = tuple[Image.Image, NDArray[Any] | None, str]


def decoded(source: object, subject: str) -> Decoded:
    """The picture in a PIL image, an array, a path or the bytes of a file. Raises PictureError."""
    if isinstance(source, Image.Image):
        return _decode(source, subject)
    if isinstance(source, np.ndarray):
        return of_array(source, subject)
    if isinstance(source, str | os.PathLike):
        source = _bytes_of(Path(os.fsdecode(source)), subject)
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source), subject)
    if isinstance(source, list | tuple):
        raise PictureError(f"{subject} is a {type(source).__name__}; pass one picture at a time.")
    raise PictureError(
        f"{subject} is of type {printable(type(source).__name__)}; pass a PIL image, a path, the bytes of a "
        "picture file, a NumPy array or a torch tensor."
    )


def of_array(array: NDArray[Any], subject: str) -> Decoded:
    """The picture in an array (H, W) or (H, W, C). Raises PictureError."""
    bands, note = bands_of_array(array, subject)
    image = shown(bands)
    many = bands.ndim == 3 and bands.shape[2] != 3
    return (_plain(image), bands if many else None, note)


def _bytes_of(path: Path, subject: str) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(f"{subject} is a directory; pass the path of one picture file.")
        # A pipe or a device would block or never end.
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(f"{subject} is not a regular file; pass the path of a picture file.")
        if status.st_size > BYTE_LIMIT:
            refuse_bytes(status.st_size, subject)
        with path.open("rb") as file:
            return file.read(BYTE_LIMIT + 1)
    except FileNotFoundError as error:
        if str(path).startswith(("http:", "https:")):
            raise PictureError(f"{subject} is a web address; download it and pass its path.") from error
        raise PictureError(f"{subject} does not exist; check the path.") from error
    except PermissionError as error:
        raise PictureError(f"{subject} may not be read; change the permissions of the file.") from error
    except PictureError:
        raise
    except (OSError, ValueError) as error:
        raise PictureError(f"{subject} cannot be opened; check the path.") from error


def _of_bytes(data: bytes, subject: str) -> Decoded:
    if not data:
        raise PictureError(f"{subject} is empty (0 bytes); save or upload it again.")
    if len(data) > BYTE_LIMIT:
        refuse_bytes(len(data), subject)
    if data.startswith(b"\xff\xd8") and _jpeg_scans(data) > SCAN_LIMIT:
        raise PictureError(f"{subject} has more than {SCAN_LIMIT} scans; save it again as a plain JPEG file.")
    with _silencing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise too_large(subject) from error
        except UnidentifiedImageError as error:
            if data.startswith(_SIGNATURES):
                raise damaged(subject) from error
            raise PictureError(
                f"{subject} is in no format that can be read; save it as PNG, JPEG, WebP, GIF, BMP or TIFF."
            ) from error
        # Decoders meet hostile bytes here and answer with any exception, from struct.error to KeyError.
        except Exception as error:
            raise damaged(subject) from error
    with opened:
        return _decode(opened, subject)


def _decode(image: Image.Image, subject: str) -> Decoded:
    """A PIL image, loaded or not, as an upright opaque L or RGB image that shares nothing with it."""
    check_size(image.width, image.height, subject)
    with _silencing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _check_tiles(image, subject)
            image.load()
        except Image.DecompressionBombError as error:
            raise too_large(subject) from error
        except (PictureError, MemoryError):
            raise
        except Exception as error:
            raise damaged(subject) from error
        check_size(image.width, image.height, subject)
        try:
            note = ""
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                shares, note = _wide_values(image, subject)
                plain, bands = shown(shares), None
            else:
                plain, bands = _plain(image), np.array(image) if image.mode in ("RGBA", "RGBX") else None
            upright = _UPRIGHT.get(_orientation(image))
        except (PictureError, MemoryError):
            raise
        except Exception as error:
            mode = printable(image.mode)
            raise PictureError(f'{subject} has the colour mode "{mode}"; convert it to RGB.') from error
    if upright is not None:
        plain = plain.transpose(upright)
        if bands is not None:
            bands = np.array(Image.fromarray(bands).transpose(upright))
    # Old EXIF data in `info` would turn the picture a second time.
    plain.info = {}
    return plain, bands, note


def _plain(image: Image.Image) -> Image.Image:
    """`image` as a new L or RGB image, transparency laid on white."""
    mode = image.mode
    grey = mode in ("1", "L", "LA", "La")
    opaque = "L" if grey else "RGB"
    if not image.has_transparency_data:
        return image.copy() if mode == opaque else image.convert(opaque)
    image = image.convert("LA" if grey else "RGBA")
    ground = Image.new(opaque, image.size, "white")
    ground.paste(image.convert(opaque), mask=image.getchannel("A"))
    return ground


def _wide_values(image: Image.Image, subject: str) -> tuple[NDArray[Any], str]:
    """The pixels of a picture in mode I;16, I or F as shares in 0..1 or uint8, and a note on their range."""
    values = np.asarray(image)
    check_finite(values, subject)
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise PictureError(f"{subject} holds values from {low:g} to {high:g}; scale them to 0..255.")
    if image.mode == "F" and high <= 255:
        return values / (1 if high <= 1 else 255), ""
    if image.mode == "I" and high <= 255:
        return values.astype(np.uint8), ""
    return of_sixteen_bits(values, int(high))


def _jpeg_scans(data: bytes) -> int:
    """How many scans a JPEG decoder would go through; previews in the metadata do not count."""
    scans, at = 0, 2
    while (marker := _JPEG_MARKER.search(data, at)) and marker[0] != b"\xff\xd9":
        scans += marker[0] == b"\xff\xda"
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return scans


def _check_tiles(image: Image.Image, subject: str) -> None:
    """Refuse a small TIFF of giant tiles, which are decompressed whole."""
    tags = getattr(image, "tag_v2", {})
    width, height = (tags.get(side) for side in _TILE_SIDES)
    if width is None and height is None:
        return
    if not isinstance(width, int) or not isinstance(height, int) or width * height > PIXEL_LIMIT:
        raise damaged(subject)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or the data are corrupt."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1
