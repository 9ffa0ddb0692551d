"""A drawing as an SVG file: text stays text, pictures are PNG files inside it."""

from __future__ import annotations

import base64
from xml.sax.saxutils import escape

from cnnviz_widgets.views.take.lettering import clean
from cnnviz_widgets.views.take.marks import PAPER, Dot, Drawing, Image, Line, Mark, Rectangle, Text
from cnnviz_widgets.views.take.png import encoded


def svg(drawing: Drawing, title: str = "") -> str:
    """The drawing as an SVG document that asks nothing of any server and runs nothing."""
    size = f'width="{drawing.width}" height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="Helvetica, Arial, sans-serif">',
        f"<title>{escape(clean(title))}</title>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        *map(_element, drawing.marks),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _element(mark: Mark) -> str:
    match mark:
        case Image():
            data = base64.b64encode(encoded(mark.pixels)).decode()
            place = f'x="{mark.x}" y="{mark.y}" width="{mark.width}" height="{mark.height}"'
            look = 'preserveAspectRatio="none" style="image-rendering: pixelated"'
            return f'<image {place} {look} href="data:image/png;base64,{data}"/>'
        case Rectangle():
            return _rectangle(mark)
        case Line():
            points = " ".join(f"{_number(x)},{_number(y)}" for x, y in mark.points)
            return f'<polyline points="{points}" fill="none" stroke="{mark.stroke}" stroke-width="{mark.width}"/>'
        case Dot():
            place = f'cx="{_number(mark.x)}" cy="{_number(mark.y)}" r="{_number(mark.radius)}"'
            return f'<circle {place} fill="{mark.fill}"/>'
        case Text():
            place = f'x="{_number(mark.x)}" y="{_number(mark.y)}" font-size="{mark.size}" text-anchor="{mark.anchor}"'
            return f'<text {place} fill="{mark.fill}">{escape(clean(mark.text))}</text>'


def _rectangle(mark: Rectangle) -> str:
    # Pillow draws an outline inside its rectangle, SVG on it.
    half = mark.stroke_width / 2 if mark.stroke else 0
    place = f'x="{_number(mark.x + half)}" y="{_number(mark.y + half)}"'
    sides = [_number(max(0.0, side - 2 * half)) for side in (mark.width, mark.height)]
    line = f' stroke="{mark.stroke}" stroke-width="{mark.stroke_width}"' if mark.stroke else ""
    return f'<rect {place} width="{sides[0]}" height="{sides[1]}" fill="{mark.fill or "none"}"{line}/>'
