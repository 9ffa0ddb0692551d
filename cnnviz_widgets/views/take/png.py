"""A drawing as a PNG file, by Pillow: it comes with the package, and needs no display."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray

from cnnviz_widgets.views.take.lettering import clean, font_of, spelled
from cnnviz_widgets.views.take.marks import PAPER, Dot, Drawing, Image, Line, Mark, Rectangle, Text

_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png(drawing: Drawing) -> bytes:
    """The drawing as the bytes of a PNG file; the same drawing gives the same bytes."""
    sheet = PIL.Image.new("RGB", (drawing.width, drawing.height), PAPER)
    pen = PIL.ImageDraw.Draw(sheet)
    for mark in drawing.marks:
        _draw(mark, sheet, pen)
    return encoded(np.asarray(sheet))


def encoded(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels, uint8 (h, w, 3), as a PNG file."""
    stream = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG")
    return stream.getvalue()


def _draw(mark: Mark, sheet: PIL.Image.Image, pen: PIL.ImageDraw.ImageDraw) -> None:
    match mark:
        case Image():
            image = PIL.Image.fromarray(np.ascontiguousarray(mark.pixels))
            sheet.paste(image.resize((mark.width, mark.height), PIL.Image.Resampling.NEAREST), (mark.x, mark.y))
        case Rectangle():
            x, y = round(mark.x), round(mark.y)
            right, bottom = max(x, round(mark.x + mark.width) - 1), max(y, round(mark.y + mark.height) - 1)
            pen.rectangle((x, y, right, bottom), mark.fill or None, mark.stroke or None, mark.stroke_width)
        case Line():
            if len(mark.points) > 1:
                pen.line(list(mark.points), mark.stroke, mark.width, joint="curve")
        case Dot():
            reach = mark.radius
            pen.ellipse((mark.x - reach, mark.y - reach, mark.x + reach, mark.y + reach), mark.fill)
        case Text():
            text = spelled(clean(mark.text))
            pen.text((mark.x, mark.y), text, mark.fill, font_of(text, mark.size), anchor=_ANCHORS[mark.anchor])
