"""Patches of pictures as tiles: what a cell sees, enlarged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.patches import Location, Patches
from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.study.receptive_field import Box, ReceptiveField, receptive_field
from cnnviz_widgets.views.job import Steps

#: Where to look: the strongest of all pictures, or a random sample's around a quantile of its maxima.
RANKS: Mapping[str, float | None] = {
    "strongest": None,
    "95 %": 0.95,
    "90 %": 0.9,
    "75 %": 0.75,
    "median": 0.5,
    "25 %": 0.25,
    "weakest": 0.0,
    "random": None,
}
#: The side of a tile, in pixels.
TILE = 112
_GREY = (128, 128, 128)
#: So many pictures are kept as the network sees them.
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Sheet:
    """Patches to draw: of which layer, channel and rank, where they are, and their crops, uint8 (n, side, side, 3)."""

    layer: str
    channel: int
    rank: str
    locations: Sequence[Location]
    tiles: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Scanned:
    """What a scan of a data set has found so far, and the pictures of it that were read last."""

    classifier: Classifier
    source: Source
    patches: Patches
    kept: dict[int, NDArray[np.uint8]]


def cut_sheet(scanned: Scanned, layer: str, channel: int, rank: str, count: int) -> Steps:
    """Yield a Sheet of `count` patches, after None for each picture that had to be read."""
    patches, classifier = scanned.patches, scanned.classifier
    quantile = RANKS[rank]
    if quantile is not None:
        locations = patches.around(layer, channel, quantile, count)
    else:
        locations = (patches.top if rank == "strongest" else patches.random)(layer, channel, count)
    field = receptive_field(classifier, layer)
    tiles = np.zeros((len(locations), TILE, TILE, 3), np.uint8)
    for number, location in enumerate(locations):
        if location.image not in scanned.kept:
            scanned.kept[location.image] = classifier.appearance(
                classifier.pixels(scanned.source.picture(location.image))
            )
            if len(scanned.kept) > _KEPT:
                del scanned.kept[next(iter(scanned.kept))]
            yield None
        cell = _cell(field, location, classifier.layer(layer).stride)
        tiles[number] = crop(scanned.kept[location.image], field.box(location.row, location.column), cell)
    return Sheet(layer, channel, rank, locations, tiles)


def nearest_scanned(classifier: Classifier, scanned: Iterable[str], layer: str) -> str:
    """The layer itself if it was scanned, else the one that runs nearest to it, of two the earlier."""
    order = {known.name: place for place, known in enumerate(classifier.layers)}
    wanted = order[classifier.layer(layer).name]
    known = [name for name in scanned if name in order]
    return min(known, key=lambda name: (abs(order[name] - wanted), order[name]), default=layer)


def title(source: Source, index: int) -> str:
    """A picture's name, or its class and number."""
    name = source.names[index] or f"item {index}"
    labels, class_names = source.labels, source.class_names
    if not source.names[index] and labels is not None and class_names is not None and labels[index] >= 0:
        return f"{class_names[labels[index]]}, {name}"
    return name


def _cell(field: ReceptiveField, location: Location, stride: tuple[float, float]) -> Box:
    """The part of the picture that a cell is above: a stride's worth around the middle of what it sees."""
    corner = [at * step for at, step in zip((location.row, location.column), stride, strict=True)]
    if field.regular:
        seen = zip((location.row, location.column), field.start, field.stride, field.size, strict=True)
        corner = [start + at * step + (size - step) / 2 for at, start, step, size in seen]
    return Box(round(corner[0]), round(corner[1]), max(1, round(stride[0])), max(1, round(stride[1])))


def crop(picture: NDArray[np.uint8], box: Box, cell: Box) -> NDArray[np.uint8]:
    """The part `box` of a picture (H, W, 3), enlarged into a square tile on grey, uint8 (side, side, 3).

    Boxes are (top, left, height, width). Where `cell`, the place of the activation, is much smaller, it is outlined.
    """
    top, left, height, width = box
    tile = PIL.Image.new("RGB", (TILE, TILE), _GREY)
    if height and width:
        scale = TILE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        seen = PIL.Image.fromarray(picture[top : top + height, left : left + width])
        part = seen.resize(size, PIL.Image.Resampling.BICUBIC)
        if 2 * max(cell[2:]) <= min(height, width):
            corner = (cell[1] - left) * scale, (cell[0] - top) * scale
            outline = (*corner, corner[0] + cell[3] * scale, corner[1] + cell[2] * scale)
            drawing = PIL.ImageDraw.Draw(part)
            drawing.rectangle(outline, outline="black", width=3)
            drawing.rectangle(outline, outline="white")
        tile.paste(part, ((TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return np.asarray(tile)
