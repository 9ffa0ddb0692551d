"""Draw the network's input by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
import PIL.ImageDraw

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.schedule import LatestWins, in_turn
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.parts.reading import verdict
from cnnviz_widgets.views.parts.scores import ScoreBars
from cnnviz_widgets.views.view import View, Work
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider

SIDE = 320
WIDTHS = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64)
INKS = {"white on black": ("#ffffff", "#000000"), "black on white": ("#000000", "#ffffff")}
#: A hand draws some hundred points a second; far more come from a script, and would be drawn again at every stroke.
_MOST_POINTS = 20_000
#: How often the other panels' work takes its turn before the next picture: they finish, or nearly.
_TURNS = 4
_BEST = 6

Point = tuple[float, float]


@dataclass
class Stroke:
    """A line of `points` (x, y) in pixels of the sheet, drawn with a round pen of `width` pixels."""

    width: int
    points: list[Point] = field(default_factory=list)


def rasterised(strokes: Sequence[Stroke], size: tuple[int, int], ink: str, ground: str) -> PIL.Image.Image:
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


class SketchView(View):
    """A sheet to draw the network's input on, with mouse, pen or finger; every linked view follows the hand.

    `SketchView(model)` or, linked with other views, `SketchView(session)`. The drawing becomes the session's picture
    from the first stroke on. While the hand draws, a picture is made whenever the work for the last one is done: the
    newest strokes, never a queue of old ones.
    """

    depends_on = ("classifier", "picture")

    def __init__(self, model: object, picture: object = None, **options: Any):
        self._strokes: list[Stroke] = []
        self._drawing = False
        self._changed = False
        self._sketches = LatestWins()
        #: The session's choices of a picture at the last stroke: what is chosen after it, stays.
        self._choices = 0
        self._sketch: Picture | None = None
        super().__init__(model, picture, **options)

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What has been drawn."""
        return tuple(self._strokes)

    # -- widgets -------------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        # Only this view needs it.
        from ipycanvas import Canvas

        height, width = self.session.classifier.input_size
        scale = SIDE / max(height, width)
        self._sheet_size = round(height * scale), round(width * scale)
        self._spare = Canvas(width=1, height=1)
        self.sheet = Canvas(width=self._sheet_size[1], height=self._sheet_size[0])
        self.sheet.layout.width, self.sheet.layout.height = f"{self.sheet.width}px", f"{self.sheet.height}px"
        self.sheet.layout.border = "1px solid #888"
        self.sheet.layout.flex = "0 0 auto"
        self.sheet.on_client_ready(self._redraw)
        self.sheet.on_mouse_down(self._begin)
        self.sheet.on_mouse_move(self._go_on)
        self.sheet.on_mouse_up(lambda x, y: self._end())
        self.sheet.on_mouse_out(lambda x, y: self._end())
        self.sheet.on_touch_start(lambda touches: self._begin(*touches[0]) if touches else None)
        self.sheet.on_touch_move(lambda touches: self._go_on(*touches[0]) if touches else None)
        self.sheet.on_touch_end(lambda touches: self._end())
        self.sheet.on_touch_cancel(lambda touches: self._end())
        small = self.session.classifier.channels == 1 or max(height, width) <= 64
        self.ink_picker = Picker(options=list(INKS), index=0 if small else 1, description="pen", searchable=False)
        self.on_control(self.ink_picker, lambda _: self._drawn_anew())
        # A tenth of the sheet: the strokes of a handwritten digit.
        self.width_slider = OptionSlider(
            options=[str(width) for width in WIDTHS], index=WIDTHS.index(32), description="width"
        )
        self.undo_button = ipywidgets.Button(description="Undo", layout=ipywidgets.Layout(width="72px"))
        self.undo_button.on_click(lambda _: self.undo())
        self.clear_button = ipywidgets.Button(description="Clear", layout=ipywidgets.Layout(width="72px"))
        self.clear_button.on_click(lambda _: self.clear())
        self.canvas = PictureCanvas(label="no picture yet", display_width=160)
        self.canvas.layout.display = "none"
        self.bars = ScoreBars()
        pad = ipywidgets.VBox(
            [
                self.sheet,
                self.ink_picker,
                self.width_slider,
                ipywidgets.HBox([self.undo_button, self.clear_button]),
            ]
        )
        side = ipywidgets.VBox(
            [ipywidgets.Label("What the network sees:"), self.canvas, self.bars],
            layout=ipywidgets.Layout(flex="1 1 320px", max_width="520px"),
        )
        return [ipywidgets.HBox([pad, side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="16px"))]

    # -- the hand ------------------------------------------------------------------------------------------------

    @in_turn
    def _begin(self, x: object, y: object) -> None:
        point = self._on_sheet(x, y)
        if point is None:
            return
        if sum(len(stroke.points) for stroke in self._strokes) >= _MOST_POINTS:
            self.status.say("The sheet is full of strokes; press Clear to begin anew.")
            return
        self._drawing = True
        self._strokes.append(Stroke(WIDTHS[self.width_slider.index], [point]))
        self._take_pen(self._strokes[-1])
        self._follow()

    @in_turn
    def _go_on(self, x: object, y: object) -> None:
        point = self._on_sheet(x, y) if self._drawing else None
        if point is None:
            return
        stroke = self._strokes[-1]
        before = stroke.points[-1]
        # A slow hand sends the same place over and over.
        if math.dist(before, point) < 1 or len(stroke.points) >= _MOST_POINTS:
            return
        stroke.points.append(point)
        self.sheet.stroke_line(*before, *point)
        self._follow()

    @in_turn
    def _end(self) -> None:
        self._drawing = False

    def _on_sheet(self, x: object, y: object) -> Point | None:
        """The point, moved onto the sheet; None if the browser sent no point."""
        numbers = [value for value in (x, y) if isinstance(value, int | float) and math.isfinite(value)]
        if len(numbers) != 2:
            return None
        height, width = self._sheet_size
        return min(max(float(numbers[0]), 0.0), float(width)), min(max(float(numbers[1]), 0.0), float(height))

    def undo(self) -> None:
        """Take the last stroke back."""
        self._strokes = self._strokes[:-1]
        self._drawn_anew()

    def clear(self) -> None:
        """An empty sheet, which becomes the picture."""
        self._strokes = []
        self._drawn_anew()

    def _drawn_anew(self) -> None:
        self._drawing = False
        self._redraw()
        if self._sketch is not None:  # the first picture is the hand's
            self._follow()

    # -- the sheet -----------------------------------------------------------------------------------------------

    @property
    def _colours(self) -> tuple[str, str]:
        return INKS[self.ink_picker.options[self.ink_picker.index or 0]]

    @in_turn
    def _redraw(self) -> None:
        """Draw everything anew: a page that is opened later, or again, knows nothing of the strokes."""
        ink, ground = self._colours
        # ipycanvas tells a page which canvas is meant only when that changes, and a new page has not heard of it.
        self._spare.clear()
        self.sheet.fill_style = ground
        self.sheet.fill_rect(0, 0, self.sheet.width, self.sheet.height)
        self.sheet.fill_style = self.sheet.stroke_style = ink
        self.sheet.line_cap = self.sheet.line_join = "round"
        for stroke in self._strokes:
            self._take_pen(stroke)
            if len(stroke.points) > 1:
                self.sheet.stroke_lines(stroke.points)

    def _take_pen(self, stroke: Stroke) -> None:
        """The first dot of a stroke, and the width of all that follows."""
        self.sheet.line_width = stroke.width
        self.sheet.fill_circle(*stroke.points[0], stroke.width / 2)

    # -- from strokes to the session's picture -------------------------------------------------------------------

    def _follow(self) -> None:
        """Make the strokes the picture, at once or when the work for the last picture is done."""
        self._changed = True
        self._choices = self.session.choices
        if not self._sketches.busy:
            # The hand is there: it waits for no page, which shows its strokes by itself.
            self._sketches.submit(self._pictures(), self._look_at, self.fail, self._follow_rest)

    def _follow_rest(self) -> None:
        # A stroke may have come between the last look at it and the end.
        if self._changed and not self._sketches.busy:
            self._follow()

    def _pictures(self) -> Work:
        while (drawn := self._newest()) is not None:
            strokes, (ink, ground) = drawn
            yield read_picture(rasterised(strokes, self._sheet_size, ink, ground), "sketch")
            for _ in range(_TURNS):
                yield None

    @in_turn
    def _newest(self) -> tuple[list[Stroke], tuple[str, str]] | None:
        """The strokes and the colours if the hand has changed them; called on the worker."""
        if not self._changed:
            return None
        self._changed = False
        return [Stroke(stroke.width, list(stroke.points)) for stroke in self._strokes], self._colours

    def _look_at(self, picture: Picture | None) -> None:
        if self._choices != self.session.choices:
            self._sketches.cancel()
            self._changed = self._drawing = False
        elif picture is not None:
            self._sketch = picture
            self.session.picture = picture
            self._choices = self.session.choices

    # -- what the network says -----------------------------------------------------------------------------------

    def snapshot(self) -> Any:
        if self.session.picture is None:
            raise PictureError("Draw something: what the network takes it for is shown while you draw.")
        return self.session.scene

    def work(self, scene: Scene) -> Work:
        return _judge(scene.example)

    def draw(self, result: Example) -> None:
        names, shares = result.classifier.class_names, result.probabilities
        self.canvas.layout.display = None
        self.canvas.show(result.appearance)
        self.canvas.label = f"{result.picture.name or 'picture'} as the network sees it"
        best = [int(index) for index in np.argsort(-shares)[:_BEST]]
        self.bars.show_whole(names, best, shares, result.classifier.scores)
        what = "this sketch" if result.picture is self._sketch else result.picture.name or "the picture"
        self.status.say(verdict(result, what, 1))

    def fail(self, error: Exception) -> None:
        self._drawing = False
        super().fail(error)

    def stop(self) -> None:
        super().stop()
        self._sketches.cancel()


def _judge(example: Example) -> Work:
    # What the panel draws from is computed here, on the worker.
    _ = example.logits, example.appearance
    yield example
