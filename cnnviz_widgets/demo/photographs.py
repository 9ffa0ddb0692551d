"""Photographs that other packages install, read straight from their files: no download, nothing unpickled."""

from __future__ import annotations

import PIL.Image

from cnnviz_widgets.demo.installed import file_of
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture

# The name shown, the package and the file in it.
_FILES = (
    ("chelsea", "skimage", "data/chelsea.png"),
    ("coffee", "skimage", "data/coffee.png"),
    ("rocket", "skimage", "data/rocket.jpg"),
    ("china", "sklearn", "datasets/images/china.jpg"),
    ("flower", "sklearn", "datasets/images/flower.jpg"),
)
_CAMERAMAN = ("cameraman", "skimage", "data/camera.png")


def pictures() -> tuple[Picture, ...]:
    """Five photographs of one thing each, two of them on one picture, and a greyscale one.

    Raises PictureError when scikit-image is not installed.
    """
    single = [_photograph(*file) for file in _FILES]
    both = Picture(_stacked(single[0], single[1]), name="cat and coffee")
    return (*single, both, _photograph(*_CAMERAMAN))


def _photograph(name: str, package: str, path: str) -> Picture:
    return read_picture(file_of(package, path, PictureError), name)


def _stacked(above: Picture, below: Picture, side: int = 600) -> PIL.Image.Image:
    """Two photographs in one square: each made as wide as it, one above the other, and the middle of that."""
    assert above.image is not None and below.image is not None
    images = [
        image.resize((side, round(image.height * side / image.width)), PIL.Image.Resampling.BICUBIC)
        for image in (above.image, below.image)
    ]
    top = (sum(image.height for image in images) - side) // 2
    square = PIL.Image.new("RGB", (side, side))
    square.paste(images[0], (0, -top))
    square.paste(images[1], (0, images[0].height - top))
    return square
