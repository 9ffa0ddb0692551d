"""Generated pictures of shapes with labels and masks, and with a planted shortcut.

In the biased set all squares, and no other shapes, carry a small chequered mark in a corner, so a network may learn the
mark instead of the square. The masks show whether an explanation reveals that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Width and height of a picture, in pixels.
SIDE = 64
CLASSES = ("circle", "square", "triangle", "cross", "ring", "star")
#: The class that carries the mark in the biased set.
MARKED = "square"

_Plane = NDArray[np.float64]
#: Width and height of the mark, in pixels.
_MARK_SIDE = 8


@dataclass(frozen=True, eq=False)
class ShapeSet:
    """`n` pictures with their labels and masks.

    `pictures` uint8 (n, 64, 64, 3); `labels` int64 (n,), an index of CLASSES; `masks` bool (n, 64, 64), the
    visible pixels of the object; `marks` bool (n, 64, 64), the pixels of the mark where there is one.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]
    marks: NDArray[np.bool_]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, by label."""
        return CLASSES


def shapes(n: int, seed: int = 0, shortcut: bool = False, marked: bool | None = None) -> ShapeSet:
    """A ShapeSet of `n` pictures, each of one light shape on a dark ground.

    Class, size, rotation, position and colours are random. With `shortcut` all squares, and no other shapes, carry
    the mark; without it one picture in six does, of any class. `marked` overrides that: the mark is on all pictures
    (True) or on none (False). Except for the mark, the same `seed` gives the same pictures, and a smaller `n` gives the
    first of them.
    """
    random = np.random.default_rng(seed)
    pictures = np.empty((n, SIDE, SIDE, 3), np.uint8)
    labels = np.empty(n, np.int64)
    masks = np.empty((n, SIDE, SIDE), np.bool_)
    marks = np.zeros((n, SIDE, SIDE), np.bool_)
    for index in range(n):
        label = labels[index] = random.integers(len(CLASSES))
        pictures[index], masks[index] = _draw(CLASSES[label], random)
        lucky = random.random() < 1 / len(CLASSES)
        corner = _corner(random)
        carries = CLASSES[label] == MARKED if shortcut else lucky
        if carries if marked is None else marked:
            marks[index][corner] = True
            masks[index][corner] = False
            pictures[index][corner] = _mark()
    return ShapeSet(pictures, labels, masks, marks)


def _draw(name: str, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One picture, uint8 (64, 64, 3), and the mask of its object."""
    ground, paint = _background(random), random.uniform(120, 250, 3)
    # At least 60 of 255 levels lighter than the ground: each object is visible, and a small network learns it quickly.
    while (paint - ground.mean(axis=(0, 1))).mean() < 60:
        paint = random.uniform(120, 250, 3)
    size = random.uniform(9, 17)
    row, column = random.uniform(size + 1, SIDE - size - 1, 2)
    turn = random.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    y, x = rows - row, columns - column
    distance = _DISTANCES[name](
        (np.cos(turn) * y - np.sin(turn) * x) / size, (np.sin(turn) * y + np.cos(turn) * x) / size
    )
    cover = np.clip(0.5 - distance * size, 0, 1)
    shaded = paint + 12 * _blobs(random)[..., None]
    picture = ground + cover[..., None] * (shaded - ground) + random.normal(0, 6, (SIDE, SIDE, 3))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), cover > 0.5


def _background(random: np.random.Generator) -> _Plane:
    """A dark ground (64, 64, 3) of two similar colours, blended by smooth noise or stripes."""
    first, second = random.uniform(5, 125, (2, 3))
    second = first + 0.3 * (second - first)
    if random.random() < 0.5:
        blend = _blobs(random)
    else:
        turn, wave, phase = random.uniform(0, np.pi), random.uniform(5, 16), random.uniform(0, 2 * np.pi)
        rows, columns = np.mgrid[:SIDE, :SIDE]
        blend = np.sin(2 * np.pi * (np.cos(turn) * rows + np.sin(turn) * columns) / wave + phase)
    ground: _Plane = first + (0.5 + 0.5 * blend[..., None]) * (second - first)
    return ground


def _blobs(random: np.random.Generator) -> _Plane:
    """Smooth noise (64, 64) within about -1..1: a coarse random grid, interpolated."""
    coarse = random.uniform(-1, 1, (9, 9))
    at = np.linspace(0, 8, SIDE, endpoint=False)
    low, share = at.astype(int), at % 1
    rows = coarse[low] * (1 - share[:, None]) + coarse[low + 1] * share[:, None]
    blended: _Plane = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    return blended


def _corner(random: np.random.Generator) -> tuple[slice, slice]:
    """The rows and columns of a mark, in a random corner."""
    ends = random.integers(0, 2, 2)
    row, column = np.where(ends, SIDE - _MARK_SIDE - 1, 1)
    return slice(row, row + _MARK_SIDE), slice(column, column + _MARK_SIDE)


def _mark() -> NDArray[np.uint8]:
    """A chequered mark, uint8 (8, 8, 1), of 2 x 2 cells."""
    cells = np.add.outer(np.arange(_MARK_SIDE) // 2, np.arange(_MARK_SIDE) // 2) % 2
    return (255 * cells[..., None]).astype(np.uint8)


def _triangle(y: _Plane, x: _Plane) -> _Plane:
    """The distance from an equilateral triangle."""
    angles = np.arange(3) * 2 * np.pi / 3
    distance: _Plane = np.max([np.cos(angle) * y + np.sin(angle) * x for angle in angles], axis=0) - 0.5
    return distance


def _star(y: _Plane, x: _Plane) -> _Plane:
    """The distance from a star of five points: by symmetry, from the line between a tip and the notch beside it."""
    radius, angle = np.hypot(y, x), np.arctan2(x, y)
    angle = np.abs((angle + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    notch = 0.42 * np.array([np.cos(np.pi / 5), np.sin(np.pi / 5)])
    normal = np.array([notch[1], 1 - notch[0]]) / np.hypot(notch[1], 1 - notch[0])
    distance: _Plane = normal[0] * (radius * np.cos(angle) - 1) + normal[1] * radius * np.sin(angle)
    return distance


# The distance of (y, x) from each shape's outline, negative inside; all lengths are in units of the shape's size.
_DISTANCES: dict[str, Callable[[_Plane, _Plane], _Plane]] = {
    "circle": lambda y, x: np.hypot(y, x) - 0.85,
    "square": lambda y, x: np.maximum(np.abs(y), np.abs(x)) - 0.7,
    "triangle": _triangle,
    "cross": lambda y, x: np.minimum(
        np.maximum(np.abs(y) - 0.92, np.abs(x) - 0.27), np.maximum(np.abs(x) - 0.92, np.abs(y) - 0.27)
    ),
    "ring": lambda y, x: np.abs(np.hypot(y, x) - 0.68) - 0.22,
    "star": _star,
}
