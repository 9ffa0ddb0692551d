"""What each view asks before it shows its result, and how a guess is judged.

| view | what is marked | the score |
|---|---|---|
| `OcclusionView` | what costs the class most when it is covered | its loss against that of the best of its size |
| `CAMView`, `SaliencyView` | the part that holds most of the map | its share against that of the best of its size |
| `ActivationView` | which of two channels responds more strongly | right or wrong |
| `FilterView` | which of two filters has larger weights | right or wrong |
| `PatchView` | which of two patches excites the channel more | right or wrong |
| `NeighbourView` | which of two pictures is nearer in the features | right or wrong |
| `MaximisationView` | the class that the picture was made for | 1 / rank |
| `PredictionView`, `SketchView` | the class that is predicted | 1 / rank |
| `EmbeddingView` | the pictures of the most frequent label | intersection over union |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import GuessError, PictureError
from cnnviz_widgets.explain import Heatmap
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.paint import colored, table_names
from cnnviz_widgets.session import Example
from cnnviz_widgets.study import AscentState
from cnnviz_widgets.study.activations import Activations
from cnnviz_widgets.study.filters import Filters
from cnnviz_widgets.views.guess import Question, Verdict
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts.crops import Sheet
from cnnviz_widgets.views.parts.data_set import captions
from cnnviz_widgets.views.parts.guess_scores import (
    LETTERS,
    Window,
    against_best,
    best_window,
    overlap,
    quarters,
    rank,
    share_inside,
)
from cnnviz_widgets.views.parts.mapping import EmbeddingFrame
from cnnviz_widgets.views.parts.probing import OcclusionSetup
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.parts.scatter import extent_of, normalise, point_map
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.tiles import Tiles

COVER = "Where does {name} lose most when it is covered? Draw a box, or take a quarter: A to D."
COVERED = "It is {best}: covering this quarter takes {loss} from {name}; {others}. "
YOURS = "Your box takes {loss} from {name}; the best box of its size takes {best}."
WHERE = "Where does the map of {name} have most of its positive values? Draw a box, or take a quarter: A to D."
HELD = "It is {best}: of the quarters it holds most of the map of {name}, {share}; {others}. "
YOUR_SHARE = "Your box, {area} of the picture, holds {share}; the best box of its size holds {best}."
NOTHING = "The map of {name} has no positive values: nothing here speaks for it."
CHANNEL = "Each map is drawn on a scale of its own. Which of the two channels of {layer} responds more strongly?"
FILTER = "Each filter is drawn on a scale of its own. Which of the two filters of {layer} has larger weights?"
PATCH = "Which of the two patches makes channel {channel} of {layer} respond more strongly?"
ALIKE = (
    "All patches excite channel {channel} of {layer} alike, so none can be guessed: skip, and choose another channel."
)
NEARER = "Which of the two pictures is nearer to {name} in the features of {layer}?"
IT_IS = "It is {truth}."
MADE_FOR = "For which class was this picture made?"
PREDICTED = "Which class does the network take this picture for?"
SKETCHED = "Draw something. Which class will the network take it for?"
DRAW_FIRST = "Draw something first: the network has not seen anything yet."
PLACED = "It is {truth}. Of {count} classes, the network puts {guess} in place {place}."
CIRCLE = "The points have lost their colours. Circle those of {label}: {count} of {whole} pictures."
CIRCLED = "{inside} of your {marked} pictures are of {label}, and {missed} more lie outside. {best} holds most of them."
#: Of more classes, so many are answers of a show of hands.
_ANSWERS = 4
_TILE = 96


# -- a window on the picture -------------------------------------------------------------------------------------------


def window_on_map(canvas: PictureCanvas, example: Example, heatmap: Heatmap, name: str) -> Question:
    """Where a map is largest; revealed on `canvas`, the guess as a box, the middle of the best as a point."""
    values = heatmap.values

    def judge(guess: Window) -> Steps:
        yield _share_verdict(canvas, values, name, guess)

    return Question("box", WHERE.format(name=name), (example, name), LETTERS, judge, picture=example.appearance)


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
            yield from _cover(view, setup, values, guess)

    return Question(
        "box",
        COVER.format(name=name),
        (setup.example, setup.class_index),
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

    def show() -> None:
        mark_guess(view.canvas, guess, None)
        view.window = best

    yield Verdict(winner, against_best(mine, most), said, figures, show, lambda: unmark(view.canvas))


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


# -- one of two --------------------------------------------------------------------------------------------------------


def stronger_channel(maps: Activations) -> Question | None:
    """Which of two channels responds more strongly: the strongest by its maximum, and the one in the middle."""
    peaks = np.abs(maps.maps).max(axis=(1, 2))
    pair = _two_of(peaks)
    if pair is None:
        return None
    shown = [maps.thumbnails[channel] for channel in pair]
    tables = table_names(signed=maps.signed)[0]
    tiles = [colored(one / _extent(one), -1 if maps.signed else 0, 1, tables) for one in shown]
    figures = [f"channel {channel}, at most {short(float(peaks[channel]))}" for channel in pair]
    return _which(CHANNEL.format(layer=maps.layer), (maps,), tiles, figures, [float(peaks[one]) for one in pair])


def larger_filter(filters: Filters) -> Question | None:
    """Which of two filters has the larger norm: the largest, and the one in the middle."""
    pair = _two_of(filters.norms)
    if pair is None:
        return None
    colours = filters.first and filters.weights.shape[1] == 3
    tiles = []
    for index in pair:
        kernel = filters.weights[index] if colours else filters.weights[index, 0]
        share = kernel / _extent(kernel)
        if colours:
            tiles.append(np.rint((np.moveaxis(share, 0, -1) + 1) * 127.5).astype(np.uint8))
        else:
            tiles.append(colored(share, -1, 1, table_names(signed=True)[0]))
    figures = [f"filter {index}, norm {short(float(filters.norms[index]))}" for index in pair]
    norms = [float(filters.norms[index]) for index in pair]
    return _which(FILTER.format(layer=filters.layer), (filters,), tiles, figures, norms)


def stronger_patch(sheet: Sheet) -> Question:
    """Which of two patches of a sheet excites the channel more: the first and the last. Raises GuessError."""
    values = [location.value for location in sheet.locations]
    if len(values) < 2 or values[0] == values[-1]:
        raise GuessError(ALIKE.format(channel=sheet.channel, layer=sheet.layer))
    pair = _in_any_order(0, len(values) - 1)
    text = PATCH.format(channel=sheet.channel, layer=sheet.layer)
    figures = [short(values[index]) for index in pair]
    return _which(text, (sheet,), [sheet.tiles[index] for index in pair], figures, [values[index] for index in pair])


def nearer_picture(found: Any) -> Question | None:
    """Which of two pictures is nearer in the features: the nearest there, and the nearest in pixels."""
    near, pixels = found.features, found.pixels
    rows = list(map(int, near.rows))
    if len(rows) < 2:
        return None
    other = next((place for place, row in enumerate(pixels.rows) if int(row) != rows[0]), None)
    if other is None:
        return None
    row = int(pixels.rows[other])
    known = float(near.distances[rows.index(row)]) if row in rows else None
    said = f"not among the {len(rows)} nearest" if known is None else f"distance {short(known)}"
    both = [
        (found.tiles[0][0], f"{captions(found.store, [rows[0]])[0]}, distance {short(float(near.distances[0]))}", 1.0),
        (found.tiles[1][other], f"{captions(found.store, [row])[0]}, {said}", 0.0),
    ]
    both = [both[place] for place in _in_any_order(0, 1, of=row)]
    text = NEARER.format(name=found.example.picture.name or "this picture", layer=found.store.layer)
    return _which(text, (found,), [one[0] for one in both], [one[1] for one in both], [one[2] for one in both])


def _which(
    text: str, subject: tuple[object, ...], tiles: Sequence[Any], figures: Sequence[str], values: Sequence[float]
) -> Question:
    """Which of two has the larger value."""
    winner = LETTERS[int(np.argmax(values))]
    largest = max(*map(abs, values), 1e-12)
    said = {letter: (figure, value / largest) for letter, figure, value in zip(LETTERS, figures, values, strict=False)}
    truth = "; ".join(f"{letter} is {figure}" for letter, figure in zip(LETTERS, figures, strict=False))

    def judge(guess: str) -> Steps:
        yield Verdict(winner, float(guess == winner), f"{IT_IS.format(truth=winner)} {truth}.", said)

    return Question("order", text, subject, LETTERS[:2], judge, picture=_pair(tiles))


def _two_of(strengths: NDArray[Any]) -> tuple[int, int] | None:
    """The strongest and the one in the middle, in an order that does not tell which; None where both are equal."""
    order = np.argsort(-strengths, kind="stable")
    first, middle = int(order[0]), int(order[len(order) // 2])
    return _in_any_order(first, middle) if strengths[first] > strengths[middle] else None


def _in_any_order(one: int, other: int, of: int | None = None) -> tuple[int, int]:
    """Two indices in an order that is always the same for them, and tells nothing."""
    seed = [one, other] if of is None else [of]
    return (one, other) if np.random.default_rng(seed).random() < 0.5 else (other, one)


def _extent(values: NDArray[Any]) -> float:
    return float(np.abs(values).max()) or 1.0


def _pair(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Two pictures on tiles of one size."""
    resized = [PIL.Image.fromarray(tile).resize((_TILE, _TILE), PIL.Image.Resampling.NEAREST) for tile in tiles]
    return np.stack([np.asarray(tile.convert("RGB")) for tile in resized])


