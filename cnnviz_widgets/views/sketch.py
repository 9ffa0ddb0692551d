"""Draw the network's input by hand."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets
import traitlets

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, one_step
from cnnviz_widgets.views.layout import column, row, show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.class_list import ClassList
from cnnviz_widgets.views.parts.drawing import INKS, Drawing, Point, Stroke, pictures_of
from cnnviz_widgets.views.parts.reading import verdict
from cnnviz_widgets.views.questions.classes import class_of_sketch
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider

#: The longer side of the sheet, in CSS pixels.
SIDE = 320
WIDTHS = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64)
#: A hand draws some hundred points a second; far more come from a script, and would be drawn again at every stroke.
_MAX_POINTS = 20_000


class SketchView(Panel):
    """A sheet to draw the network's input on, with mouse, pen or finger; every linked view follows the hand.

    `SketchView(model)` or, linked with other views, `SketchView(session)`. The drawing becomes the session's picture
    from the first stroke on. While the hand draws, a picture is made whenever the work for the last one is done: the
    newest strokes, never a queue of old ones.
    """

    follows = ("classifier", "picture")

    def __init__(self, model: object, picture: object = None, **options: Any) -> None:
        super().__init__(model, picture, **options)
        self._is_drawing = False
        #: The session's choices of a picture at the last stroke: what is chosen after it, stays.
        self._choices = 0
        self._sketch: Picture | None = None
        self._shown: Example | None = None
        # The hand is there: it waits for no page, which shows its strokes by itself.
        self.sketch_job = self.job(self._look_at, rests=False, waits_for_page=False)
        self.work = self.job(self._draw)
        self._make_widgets()
        self.follow(["target"], self._show_classes)
        self.begin()

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What has been drawn."""
        return self._drawing.strokes

    def table(self) -> Columns:
        """What the network says of the drawing, for each class."""
        return table.of_classes(required(self._shown))

    def question(self) -> Question | None:
        session = self.session
        ready = session.picture is not None and not self.work.busy
        return class_of_sketch(self.pad, session.classifier, session.example if ready else None)

    # -- widgets -------------------------------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        classifier = self.session.classifier
        height, width = classifier.input_size
        scale = SIDE / max(height, width)
        small = classifier.channels == 1 or max(height, width) <= 64
        self.ink_picker = Picker(options=list(INKS), index=0 if small else 1, description="pen", searchable=False)
        self.on(self.ink_picker, Picked, self._ink_picked)
        self._drawing = Drawing((round(height * scale), round(width * scale)), list(INKS)[self.ink_picker.index or 0])
        self._make_sheet()
        # A tenth of the sheet: the strokes of a handwritten digit.
        widths = [str(width) for width in WIDTHS]
        self.width_slider = OptionSlider(options=widths, index=WIDTHS.index(32), description="width")
        self.undo_button, self.clear_button = self.button("Undo", self.undo), self.button("Clear", self.clear)
        self.canvas = PictureCanvas(label="no picture yet", display_width=160)
        show_if(False, self.canvas)
        self.class_list = ClassList(self, self.work)
        self.bars = self.class_list.bars
        buttons = ipywidgets.HBox([self.undo_button, self.clear_button])
        self.pad = ipywidgets.VBox([self.sheet, self.ink_picker, self.width_slider, buttons])
        self.show(row(self.pad, column(ipywidgets.Label("What the network sees:"), self.canvas, self.class_list)))

    def _make_sheet(self) -> None:
        # Only this view needs it.
        from ipycanvas import Canvas

        height, width = self._drawing.size
        self._spare = Canvas(width=1, height=1)
        self.sheet = Canvas(width=width, height=height)
        self.sheet.layout.width, self.sheet.layout.height = f"{width}px", f"{height}px"
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

    # -- the hand ------------------------------------------------------------------------------------------------

    @in_turn
    def _begin(self, x: object, y: object) -> None:
        point = self._on_sheet(x, y)
        if point is None:
            return
        if sum(len(stroke.points) for stroke in self.strokes) >= _MAX_POINTS:
            self.say("The sheet is full of strokes; press Clear to begin anew.")
            return
        self._is_drawing = True
        self._drawing.begin(Stroke(WIDTHS[self.width_slider.index], [point]))
        self._take_pen(self.strokes[-1])
        self._follow()

    @in_turn
    def _go_on(self, x: object, y: object) -> None:
        point = self._on_sheet(x, y) if self._is_drawing else None
        if point is None:
            return
        stroke = self.strokes[-1]
        before = stroke.points[-1]
        # A slow hand sends the same place over and over.
        if math.dist(before, point) < 1 or len(stroke.points) >= _MAX_POINTS:
            return
        self._drawing.go_on(point)
        self.sheet.stroke_line(*before, *point)
        self._follow()

    @in_turn
    def _end(self) -> None:
        self._is_drawing = False

    def _on_sheet(self, x: object, y: object) -> Point | None:
        """The point, moved onto the sheet; None if the browser sent no point."""
        numbers = [value for value in (x, y) if isinstance(value, int | float) and math.isfinite(value)]
        if len(numbers) != 2:
            return None
        height, width = self._drawing.size
        return min(max(float(numbers[0]), 0.0), float(width)), min(max(float(numbers[1]), 0.0), float(height))

    def undo(self) -> None:
        """Take the last stroke back."""
        self._drawing.keep(max(0, len(self.strokes) - 1))
        self._draw_anew()

    def clear(self) -> None:
        """An empty sheet, which becomes the picture."""
        self._drawing.keep(0)
        self._draw_anew()

    def _ink_picked(self, event: Picked) -> None:
        self._drawing.use(list(INKS)[event.index])
        self._draw_anew()

    def _draw_anew(self) -> None:
        self._is_drawing = False
        self._redraw()
        if self._sketch is None:  # the first picture is the hand's
            self._drawing.settle()
        else:
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
        for stroke in self.strokes:
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
        self._choices = self.session.choices
        if not self.sketch_job.busy:
            self.sketch_job.start(pictures_of(self._drawing), self._follow_rest)

    def _follow_rest(self) -> None:
        # A stroke may have come between the last look at it and the end.
        if self._drawing.changed and not self.sketch_job.busy and self._choices == self.session.choices:
            self._follow()

    def _look_at(self, picture: Picture) -> None:
        if self._choices != self.session.choices:
            self._let_go()
            return
        self._sketch = picture
        self.session.picture = picture
        self._choices = self.session.choices

    def _let_go(self) -> None:
        """Leave the picture that was chosen meanwhile, until the hand draws again."""
        self.sketch_job.cancel()
        self._drawing.settle()
        self._is_drawing = False

    # -- what the network says -----------------------------------------------------------------------------------

    def compute(self) -> Job:
        if self.session.picture is None:
            raise PictureError("Draw something: what the network takes it for is shown while you draw.")
        return self.work.start(_judge(self.session.example))

    def _draw(self, example: Example) -> None:
        self._shown = example
        show_if(True, self.canvas)
        self.canvas.show(example.appearance)
        self.canvas.label = f"{example.picture.name or 'picture'} as the network sees it"
        self._show_classes()
        what = "this sketch" if example.picture is self._sketch else example.picture.name or "the picture"
        self.say(verdict(example, what, 1))

    def _show_classes(self) -> None:
        if self._shown is not None:
            target = self.session.target
            self.class_list.show(self._shown, self._shown.predicted if target is None else target)

    @traitlets.observe("error")
    def _stop_drawing(self, _: Any) -> None:
        if self.error:
            self._is_drawing = False


@one_step
def _judge(example: Example) -> Example:
    # What the panel draws from is computed here, on the worker.
    _ = example.logits, example.appearance
    return example
