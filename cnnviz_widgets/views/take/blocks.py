"""Each kind of part as a block of marks, which lies anywhere on a sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets.paint import color_table, colorize
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.take.lettering import cut, width_of, wrapped
from cnnviz_widgets.views.take.marks import (
    ACCENT,
    GHOST,
    INK,
    PALE,
    Dot,
    Drawing,
    Image,
    Line,
    Mark,
    Rectangle,
    Text,
    moved,
)
from cnnviz_widgets.views.take.parts import (
    BarsPart,
    CurvesPart,
    Frame,
    MapPart,
    Part,
    PicturePart,
    PointsPart,
    TilesPart,
)

#: Heights of text, in pixels; a figure is twice as large as the page, to be sharp in print.
TEXT, SMALL = 22, 18
GAP = 20
#: Pictures smaller than the first are enlarged by a whole number, larger ones than the second are reduced.
_LEAST, _MOST = 360, 720
_CHART_WIDTH, _CHART_HEIGHT = 720, 300
_SHEET_WIDTH = 1200
_POINTS = 720
#: More tiles than the first are half as large; of more than the second, which would fill a sheet of metres, only the
#: first are drawn.
_LARGE_TILES, _MOST_TILES = 32, 128


def block(part: Part) -> Drawing:
    """The marks of a part, from (0, 0) on."""
    match part:
        case PicturePart():
            return _below(_picture(part.picture, part.frames), part.caption)
        case MapPart():
            return _map(part)
        case TilesPart():
            return _tiles(part)
        case BarsPart():
            return _bars(part)
        case CurvesPart():
            return _curves(part)
        case PointsPart():
            return _points(part)


def beside(*blocks: Drawing) -> Drawing:
    """Blocks from left to right."""
    marks, right = [], 0
    for one in blocks:
        marks += [moved(mark, right, 0) for mark in one.marks]
        right += one.width + GAP
    return Drawing(right - GAP, max(one.height for one in blocks), marks)


def over(*blocks: Drawing, gap: int = GAP) -> Drawing:
    """Blocks from top to bottom."""
    marks, down = [], 0
    for one in blocks:
        marks += [moved(mark, 0, down) for mark in one.marks]
        down += one.height + gap
    return Drawing(max(one.width for one in blocks), down - gap, marks)


def paragraph(text: str, width: int, size: int = SMALL, fill: str = PALE) -> Drawing:
    """Lines of text, at most `width` pixels wide."""
    lines = wrapped(text, width, size)
    step = round(size * 1.35)
    marks = [Text(0, size + number * step, line, size, fill) for number, line in enumerate(lines)]
    return Drawing(width, step * len(lines), marks)


def _below(drawn: Drawing, caption: str) -> Drawing:
    return over(drawn, paragraph(caption, drawn.width), gap=6) if caption else drawn


# -- pictures and maps -------------------------------------------------------------------------------------------


def _shown_size(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Height and width of a picture on the sheet."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    scale = -(-_LEAST // longest) if longest <= _MOST else _MOST / longest
    return max(1, round(height * scale)), max(1, round(width * scale))


def _picture(pixels: NDArray[np.uint8], frames: Sequence[Frame] = (), of: NDArray[np.uint8] | None = None) -> Drawing:
    """Pixels at the size at which the picture `of`, by default themselves, is shown; frames are in its pixels."""
    of = pixels if of is None else of
    height, width = _shown_size(of)
    if pixels.shape[0] > height:  # reduced, each pixel is a mean of what it stands for
        image = PIL.Image.fromarray(np.ascontiguousarray(pixels))
        pixels = np.asarray(image.resize((width, height), PIL.Image.Resampling.BOX))
    marks: list[Mark] = [Image(0, 0, width, height, pixels)]
    down, right = height / of.shape[0], width / of.shape[1]
    for top, left, bottom, far in frames:
        top, left, bottom, far = max(top, 0), max(left, 0), min(bottom, of.shape[0]), min(far, of.shape[1])
        place = left * right, top * down, (far - left) * right, (bottom - top) * down
        marks += [Rectangle(*place, stroke="#000000", stroke_width=4), Rectangle(*place, stroke="#ffffff")]
    return Drawing(width, height, marks)


def _map(part: MapPart) -> Drawing:
    """The picture, the map cell by cell, and the map over the picture; below, what its colours mean."""
    colours = colorize(part.cells, part.low, part.high, part.table)
    panes = beside(
        _below(_picture(part.picture, part.frames), "picture"),
        _below(_picture(colours, (), part.picture), "map"),
        _below(_picture(over_grey(part), (), part.picture), "map over the picture"),
    )
    return over(_below(panes, part.caption), colour_bar(part), gap=12)


def over_grey(part: MapPart) -> NDArray[np.uint8]:
    """The map over the picture in grey, the more opaque the larger the absolute value: uint8 (H, W, 3)."""
    height, width = part.picture.shape[:2]
    smooth = PIL.Image.fromarray(part.cells.astype(np.float32)).resize((width, height), PIL.Image.Resampling.BILINEAR)
    values = np.asarray(smooth)
    reach = max(abs(part.low), abs(part.high)) or 1.0
    opacity = np.nan_to_num(np.clip(np.abs(values) / reach, 0, 1))[..., None]
    grey = np.asarray(PIL.Image.fromarray(part.picture).convert("L"))[..., None]
    blended = grey * (1 - opacity) + colorize(values, part.low, part.high, part.table) * opacity
    result: NDArray[np.uint8] = np.rint(blended).astype(np.uint8)
    return result


def colour_bar(part: MapPart) -> Drawing:
    """The colour table between the ends of the scale, under the name of the quantity."""
    width, height = 520, 18
    ends = [part.low, 0.0, part.high] if part.low < 0 < part.high else [part.low, part.high]
    marks: list[Mark] = [
        Image(0, 0, width, height, color_table(part.table)[None]),
        Rectangle(0, 0, width, height, stroke=PALE),
    ]
    for number, end in enumerate(ends):
        place = (end - part.low) / (part.high - part.low) if part.high > part.low else float(number)
        anchors = {0: "start", len(ends) - 1: "end"}
        marks.append(Text(place * width, height + 22, short(end), SMALL, INK, anchors.get(number, "middle")))  # type: ignore[arg-type]
    name = f"{part.quantity} (scale: {part.scale})" if part.scale else part.quantity
    return over(paragraph(name, 1000, fill=INK), Drawing(width, height + 28, marks), gap=4)


# -- tiles -------------------------------------------------------------------------------------------------------


def _tiles(part: TilesPart) -> Drawing:
    whole, tall, wide = part.tiles.shape[:3]
    count = min(whole, _MOST_TILES)
    caption = part.caption if count == whole else f"{part.caption}; the first {count} of {whole} are drawn"
    width = max(48, part.width * (2 if count <= _LARGE_TILES else 1))
    height = max(1, round(width * tall / wide))
    columns = part.columns or max(1, (_SHEET_WIDTH + 8) // (width + 8))
    lines = 2 if any(part.badges) else 1
    marks: list[Mark] = []
    for number in range(count):
        x, y = (number % columns) * (width + 8), (number // columns) * (height + 24 * lines + 12)
        marks.append(Image(x, y, width, height, part.tiles[number]))
        for line, texts in enumerate((part.labels, part.badges)):
            text = texts[number] if number < len(texts) else ""
            if text:
                shown = cut(text, width, SMALL)
                marks.append(Text(x, y + height + 20 + 24 * line, shown, SMALL, (INK, PALE)[line]))
    rows = -(-count // columns)
    across = min(columns, count) * (width + 8) - 8
    sheet = Drawing(max(across, 360), rows * (height + 24 * lines + 12), marks)
    return over(paragraph(caption, max(sheet.width, 480)), sheet, gap=6) if caption else sheet


# -- charts ------------------------------------------------------------------------------------------------------


def _bars(part: BarsPart) -> Drawing:
    names = [cut(name, 300, SMALL) for name in part.names]
    left = round(max((width_of(name, SMALL) for name in names), default=0)) + 12
    across, step = _CHART_WIDTH - left - 80, 34
    extent = (part.high - part.low) or 1.0

    def place(value: float) -> float:
        return left + across * min(1.0, max(0.0, (value - part.low) / extent))

    marks: list[Mark] = []
    for row, name in enumerate(names):
        y = row * step
        marks.append(Text(left - 10, y + 22, name, SMALL, INK, "end"))
        for values, colour, inset in ((part.behind, GHOST, 2), (part.values, ACCENT, 8)):
            if row < len(values):
                ends = sorted((place(0.0), place(values[row])))
                marks.append(Rectangle(ends[0], y + inset, max(1, ends[1] - ends[0]), step - 4 - 2 * inset, colour))
        if row < len(part.values):
            marks.append(Text(left + across + 10, y + 22, short(part.values[row]), SMALL, INK))
    return _below(Drawing(_CHART_WIDTH, step * len(names), marks), part.caption)


def _curves(part: CurvesPart) -> Drawing:
    points = [point for line in part.lines for point in line if np.isfinite(point).all()]
    xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
    low, high = part.ends or (min(ys), max(ys))
    left, bottom, width = 90, _CHART_HEIGHT - 60, _CHART_WIDTH - 110

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - min(xs)) / ((max(xs) - min(xs)) or 1.0)
        return left + width * across, bottom - (bottom - 16) * (y - low) / ((high - low) or 1.0)

    marks: list[Mark] = [Line([(left, 8), (left, bottom), (left + width, bottom)], PALE, 1)]
    marks += [Text(left - 8, at(0, end)[1] + 6, short(end), SMALL, INK, "end") for end in (low, high)]
    marks += [Text(at(end, low)[0], bottom + 24, short(end), SMALL, INK, "middle") for end in {min(xs), max(xs)}]
    marks.append(Text(left + width / 2, bottom + 24, part.across, SMALL, PALE, "middle"))
    marks.append(Text(left + 8, 20, part.up, SMALL, PALE))
    for line, colour in zip(part.lines, part.colours, strict=False):
        marks.append(Line([at(x, y) for x, y in line if np.isfinite([x, y]).all()], colour, 3))
    return _below(Drawing(_CHART_WIDTH, _CHART_HEIGHT - 24, marks), part.caption)


def _points(part: PointsPart) -> Drawing:
    chosen = np.zeros(len(part.positions), bool)
    chosen[part.selected] = True
    marks: list[Mark] = [Rectangle(0, 0, _POINTS, _POINTS, stroke=GHOST)]
    for row in np.argsort(chosen, kind="stable"):
        x, y = ((part.positions[row] * (1, -1) * 0.94 + 1) / 2 * _POINTS).tolist()
        pale = len(part.selected) and not chosen[row]
        marks.append(Dot(x, y, 5, _paler(part.colours[row]) if pale else part.colours[row]))
    names = _legend(part.legend)
    return _below(
        beside(Drawing(_POINTS, _POINTS, marks), names) if names.marks else Drawing(_POINTS, _POINTS, marks),
        part.caption,
    )


def _legend(legend: Sequence[tuple[str, str]]) -> Drawing:
    marks: list[Mark] = []
    for row, (colour, name) in enumerate(legend):
        marks += [Dot(8, 28 * row + 14, 7, colour), Text(24, 28 * row + 20, cut(name, 220, SMALL), SMALL)]
    return Drawing(250, 28 * len(legend), marks)


def _paler(colour: str) -> str:
    channels = (round(255 - 0.2 * (255 - int(colour[at : at + 2], 16))) for at in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in channels)