# -- a class -----------------------------------------------------------------------------------------------------------


def class_predicted(example: Example) -> Question:
    """The class that is predicted for a picture."""
    names = example.classifier.class_names

    def judge(guess: int) -> Steps:
        yield _class_verdict(names, example.logits, example.predicted, guess)

    answers = _answers(names, example.predicted)
    return Question("class", PREDICTED, (example,), answers, judge, picture=example.appearance, options=names)


def class_of_sketch(pad: ipywidgets.Widget, classifier: Classifier, example: Example | None) -> Question:
    """The class that is predicted for what is drawn on `pad`, which stays."""
    names = classifier.class_names
    judge = None
    if example is not None:
        drawn = example

        def judge(guess: int) -> Steps:
            yield _class_verdict(names, drawn.logits, drawn.predicted, guess)

    def refuse() -> None:
        raise PictureError(DRAW_FIRST)

    # No answers of a show of hands can be named before anything is drawn, unless there are few.
    answers = names if len(names) <= 2 * _ANSWERS else ()
    return Question("class", SKETCHED, (classifier,), answers, judge, refuse, options=names, beside=(pad,))


def class_made(visual: AscentState) -> Question:
    """The class that a picture was made for, or, where it was made for a channel, that it is taken for."""
    names = visual.classifier.class_names
    target = visual.target if isinstance(visual.target, int) else None

    def judge(guess: int) -> Steps:
        scores = visual.probabilities()
        yield _class_verdict(names, scores, int(np.argmax(scores)) if target is None else target, guess)

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


