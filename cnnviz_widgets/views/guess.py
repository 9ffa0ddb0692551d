"""Guess first: a panel hides its result, takes a guess and a show of hands, and then reveals what is true."""

from __future__ import annotations

import contextlib
import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import GuessError
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.closing import discard, drawn_by
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.layout import column, row
from cnnviz_widgets.views.parts.guess_scores import most_hands
from cnnviz_widgets.views.parts.guess_stages import ClassStage, LassoStage, Owner, PairStage, Stage, WindowStage
from cnnviz_widgets.widgets.status import Status

HIDDEN = "The result is hidden: commit to a guess first."
NO_QUESTION = "The question comes as soon as there is something to ask."
NO_GUESS = "Mark a guess first, or skip it."
FINDING = "Finding out what is true ..."
RAISE = "Show of hands, if there is one:"
HANDS = "{count} of {total} hands said {answer}. "
SCORE = " Your score: {score:.0%}. Guess kept as no. {number}."
NO_SCORE = " There is nothing to score. Guess kept as no. {number}."
COLUMNS = ("time", "view", "picture", "kind", "guess", "truth", "score", "hands")
#: More hands are not in a lecture hall.
_MOST_HANDS = 9999


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is true, beside a guess of which `score` is 1 for the best and 0 for the worst, NaN where none is.

    `figures` says for each answer of a show of hands how true it is, as text and as a share. `said` is a sentence.
    `show` draws guess and truth on the panel, `clear` takes them away.
    """

    truth: str
    score: float
    said: str
    figures: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    show: Callable[[], object] = lambda: None
    clear: Callable[[], object] = lambda: None


@dataclass(frozen=True, eq=False)
class Question:
    """What a panel asks while its result is hidden.

    `subject` tells one question from another: a new one is asked where it differs. `answers` are those of a show of
    hands. `judge(guess)` makes the steps that yield a Verdict; where it is None, the result has to be found first, by
    `find()`. What is marked: a window on `picture`, one of `options`, one of two `picture`s (2, h, w, 3), or points of
    the map that `drawing(mark)` makes. The panel's widgets in `beside` stay.
    """

    kind: Literal["box", "class", "order", "lasso"]
    text: str
    subject: tuple[object, ...]
    answers: Sequence[str]
    judge: Callable[[Any], Steps] | None
    find: Callable[[], object] | None = None
    picture: NDArray[np.uint8] | None = None
    options: Sequence[str] = ()
    drawing: Callable[[Callable[[Any], None]], ipywidgets.Widget] | None = None
    beside: Sequence[ipywidgets.Widget] = ()


class _Guessed(Owner, Protocol):
    """The panel whose result is guessed."""

    session: Session
    content: tuple[ipywidgets.Widget, ...]
    status: Status

    def arrange(self) -> None: ...
    def question(self) -> Question | None: ...
    def job(self, deliver: Callable[[Any], None], **options: Any) -> Job: ...


class Guessing:
    """A panel's questions and what was answered.

    While `hidden`, the panel's page holds the question in place of the result, and the kernel keeps all that would
    draw the result to itself.
    """

    def __init__(self, panel: _Guessed) -> None:
        self._panel = panel
        self.hidden = False
        #: What was guessed: one mapping a guess, with the keys in COLUMNS.
        self.kept: list[dict[str, Any]] = []
        self.question: Question | None = None
        self.stage: Stage | None = None
        self._hands: dict[str, ipywidgets.BoundedIntText] = {}
        self._revealing = False
        #: What the sentence above the result is about, and how to take away what was drawn with it.
        self._subject: tuple[object, ...] | None = None
        self._clear: Callable[[], object] = lambda: None
        self._held = contextlib.ExitStack()
        self._job = panel.job(self._reveal)
        #: On the page in place of the result, or above it once it is revealed; None where nothing is guessed.
        self.box: ipywidgets.VBox | None = None

    @property
    def beside(self) -> tuple[ipywidgets.Widget, ...]:
        """What of the panel stays on the page while the result is hidden."""
        return () if self.question is None else tuple(self.question.beside)

    # -- hiding and asking ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Hide the result and ask."""
        if self.hidden:
            return
        self._end()
        self.hidden = True
        self.line, self._asked = Status(text=NO_QUESTION), Status()
        self._marking, self._raising = ipywidgets.VBox(), ipywidgets.VBox()
        buttons = [
            self._panel.button("Reveal", self.reveal, button_style="primary"),
            self._panel.button("Skip", self.skip, tooltip="Show the result without a guess"),
        ]
        beside = column(self._raising, self.line, row(*buttons, gap=4), least=240, most=360)
        self.box = ipywidgets.VBox([self._asked, row(self._marking, beside)])
        self.box.add_class("cnnviz-guess")
        self.update()
        self._hold()
        self._panel.arrange()

    def _hold(self) -> None:
        """Send the page nothing of what is hidden."""
        spared = {widget for kept in self.beside for widget in drawn_by(kept)}
        for widget in (inner for outer in (*self._panel.content, self._panel.status) for inner in drawn_by(outer)):
            if widget not in spared:
                self._held.enter_context(widget.hold_sync())

    def update(self, _: object = None) -> None:
        """Ask anew where the question has become another, and go on with a reveal that waits for the result."""
        if self._job.busy or (not self.hidden and self._subject is None):
            return
        try:
            question = self._panel.question()
        except GuessError as error:
            if self.hidden:
                self.line.say(str(error))
            return
        if question is None:
            return
        if not self.hidden:
            if question.subject != self._subject:  # what was guessed is not what is shown any more
                self.skip()
            return
        known, self.question = self.question, question
        if known is None or known.subject != question.subject:
            self._ask(question)
        elif question.kind == "class" and question.picture is not None and self.stage is not None:
            self.stage.show(question.picture)
        if self._revealing and question.judge is not None:
            self._judge()

    def _ask(self, question: Question) -> None:
        before, self._revealing = (*self._marking.children, *self._raising.children), False
        self.stage = _stage_of(self._panel, question, self._marked)
        hands = {
            answer: ipywidgets.BoundedIntText(
                description=answer, min=0, max=_MOST_HANDS, layout=ipywidgets.Layout(width="200px")
            )
            for answer in question.answers
        }
        self._hands = hands
        self._asked.say(question.text)
        self._marking.children = (self.stage.widget,)
        self._raising.children = (Status(text=RAISE), *hands.values()) if hands else ()
        self.line.say(HIDDEN)
        discard(*before)
        if question.beside:
            self._panel.arrange()

    def _marked(self) -> None:
        self.line.say("Your guess is marked: Reveal shows what is true.")

    def mark(self, guess: Any, hands: Mapping[str, int] | None = None) -> None:
        """Mark a guess and the hands for each answer. Raises GuessError."""
        if self.stage is None:
            raise GuessError(NO_QUESTION)
        unknown = [answer for answer in hands or {} if answer not in self._hands]
        if unknown:
            raise GuessError(f"There is no answer {unknown[0]!r} here; there are {', '.join(self._hands) or 'none'}.")
        self.stage.mark(guess)
        for answer, count in (hands or {}).items():
            self._hands[answer].value = count
        self._marked()

    def say(self, text: str) -> None:
        """Say what went wrong, where the panel's own line is hidden."""
        if self.hidden and text:
            self._revealing = False
            self.line.say(text, "error")

    # -- revealing -----------------------------------------------------------------------------------------------

    def reveal(self) -> None:
        """Find out what is true and show it, with the guess beside it. Raises GuessError where none is marked."""
        if not self.hidden or self.stage is None or self.question is None:
            raise GuessError(NO_QUESTION if self.hidden else "Nothing is hidden; press Guess first.")
        if self.stage.guess is None:
            raise GuessError(NO_GUESS)
        self._revealing = True
        self.line.say(FINDING, "busy", 0)
        self._judge()

    def _judge(self) -> None:
        question, stage = self.question, self.stage
        if question is None or stage is None or stage.guess is None:
            return
        if question.judge is not None:
            self._job.start(question.judge(stage.guess))
        elif question.find is not None:
            question.find()

    def _reveal(self, verdict: Verdict) -> None:
        question, stage = self.question, self.stage
        if not self._revealing or question is None or stage is None:
            return
        hands = {answer: int(box.value) for answer, box in self._hands.items()}
        raised = most_hands(hands)
        picture = self._panel.session.picture
        self.kept.append(
            {
                "time": datetime.datetime.now(),
                "view": type(self._panel).__name__,
                "picture": "" if picture is None else picture.name,
                "kind": question.kind,
                "guess": question.options[stage.guess] if question.kind == "class" else stage.guess,
                "truth": verdict.truth,
                "score": verdict.score,
                "hands": hands if raised else {},
            }
        )
        number, known = len(self.kept), not math.isnan(verdict.score)
        said = "" if raised is None else HANDS.format(answer=raised[0], count=raised[1], total=raised[2])
        said += verdict.said + (SCORE if known else NO_SCORE).format(score=verdict.score, number=number)
        told = ipywidgets.VBox([Status(text=said), *(_rows(hands, verdict.figures) if raised else [])])
        self._end(told.add_class("cnnviz-guess"))
        self._subject, self._clear = question.subject, verdict.clear
        verdict.show()

    def skip(self) -> None:
        """Show the result without a guess."""
        self._end()
        self._panel.arrange()

    def _end(self, box: ipywidgets.VBox | None = None) -> None:
        """Let the page have what was hidden, with `box` above it, and forget the question."""
        before, self.box, self.stage, self.question = self.box, box, None, None
        self.hidden = self._revealing = False
        self._hands, self._subject = {}, None
        clear, self._clear = self._clear, lambda: None
        self._job.cancel()
        clear()
        self._held.close()
        if before is not None:
            self._panel.arrange()
            discard(before)

    def close(self) -> None:
        """Hold nothing back any more; the panel closes the widgets."""
        self.hidden = self._revealing = False
        self._subject = None  # work that is called off must not ask again
        self._held.close()


