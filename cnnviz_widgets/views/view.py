"""What all panels share: they follow a session, work in the background, and say what went wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, ClassVar

import bqplot
import ipywidgets
import traitlets

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import LatestWins, between_callbacks
from cnnviz_widgets.session import Scene, Session, as_classifier
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.status import Status

_log = logging.getLogger("cnnviz_widgets")

#: Work that can be dropped between any two of its steps.
Work = Generator[Any, None, None]


class View(ipywidgets.VBox):
    """A panel over one session: it recomputes when what it depends on changes, and draws the newest result.

    `View(model, picture)` makes a session of its own; `View(session)` is linked with the other views of that session.
    Subclasses name the session's traits they depend on and implement `work` (on another thread, over a snapshot)
    and `draw`. While `active` is False, as in a hidden tab, this work rests; it is begun anew on return.
    """

    _complete = False
    depends_on: ClassVar[tuple[str, ...]] = ("classifier", "picture", "target")
    active = traitlets.Bool(True, help="Whether to compute; work that was put off is done when this becomes True.")

    def __init__(
        self, model: object, picture: object = None, *, class_names: Any = None, active: bool = True, **layout: Any
    ) -> None:
        if isinstance(model, Session):
            if picture is not None:
                model.picture = picture
            self.session = model
        else:
            self.session = Session(as_classifier(model, picture, class_names), picture)
        self.status = Status()
        #: What there is to know of network and picture before any map is read, such as how scores are taken.
        self.notes = Status(layout=ipywidgets.Layout(display="none"))
        self._notes_shown = True
        self._requests = LatestWins()
        self._stale = True
        self._waiting: list[Callable[[], None]] = []
        super().__init__(**layout)
        self.active = active
        self.add_class("cnnviz-view")
        self.children = (*self.build(), self.notes, self.status)
        self.session.observe(self._session_changed, names=list(self.depends_on))
        self.session.observe(self._show_notes, names=["classifier", "picture"])
        self._show_notes()
        self._complete = True
        self.observe(self._rest_or_resume, names="active")
        self._refresh_if_stale()

    # -- for subclasses ------------------------------------------------------------------------------------------

    def build(self) -> list[ipywidgets.Widget]:
        """Make the panel's widgets; the status line is added below them."""
        raise NotImplementedError

    def work(self, scene: Scene) -> Work:
        """A generator of ever better results for `scene`. Its steps run on the worker: what they need is passed in."""
        raise NotImplementedError

    def snapshot(self) -> Any:
        """What `work` is given. Raises what is to be said instead, such as that there is no picture yet."""
        return self.session.scene

    def draw(self, result: Any) -> None:
        """Show one result of `work`."""
        raise NotImplementedError

    def session_changed(self, names: set[str]) -> None:
        """Called before the work is begun anew, when something the view depends on has changed."""

    def pause(self) -> None:
        """Called when the view is hidden while it is at work; the work begins anew when it is shown again."""
        self._requests.cancel()

    # -- the machinery -------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Begin the work anew, dropping what is under way; put off while the view is not active."""
        self._stale = True
        self._refresh_if_stale()

    def refresh_then(self, done: Callable[[], None]) -> None:
        """Begin the work anew and call `done` when it has ended, or has been replaced."""
        self._waiting.append(done)
        self.refresh()
        self._release(self._taken())

    def on_control(self, control: Acknowledged, apply: Callable[[Any], object]) -> None:
        """Apply each event of `control`; the browser's next one waits for the work that this one sets off here."""

        def handle(event: Any, done: Callable[[], None]) -> None:
            self._waiting.append(done)
            try:
                apply(event)
            except Exception as error:
                self.fail(error)
            # What was not taken over by new work set off none.
            self._release(self._taken())

        control.on_event(handle)

    def _taken(self) -> list[Callable[[], None]]:
        taken, self._waiting = self._waiting, []
        return taken

    @staticmethod
    def _release(waiting: list[Callable[[], None]]) -> None:
        for done in waiting:
            done()

    def _rest_or_resume(self, _: Any) -> None:
        if not self.active and self._requests.busy:
            self.pause()
            self._stale = True
        self._refresh_if_stale()

    def _refresh_if_stale(self) -> None:
        if not (self.active and self._stale):
            return
        self._stale = False
        try:
            scene = self.snapshot()
        except ExplanationError as error:
            self._requests.cancel()
            self.status.say(str(error))
            return
        waiting = self._taken()
        self.run(self._requests, self.work(scene), self.draw, lambda: self._release(waiting))

    def run(
        self,
        requests: LatestWins,
        work: Work,
        deliver: Callable[[Any], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Do `work` in the background; an exception in it becomes a sentence in the status line."""
        requests.submit(work, deliver, self.fail, ended)

    def fail(self, error: Exception) -> None:
        """Say what went wrong; what was on screen stays."""
        if not isinstance(error, ExplanationError):
            _log.error("%s", type(self).__name__, exc_info=error)
        self.status.say(sentence(error), "error")

    def _session_changed(self, change: Any) -> None:
        self.session_changed({change["name"]})
        self.refresh()

    def leave_notes_out(self) -> None:
        """Do not show the network's notes here, as another view of the same page does."""
        self._notes_shown = False
        self._show_notes()

    def _show_notes(self, _: Any = None) -> None:
        classifier, picture = self.session.classifier, self.session.picture
        notes = [*classifier.notes, classifier.note_on(picture) if picture is not None else ""]
        text = " ".join(filter(None, notes)) if self._notes_shown else ""
        self.notes.layout.display = None if text else "none"
        self.notes.say(text)

    def stop(self) -> None:
        """Drop the work under way."""
        self._requests.cancel()

    def close(self) -> None:
        """Stop the work, let go of the session and remove the panel from the page."""
        if not self._complete:  # what raised while it was made is closed by its __del__
            return
        self.stop()
        with suppress(ValueError):  # closed before
            self.session.unobserve(self._session_changed, names=list(self.depends_on))
            self.session.unobserve(self._show_notes, names=["classifier", "picture"])
        close_contents(self)
        super().close()


_tell_states = ipywidgets.Widget._handle_control_comm_msg


def _tell_whole_states(message: object) -> None:
    with between_callbacks():
        _tell_states(message)


# A page that is loaded asks for the state of all widgets. ipywidgets goes through them one after the other, while a
# panel that draws on another thread may make new ones: the page hears of a child that it does not know, or of nothing.
ipywidgets.Widget._handle_control_comm_msg = staticmethod(_tell_whole_states)


def sentence(error: BaseException) -> str:
    """An exception as one line for the panel; our own exceptions already are one."""
    if isinstance(error, ExplanationError):
        return str(error)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def close_contents(box: ipywidgets.Box) -> None:
    """Close all widgets inside a box."""
    for widget in _descendants(box):
        if isinstance(widget, bqplot.Figure):
            close_figure(widget)
        widget.close()


def close_figure(figure: bqplot.Figure) -> None:
    """Close what a bqplot figure draws: it would stay in the kernel, with all that observes it."""
    parts = {*figure.marks, *figure.axes, figure.interaction, figure.scale_x, figure.scale_y} - {None}
    scales = {scale for part in parts for scale in (getattr(part, "scales", None) or {}).values()}
    for part in parts | scales | {axis.scale for axis in figure.axes}:
        part.unobserve_all()
        part.close()


def _descendants(box: ipywidgets.Box) -> list[ipywidgets.Widget]:
    found: list[ipywidgets.Widget] = []
    for child in box.children:
        if isinstance(child, ipywidgets.Box):
            found += _descendants(child)
        found.append(child)
    return found
