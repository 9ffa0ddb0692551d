"""Pictures from anywhere, decoded and verified: safe to show and to feed to a network."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.forks import lock

#: File formats that are decoded; everything else Pillow knows (PostScript, fonts, ...) is refused unread.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
BYTE_LIMIT = 64 * 2**20
PIXEL_LIMIT = 50_000_000
#: Longer side over shorter side; beyond it, resizing the shorter side to a network's input makes a giant.
ASPECT_LIMIT = 100
#: A progressive JPEG has about ten scans; thousands of empty ones would decode for hours.
SCAN_LIMIT = 50
NAME_LIMIT = 80

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


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded, verified picture.

    Either `image`, a PIL image in mode RGB or L, upright and opaque, or `tensor`, a network input (C, H, W)
    as it came from a DataLoader, float32 on the CPU. `name` is printable and at most 80 characters long.
    """

    image: Image.Image | None
    tensor: Any | None = None
    name: str = ""


def read_picture(source: object, name: str = "") -> Picture:
    """Decode and verify a picture.

    `source`: a Picture (returned as it is); a PIL image; the path or the bytes of a PNG, JPEG, WebP, GIF, BMP
    or TIFF file (its first frame); a NumPy array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of bool, integers
    in 0..255, uint16 in 0..65535 or floats in 0..1; a torch tensor of integers (C, H, W), taken as a picture;
    a torch tensor of floats (C, H, W) or (1, C, H, W), taken as a network input.

    Greyscale stays L, everything else becomes RGB. Transparency is laid on white, EXIF orientation applied.
    16-bit values are divided by 257. PIL's modes I and F have no range of their own: values in 0..1 (F only)
    are multiplied by 255, those in 0..255 kept, those in 0..65535 divided by 257.

    Raises PictureError, one sentence that names the mend, for everything else.
    """
    if isinstance(source, Picture):
        return source
    if not name and isinstance(source, str | os.PathLike):
        name = os.path.basename(os.fsdecode(source))
    name = _printable(name)
    subject = f'The picture "{name}"' if name else "The picture"
    try:
        if _is_tensor(source):
            return _of_tensor(source, name, subject)
        return Picture(_image_of(source, subject), name=name)
    except MemoryError as error:
        raise PictureError(f"{subject} does not fit into memory; make it smaller.") from error


def _image_of(source: object, subject: str) -> Image.Image:
    if isinstance(source, Image.Image):
        return _decode(source, subject)
    if isinstance(source, np.ndarray):
        return _of_array(source, subject)
    if isinstance(source, str | os.PathLike):
        source = _bytes_of(Path(os.fsdecode(source)), subject)
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source), subject)
    if isinstance(source, list | tuple):
        raise PictureError(f"{subject} is a {type(source).__name__}; pass one picture at a time.")
    raise PictureError(
        f"{subject} is of type {_printable(type(source).__name__)}; pass a PIL image, a path, the bytes of a "
        "picture file, a NumPy array or a torch tensor."
    )


# -- files -----------------------------------------------------------------------------------------------


def _bytes_of(path: Path, subject: str) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(f"{subject} is a directory; pass the path of one picture file.")
        # A pipe or a device would block or never end.
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(f"{subject} is not a regular file; pass the path of a picture file.")
        if status.st_size > BYTE_LIMIT:
            _refuse_bytes(status.st_size, subject)
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


def _of_bytes(data: bytes, subject: str) -> Image.Image:
    if not data:
        raise PictureError(f"{subject} is empty (0 bytes); save or upload it again.")
    if len(data) > BYTE_LIMIT:
        _refuse_bytes(len(data), subject)
    if data.startswith(b"\xff\xd8") and _jpeg_scans(data) > SCAN_LIMIT:
        raise PictureError(f"{subject} has more than {SCAN_LIMIT} scans; save it again as a plain JPEG file.")
    with _silencing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise _too_large(subject) from error
        except UnidentifiedImageError as error:
            if data.startswith(_SIGNATURES):
                raise _damaged(subject) from error
            raise PictureError(
                f"{subject} is in no format that can be read; save it as PNG, JPEG, WebP, GIF, BMP or TIFF."
            ) from error
        # Decoders meet hostile bytes here and answer with any exception, from struct.error to KeyError.
        except Exception as error:
            raise _damaged(subject) from error
    with opened:
        return _decode(opened, subject)


