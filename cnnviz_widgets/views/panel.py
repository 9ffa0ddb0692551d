"""What all panels share: they follow a session, work in the background, and say what went wrong."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets
import traitlets

from cnnviz_widgets import words
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.session import Example, Session, as_classifier
from cnnviz_widgets.session.observing import SetInTurn
from cnnviz_widgets.views import incoming, outgoing
from cnnviz_widgets.views.actions import Actions
from cnnviz_widgets.views.closing import discard_contents
from cnnviz_widgets.views.deprecated import with_old_calls
from cnnviz_widgets.views.events import Handle, on
from cnnviz_widgets.views.guess import Guessable, Guessing
from cnnviz_widgets.views.history import History, Revertible, results_of
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.views.parts.answers import Answer
from cnnviz_widgets.views.take.takeaway import Takeaway
from cnnviz_widgets.views.wording import ControlTexts, LabelledButton, button_label, head_of
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.head import ActionPressed
from cnnviz_widgets.widgets.pace import FrameAcknowledger
from cnnviz_widgets.widgets.status import Status

_log = logging.getLogger("cnnviz_widgets")


class Panel(Takeaway, Guessable, Revertible, SetInTurn, ipywidgets.VBox):
    """A panel over one session: it computes anew when what it follows changes, and draws the newest result.

    `Panel(model, picture)` makes a session of its own; `Panel(session)` is linked with the other panels of that
    session. While `active` is False, as in a hidden tab, work rests; on return it is begun anew where anything that is
    shown has changed.

    Subclasses make their widgets and jobs in `__init__`, hand the widgets to `show`, and call `begin` last. They name
    in `follows` the session's traits that their work is made of, and start that work in `compute`. What they find is
    a read-only trait, set where it is drawn: `panel.observe(f, names="heatmap")`. Such handlers may wait for panels.

    Whatever happens to a panel happens in turn: drawing, the hand's events, changes of the session, and calls of its
    public methods and setters. Only the steps of its jobs run beside that: they are functions of their arguments, and
    a cache they fill is one of these.

    With `guess=True` it opens with its result hidden, as after `guess()`.
    """

    #: The session's traits that the work is made of.
    follows: ClassVar[Sequence[str]] = ("classifier", "picture", "target")

    #: Which of the tabs of the catalogue (`words`) the panel is; "" for one without a question of its own.
    topic: ClassVar[str] = ""

    #: Whether its heatmap is its work, drawn by its own cells, and not laid over something else.
    works_on_map: ClassVar[bool] = False

    active = traitlets.Bool(True, help="Whether to compute; work that was put off is done when this becomes True.")
    busy = traitlets.Bool(False, read_only=True, help="Whether work that was asked for is under way.")
    progress = traitlets.Float(1.0, read_only=True, help="How far the work under way is, 0 to 1; 1 when it is done.")
    answer = traitlets.Instance(
        Answer, None, allow_none=True, read_only=True, help="What was found, a sentence; None while it is not known."
    )
    error = traitlets.Unicode("", read_only=True, help="What went wrong last, a sentence; empty when nothing did.")

    def __init_subclass__(
        cls, renamed: Mapping[str, str] | None = None, once_positional: Sequence[str] = (), **options: Any
    ) -> None:
        """`renamed` maps old names of keyword arguments to new ones; the old ones warn.

        `once_positional` names the keyword arguments that may still stand after the picture, with a warning.
        """
        super().__init_subclass__(**options)
        for name, member in list(vars(cls).items()):
            if inspect.isfunction(member) and not name.startswith("_"):
                setattr(cls, name, in_turn(member))
        if "__init__" in vars(cls):
            cls.__init__ = in_turn(with_old_calls(cls.__init__, renamed or {}, once_positional))  # type: ignore[method-assign]

    def __init__(
        self,
        model: object,
        picture: object = None,
        *,
        class_names: Any = None,
        active: bool = True,
        guess: bool = False,
        language: str | None = "en",
        **layout: Any,
    ) -> None:
        self.session = _session_of(model, picture, class_names)
        self._jobs: list[Job] = []
        self._followed: list[tuple[Callable[[Any], None], Sequence[str]]] = []
        #: What is to be called once the panel is active again.
        self._put_off: dict[Callable[[], object], None] = {}
        self._example: Example | None = None
        self._open = False
        self._notes_shown = True
        self.visit: Callable[[str], Any] | None = None  # opens the view of another topic beside this one
        self._in_place: ipywidgets.Widget | None = None  # instead of the panel's own widgets, which rest meanwhile
        words.sent(language)  # or raises
        #: "en" or "ko", or None for the language of the page.
        self.language = language
        self._make_frame(language)
        given = layout.get("layout")
        self._given_layout = given if isinstance(given, ipywidgets.Layout) else None
        super().__init__(**layout)
        self.active = active
        self.history, self.guessing, self._guess_first = History(self), Guessing(self), guess
        self.actions = Actions(self)
        self.on(self.head, ActionPressed, self.actions.press)
        self.actions.show()
        self._top = ipywidgets.HBox([self.head]).add_class("cnnviz-top-row")
        self.add_class("cnnviz-view").add_class(f"cnnviz-of-{self.topic or 'none'}")
        self.link(self._rest_or_resume, ["active"])
        self.content: tuple[ipywidgets.Widget, ...] = ()

    def _make_frame(self, language: str | None) -> None:
        """Make what stands around the widgets of every panel."""
        #: The question of the panel, if it has one, with its help, and what can be done with the panel.
        self.head = head_of(self.topic, language)
        self._texts = ControlTexts(self.topic, language)
        self.status = Status(language=language)
        #: What there is to know of network and picture before any map is read, such as how scores are taken.
        self.notes = Status(layout=ipywidgets.Layout(display="none"))
        # The stylesheet js/src/core/frame.css places what is in the body.
        self._answer_box = ipywidgets.VBox([self.notes, self.status]).add_class("cnnviz-answer")
        self._asked_box = ipywidgets.VBox([self.notes]).add_class("cnnviz-answer")
        self._body = ipywidgets.VBox().add_class("cnnviz-body")
        self._guess_box = ipywidgets.VBox()
        #: Says when the page has drawn what it was sent.
        self.pace = FrameAcknowledger()

    # -- for subclasses ------------------------------------------------------------------------------------------

    def compute(self) -> Job | None:
        """Start the work for what the session says now, and return its job.

        Raises ExplanationError with what is to be said instead, such as that there is no picture yet.
        """
        raise NotImplementedError

    def show(self, *widgets: ipywidgets.Widget) -> None:
        """Make the panel of `widgets`, the picture's row first; the status line is added below that row."""
        self.content = widgets
        self.arrange()

    @in_turn
    def arrange(self) -> None:
        """Put on the page what is shown, or the question about it while that is hidden."""
        hidden = self.guessing.hidden
        shown = tuple(self.guessing.beside) if hidden else self.content
        # One box for another: the page fails where the children of a box that it makes anew change.
        self._body.children = (*shown[:1], self._asked_box if hidden else self._answer_box, *shown[1:])
        # A box of its own: the page makes all views anew that stand behind a child that comes or goes.
        self._guess_box.children = tuple(filter(None, [self.guessing.box]))
        self.children = (self._top, self._guess_box, self._in_place or self._body, self.pace)
        self._texts.set(self)

    @in_turn
    def put_in_place(self, widget: ipywidgets.Widget | None) -> None:
        """Show `widget` in the place of what is shown, which rests until that is taken away again, by None."""
        self._in_place = widget
        self.arrange()
        self._rest_or_resume(None)
        self.actions.show()

    @property
    def _rests(self) -> bool:
        return not self.active or self._in_place is not None

    def begin(self) -> None:
        """Follow the session and begin to work: the last line of `__init__`."""
        if self.follows:
            self.follow(self.follows, self.refresh)
        self.follow(["classifier", "picture"], self._show_notes, hidden=True)
        self._open = True
        if not self.children:
            self.arrange()
        self._show_notes()
        if results := results_of(self):
            self.link(self.guessing.update, results)
        if self._guess_first:
            self.guess()
        self.refresh()
        self.history.begin()
        self.actions.show()

    def job(self, deliver: Callable[[Any], None], **options: Any) -> Job:
        """Make a job, as `Job` says, that is cancelled when the panel stops or is closed."""
        job = Job(self, deliver, **options)
        self._jobs.append(job)
        return job

    def follow(self, names: Sequence[str], handle: Callable[[], object], *, hidden: bool = False) -> None:
        """Call `handle()` when one of these traits of the session changes, until the panel is closed.

        Unless `hidden`, it is put off while the panel is not active.
        """

        @in_turn
        def changed(_: Any) -> None:
            if not self._open:  # closed by another who was told of this change before
                return
            if hidden:
                handle()
            else:
                self.when_active(handle)

        self._followed.append((changed, names))
        self.session.link(changed, names)

    def when_active(self, handle: Callable[[], object]) -> None:
        """Call `handle()` now, or once the panel is active again."""
        if self._rests:
            self._put_off[handle] = None
        else:
            handle()

    def on(self, source: Acknowledged, kind: type | tuple[type, ...], handle: Handle) -> None:
        """Call `handle(event)` for events of a kind; the browser's next one waits for the job that it returns."""
        on(source, kind, handle, self.fail)

    def button(self, description: str, press: Callable[[], object], **traits: Any) -> ipywidgets.Button:
        """A button that calls `press()`; what that raises is said in the status line."""
        if "layout" not in traits:  # a layout that no widget has is never closed
            short = len(button_label(description, self.language).encode()) < 7
            traits["layout"] = ipywidgets.Layout(width="72px" if short else None)
        button = LabelledButton(self.language, description=description, **traits)

        def pressed(_: object) -> None:
            try:
                press()
            except Exception as error:
                self.fail(error)

        button.on_click(pressed)
        return button

    @in_turn
    def say(self, text: str, kind: str = "info", progress: float = -1, answer: Answer | None = None) -> None:
        """Show a sentence below the panel, after the `answer`, what was found, if there is one.

        `kind` is "info", "busy" or "error", `progress` 0 to 1, or -1 for none.
        """
        if answer is None:
            self.status.say(text, kind, progress)
        else:
            answers = {each: answer.parts(each) for each in words.sent(self.language)}
            self.status.say(f"{answer} {text}", kind, progress, answers, text)
        self.set_trait("answer", answer)
        self.set_trait("error", text if kind == "error" else "")
        self.guessing.say(self.error)
        self.set_trait("progress", progress if progress >= 0 else 0.0 if kind == "busy" else 1.0)

    @in_turn
    def fail(self, error: Exception) -> None:
        """Say what went wrong; what was on screen stays."""
        if not isinstance(error, ExplanationError):
            _log.error("%s", type(self).__name__, exc_info=error)
        self.say(sentence(error), "error")

    # -- the public face -----------------------------------------------------------------------------------------

    @in_turn
    def refresh(self) -> Job | None:
        """Compute anew for what the session says now; put off while the panel is not active."""
        if not self._open:
            return None
        if self._rests:
            self._put_off[self.refresh] = None
            return None
        self._put_off.pop(self.refresh, None)
        try:
            job = self.compute()
            followed = "picture" in self.follows and self.session.picture is not None
            self._example = self.session.example if followed else None
        except ExplanationError as error:
            self.stop()
            self.say(str(error))
            return None
        return job

    @in_turn
    def stop(self) -> None:
        """Drop the work under way; what is shown stays."""
        for job in self._jobs:
            job.cancel()

    @in_turn
    def leave_notes_out(self) -> None:
        """Do not show the network's notes here, as another panel of the same page does."""
        self._notes_shown = False
        self._show_notes()

    @in_turn
    def close(self) -> None:
        """Stop the work, let go of the session and remove the panel, with all its widgets, from the page."""
        if not self.__dict__.get("_open"):  # what raised while it was made is closed by its __del__
            return
        self._open = False
        self.guessing.close()
        self.history.close()
        self.actions.close()
        self.stop()
        for handler, names in self._followed:
            self.session.unlink(handler, names)
        discard_contents(self, keep=self._given_layout)
        super().close()

    def __repr__(self) -> str:
        if not self.__dict__.get("_open"):  # not made yet, or closed
            return f"<{type(self).__name__}>"
        picture = self.session.picture
        of = "no picture" if picture is None else repr(picture.name) if picture.name else "a picture"
        label = getattr(getattr(self, "technique", None), "label", "")
        return f"<{type(self).__name__} {label}{' ' * bool(label)}of {of}>"

    @property
    def is_put_off(self) -> bool:
        """Whether `refresh` waits for the panel to be active again."""
        return self.refresh in self._put_off

    @property
    def owes_answer(self) -> bool:
        """Whether work is under way that has shown nothing yet."""
        return any(job.busy and not job.idle and not job.answered for job in self._jobs)

    # -- the machinery -------------------------------------------------------------------------------------------

    @in_turn
    def tell_busy(self) -> None:
        """Say in `busy` whether any job is under way that was asked for."""
        self.set_trait("busy", any(job.busy for job in self._jobs if not job.idle))
        self.guessing.update()

    def _rest_or_resume(self, _: Any) -> None:
        if not self._open:
            return
        if self._rests:
            for job in self._jobs:
                if job.rests:
                    if job.busy and not job.idle:
                        self._put_off[self.refresh] = None
                    job.cancel()
            return
        if self._trained_on():
            self._put_off[self.refresh] = None
        put_off, self._put_off = self._put_off, {}
        for handle in put_off:
            handle()

    def _trained_on(self) -> bool:
        """Whether the network has other weights than those that the picture was last shown with."""
        known = self._example
        return known is not None and known.picture is self.session.picture and self.session.example is not known

    def _show_notes(self) -> None:
        classifier, picture = self.session.classifier, self.session.picture
        notes = [*classifier.notes, classifier.note_on(picture) if picture is not None else ""]
        text = " ".join(filter(None, notes)) if self._notes_shown else ""
        self.notes.layout.display = None if text else "none"
        self.notes.say(text)


def _session_of(model: object, picture: object, class_names: Any) -> Session:
    """The session that is passed as `model`, at `picture` if there is one, or a new one."""
    if not isinstance(model, Session):
        return Session(as_classifier(model, picture, class_names), picture)
    if picture is not None:
        model.picture = picture
    return model


_tell_states = ipywidgets.Widget._handle_control_comm_msg


@in_turn
def _tell_whole_states(message: object) -> None:
    Acknowledged.await_pages()  # whoever asks is a new page, whose widgets are still being made
    _tell_states(message)


# A page that is loaded asks for the state of all widgets. ipywidgets goes through them one after the other, while a
# panel that draws on another thread may make new ones: the page hears of a child that it does not know, or of nothing.
ipywidgets.Widget._handle_control_comm_msg = staticmethod(_tell_whole_states)
incoming.install()
outgoing.install()


def sentence(error: BaseException) -> str:
    """An exception as one line for the panel; our own exceptions already are one."""
    return str(error) if isinstance(error, ExplanationError) else summarize_error(error)
