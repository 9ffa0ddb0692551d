"""Pictures that grow by gradient ascent, as frames to draw, and what is said of each."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from cnnviz_widgets.study import ActivationMaximisation, AscentState, Channel
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.scales import short


@dataclasses.dataclass(frozen=True, eq=False)
class AscentFrame:
    """A picture to draw: in which place, and the probability of its class as it is and under small transformations."""

    place: int
    state: AscentState
    probability: float | None
    robustness: float | None = None
    winner: int | None = None


def summary(frame: AscentFrame) -> str:
    """How far a picture is, and what the network takes it for."""
    state = frame.state
    text = f"{subject_name(state)}: score {short(state.score or 0)} after {state.step} steps"
    if frame.probability is not None:
        text += f"; probability {percent(frame.probability)} as it is"
    if frame.robustness is not None:
        text += f", {percent(frame.robustness)} moved, turned and resized a little"
    if frame.winner is not None:
        names = state.classifier.class_names
        text += f". The network takes it for {names[frame.winner]}: try the score log-odds"
    return f"{text}."


def grow(technique: ActivationMaximisation, places: Any, example: Any, interval: float, at_rest: bool) -> Steps:
    """Frames of the places in turn, a step each; None where a picture has changed too little to be drawn anew.

    Pictures `at_rest` are left as they are unless the first is one of another class than is predicted.
    """
    ascents: dict[int, Iterator[AscentState]] = {}
    drawn: dict[int, float] = {}
    for place, (classifier, target, start) in enumerate(places):
        if target is None:
            target = 0 if example is None else example.predicted
        if start is not None and (start.classifier, start.target) != (classifier, target):
            start = None
        if at_rest and place == 0 and start is not None:
            return
        ascents[place] = technique.steps(classifier, target, start)
    while ascents:
        for place in list(ascents):
            made = next(ascents[place], None)
            if made is None:
                del ascents[place]
                continue
            last = made.step >= technique.iterations
            if last or time.monotonic() - drawn.get(place, 0.0) >= interval:
                yield frame_of(place, made, last)
                drawn[place] = time.monotonic()
            else:
                yield None


def frame_of(place: int, visual: AscentState, last: bool) -> AscentFrame:
    """What is drawn of a picture; how it takes small transformations is known of the `last` one alone."""
    # What the panel draws from is computed here, on the worker.
    _ = visual.appearance
    scores = visual.classifier.scores
    if not isinstance(visual.target, int) or scores == "none":
        return AscentFrame(place, visual, None)
    shares = visual.probabilities()
    winner = int(np.argmax(shares))
    return AscentFrame(
        place,
        visual,
        float(shares[visual.target]),
        float(visual.robustness()[visual.target]) if last else None,
        winner if last and winner != visual.target and scores == "softmax" else None,
    )


def subject_name(visual: AscentState) -> str:
    """What the picture is made for: the name of its class, or its channel."""
    target = visual.target
    if isinstance(target, Channel):
        return f"channel {target.channel} of {target.layer}"
    assert isinstance(target, int)
    return visual.classifier.class_names[target]
