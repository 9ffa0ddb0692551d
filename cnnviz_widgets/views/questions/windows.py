"""Where on the picture a result is largest: a window is marked."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.guess import Question, Verdict
from cnnviz_widgets.views.job import Steps, one_step
from cnnviz_widgets.views.parts.guess_scores import (
    LETTERS,
    Window,
    against_best,
    best_window,
    quarters,
    share_inside,
)
from cnnviz_widgets.views.parts.probing import OcclusionSetup
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.widgets.picture import PictureCanvas

COVER = "Where does {name} lose most when it is covered? Draw a box, or take a quarter: A to D."
COVERED = "It is {best}: covering this quarter takes {loss} from {name}; {others}. "
YOURS = "Your box takes {loss} from {name}; the best box of its size takes {best}."
WHERE = "Where does the map of {name} have most of its positive values? Draw a box, or take a quarter: A to D."
HELD = "It is {best}: of the quarters it holds most of the map of {name}, {share}; {others}. "
YOUR_SHARE = "Your box, {area} of the picture, holds {share}; the best box of its size holds {best}."
NOTHING = "The map of {name} has no positive values: nothing here speaks for it."


def window_on_map(canvas: PictureCanvas, example: Example, heatmap: Heatmap, name: str) -> Question:
    """Where a map is largest; revealed on `canvas`, the guess as a box, the middle of the best as a point."""
    values = heatmap.values

    @one_step
    def judge(guess: Window) -> Verdict:
        return _share_verdict(canvas, values, name, guess)

    return Question("box", WHERE.format(name=name), (example, heatmap), LETTERS, judge, picture=example.appearance)


def _share_verdict(canvas: PictureCanvas, values: NDArray[np.float32], name: str, guess: Window) -> Verdict:
    best = best_window(values, *guess[2:])
    mine, most = share_inside(values, guess), share_inside(values, best)
    if np.isnan(most):
        return Verdict(NOTHING.format(name=name), float("nan"), NOTHING.format(name=name))
    shares = {letter: share_inside(values, window) for letter, window in quarters(*values.shape).items()}
    area = guess[2] * guess[3] / values.size
    winner, others = _first_and_others({letter: (f"{share:.0%}", share) for letter, share in shares.items()})
    said = HELD.format(best=winner, name=name, share=f"{shares[winner]:.0%}", others=others)
    said += YOUR_SHARE.format(area=f"{area:.0%}", share=f"{mine:.0%}", best=f"{most:.0%}")
    return Verdict(
        winner,
        against_best(mine, most),
        said,
        {letter: (f"{share:.0%}", share) for letter, share in shares.items()},
        lambda: mark_guess(canvas, guess, best),
        lambda: unmark(canvas),
    )


def window_to_cover(view: Any, setup: OcclusionSetup, found: Heatmap | None) -> Question:
    """Where covering costs the class most; the map is `found` first. Revealed with the best window of the size."""
    name = setup.example.classifier.class_names[setup.class_index]
    judge = None
    if found is not None and found.progress >= 1:
        values = found.values

        def judge(guess: Window) -> Steps:
            return (yield from _cover(view, setup, values, guess))

    return Question(
        "box",
        COVER.format(name=name),
        (setup.example, setup.class_index, setup.baseline),
        LETTERS,
        judge,
        view.compute_map,
        picture=setup.example.appearance,
    )


def _cover(view: Any, setup: OcclusionSetup, values: NDArray[np.float32], guess: Window) -> Steps:
    """Cover the guess, the best window of its size and each quarter, one after the other."""
    readout, index = setup.example.classifier.readout, setup.class_index
    best = best_window(values, *guess[2:])
    losses = []
    for window in (guess, best, *quarters(*values.shape).values()):
        logits = setup.occluder.logits([Box(*window)])[0].numpy()
        losses.append(float(setup.example.probabilities[index] - readout.probabilities(logits)[index]))
        yield None
    mine, most, of_quarters = losses[0], max(losses[:2]), dict(zip(LETTERS, losses[2:], strict=True))
    said_of = _points if setup.example.classifier.scores != "none" else short
    name = setup.example.classifier.class_names[index]
    largest = max(max(of_quarters.values()), 1e-9)
    figures = {letter: (said_of(-loss), loss / largest) for letter, loss in of_quarters.items()}
    winner, others = _first_and_others({letter: (said_of(loss), loss) for letter, loss in of_quarters.items()})
    said = COVERED.format(best=winner, loss=said_of(of_quarters[winner]), name=name, others=others)
    said += YOURS.format(loss=said_of(mine), name=name, best=said_of(most))
    show = functools.partial(_show_covered, view, guess, best)
    return Verdict(winner, against_best(mine, most), said, figures, show, lambda: unmark(view.canvas))


def _show_covered(view: Any, guess: Window, best: Window) -> None:
    """Outline a guess, and cover the best window."""
    mark_guess(view.canvas, guess, None)
    view.window = best


def mark_guess(canvas: PictureCanvas, guess: Window, best: Window | None) -> None:
    """Outline a guess, and mark the middle of the best."""
    top, left, height, width = guess
    canvas.box = (top, left, top + height, left + width)
    if best is not None:
        canvas.marker = (best[0] + best[2] // 2, best[1] + best[3] // 2)


def unmark(canvas: PictureCanvas) -> None:
    """Take away what `mark_guess` has drawn."""
    for name in ("box", "marker"):
        canvas.set_trait(name, None)


def _points(share: float) -> str:
    """A difference of probabilities in percentage points."""
    points = 100 * share
    text = f"{points:.0f}" if abs(points) >= 10 or abs(points) < 0.05 else f"{points:.1f}"
    return f"{text.replace('-', chr(0x2212))} points"


def _first_and_others(figures: Mapping[str, tuple[str, float]]) -> tuple[str, str]:
    """The answer with the largest figure, and the others in words."""
    first = max(figures, key=lambda letter: figures[letter][1])
    return first, ", ".join(f"{letter} {text}" for letter, (text, _) in figures.items() if letter != first)