class Guessable:
    """What a panel whose result can be guessed offers."""

    guessing: Guessing

    def question(self) -> Question | None:
        """What to ask while the result is hidden; None as long as there is nothing to ask."""
        return None

    @in_turn
    def guess(self, guess: Any = None, hands: Mapping[str, int] | None = None) -> None:
        """Hide the result and ask for a guess; with one, mark it, and the `hands` raised for each answer.

        A guess is (top, left, height, width) or a letter for a quarter of the picture, a class, A or B, or rows of a
        map, whatever the view asks for. Raises GuessError.
        """
        self.guessing.begin()
        if guess is not None:
            self.guessing.mark(guess, hands)

    @in_turn
    def reveal(self) -> None:
        """Show what is true beside the guess, once it is known, and keep the guess. Raises GuessError."""
        self.guessing.reveal()

    @property
    def guesses(self) -> Any:
        """The guesses that were revealed, a pandas DataFrame; a list of dicts without pandas."""
        try:
            import pandas
        except ImportError:
            return self.guessing.kept
        return pandas.DataFrame(self.guessing.kept, columns=list(COLUMNS))


def _stage_of(panel: Owner, question: Question, marked: Callable[[], object]) -> Stage:
    if question.kind == "class":
        return ClassStage(panel, question.picture, question.options, marked)
    if question.drawing is not None:
        return LassoStage(question.drawing, marked)
    assert question.picture is not None
    return (PairStage if question.kind == "order" else WindowStage)(panel, question.picture, marked)


def _rows(hands: Mapping[str, int], figures: Mapping[str, tuple[str, float]]) -> list[ipywidgets.Widget]:
    """For each answer its hands, and beside them how true it is."""
    total = max(1, sum(hands.values()))
    width = "24px" if max(map(len, hands)) == 1 else "140px"
    rows = []
    for answer, count in hands.items():
        text, share = figures.get(answer, ("", 0.0))
        rows.append(
            row(
                ipywidgets.Label(answer, layout=ipywidgets.Layout(width=width)),
                _bar(count / total, "#9aa4af"),
                ipywidgets.Label(f"{count} hands", layout=ipywidgets.Layout(width="72px")),
                _bar(share, "#1769c9"),
                ipywidgets.Label(text),
                gap=8,
            )
        )
    return rows


def _bar(share: float, color: str) -> ipywidgets.FloatProgress:
    value = 0.0 if math.isnan(share) else min(max(share, 0.0), 1.0)
    return ipywidgets.FloatProgress(
        value=value, max=1.0, layout=ipywidgets.Layout(width="140px"), style={"bar_color": color}
    )