def _decode(image: Image.Image, subject: str) -> Image.Image:
    """A PIL image, loaded or not, as an upright opaque L or RGB image that shares nothing with it."""
    _check_size(image.width, image.height, subject)
    with _silencing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _check_tiles(image, subject)
            image.load()
        except Image.DecompressionBombError as error:
            raise _too_large(subject) from error
        except (PictureError, MemoryError):
            raise
        except Exception as error:
            raise _damaged(subject) from error
        _check_size(image.width, image.height, subject)
        try:
            plain = _plain(image, subject)
            upright = _UPRIGHT.get(_orientation(image))
        except (PictureError, MemoryError):
            raise
        except Exception as error:
            mode = _printable(image.mode)
            raise PictureError(f'{subject} has the colour mode "{mode}"; convert it to RGB.') from error
    if upright is not None:
        plain = plain.transpose(upright)
    # Old EXIF data in `info` would turn the picture a second time.
    plain.info = {}
    return plain


def _plain(image: Image.Image, subject: str) -> Image.Image:
    """`image` as a new L or RGB image, transparency laid on white."""
    mode = image.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _of_array(_wide_values(image, subject), subject)
    grey = mode in ("1", "L", "LA", "La")
    opaque = "L" if grey else "RGB"
    if not image.has_transparency_data:
        return image.copy() if mode == opaque else image.convert(opaque)
    image = image.convert("LA" if grey else "RGBA")
    ground = Image.new(opaque, image.size, "white")
    ground.paste(image.convert(opaque), mask=image.getchannel("A"))
    return ground