# -- a lasso -----------------------------------------------------------------------------------------------------------


def group_on_map(view: Any, frame: EmbeddingFrame) -> Question:
    """The pictures of the most frequent label, on a map without colours; revealed as the view's selection."""
    store, groups = frame.store, frame.groups
    labels, counts = np.unique(groups, return_counts=True)
    members = np.flatnonzero(groups == labels[counts.argmax()])
    label = store.label_name(int(members[0])) or "the class that is predicted most"
    positions = normalise(frame.embedding.positions, extent_of(frame.embedding.positions))

    def drawing(mark: Callable[[Any], None]) -> ipywidgets.Widget:
        hovered = Tiles(tile_width=96, height=130, description="the picture under the pointer", placeholder=" ")

        def hover(row: int | None) -> None:
            if row is not None and 0 <= row < len(groups):
                hovered.show(store.thumbnails([row]))

        plain = np.zeros_like(groups)
        points = point_map(view, plain, positions, on_lasso=mark, on_hover=hover, on_click=lambda row: None)
        return ipywidgets.VBox([points, hovered])

    def judge(guess: tuple[int, ...]) -> Steps:
        yield _lasso_verdict(view, store, label, members, positions, guess)

    text = CIRCLE.format(label=label, count=len(members), whole=len(groups))
    return Question("lasso", text, (frame.store, len(groups), label), LETTERS, judge, drawing=drawing)


def _lasso_verdict(
    view: Any,
    store: Any,
    label: str,
    members: NDArray[np.intp],
    positions: NDArray[np.float32],
    guess: tuple[int, ...],
) -> Verdict:
    marked = [row for row in guess if 0 <= row < len(positions)]
    inside = len(set(marked) & set(members.tolist()))
    low, right = positions[:, 1] < 0, positions[:, 0] >= 0
    quarter = 2 * low[members].astype(int) + right[members]
    shares = {letter: float((quarter == place).mean()) for place, letter in enumerate(LETTERS)}
    winner = max(shares, key=lambda letter: shares[letter])
    said = CIRCLED.format(
        inside=inside,
        marked=len(marked),
        label=label,
        missed=len(members) - inside,
        best=f"Of the map's quarters {winner}",
    )
    figures = {letter: (f"{share:.0%}", share) for letter, share in shares.items()}
    items = store.items[marked].tolist()
    return Verdict(
        f"{len(members)} pictures of {label}",
        overlap(marked, members.tolist()),
        said,
        figures,
        lambda: setattr(view, "selection", items),
    )
