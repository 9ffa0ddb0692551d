"""The pictures that an app shows in its strip, from whatever the user has passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.source import Source, is_data_set, source_of
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.views.parts.data_set import picture_at
from cnnviz_widgets.views.parts.uploads import pixels_of

#: Most pictures in the strip.
MAX_PICTURES = 500
#: Of a data set so many pictures, evenly spaced, are put into the strip.
_SHOWN = 40
#: Most pixels of the strip's decoded pictures, which are kept: 600 MB in colour.
MAX_PIXELS = 200_000_000
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class PictureList:
    """Pictures that can be read, a sentence for each that cannot, and the data set that they are of, if it is one."""

    pictures: list[Picture]
    refused: list[str]
    data: Source | None
    given: object

    @classmethod
    def of(cls, given: object) -> PictureList:
        """The pictures of anything that `explore` takes. Raises PictureError for a data set without numbers."""
        data = source_of(given) if is_data_set(given) else None
        pictures, refused = read_pictures(given) if data is None else _some_of(data)
        return cls(pictures, refused, data, given)

    def fitting(self, classifier: Classifier) -> PictureList:
        """Those that a network takes."""
        fitting, refused = split_fitting(classifier, self.pictures)
        refused = [*self.refused, *refused]
        if self.given is not None and not fitting and not refused:
            refused = ["There are no pictures here; upload some, or pass a folder of pictures or a data set."]
        return PictureList(fitting, refused, self.data, self.given)

    @property
    def note(self) -> str:
        """What is to be said of pictures that are not shown."""
        told = left_out(self.given)
        if self.data is not None:
            told = [*_of_how_many(self.pictures, self.data), *self.data.notes]
        return " ".join([*self.refused[:3], *told])


def split_fitting(classifier: Classifier, pictures: Sequence[Picture]) -> tuple[list[Picture], list[str]]:
    """The pictures that a network takes, and a sentence for each that it does not."""
    fitting, refused = [], []
    for picture in pictures:
        try:
            if picture.tensor is not None:  # an image is resized, a tensor fits or does not
                classifier.pixels(picture)
        except PictureError as error:
            refused.append(str(error))
        else:
            fitting.append(picture)
    return fitting, refused


def _some_of(data: Source) -> tuple[list[Picture], list[str]]:
    """Pictures from all over a data set, and a sentence for each that cannot be read."""
    pictures: list[Picture] = []
    refused: list[str] = []
    for item in np.linspace(0, len(data) - 1, min(len(data), _SHOWN)).astype(int):
        try:
            pictures.append(picture_at(data, int(item)))
        except PictureError as error:
            refused.append(str(error))
    return pictures, refused


def _of_how_many(shown: Sequence[Picture], data: Source) -> list[str]:
    if len(shown) in (0, len(data)):
        return []
    return [f"{len(shown)} of {len(data):,} pictures are in the strip; Top patches, Neighbours and Map look in all."]


def read_pictures(images: object) -> tuple[list[Picture], list[str]]:
    """The pictures that can be read, and a sentence for each that cannot."""
    pictures: list[Picture] = []
    refused: list[str] = []
    size = 0
    for count, (name, source) in enumerate(_named(images)):
        if count == MAX_PICTURES or size > MAX_PIXELS:
            refused.append(f"Only the first {count} pictures are shown; pass a larger data set as `source`.")
            break
        try:
            picture = read_picture(source, name)
        except PictureError as error:
            refused.append(str(error))
        else:
            pictures.append(picture)
            size += pixels_of(picture)
    return pictures, refused


def _named(images: object) -> Iterable[tuple[str, object]]:
    if images is None:
        return []
    if isinstance(images, Mapping):
        return [(str(name), source) for name, source in images.items()]
    if isinstance(images, str | Path) and Path(images).is_dir():
        return [(path.name, path) for path in sorted(Path(images).iterdir()) if path.suffix.lower() in _SUFFIXES]
    if isinstance(images, list | tuple):
        return [("", source) for source in images]
    if getattr(images, "ndim", 0) == 4:
        return [("", images[index]) for index in range(len(images))]  # type: ignore[index, arg-type]
    return [("", images)]


def left_out(images: object) -> list[str]:
    """What is not shown of a folder that holds pictures itself."""
    if not isinstance(images, str | Path) or not Path(images).is_dir():
        return []
    inner = [path.name for path in sorted(Path(images).iterdir()) if path.is_dir() and any(_named(path))]
    return [f"Pictures in folders inside are not shown; for those pass one, as {inner[0]!r}."] if inner else []