def _wide_values(image: Image.Image, subject: str) -> NDArray[Any]:
    """The pixels of a picture in mode I;16, I or F as uint16, uint8 or float in 0..1."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return values.astype(np.uint16)
    _check_finite(values, subject)
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise PictureError(f"{subject} holds values from {low:g} to {high:g}; scale them to 0..255.")
    if image.mode == "F":
        return values / (1 if high <= 1 else 255 if high <= 255 else 65535)
    return values.astype(np.uint8 if high <= 255 else np.uint16)


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
        raise _damaged(subject)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or the data are corrupt."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


# -- arrays and tensors ----------------------------------------------------------------------------------


def _of_array(array: NDArray[Any], subject: str) -> Image.Image:
    if array.dtype.kind not in "buif":
        raise PictureError(f"{subject} holds the type {_printable(str(array.dtype))}; convert it to uint8.")
    shape = array.shape
    if array.ndim == 4:
        raise PictureError(f"{subject} is a batch of shape {shape}; pass one picture of it, as batch[0].")
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)):
        if array.ndim == 3 and shape[0] in (1, 3, 4):
            raise PictureError(f"{subject} has shape {shape}, channels first; pass array.transpose(1, 2, 0).")
        raise PictureError(
            f"{subject} has shape {shape}; pass (height, width), or (height, width, 1, 3 or 4 channels)."
        )
    _check_size(shape[1], shape[0], subject)
    levels = np.array(_levels(np.asarray(array), subject), order="C", copy=True)
    if levels.ndim == 3 and levels.shape[2] == 1:
        levels = levels[:, :, 0]
    return _plain(Image.fromarray(levels), subject)


def _levels(array: NDArray[Any], subject: str) -> NDArray[np.uint8]:
    """Values of any real type as 0..255."""
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind == "f":
        _check_finite(array, subject)
    low, high = array.min(), array.max()
    if kind != "f":
        if low < 0 or high > 255:
            raise PictureError(f"{subject} holds whole numbers from {low} to {high}; scale them to 0..255.")
        return array.astype(np.uint8)
    # Resizing and colour conversion overshoot by rounding errors, half precision by more.
    if low < -1e-3:
        raise PictureError(
            f"{subject} holds values from {low:.4g} to {high:.4g}; scale them to 0..1, or pass a torch float "
            "tensor if they are a network input."
        )
    if high > 1 + 1e-3:
        mend = "divide them by 255" if high <= 255 else "scale them to 0..1"
        raise PictureError(f"{subject} holds values up to {high:.4g}, and floats are taken as 0..1; {mend}.")
    levels: NDArray[np.uint8] = np.rint(np.clip(array, 0, 1).astype(np.float32) * 255).astype(np.uint8)
    return levels


def _is_tensor(source: object) -> bool:
    # Whoever holds a tensor has imported torch; nobody else pays for the import.
    torch = sys.modules.get("torch")
    tensor = getattr(torch, "Tensor", None)
    return isinstance(tensor, type) and isinstance(source, tensor)


def _of_tensor(source: Any, name: str, subject: str) -> Picture:
    shape = tuple(source.shape)
    if source.ndim == 4 and shape[0] == 1:
        source, shape = source[0], shape[1:]
    if source.ndim == 4:
        raise PictureError(f"{subject} is a batch of shape {shape}; pass one picture of it, as batch[0].")
    if source.ndim != 3:
        raise PictureError(f"{subject} is a tensor of shape {shape}; pass (channels, height, width).")
    if shape[0] not in (1, 3, 4) and shape[2] in (1, 3, 4):
        raise PictureError(f"{subject} has shape {shape}, channels last; pass tensor.permute(2, 0, 1).")
    pictorial = not source.is_floating_point()
    if not shape[0] or (pictorial and shape[0] not in (1, 3, 4)):
        raise PictureError(f"{subject} is a tensor of {shape[0]} channels; pass one of 1, 3 or 4 channels.")
    _check_size(shape[2], shape[1], subject)
    try:
        if pictorial:
            return Picture(_of_array(source.detach().cpu().permute(1, 2, 0).numpy(), subject), name=name)
        values = source.detach().cpu().float().clone()
        finite = bool(values.isfinite().all())
    except PictureError:
        raise
    # Sparse, quantised and meta tensors, and devices that are lost.
    except (RuntimeError, TypeError) as error:
        raise PictureError(f"{subject} is a tensor that cannot be read; pass a dense one.") from error
    if not finite:
        _refuse_not_finite(subject)
    return Picture(None, values, name)


# -- refusals --------------------------------------------------------------------------------------------


def _check_size(width: int, height: int, subject: str) -> None:
    if width < 1 or height < 1:
        raise PictureError(f"{subject} is {width} x {height} pixels; pass one of at least 1 x 1.")
    if width * height > PIXEL_LIMIT:
        raise _too_large(subject)
    if max(width, height) > ASPECT_LIMIT * min(width, height):
        raise PictureError(
            f"{subject} is {width} x {height} pixels, too narrow to resize; crop it to {ASPECT_LIMIT} : 1."
        )


def _check_finite(values: NDArray[Any], subject: str) -> None:
    if not np.isfinite(values).all():
        _refuse_not_finite(subject)


def _refuse_not_finite(subject: str) -> NoReturn:
    raise PictureError(f"{subject} holds NaN or infinite values; replace them, as with numpy.nan_to_num.")


def _refuse_bytes(count: int, subject: str) -> NoReturn:
    limit = BYTE_LIMIT // 2**20
    raise PictureError(f"{subject} is a file of {count / 2**20:.0f} MiB; save it smaller than {limit} MiB.")


def _too_large(subject: str) -> PictureError:
    return PictureError(f"{subject} has more than {PIXEL_LIMIT // 10**6} million pixels; make it smaller.")


def _damaged(subject: str) -> PictureError:
    return PictureError(f"{subject} is damaged or cut off; save or upload it again.")


def _printable(text: str) -> str:
    """`text` without control, invisible and direction characters, cut to NAME_LIMIT characters."""
    head = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: NAME_LIMIT + 1])
    return head if len(head) <= NAME_LIMIT else head[: NAME_LIMIT - 1] + "\N{HORIZONTAL ELLIPSIS}"
