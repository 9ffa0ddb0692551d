"""Strokes of a hand, which one thread adds to and another makes pictures of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import PIL.Image
import PIL.ImageDraw

from cnnviz_widgets.forks import lock
from cnnviz_widgets.picture import read_picture
from cnnviz_widgets.views.job import Steps

#: Pen and paper.
INKS = {"white on black": ("#ffffff", "#000000"), "black on white": ("#000000", "#ffffff")}
#: How often the other panels' work takes its turn before the next picture: they finish, or nearly.
_TURNS = 4

Point = tuple[float, float]


@dataclass
class Stroke:
    """A line of `points` (x, y) in pixels of the sheet, drawn with a round pen of `width` pixels."""

    width: int
    points: list[Point] = field(default_factory=list)


class Drawing:
    """The strokes on a sheet of `size` (height, width), and whether they have changed since they were taken last."""

    def __init__(self, size: tuple[int, int], ink: str) -> None:
        self.size = size
        self._ink = ink
        self._strokes: list[Stroke] = []
        self._changed = False
        self._lock = lock()

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What has been drawn, the last stroke last."""
        return tuple(self._strokes)

    @property
    def changed(self) -> bool:
        """Whether there is something that `take` has not given yet."""
        return self._changed

    def begin(self, stroke: Stroke) -> None:
        """Add a stroke."""
        with self._lock:
            self._strokes.append(stroke)
            self._changed = True

    def go_on(self, point: Point) -> None:
        """Lengthen the last stroke."""
        with self._lock:
            self._strokes[-1].points.append(point)
            self._changed = True

    def keep(self, count: int) -> None:
        """Keep the first `count` strokes."""
        with self._lock:
            self._strokes = self._strokes[:count]
            self._changed = True

    def use(self, ink: str) -> None:
        """Draw all strokes in other colours, a key of `INKS`."""
        with self._lock:
            self._ink = ink
            self._changed = True

    def settle(self) -> None:
        """Take what is there as given: the next picture is made of what is drawn from now on."""
        self._changed = False

    def take(self) -> PIL.Image.Image | None:
        """The drawing as a greyscale picture, if it has changed since it was taken last."""
        with self._lock:
            if not self._changed:
                return None
            self._changed = False
            strokes = [Stroke(stroke.width, list(stroke.points)) for stroke in self._strokes]
            ink, ground = INKS[self._ink]
        return rasterize(strokes, self.size, ink, ground)


def rasterize(strokes: Sequence[Stroke], size: tuple[int, int], ink: str, ground: str) -> PIL.Image.Image:
    """Strokes as a greyscale picture of `size` (height, width)."""
    image = PIL.Image.new("L", (size[1], size[0]), ground)
    draw = PIL.ImageDraw.Draw(image)
    for stroke in strokes:
        radius = stroke.width / 2
        if len(stroke.points) > 1:
            draw.line(stroke.points, fill=ink, width=stroke.width)
        for x, y in stroke.points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return image


def pictures_of(drawing: Drawing) -> Steps:
    """Yield a picture whenever the drawing has changed; None while other panels follow the last one."""
    while (image := drawing.take()) is not None:
        yield read_picture(image, "sketch")
        for _ in range(_TURNS):
            yield None
