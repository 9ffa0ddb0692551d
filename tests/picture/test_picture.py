"""`read_picture`: every way a picture comes in, and one clear sentence for everything that is none."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import GifImagePlugin, Image, ImageFile

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, checks, files, read_picture

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


# -- files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_lossless_files_are_read_exactly(kind: str, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(CORNERS), kind, **({"lossless": True} if kind == "WEBP" else {}))
    path = tmp_path / "corners.file"
    path.write_bytes(data)
    for source in (data, bytearray(data), memoryview(data), path, str(path), Image.open(io.BytesIO(data))):
        np.testing.assert_array_equal(pixels(source), CORNERS)
    assert read_picture(path).name == "corners.file"
    assert read_picture(path, "mine").name == "mine"


def test_a_picture_is_returned_as_it_is() -> None:
    picture = read_picture(CORNERS, "corners")
    assert read_picture(picture) is picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TIFF-LZW", "WEBP", "JPEG"])
def test_exif_orientation_is_applied_once(kind: str, orientation: int) -> None:
    # How a stored array becomes upright, from the EXIF standard's table.
    upright: Callable[[np.ndarray], np.ndarray] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }[orientation]
    stored = CORNERS.repeat(16, axis=0).repeat(16, axis=1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"TIFF-LZW": {"compression": "tiff_lzw"}, "WEBP": {"lossless": True}, "JPEG": {"quality": 95}}
    data = encoded(Image.fromarray(stored), kind.partition("-")[0], exif=exif, **options.get(kind, {}))
    shown = pixels(data)
    assert np.abs(shown[8::16, 8::16].astype(int) - upright(CORNERS)).max() <= 3
    np.testing.assert_array_equal(pixels(Image.open(io.BytesIO(data))), shown)
    again = read_picture(data).image
    np.testing.assert_array_equal(pixels(again), shown)


def test_corrupt_exif_does_not_hide_a_good_picture() -> None:
    data = encoded(Image.fromarray(CORNERS), "PNG", exif=CORRUPT_EXIF)
    np.testing.assert_array_equal(pixels(data), CORNERS)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_animations_and_pages_show_the_first_frame(kind: str) -> None:
    first = Image.new("RGB", (4, 4), (0, 0, 255))
    rest = [Image.new("RGB", (4, 4), (255, 0, 0))]
    data = encoded(first, kind, save_all=True, append_images=rest)
    assert np.abs(pixels(data).astype(int) - (0, 0, 255)).max() <= 8


# -- modes -----------------------------------------------------------------------------------------------


def test_greyscale_stays_greyscale() -> None:
    image = Image.fromarray(GREY)
    np.testing.assert_array_equal(pixels(encoded(image, "PNG"), "L"), GREY)
    np.testing.assert_array_equal(pixels(image, "L"), GREY)
    bilevel = Image.fromarray(GREY > 100)
    assert bilevel.mode == "1"
    np.testing.assert_array_equal(pixels(bilevel, "L"), (GREY > 100) * 255)


@pytest.mark.parametrize("mode", ["LA", "La", "RGBA", "RGBa", "PA"])
def test_alpha_is_laid_on_white(mode: str) -> None:
    image = Image.fromarray(np.array([[[100] * 3 + [255], [100] * 3 + [0], [100] * 3 + [51]]], np.uint8))
    if mode == "PA":  # Pillow before 12 converts none to it without losing the alpha
        image = Image.frombytes("PA", (3, 1), bytes([0, 255, 0, 0, 0, 51]))
        image.putpalette([100] * 3)
    else:
        image = image.convert("LA" if mode in ("LA", "La") else "RGBA").convert(mode)
    grey = pixels(image, "L" if mode in ("LA", "La") else "RGB").reshape(3, -1)
    # 100 x 0.2 + 255 x 0.8 = 224; premultiplied modes lose a level or two.
    assert np.abs(grey.astype(int) - [[100], [255], [224]]).max() <= 2


@pytest.mark.parametrize("transparency", [1, bytes([255, 0])])
def test_transparent_palette_entries_are_white(transparency: int | bytes) -> None:
    image = Image.frombytes("P", (2, 1), b"\0\1")
    image.putpalette([10, 20, 30, 200, 100, 0])
    np.testing.assert_array_equal(pixels(image), [[[10, 20, 30], [200, 100, 0]]])
    data = encoded(image, "PNG", transparency=transparency)
    np.testing.assert_array_equal(pixels(data), [[[10, 20, 30], [255, 255, 255]]])


def test_transparent_colour_of_an_opaque_mode_is_white() -> None:
    data = encoded(Image.fromarray(CORNERS), "PNG", transparency=(255, 0, 0))
    np.testing.assert_array_equal(pixels(data)[0, :2], [[255, 255, 255], [0, 255, 0]])
    data = encoded(Image.fromarray(GREY), "PNG", transparency=0)
    np.testing.assert_array_equal(pixels(data, "L")[0], [255, 64, 255])


def test_cmyk_files_keep_their_colours() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    data = encoded(red, "JPEG", quality=95)
    # The marker of Adobe's convention, in which the stored values are inverted.
    assert b"Adobe" in data
    assert np.abs(pixels(data).astype(int) - (255, 0, 0)).max() <= 6
    np.testing.assert_array_equal(pixels(red)[0, 0], (255, 0, 0))
    np.testing.assert_array_equal(pixels(encoded(red, "TIFF"))[0, 0], (255, 0, 0))


@pytest.mark.parametrize("mode", ["YCbCr", "LAB", "HSV"])
def test_other_colour_spaces_become_rgb(mode: str) -> None:
    muted = CORNERS // 3 + 60
    original = Image.fromarray(muted)
    if mode == "LAB":
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(original, srgb, lab, outputMode="LAB")
        assert converted is not None
    else:
        converted = original.convert(mode)
    assert np.abs(pixels(converted).astype(int) - muted).max() <= 4


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_are_scaled_by_their_range(mode: str) -> None:
    values = np.array([[0, 257, 65535], [128, 129, 32896]], np.uint16)
    stored = values.astype(">u2" if mode == "I;16B" else "<u2")
    image = Image.frombytes(mode, (3, 2), stored.tobytes())
    expected = [[0, 1, 255], [0, 1, 128]]
    np.testing.assert_array_equal(pixels(image, "L"), expected)
    np.testing.assert_array_equal(pixels(values, "L"), expected)
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(values), "PNG"), "L"), expected)
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(values), "TIFF"), "L"), expected)
    np.testing.assert_array_equal(pixels(torch.from_numpy(values)[None], "L"), expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 2.0, 255.0]], np.float32), [0, 2, 255]),
        (np.array([[0.0, 256.0, 65535.0]], np.float32), [0, 1, 255]),
        (np.array([[0, 2, 255]], np.int32), [0, 2, 255]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
    ],
)
def test_wide_modes_are_scaled_by_the_documented_rule(values: np.ndarray, expected: list[int]) -> None:
    image = Image.fromarray(values)
    assert image.mode in ("I", "F")
    np.testing.assert_array_equal(pixels(image, "L")[0], expected)


def test_wide_modes_outside_any_range_are_refused() -> None:
    assert "scale them to 0..255" in refusal(Image.fromarray(np.array([[0, 70_000]], np.int32)))
    assert "from -1 to 0" in refusal(Image.fromarray(np.array([[-1, 0]], np.float32)))
    assert "NaN" in refusal(Image.fromarray(np.array([[np.nan, 0]], np.float32)))


# -- hostile and broken files ----------------------------------------------------------------------------


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


# -- paths and names -------------------------------------------------------------------------------------


def test_paths_that_hold_no_picture(tmp_path: Path) -> None:
    assert "is a directory; pass the path of one picture file" in refusal(tmp_path)
    assert refusal(tmp_path / "gone.png") == 'The picture "gone.png" does not exist; check the path.'
    assert "download it" in refusal("https://example.org/cat.jpg")
    assert "cannot be opened; check the path" in refusal("a\0b.png")
    assert "cannot be opened; check the path" in refusal("x" * 5000)
    (tmp_path / "empty.png").touch()
    assert 'The picture "empty.png" is empty (0 bytes)' in refusal(tmp_path / "empty.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    monkeypatch.setattr(Path, "open", None)
    assert "is not a regular file" in refusal(tmp_path / "pipe.png")


def test_an_unreadable_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")

    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", denied)
    assert "change the permissions" in refusal(path)


def test_names_are_shown_safely() -> None:
    hostile = "a\nb\x1b[31m\u202egnp.exe\0\ud800" + "x" * 10_000
    sentence = refusal(b"", hostile)
    assert "a\ufffdb\ufffd[31m\ufffdgnp.exe\ufffd\ufffdxxx" in sentence and "\u2026" in sentence
    name = read_picture(CORNERS, hostile).name
    assert len(name) == checks.NAME_LIMIT and name.isprintable()
    assert read_picture(CORNERS, "Häuser 猫 <b>.png").name == "Häuser 猫 <b>.png"


# -- arrays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 3, 1), (100, 1, 3)])
def test_small_and_narrow_arrays(shape: tuple[int, ...]) -> None:
    array = np.full(shape, 7, np.uint8)
    mode = "RGB" if shape[-1] == 3 and len(shape) == 3 else "L"
    assert (pixels(array, mode) == 7).all()
    assert pixels(array, mode).shape[:2] == shape[:2]


@pytest.mark.parametrize(
    "array",
    [
        CORNERS,
        CORNERS.astype(np.int64),
        CORNERS.astype(">u2") * np.uint16(257),
        CORNERS / 255,
        (CORNERS / 255).astype(np.float16),
        (CORNERS / 255).astype(np.longdouble),
        CORNERS / 255 * (1 + 1e-12),
        np.asfortranarray(CORNERS),
        CORNERS[::-1, ::-1][::-1, ::-1],
        np.dstack([CORNERS, np.full((2, 3), 255, np.uint8)]),
        CORNERS.view(np.ma.MaskedArray),
    ],
)
def test_every_layout_of_the_same_array_is_the_same_picture(array: np.ndarray) -> None:
    array = array.copy(order="K")
    array.flags.writeable = False
    before = array.copy()
    np.testing.assert_array_equal(pixels(array), CORNERS)
    np.testing.assert_array_equal(pixels(array[::-1, ::-1]), CORNERS[::-1, ::-1])
    np.testing.assert_array_equal(array, before)


def test_a_picture_does_not_change_with_its_array() -> None:
    array = CORNERS.copy()
    image = Image.fromarray(array.copy())
    tensor = torch.zeros(3, 2, 2)
    kept = [read_picture(array), read_picture(image)]
    network_input = read_picture(tensor)
    array[:] = 0
    image.paste(0, (0, 0, 3, 2))
    tensor += 1
    for picture in kept:
        np.testing.assert_array_equal(np.asarray(picture.image), CORNERS)
    assert network_input.tensor is not None and not network_input.tensor.any()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["array", "PNG", "TIFF", "I", "tensor"])
def test_sixteen_bit_values_fill_the_range_of_their_sensor(bits: int, kind: str) -> None:
    values = np.linspace(0, 2**bits - 1, 64).round().reshape(8, 8).astype(np.uint16)
    sources = {
        "array": values,
        "I": Image.fromarray(values.astype(np.int32)),
        "tensor": torch.from_numpy(values)[None],
    }
    source = sources[kind] if kind in sources else encoded(Image.fromarray(values), kind)
    picture = read_picture(source)
    np.testing.assert_allclose(np.asarray(picture.image), np.linspace(0, 255, 64).reshape(8, 8), atol=1)
    silent = bits == 16 or (bits, kind) == (8, "I")  # where nothing was guessed
    assert picture.note == "" if silent else f"taken as {bits} bits" in picture.note


def test_floats_up_to_255_are_recognised_and_said() -> None:
    picture = read_picture(CORNERS * 1.0)
    np.testing.assert_array_equal(np.asarray(picture.image), CORNERS)
    assert "taken as 0..255" in picture.note
    assert not read_picture(CORNERS / 255).note


def test_a_mask_of_zeros_and_ones_in_whole_numbers_is_said_to_be_black() -> None:
    assert "multiply them by 255" in read_picture((GREY > 100).astype(np.uint8)).note
    assert not read_picture(np.zeros((4, 4), np.uint8)).note


@pytest.mark.parametrize("channels", [2, 4, 5, 13])
@pytest.mark.parametrize("tensor", [False, True])
def test_other_numbers_of_bands_are_kept(channels: int, tensor: bool) -> None:
    array = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    picture = read_picture(torch.from_numpy(array).permute(2, 0, 1) if tensor else array)
    assert picture.bands is not None and picture.image is not None
    scale = 255 if picture.bands.dtype == np.uint8 else 1
    np.testing.assert_allclose(picture.bands / scale, array / 255, atol=1e-6)
    assert picture.image.size == (30, 20)


def test_bands_of_a_file_are_turned_with_it() -> None:
    array = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", exif=exif)
    picture = read_picture(file.getvalue())
    assert picture.bands is not None
    np.testing.assert_array_equal(picture.bands, np.rot90(array, 3))


def test_bool_arrays_are_black_and_white() -> None:
    np.testing.assert_array_equal(pixels(GREY > 100, "L"), (GREY > 100) * 255)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (CORNERS / 127.5, "up to 2, and floats are taken as 0..1; divide them by 255"),
        (CORNERS * 1.7, "scale them to 0..1"),
        (CORNERS * 1e4, "scale them to 0..1"),
        (CORNERS / 127.5 - 1, "from -1 to 1; scale them to 0..1, or pass a torch float tensor"),
        (np.array([[0.5, np.nan]]), "NaN or infinite values"),
        (np.array([[0.5, np.inf]], np.float16), "NaN or infinite values"),
        (np.array([[0, 300]]), "from 0 to 300; scale them to 0..255"),
        (np.array([[-1, 3]]), "from -1 to 3"),
        (np.zeros(9, np.uint8), "has shape (9,); pass (height, width)"),
        (np.zeros((), np.uint8), "has shape ()"),
        (np.zeros((40, 50, 0), np.uint8), "has shape (40, 50, 0), no channels"),
        (np.zeros((40, 50, 2000), np.uint8), "has shape (40, 50, 2000); pass (height, width)"),
        (np.zeros((13, 40, 50), np.uint8), "channels first; pass array.transpose(1, 2, 0)"),
        (np.zeros((3, 40, 50), np.uint8), "channels first; pass array.transpose(1, 2, 0)"),
        (np.zeros((8, 4, 5, 3), np.uint8), "a batch of shape (8, 4, 5, 3); pass one picture of it"),
        (np.zeros((0, 5), np.uint8), "5 x 0 pixels"),
        (np.zeros((0, 5, 3)), "5 x 0 pixels"),
        (np.zeros((50_000, 1), np.uint8), "1 x 50000 pixels, too narrow"),
        (np.broadcast_to(np.uint8(0), (10**6, 10**6, 3)), "50 million pixels"),
        (np.array([[None, None]]), "object; convert it to uint8"),
        (np.array([["a", "b"]]), "convert it to uint8"),
        (np.zeros((2, 2), complex), "complex128; convert it to uint8"),
        (np.zeros((2, 2), "M8[s]"), "convert it to uint8"),
        (np.zeros((2, 2), [("a\n" * 200, "u1")]), "convert it to uint8"),
    ],
)
def test_arrays_that_are_no_picture(array: np.ndarray, says: str) -> None:
    assert says in refusal(array)
    assert '"mine"' in refusal(array, "mine")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "of type NoneType; pass a PIL image"),
        (3, "of type int; pass a PIL image"),
        ([CORNERS], "is a list; pass one picture at a time"),
        (Image.new("RGB", (0, 4)), "0 x 4 pixels"),
        (Image.new("L", (1, 50_000)), "too narrow"),
        (Image.new("1", (7072, 7072)), "50 million pixels"),
    ],
)
def test_other_things_are_refused(source: object, says: str) -> None:
    assert says in refusal(source)


def test_a_closed_image_is_refused() -> None:
    image = Image.open(io.BytesIO(encoded(Image.fromarray(CORNERS), "PNG")))
    image.close()
    assert "damaged or cut off" in refusal(image)


# -- tensors ---------------------------------------------------------------------------------------------


def test_whole_number_tensors_are_pictures() -> None:
    tensor = torch.from_numpy(CORNERS).permute(2, 0, 1)
    for source in (tensor, tensor[None], tensor.long(), tensor.contiguous()):
        np.testing.assert_array_equal(pixels(source), CORNERS)
    np.testing.assert_array_equal(pixels(torch.from_numpy(GREY)[None], "L"), GREY)
    np.testing.assert_array_equal(pixels(torch.from_numpy(GREY > 100)[None], "L"), (GREY > 100) * 255)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("batch", [False, True])
def test_float_tensors_are_network_inputs(dtype: torch.dtype, batch: bool) -> None:
    values = torch.tensor([-2.0, 0.0, 3.5]).reshape(3, 1, 1).expand(3, 4, 5).to(dtype).requires_grad_()
    picture = read_picture(values[None] if batch else values, "input")
    assert picture.image is None and picture.name == "input"
    assert isinstance(picture.tensor, torch.Tensor)
    assert picture.tensor.dtype == torch.float32 and not picture.tensor.requires_grad
    assert torch.equal(picture.tensor, values.detach().float())
    assert values.grad is None


def test_subclasses_of_tensor_and_other_modes_are_read() -> None:
    parameter = torch.nn.Parameter(torch.ones(1, 2, 3))
    with torch.inference_mode():
        picture = read_picture(torch.ones(1, 2, 3) * 1)
    for tensor in (read_picture(parameter).tensor, picture.tensor):
        assert tensor is not None and torch.equal(tensor, torch.ones(1, 2, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_tensors_of_another_device_are_read() -> None:
    np.testing.assert_array_equal(pixels(torch.from_numpy(CORNERS).permute(2, 0, 1).cuda()), CORNERS)
    tensor = read_picture(torch.ones(3, 2, 2, dtype=torch.half, device="cuda")).tensor
    assert tensor is not None and tensor.device.type == "cpu"


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (torch.zeros(4, 3, 8, 8), "a batch of shape (4, 3, 8, 8); pass one picture of it"),
        (torch.zeros(0, 3, 8, 8), "a batch of shape (0, 3, 8, 8)"),
        (torch.zeros(8, 8), "shape (8, 8); pass (channels, height, width)"),
        (torch.zeros(8, 9, 3), "channels last; pass tensor.permute(2, 0, 1)"),
        (torch.zeros(9, 8, 2, dtype=torch.uint8), "channels last; pass tensor.permute(2, 0, 1)"),
        (torch.zeros(2000, 8, 8, dtype=torch.uint8), "of 2000 channels; pass one of 1, 3 or 4"),
        (torch.zeros(0, 8, 8), "of 0 channels"),
        (torch.zeros(3, 0, 8), "8 x 0 pixels"),
        (torch.zeros(1, 1, 50_000), "50000 x 1 pixels, too narrow"),
        (torch.zeros(1).expand(3, 10**5, 10**5), "50 million pixels"),
        (torch.full((3, 2, 2), float("nan")), "NaN or infinite values"),
        (torch.full((3, 2, 2), 1e300, dtype=torch.float64), "NaN or infinite values"),
        (torch.zeros(3, 2, 2, device="meta"), "cannot be read"),
        (torch.zeros(3, 2, 2).to_sparse(), "cannot be read"),
        (torch.zeros(3, 2, 2, dtype=torch.cfloat), "complex64; convert it to uint8"),
        (torch.full((3, 2, 2), 300), "from 300 to 300"),
    ],
)
def test_tensors_that_are_no_picture(tensor: torch.Tensor, says: str) -> None:
    assert says in refusal(tensor)
    assert '"mine"' in refusal(tensor, "mine")


# -- a good guest ----------------------------------------------------------------------------------------


def pillow_state() -> list[object]:
    return [
        Image.MAX_IMAGE_PIXELS,
        ImageFile.LOAD_TRUNCATED_IMAGES,
        GifImagePlugin.LOADING_STRATEGY,
        list(warnings.filters),
    ]


def test_nothing_of_pillow_is_changed_and_no_warning_leaks() -> None:
    before = pillow_state()
    loud = encoded(Image.fromarray(CORNERS).quantize(4), "PNG", transparency=bytes([0, 128, 255]))
    corrupt = encoded(Image.fromarray(CORNERS), "PNG", exif=CORRUPT_EXIF)
    sources = [loud, corrupt, png(9000, 9000), png(60_000, 60_000), b""]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        inside = pillow_state()
        for source in sources:
            with contextlib.suppress(PictureError):
                read_picture(source)
        assert pillow_state() == inside
    assert caught == []
    assert pillow_state() == before


def test_warning_filters_survive_threads() -> None:
    before = pillow_state()
    data = encoded(Image.fromarray(CORNERS), "PNG")

    def read_often() -> None:
        for _ in range(100):
            read_picture(data)

    threads = [threading.Thread(target=read_often, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pillow_state() == before


def test_the_picture_of_the_user_is_not_turned_or_closed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(encoded(Image.fromarray(CORNERS), "PNG", exif=exif)))
    assert pixels(image).shape == (3, 2, 3)
    np.testing.assert_array_equal(np.asarray(image), CORNERS)
    assert image.getexif()[0x0112] == 6


def test_a_picture_is_frozen() -> None:
    picture = read_picture(CORNERS)
    with pytest.raises(AttributeError):
        picture.name = "other"  # type: ignore[misc]
    assert picture != Picture(picture.image)
