"""What all panels share: they follow a session, work in the background, and say what went wrong."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator, Hashable
from typing import Any, ClassVar

import ipywidgets
import traitlets

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import LatestWins, between_callbacks, in_turn
from cnnviz_widgets.session import Example, Scene, Session, as_classifier
from cnnviz_widgets.views import incoming
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.pacing import paced
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.pace import FrameAcknowledger
from cnnviz_widgets.widgets.status import Status

_log = logging.getLogger("cnnviz_widgets")
#: Work that can be dropped between any two of its steps.
Work = Generator[Any, None, None]


class View(ipywidgets.VBox):
    """A panel over one session: it recomputes when what it depends on changes, and draws the newest result.

    `View(model, picture)` makes a session of its own; `View(session)` is linked with the other views of that session.
    Subclasses name the session's traits they depend on and implement `work` (on another thread, over a snapshot)
    and `draw`. While `active` is False, as in a hidden tab, this work rests; on return it is begun anew where anything
    that is shown has changed.

    Whatever happens to a panel happens in turn: drawing, the hand's events, changes of the session, and calls of its
    public methods and setters. Only the steps of its work run beside that: a cache they fill is passed to them.
    """

    _complete = False
    #: The session's traits that the work is made of.
    depends_on: ClassVar[tuple[str, ...]] = ("classifier", "picture", "target")
    #: Further traits of the session that `redraw` needs.
    shows: ClassVar[tuple[str, ...]] = ()
    active = traitlets.Bool(True, help="Whether to compute; work that was put off is done when this becomes True.")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, member in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if inspect.isfunction(member):
                setattr(cls, name, in_turn(member))
            elif isinstance(member, property) and member.fset is not None:
                setattr(cls, name, member.setter(in_turn(member.fset)))

    def __init__(
        self, model: object, picture: object = None, *, class_names: Any = None, active: bool = True, **layout: Any
    ) -> None:
        if isinstance(model, Session):
            if picture is not None:
                model.picture = picture
            self.session = model
        else:
            self.session = Session(as_classifier(model, picture, class_names), picture)
        with between_callbacks():
            self._make(active, layout)

    def _make(self, active: bool, layout: dict[str, Any]) -> None:
        self.status = Status()
        #: What there is to know of network and picture before any map is read, such as how scores are taken.
        self.notes = Status(layout=ipywidgets.Layout(display="none"))
        #: Says when the page has drawn what it was sent.
        self.pace = FrameAcknowledger()
        self._notes_shown = True
        self._requests = LatestWins()
        self._stale = True
        #: Whether something in `shows` has changed since it was last drawn.
        self._outdated = False
        self._example: Example | None = None
        self._waiting: list[Callable[[], None]] = []
        given = layout.get("layout")
        self._given_layout = given if isinstance(given, ipywidgets.Layout) else None
        super().__init__(**layout)
        self.active = active
        self.add_class("cnnviz-view")
        self.children = (*self.build(), self.notes, self.status, self.pace)
        self.session.link(self._session_changed, (*self.depends_on, *self.shows))
        self.session.link(self._show_notes, ["classifier", "picture"])
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

    def place_of(self, result: Any) -> Hashable:
        """Where a result of `work` is drawn: left out is only what another one there replaces before it is drawn."""
        return None

    def redraw(self) -> None:
        """Draw anew what needs no work but depends on `shows`."""

    def session_changed(self, names: set[str]) -> None:
        """Called at once, also in a hidden tab, when something the view depends on or shows has changed."""

    def pause(self) -> None:
        """Called when the view is hidden while it is at work; the work begins anew when it is shown again."""
        self._requests.cancel()

    # -- the machinery -------------------------------------------------------------------------------------------

    @in_turn
    def refresh(self) -> None:
        """Begin the work anew, dropping what is under way; put off while the view is not active."""
        self._stale = True
        self._refresh_if_stale()

    @in_turn
    def refresh_then(self, done: Callable[[], None]) -> None:
        """Begin the work anew and call `done` when it has ended, or has been replaced."""
        self._waiting.append(done)
        self.refresh()
        self._release(self._taken())

    def on_control(self, control: Acknowledged, apply: Callable[[Any], object]) -> None:
        """Apply each event of `control`; the browser's next one waits for the work that this one sets off here."""

        @in_turn
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

    @in_turn
    def _rest_or_resume(self, _: Any) -> None:
        if not self.active and self._requests.busy:
            self.pause()
            self._stale = True
        elif self.active and self._trained_on():
            self._stale = True
        self._refresh_if_stale()

    def _trained_on(self) -> bool:
        """Whether the network has other weights than those that the picture was last shown with."""
        known = self._example
        return known is not None and known.picture is self.session.picture and self.session.example is not known

    def _refresh_if_stale(self) -> None:
        if not self.active:
            return
        if self._outdated:
            self._outdated = False
            self.redraw()
        if self._stale:
            self._stale = False
            self._begin_anew()

    def _begin_anew(self) -> None:
        try:
            scene = self.snapshot()
        except ExplanationError as error:
            self._requests.cancel()
            self.status.say(str(error))
            return
        if "picture" in self.depends_on:
            self._example = None if self.session.picture is None else self.session.example
        waiting = self._taken()
        self.run(self._requests, self.work(scene), self.draw, lambda: self._release(waiting))

    @in_turn
    def run(
        self,
        requests: LatestWins,
        work: Work,
        deliver: Callable[[Any], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Do `work` in the background; an exception in it becomes a sentence in the status line.

        Its results are delivered as fast as the page draws them: of those that come meanwhile the newest. None is
        no result.
        """

        def deliver_result(result: Any) -> None:
            if result is not None:
                deliver(result)

        place = self.place_of if requests is self._requests else None
        requests.submit(paced(work, self.pace, place), deliver_result, self.fail, ended)

    @in_turn
    def fail(self, error: Exception) -> None:
        """Say what went wrong; what was on screen stays."""
        if not isinstance(error, ExplanationError):
            _log.error("%s", type(self).__name__, exc_info=error)
        self.status.say(sentence(error), "error")

    @in_turn
    def _session_changed(self, change: Any) -> None:
        if not self._complete:  # closed by another who was told of this change before
            return
        name = change["name"]
        self.session_changed({name})
        if name in self.shows:
            self._outdated = True
        if name in self.depends_on:
            self.refresh()
        else:
            self._refresh_if_stale()

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

    @in_turn
    def stop(self) -> None:
        """Drop the work under way."""
        self._requests.cancel()

    def __repr__(self) -> str:
        if not self._complete:  # not made yet, or closed
            return f"<{type(self).__name__}>"
        picture = self.session.picture
        of = "no picture" if picture is None else repr(picture.name) if picture.name else "a picture"
        return f"<{type(self).__name__} {' '.join(filter(None, [self._shown_as(), f'of {of}']))}>"

    def _shown_as(self) -> str:
        """What is shown, in a few words for one who prints the view."""
        return ""

    @in_turn
    def close(self) -> None:
        """Stop the work, let go of the session and remove the panel, with all its widgets, from the page."""
        if not self._complete:  # what raised while it was made is closed by its __del__
            return
        self._complete = False
        self.stop()
        self.session.unlink(self._session_changed, (*self.depends_on, *self.shows))
        self.session.unlink(self._show_notes, ["classifier", "picture"])
        discard_contents(self, keep=self._given_layout)
        super().close()


_tell_states = ipywidgets.Widget._handle_control_comm_msg


@in_turn
def _tell_whole_states(message: object) -> None:
    _tell_states(message)


# A page that is loaded asks for the state of all widgets. ipywidgets goes through them one after the other, while a
# panel that draws on another thread may make new ones: the page hears of a child that it does not know, or of nothing.
ipywidgets.Widget._handle_control_comm_msg = staticmethod(_tell_whole_states)
incoming.install()


def sentence(error: BaseException) -> str:
    """An exception as one line for the panel; our own exceptions already are one."""
    if isinstance(error, ExplanationError):
        return str(error)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
