"""`read_picture` of files: every kind and mode, paths and names."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnviz_widgets.picture import checks, read_picture
from tests.support.pictures import CORNERS, CORRUPT_EXIF, GREY, encoded, pixels, refusal


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
