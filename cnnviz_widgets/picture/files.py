"""Decoding of picture files and PIL images, with checks against hostile files."""

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

#: File formats that are decoded. Others that Pillow knows (PostScript, fonts, ...) are refused: each further one is one
#: more decoder that a hostile file can attack.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
#: Most scans of a JPEG file. A progressive one has about ten; thousands of empty ones would take hours to decode.
SCAN_LIMIT = 50

# How files of these formats begin: if such a file cannot be opened, it is damaged.
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# For each EXIF orientation the operation that makes the picture upright; 1 needs none.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The EXIF tag of the orientation, and the TIFF tags of a tile's width and height.
_ORIENTATION = 0x0112
_TILE_SIDES = (322, 323)
# A JPEG marker that is followed by a length: FF 00 and the restart markers D0 to D7 belong to compressed data, and
# FF 01 has no length.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
# `warnings.catch_warnings` replaces the filters of the process: two threads at once could restore the wrong ones.
_warnings_lock = lock()

#: The image; the bands (H, W, C) if the picture has more than the image shows; a note on how values were read, or "".
Decoded = tuple[Image.Image, NDArray[Any] | None, str]


def decode(source: object, subject: str) -> Decoded:
    """The image, bands and note of a PIL image, an array, a path or the bytes of a file. Raises PictureError."""
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
    """The image, bands and note of an array (H, W) or (H, W, C). Raises PictureError."""
    bands, note = bands_of_array(array, subject)
    image = shown(bands)
    many = bands.ndim == 3 and bands.shape[2] != 3
    return (_plain(image), bands if many else None, note)


def _bytes_of(path: Path, subject: str) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(f"{subject} is a directory; pass the path of one picture file.")
        # Reading a pipe or a device could block or never end.
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
    with _warnings_lock, warnings.catch_warnings():
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
        # Decoders raise any exception on hostile bytes, from struct.error to KeyError.
        except Exception as error:
            raise damaged(subject) from error
    with opened:
        return _decode(opened, subject)


def _decode(image: Image.Image, subject: str) -> Decoded:
    """The image, bands and note of a PIL image, which need not be loaded yet; all are copies, upright and opaque."""
    check_size(image.width, image.height, subject)
    with _warnings_lock, warnings.catch_warnings():
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
    # The orientation has been applied: EXIF data left in `info` would have it applied again.
    plain.info = {}
    return plain, bands, note


def _plain(image: Image.Image) -> Image.Image:
    """A copy of `image` in mode L or RGB, blended with white where it is transparent."""
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
    """The pixels of an image in mode I;16, I or F as floats in 0..1 or uint8, and a note on a guessed range, or ""."""
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
    """The number of scans of a JPEG file, not counting those of previews in its metadata."""
    scans, at = 0, 2
    while (marker := _JPEG_MARKER.search(data, at)) and marker[0] != b"\xff\xd9":
        scans += marker[0] == b"\xff\xda"
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return scans


def _check_tiles(image: Image.Image, subject: str) -> None:
    """Raise PictureError for a TIFF with giant tiles: a tile is decompressed as a whole, however small the picture."""
    tags = getattr(image, "tag_v2", {})
    width, height = (tags.get(side) for side in _TILE_SIDES)
    if width is None and height is None:
        return
    if not isinstance(width, int) or not isinstance(height, int) or width * height > PIXEL_LIMIT:
        raise damaged(subject)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, or 1 if there is none or the data are corrupt."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1
