"""`read_picture` changes nothing of Pillow, of the warnings, or of what it is given."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings

import numpy as np
import pytest
from PIL import GifImagePlugin, Image, ImageFile

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture
from tests.support.pictures import CORNERS, CORRUPT_EXIF, encoded, pixels, png


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
