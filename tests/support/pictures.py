"""Files and arrays that are pictures, and what holds for each that is read."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import read_picture

# Four distinct corners tell every turn and flip apart.
TOP = [[255, 0, 0], [0, 255, 0], [9, 9, 9]]
BOTTOM = [[0, 0, 255], [255, 255, 0], [0, 255, 255]]
CORNERS = np.array([TOP, BOTTOM], np.uint8)
CORRUPT_EXIF = b"Exif\0\0II*\0\xff\xff\xff\xff\x01"
GREY = np.array([[0, 64, 255], [10, 128, 200]], np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(source: object, mode: str = "RGB", name: str = "") -> np.ndarray:
    """The decoded picture as an array, after checking what holds for every picture."""
    picture = read_picture(source, name)
    assert picture.tensor is None and picture.image is not None
    assert picture.image.mode == mode
    assert picture.image.info == {}
    return np.asarray(picture.image)


def refusal(source: object, name: str = "") -> str:
    """The one sentence that refuses `source`."""
    with pytest.raises(PictureError) as caught:
        read_picture(source, name)
    sentence = str(caught.value)
    assert sentence.endswith(".") and sentence.isprintable() and ". " not in sentence and "; " in sentence
    assert len(sentence) < 250
    return sentence


def png(width: int, height: int, data: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    """A PNG file with a header of our choice."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiled_tiff(side: int) -> bytes:
    """A TIFF of 100 x 100 pixels in one LZW tile of `side` x `side`."""
    data = bytes(100)
    tags = dict.fromkeys((256, 257, 325), 100) | {258: 8, 259: 5, 262: 1, 277: 1}
    tags = dict(sorted({**tags, 322: side, 323: side, 324: 134}.items()))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def gif(screen: int, frame: int) -> bytes:
    """A GIF whose screen and whose first frame are squares of these sizes."""
    header = b"GIF89a" + struct.pack("<HH", screen, screen) + bytes(3)
    return header + b"," + struct.pack("<4H", 0, 0, frame, frame) + b"\0\2\2D\1\0;"
