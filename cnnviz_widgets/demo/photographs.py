"""Photographs read from the files of other installed packages, without download and without unpickling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets.demo.installed import file_of
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture

# Name, package, and path in the package. The order is one of lessons: covering the cup hurts its class almost
# everywhere, covering chelsea helps hers.
_FILES = (
    ("coffee", "skimage", "data/coffee.png"),
    ("chelsea", "skimage", "data/chelsea.png"),
    ("rocket", "skimage", "data/rocket.jpg"),
    ("china", "sklearn", "datasets/images/china.jpg"),
    ("flower", "sklearn", "datasets/images/flower.jpg"),
)
_CAMERAMAN = ("cameraman", "skimage", "data/camera.png")
# For `crops` only: ImageNet has no class for some of them.
_MORE_FILES = (
    ("astronaut", "skimage", "data/astronaut.png"),
    ("motorcycle", "skimage", "data/motorcycle_left.png"),
    ("coins", "skimage", "data/coins.png"),
    ("brick", "skimage", "data/brick.png"),
    ("grass", "skimage", "data/grass.png"),
    ("gravel", "skimage", "data/gravel.png"),
    ("galaxies", "skimage", "data/hubble_deep_field.jpg"),
)


@dataclass(frozen=True, eq=False)
class CropSet:
    """Squares cut out of photographs.

    `pictures` uint8 (n, side, side, 3); `labels` int64 (n,), an index of `class_names`: the photograph.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]


def crops(n: int = 240, seed: int = 0, side: int = 112) -> CropSet:
    """A CropSet of `n` random squares from twelve photographs in turn, half of them mirrored, resized to `side`.

    A square's width is one third to all of the photograph's shorter side. A smaller `n` gives the first squares of a
    larger one. Raises PictureError if scikit-image is not installed.
    """
    return squares_of_photographs(n, seed, side, 1 / 3)


def squares_of_photographs(n: int, seed: int, side: int, least: float) -> CropSet:
    """A CropSet as `crops` makes it, with squares of at least the share `least` of the photograph's shorter side."""
    photographs = [_read_photograph(*file) for file in (*_FILES, *_MORE_FILES)]
    random = np.random.default_rng(seed)
    squares = np.empty((n, side, side, 3), np.uint8)
    labels = np.arange(n) % len(photographs)
    for index, label in enumerate(labels):
        image = photographs[label].image
        assert image is not None
        width = round(min(image.size) * random.uniform(least, 1))
        left, top = (int(random.integers(length - width + 1)) for length in image.size)
        square = image.convert("RGB").resize(
            (side, side), PIL.Image.Resampling.BICUBIC, (left, top, left + width, top + width)
        )
        squares[index] = np.asarray(square)[:, :: int(random.choice((1, -1)))]
    return CropSet(squares, labels, tuple(photograph.name for photograph in photographs))


def pictures() -> tuple[Picture, ...]:
    """Seven pictures: five photographs of one object each, one that joins two of these, and a greyscale one.

    Raises PictureError if scikit-image is not installed.
    """
    single = [_read_photograph(*file) for file in _FILES]
    both = Picture(_stack(single[1], single[0]), name="cat and coffee")
    return (*single, both, _read_photograph(*_CAMERAMAN))


def _read_photograph(name: str, package: str, path: str) -> Picture:
    return read_picture(file_of(package, path, PictureError), name)


def _stack(above: Picture, below: Picture, side: int = 600) -> PIL.Image.Image:
    """The central square of two photographs, one above the other, each resized to the width `side`."""
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
