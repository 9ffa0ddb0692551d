"""A cell of a layer over the picture: what it can see, what it answers to, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.session import Example
from cnnviz_widgets.study.activations import Activations
from cnnviz_widgets.study.effective_field import effective_field
from cnnviz_widgets.study.receptive_field import ReceptiveField, receptive_field
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts.scales import short

#: The shade over the pixels that a cell answers to (orange, for all kinds of colour vision), and its strength.
_SHADE, _STRENGTH = np.array([230, 159, 0], np.float32), 0.75


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell that was pointed at.

    `answers` is its effective field, what its `channel` answers to, (H, W) in 0..1; or why that is not known.
    """

    maps: Activations
    place: tuple[int, int]
    field: ReceptiveField
    channel: int
    answers: NDArray[np.float32] | str | None = None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of what it can see."""
        top, left, height, width = self.field.box(*self.place)
        return top, left, top + height, left + width

    @property
    def vector(self) -> NDArray[np.float32]:
        """The activations of all channels there, (C,)."""
        return _vector(self.maps, self.place)


def look_at_cell(
    example: Example, maps: Activations, row: int, column: int, chosen: int | None, *, final: bool
) -> Steps:
    """Yield what the cell over a pixel can see and then, once the hand rests, what it answers to.

    It is asked of the channel `chosen`, or else of the cell's strongest.
    """
    place = maps.cell_at(row, column)
    vector = _vector(maps, place)
    channel = int(np.abs(vector).argmax()) if chosen is None or chosen >= len(vector) else chosen
    # The first question about a classifier costs a forward pass, the others nothing.
    cell = Cell(maps, place, receptive_field(example.classifier, maps.layer), channel)
    if not final:
        return cell
    yield cell
    try:
        return replace(cell, answers=effective_field(example.classifier, example.pixels, maps.layer, place, channel))
    except ExplanationError as error:
        return replace(cell, answers=str(error))


def shaded(picture: NDArray[np.uint8], cell: Cell | None) -> NDArray[np.uint8]:
    """The picture, shaded inside the cell's box where it answers to the pixels."""
    if cell is None or not isinstance(cell.answers, np.ndarray):
        return picture
    top, left, bottom, right = cell.box
    strength = np.zeros((*picture.shape[:2], 1), np.float32)
    strength[top:bottom, left:right, 0] = _STRENGTH * cell.answers[top:bottom, left:right]
    blended: NDArray[np.uint8] = np.rint(picture * (1 - strength) + _SHADE * strength).astype(np.uint8)
    return blended


def said_of(cell: Cell) -> str:
    """Sentences about what a cell can see, how strong it is, and what it answers to."""
    field = cell.field
    top, left, height, width = field.box(*cell.place)
    text = f"Cell {cell.place} of {cell.maps.layer} can see {height} x {width} pixels from row {top}, column {left}"
    if field.regular and (height, width) != field.size:
        text += f" ({field.size[0]} x {field.size[1]} with what lies outside the picture)"
    if field.source == "assumed":
        text += " (assumed: an operation before it is not known)"
    best = int(np.abs(cell.vector).argmax())
    text += f"; its strongest channel is {best} ({short(float(cell.vector[best]))})."
    if isinstance(cell.answers, str):
        return f"{text} What it answers to is not known: {cell.answers}"
    if cell.answers is None:
        return text
    if not cell.answers.any():
        return f"{text} Channel {cell.channel} answers to none of them now: its gradient is zero."
    return f"{text} Shaded: what channel {cell.channel} answers to (its gradient)."


def _vector(maps: Activations, place: tuple[int, int]) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = maps.maps[:, place[0], place[1]]
    return vector
