"""What the network takes a picture for: a class is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.session import Example
from cnnviz_widgets.study import AscentState
from cnnviz_widgets.views.guess import Question, Verdict
from cnnviz_widgets.views.job import one_step
from cnnviz_widgets.views.parts.guess_scores import rank

MADE_FOR = "For which class was this picture made?"
PREDICTED = "Which class does the network take this picture for?"
FILMED = "Which class will the network take what the camera shows for? Freeze it with a click."
START_FIRST = "Start the camera first: the network has not seen anything yet."
SKETCHED = "Draw something. Which class will the network take it for?"
DRAW_FIRST = "Draw something first: the network has not seen anything yet."
PLACED = "It is {truth}. Of {count} classes, the network puts {guess} in place {place}."
#: Of more classes, so many are answers of a show of hands.
_ANSWERS = 4


def class_predicted(example: Example) -> Question:
    """The class that is predicted for a picture."""
    names = example.classifier.class_names

    @one_step
    def judge(guess: int) -> Verdict:
        return _class_verdict(names, example.logits, example.predicted, guess)

    answers = _answers(names, example.predicted)
    return Question("class", PREDICTED, (example,), answers, judge, picture=example.appearance, options=names)


def class_of_sketch(pad: ipywidgets.Widget, classifier: Classifier, example: Example | None) -> Question:
    """The class that is predicted for what is drawn on `pad`, which stays."""
    return _class_of_input(pad, classifier, example, SKETCHED, DRAW_FIRST)


def class_of_camera(camera: ipywidgets.Widget, classifier: Classifier, example: Example | None) -> Question:
    """The class that is predicted for what `camera` shows, which stays."""
    return _class_of_input(camera, classifier, example, FILMED, START_FIRST)


def _class_of_input(
    source: ipywidgets.Widget, classifier: Classifier, example: Example | None, text: str, first: str
) -> Question:
    """The class of what the hand makes with `source`; `first` is what to do before there is any."""
    names = classifier.class_names
    judge = None
    if example is not None:
        made = example

        @one_step
        def judge(guess: int) -> Verdict:
            return _class_verdict(names, made.logits, made.predicted, guess)

    def refuse() -> None:
        raise PictureError(first)

    # No answers of a show of hands can be named before anything is made, unless there are few.
    answers = names if len(names) <= 2 * _ANSWERS else ()
    return Question("class", text, (classifier,), answers, judge, refuse, options=names, beside=(source,))


def class_made(visual: AscentState) -> Question:
    """The class that a picture was made for, or, where it was made for a channel, that it is taken for."""
    names = visual.classifier.class_names
    target = visual.target if isinstance(visual.target, int) else None

    @one_step
    def judge(guess: int) -> Verdict:
        scores = visual.probabilities()
        return _class_verdict(names, scores, int(np.argmax(scores)) if target is None else target, guess)

    answers = _answers(names, target or 0)
    text = PREDICTED if target is None else MADE_FOR
    subject = (visual.classifier, visual.target)
    return Question("class", text, subject, answers, judge, picture=visual.appearance, options=names)


def _class_verdict(names: Sequence[str], scores: NDArray[Any], truth: int, guess: int) -> Verdict:
    place = rank(scores, guess)
    said = PLACED.format(truth=names[truth], count=len(names), guess=names[guess], place=place)
    figures = {name: ("" if index != truth else "this one", float(index == truth)) for index, name in enumerate(names)}
    return Verdict(names[truth], 1.0 if guess == truth else min(1 / place, 0.5), said, figures)


def _answers(names: Sequence[str], truth: int) -> Sequence[str]:
    """All names where there are few, else the true one among some others, by the alphabet."""
    if len(names) <= 2 * _ANSWERS:
        return list(dict.fromkeys(names))
    others = np.random.default_rng(truth).permutation(len(names))[: _ANSWERS - 1]
    return sorted({names[truth], *(names[int(index)] for index in others)})
