"""The parts of a figure on one sheet: a title, the parts, and a caption below them."""

from __future__ import annotations

from collections.abc import Sequence

from cnnviz_widgets.views.take.blocks import GAP, TEXT, beside, block, over, paragraph
from cnnviz_widgets.views.take.marks import INK, Drawing, moved
from cnnviz_widgets.views.take.parts import Part

_MARGIN = 24
#: Parts stand beside each other on a sheet up to so wide; a part that is wider by itself has a row of its own.
_WIDTH = 1240


def sheet(title: str, parts: Sequence[Part], caption: str) -> Drawing:
    """The parts from left to right, in as many rows as they need."""
    rows: list[list[Drawing]] = []
    for one in map(block, parts):
        taken = sum(other.width + GAP for other in rows[-1]) if rows else 0
        if rows and taken + one.width <= _WIDTH:
            rows[-1].append(one)
        else:
            rows.append([one])
    body = [beside(*row) for row in rows]
    width = max([800, *(row.width for row in body)])
    said = [paragraph(caption, width, fill=INK)] if caption else []
    whole = over(paragraph(title, width, TEXT, INK), *body, *said)
    marks = [moved(mark, _MARGIN, _MARGIN) for mark in whole.marks]
    return Drawing(whole.width + 2 * _MARGIN, whole.height + 2 * _MARGIN, marks)
