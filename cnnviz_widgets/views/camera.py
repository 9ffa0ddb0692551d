"""The camera as the picture, live or frozen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ipywidgets

from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.guess import Question
from cnnviz_widgets.views.job import Job, Steps, one_step
from cnnviz_widgets.views.layout import column, row, show_if
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.class_list import ClassList
from cnnviz_widgets.views.parts.reading import verdict
from cnnviz_widgets.views.parts.uploads import small_picture
from cnnviz_widgets.views.questions.classes import class_of_camera
from cnnviz_widgets.views.take import table
from cnnviz_widgets.views.take.table import Columns, required
from cnnviz_widgets.widgets.camera import Camera, FrameTaken
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.upload import Uploaded

NAME = "camera"
#: Frames are sent at twice the side of the network's input, so that its resizing has something to average, in pixels.
_LEAST_SIDE, _MOST_SIDE = 160, 640
#: So many classes are named.
_NAMED = 3
#: How often the other panels' work takes its turn before the next frame.
_TURNS = 4
#: Seconds after which a frame waits no longer for the first results of other panels: slow work is begun anew with it.
PATIENCE = 4.0
#: Seconds between two looks at whether they have come.
_PAUSE = 0.002


class CameraView(Panel):
    """The browser's camera as the session's picture; every linked view follows it as fast as the network answers.

    `CameraView(model)` or, linked with other views, `CameraView(session)`. The camera is started on the page, by hand.
    The next frame is taken when the work for the last is done, or has its first results: `others_wait` says whether
    panels beside this one still owe theirs. A click freezes the picture. No frame is kept but the one that is shown.
    """

    follows = ("classifier", "picture")

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        others_wait: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> None:
        super().__init__(model, picture, **options)
        self._others_wait = others_wait
        #: The run of the camera that is followed, and the session's choices of a picture at its last frame.
        self._run, self._choices = 0, 0
        self._frame: Picture | None = None
        self._shown: Example | None = None
        #: Came before the work for the last one was done, as a page does not wait for long.
        self._next: FrameTaken | None = None
        # The hand is there: it waits for no page, which shows the camera by itself.
        self.frame_job = self.job(self._look_at, rests=False, waits_for_page=False)
        self.work = self.job(self._draw)
        side = 2 * max(self.session.classifier.input_size)
        self.camera = Camera(max_side=min(max(side, _LEAST_SIDE), _MOST_SIDE))
        self.canvas = PictureCanvas(label="no picture yet", display_width=160)
        self.class_list = ClassList(self, self.work)
        show_if(False, self.canvas)
        self.on(self.camera, FrameTaken, self._take)
        self.link(self._halt_unless_active, ["active"])
        seen = ipywidgets.Label("What the network sees:")
        self.show(row(self.camera, column(seen, self.canvas, self.class_list, least=240)))
        self.follow(["target"], self._show_classes)
        self.begin()

    def halt(self) -> None:
        """Let the camera go off; its last frame stays."""
        self._next = None
        self.frame_job.cancel()
        self.camera.halt(self._run)

    def table(self) -> Columns:
        """What the network says of the picture, for each class."""
        return table.of_classes(required(self._shown))

    def question(self) -> Question | None:
        return class_of_camera(self.camera, self.session.classifier, None if self.work.busy else self._shown)

    # -- frames --------------------------------------------------------------------------------------------------

    def _take(self, event: FrameTaken) -> Job | None:
        if not self.active:  # nobody looks: a camera that was started on another page goes off
            self.camera.halt(event.run)
        if event.run == self.camera.halted:
            return None
        if event.run != self._run:  # just started, maybe on another page: it takes over
            self.camera.halt(self._run)
            self._run, self._choices = event.run, self.session.choices
        if self._choices != self.session.choices:
            self.halt()
            return None
        if self.frame_job.busy and not event.final:  # slow work would never end
            self._next = event
            return self.frame_job
        return self._follow(event)

    def _follow(self, event: FrameTaken) -> Job:
        self._next = None
        return self.frame_job.start(_picture_of(event, self.camera.max_side, self._others_wait), self._follow_next)

    def _follow_next(self) -> None:
        if self._next is not None and self._open and not self.frame_job.busy:
            self._follow(self._next)

    def _look_at(self, picture: Picture) -> None:
        if self._choices != self.session.choices:  # another picture was chosen: it stays
            self.halt()
            return
        self._frame = self.session.picture = picture
        self._choices = self.session.choices

    def _halt_unless_active(self, _: Any) -> None:
        if not self.active:
            self.halt()

    # -- what the network says -----------------------------------------------------------------------------------

    def compute(self) -> Job:
        if self.session.picture is None:
            raise PictureError("Start the camera: what the network takes it for is shown while you move.")
        return self.work.start(_judge(self.session.example))

    def _draw(self, example: Example) -> None:
        self._shown = example
        show_if(True, self.canvas)
        self.canvas.show(example.appearance)
        self.canvas.label = f"{example.picture.name or 'picture'} as the network sees it"
        what = "this view" if example.picture is self._frame else example.picture.name or "the picture"
        self._show_classes()
        self.say(verdict(example, what, _NAMED))

    def _show_classes(self) -> None:
        if self._shown is not None:
            target = self.session.target
            self.class_list.show(self._shown, self._shown.predicted if target is None else target)


def _picture_of(event: FrameTaken, side: int, others_wait: Callable[[], bool]) -> Steps:
    """The picture of a frame, then None until the other panels have answered it. Raises PictureError."""
    yield small_picture(Uploaded(event.data, NAME), side)
    for _ in range(_TURNS):
        yield None
    end = time.monotonic() + PATIENCE
    while others_wait() and time.monotonic() < end:
        time.sleep(_PAUSE)
        yield None


@one_step
def _judge(example: Example) -> Example:
    # What the panel draws from is computed here, on the worker.
    _ = example.logits, example.appearance
    return example
