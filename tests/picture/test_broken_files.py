"""`read_picture` of hostile and broken files: one clear sentence, within limits of time and memory."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import checks, files, read_picture
from tests.support.pictures import CORNERS, encoded, gif, pixels, png, refusal, tiled_tiff


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty (0 bytes); save or upload it again"),
        (b"hello, world", "in no format that can be read; save it as PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "save it as PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "save it as PNG"),
        (b"P6 1 1 255 abc", "save it as PNG"),
        (encoded(Image.fromarray(CORNERS), "PNG")[:20], "damaged or cut off"),
        (png(9000, 9000), "50 million pixels; make it smaller"),
        (png(60_000, 60_000), "50 million pixels; make it smaller"),
        (png(2**31 - 1, 2**31 - 1), "50 million pixels; make it smaller"),
        (png(0, 5), "damaged"),
        (png(1, 50_000, zlib.compress(bytes(4 * 50_000))), "1 x 50000 pixels, too narrow"),
        (tiled_tiff(40_000), "damaged"),
        (gif(screen=65535, frame=1), "50 million pixels"),
        (gif(screen=10, frame=10_000), "50 million pixels"),
        (gif(screen=10, frame=60_000), "50 million pixels"),
    ],
)
def test_hostile_bytes_are_refused_in_one_sentence(data: bytes, says: str) -> None:
    assert says in refusal(data)
    assert refusal(data, "holiday.png").startswith('The picture "holiday.png" ')


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_file_cut_anywhere_is_refused_or_whole(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    whole = pixels(data)
    for end in range(1, len(data) - 20, len(data) // 40):
        try:
            shown = pixels(data[:end])
        except PictureError as error:
            assert str(error).endswith(("save or upload it again.", "BMP or TIFF."))
        else:
            # Pixels that come before the cut may be all there are, but none may be made up.
            np.testing.assert_array_equal(shown, whole)


def test_a_limit_on_bytes_is_kept_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(checks.BYTE_LIMIT + 1)
    monkeypatch.setattr(Path, "open", None)
    assert "64 MiB; save it smaller than 64 MiB" in refusal(path)
    assert "64 MiB; save it smaller than 64 MiB" in refusal(bytes(checks.BYTE_LIMIT + 1))


def test_the_pixel_limit_comes_before_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: decoded.append(self))
    refusal(png(7072, 7072, zlib.compress(b"")))
    assert decoded == []


def test_scans_of_a_jpeg_are_counted_where_the_decoder_meets_them() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    data = encoded(noise, "JPEG", progressive=True)
    assert files._jpeg_scans(encoded(noise, "JPEG")) == 1
    assert files._jpeg_scans(data) == data.count(b"\xff\xda") > 1
    # In a comment, and behind the end of the picture, where phones keep films.
    comment = b"\xff\xfe" + struct.pack(">H", 402) + b"\xff\xda" * 200
    harmless = data[:2] + comment + data[2:] + b"\xff\xda\0\2" * 1000
    assert files._jpeg_scans(harmless) == files._jpeg_scans(data)
    pixels(harmless, "L")
    last = data[data.rindex(b"\xff\xda") : -2]
    assert "scans" in refusal(data[:-2] + last * files.SCAN_LIMIT + data[-2:])
    assert "scans" in refusal(data[:-2] + b"\xff\x01\xff\xff" + last * files.SCAN_LIMIT + data[-2:])


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_mutated_files_are_refused_or_shown(data: st.DataObject) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]))
    changed = bytearray(encoded(noise, kind, **({} if kind in ("GIF", "BMP") else {"exif": exif})))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed)))
        removed = data.draw(st.integers(0, 8))
        changed[at : at + removed] = data.draw(st.binary(max_size=8))
    if data.draw(st.booleans()):
        del changed[data.draw(st.integers(0, len(changed))) :]
    try:
        picture = read_picture(bytes(changed))
    except PictureError as error:
        assert str(error).isprintable()
    else:
        assert picture.image is not None and picture.image.mode in ("L", "RGB")
