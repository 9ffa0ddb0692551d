"""Which of two is stronger or nearer: a letter is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets.collection.predictions import Predictions
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.errors import GuessError
from cnnviz_widgets.explain import Evaluation, OrderTest
from cnnviz_widgets.paint import colorize, table_names
from cnnviz_widgets.study.activations import Activations
from cnnviz_widgets.study.filters import Filters
from cnnviz_widgets.views.explanation import Explanation
from cnnviz_widgets.views.guess import Question, Verdict
from cnnviz_widgets.views.job import one_step
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.crops import Sheet
from cnnviz_widgets.views.parts.data_set import captions
from cnnviz_widgets.views.parts.guess_scores import LETTERS
from cnnviz_widgets.views.parts.scales import short

CHANNEL = "Each map is drawn on a scale of its own. Which of the two channels of {layer} responds more strongly?"
FILTER = "Each filter is drawn on a scale of its own. Which of the two filters of {layer} has larger weights?"
PATCH = "Which of the two patches makes channel {channel} of {layer} respond more strongly?"
ALIKE = "All {what} are alike here, so there is nothing to guess: skip, and choose another layer, channel or picture."
NEARER = "Which of the two pictures is nearer to {name} in the features of {layer}?"
MISTAKEN = "One of the two pictures the network takes for something else than its label says. Which?"
SURER = "Of which of the two pictures is the network surer?"
REVEALED = (
    "A share of the picture is revealed: in one half of the pair in the order of the map, in the other at random. "
    "Which order raises the {quantity} of {name} more?"
)
#: The share of the pixels of which that question shows pictures, of the steps of the test.
_REVEALED = 0.5
IT_IS = "It is {truth}."
_TILE = 96


def stronger_channel(maps: Activations) -> Question:
    """Which of two channels responds more strongly: the strongest by its maximum, and the one in the middle.

    Raises GuessError where they are alike, as do the other questions about two.
    """
    peaks = np.abs(maps.maps).max(axis=(1, 2))
    pair = _two_of(peaks, f"channels of {maps.layer}")
    shown = [maps.thumbnails[channel] for channel in pair]
    tables = table_names(signed=maps.signed)[0]
    tiles = [colorize(one / _extent(one), -1 if maps.signed else 0, 1, tables) for one in shown]
    figures = [f"channel {channel}, at most {short(float(peaks[channel]))}" for channel in pair]
    return _which(CHANNEL.format(layer=maps.layer), (maps,), tiles, figures, [float(peaks[one]) for one in pair])


def larger_filter(filters: Filters) -> Question:
    """Which of two filters has the larger norm: the largest, and the one in the middle."""
    pair = _two_of(filters.norms, f"filters of {filters.layer}")
    colours = filters.first and filters.weights.shape[1] == 3
    tiles = []
    for index in pair:
        kernel = filters.weights[index] if colours else filters.weights[index, 0]
        share = kernel / _extent(kernel)
        if colours:
            tiles.append(np.rint((np.moveaxis(share, 0, -1) + 1) * 127.5).astype(np.uint8))
        else:
            tiles.append(colorize(share, -1, 1, table_names(signed=True)[0]))
    figures = [f"filter {index}, norm {short(float(filters.norms[index]))}" for index in pair]
    norms = [float(filters.norms[index]) for index in pair]
    return _which(FILTER.format(layer=filters.layer), (filters,), tiles, figures, norms)


def stronger_patch(sheet: Sheet) -> Question:
    """Which of two patches of a sheet excites the channel more: the first and the last."""
    values = [location.value for location in sheet.locations]
    if len(values) < 2 or values[0] == values[-1]:
        raise GuessError(ALIKE.format(what=f"patches of channel {sheet.channel} of {sheet.layer}"))
    pair = _in_any_order(0, len(values) - 1)
    text = PATCH.format(channel=sheet.channel, layer=sheet.layer)
    figures = [short(values[index]) for index in pair]
    return _which(text, (sheet,), [sheet.tiles[index] for index in pair], figures, [values[index] for index in pair])


def nearer_picture(found: Any) -> Question:
    """Which of two pictures is nearer in the features: the nearest there, and the nearest in pixels."""
    near, pixels = found.features, found.pixels
    rows = list(map(int, near.rows))
    other = next((place for place, row in enumerate(pixels.rows) if rows and int(row) != rows[0]), None)
    if other is None:
        raise GuessError(ALIKE.format(what="neighbours"))
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


def mistaken_picture(store: FeatureStore, known: Predictions) -> Question:
    """Which of two pictures is taken for something else than its label says, of those that the network is sure of.

    Where none is right or none is wrong: of which it is surer, the surest and the one in the middle.
    """
    rights, wrongs = (np.flatnonzero(which) for which in (known.right, known.wrong))
    if len(rights) and len(wrongs):
        pair = [int(rows[known.confidence[rows].argmax()]) for rows in (rights, wrongs)]
        pair = [pair[place] for place in _in_any_order(0, 1, of=pair[0])]
        text, values = MISTAKEN, [float(known.wrong[row]) for row in pair]
    else:
        pair = list(_two_of(known.confidence, "pictures"))
        text, values = SURER, [float(known.confidence[row]) for row in pair]
    names = known.class_names
    figures = [f"{names[known.predicted[row]]} to the network, {percent(float(known.confidence[row]))}" for row in pair]
    for place, row in enumerate(pair):
        if known.known[row]:
            figures[place] += f", and {names[known.labels[row]]} by its label"
    return _which(text, (known,), list(store.thumbnails(np.array(pair, np.intp))), figures, values)


def better_order(explanation: Explanation, found: Evaluation, test: OrderTest, name: str) -> Question:
    """Whether the map's order or a random one reveals a picture with the higher mean score along the curve."""
    areas, classifier = found.areas, explanation.example.classifier
    if areas is None or areas[0] == areas[1]:
        raise GuessError(ALIKE.format(what="orders"))
    step = round(_REVEALED * test.steps)
    pictures = [
        classifier.appearance(test.partial(explanation.instance, places, step))
        for places in (found.places, test.random_places(found))
    ]
    said = ["the map's, {area}", f"random, {{area}} in the mean of {len(found.random)}"]
    pair = _in_any_order(0, 1, of=int(found.places[0, 0]))
    figures = [said[one].format(area=f"mean {found.quantity} {short(areas[one])}") for one in pair]
    text = REVEALED.format(quantity=found.quantity, name=name)
    return _which(text, (found,), [pictures[one] for one in pair], figures, [areas[one] for one in pair])


def _which(
    text: str, subject: tuple[object, ...], tiles: Sequence[Any], figures: Sequence[str], values: Sequence[float]
) -> Question:
    """Which of two has the larger value."""
    winner = LETTERS[int(np.argmax(values))]
    largest = max(*map(abs, values), 1e-12)
    said = {letter: (figure, value / largest) for letter, figure, value in zip(LETTERS, figures, values, strict=False)}
    truth = "; ".join(f"{letter} is {figure}" for letter, figure in zip(LETTERS, figures, strict=False))

    @one_step
    def judge(guess: str) -> Verdict:
        return Verdict(winner, float(guess == winner), f"{IT_IS.format(truth=winner)} {truth}.", said)

    return Question("order", text, subject, LETTERS[:2], judge, picture=_pair(tiles))


def _two_of(strengths: NDArray[Any], what: str) -> tuple[int, int]:
    """The strongest and the one in the middle, in an order that does not tell which."""
    order = np.argsort(-strengths, kind="stable")
    first, middle = int(order[0]), int(order[len(order) // 2])
    if strengths[first] <= strengths[middle]:
        raise GuessError(ALIKE.format(what=what))
    return _in_any_order(first, middle)


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
