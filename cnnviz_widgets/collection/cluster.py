"""What a selection of stored pictures has in common: labels, channels and neighbours; and the selection as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.labels import UNKNOWN
from cnnviz_widgets.collection.neighbours import Metric, nearest, nearest_of_rows
from cnnviz_widgets.collection.store import FeatureStore

#: A spreadsheet takes a cell that begins with one of these for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}")
#: Most members of a selection whose neighbours are looked for. More take longer and change little.
_MAX_QUERIES = 200


@dataclass(frozen=True)
class LabelCount:
    """How many pictures with a label are `inside` the selection, of `whole`; `label` is -1 for those without one."""

    label: int
    name: str
    inside: int
    whole: int


@dataclass(frozen=True)
class Distinction:
    """A channel whose mean features differ between a selection and the rest.

    `inside` and `outside` are the means, `difference` is theirs in units of the standard deviation within the two.
    """

    channel: int
    difference: float
    inside: float
    outside: float


def inside(polygon: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of `points` (N, 2) are inside the closed `polygon` (V, 2), by the even-odd rule, bool (N,)."""
    within = np.zeros(len(points), np.bool_)
    if len(polygon) < 3:
        return within
    x, y = np.asarray(points, np.float64).T
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        # Each edge has its lower end and not its upper one: a corner that a ray meets is counted once.
        crosses = (ay > y) != (by > y)
        if by != ay:
            within ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return within


def label_counts(store: FeatureStore, rows: NDArray[np.intp]) -> list[LabelCount]:
    """The labels of `rows` (n,) with their counts there and in the whole store, the most frequent first."""
    labels = store.labels
    values, whole = np.unique(labels, return_counts=True)
    found = []
    for value, count in zip(values, whole, strict=True):
        within = int((labels[rows] == value).sum())
        if within:
            row = int(rows[np.flatnonzero(labels[rows] == value)[0]])
            found.append(LabelCount(int(value), store.label_name(row) or "no label", within, int(count)))
    return sorted(found, key=lambda count: (-count.inside, count.label))


def distinctions(features: NDArray[np.float32], rows: NDArray[np.intp], count: int = 5) -> list[Distinction]:
    """The `count` channels whose means differ most between `rows` (n,) and the other rows of `features` (N, D).

    By (mean inside - mean outside) / sqrt((variance inside + variance outside) / 2), Cohen's d (Cohen 1988) with both
    groups weighing the same. A channel that is constant in both groups comes first if the two differ, else is left out.
    """
    chosen = np.zeros(len(features), np.bool_)
    chosen[rows] = True
    if not chosen.any() or chosen.all():
        return []
    within, rest = features[chosen].astype(np.float64), features[~chosen].astype(np.float64)
    means = within.mean(axis=0), rest.mean(axis=0)
    difference = means[0] - means[1]
    deviation = np.sqrt((within.var(axis=0) + rest.var(axis=0)) / 2)
    scale = np.where(deviation > 0, deviation, 1)
    beyond = np.select([difference > 0, difference < 0], [np.inf, -np.inf], 0.0)
    ratio = np.where(deviation > 0, difference / scale, beyond)
    order = np.lexsort((np.arange(len(ratio)), -np.abs(ratio)))[:count]
    return [
        Distinction(int(channel), float(ratio[channel]), float(means[0][channel]), float(means[1][channel]))
        for channel in order
        if ratio[channel] != 0
    ]


def common_neighbours(
    features: NDArray[np.float32], rows: NDArray[np.intp], k: int = 10, metric: Metric = "cosine"
) -> list[tuple[int, int]]:
    """The `k` rows outside a selection that are among the `k` nearest of most of its members: (row, how many members).

    By the distances of `features` (N, D): pictures that an embedding has put elsewhere although they are alike. Of
    more than 200 members so many, evenly spaced, are looked at; members may be each other's neighbours.
    """
    if not len(rows):
        return []
    asked = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MAX_QUERIES)).astype(int)]
    votes = np.bincount(nearest_of_rows(features, asked, k, metric).ravel(), minlength=len(features))
    votes[rows] = 0
    order = np.lexsort((np.arange(len(votes)), -votes))[:k]
    return [(int(row), int(votes[row])) for row in order if votes[row]]


def table_of(store: FeatureStore, rows: NDArray[np.intp], name: str = "") -> dict[str, list[object]]:
    """The pictures of `rows` (n,) as columns: item, name, label, its name, prediction, and the selection if named."""
    labels, names, items = store.labels, store.names, store.items
    predicted = store.logits[rows].argmax(axis=1) if len(rows) else np.zeros(0, int)
    columns: dict[str, list[object]] = {
        "item": [int(items[row]) for row in rows],
        "name": [str(names[row]) for row in rows],
        "label": [None if labels[row] == UNKNOWN else int(labels[row]) for row in rows],
        "label_name": [store.label_name(int(row)) for row in rows],
        "predicted": [int(index) for index in predicted],
    }
    return {**columns, "selection": [name] * len(rows)} if name else columns


def csv_of(table: dict[str, list[object]]) -> str:
    """A table as CSV (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(table)
    writer.writerows([_cell(value) for value in row] for row in zip(*table.values(), strict=True))
    return file.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


def pair_distance(features: NDArray[np.float32], rows: Sequence[int], metric: Metric) -> tuple[float, float]:
    """The distance of two rows of `features` (N, D), and the fraction of other rows nearer to the first, 0..1."""
    first, second = rows
    found = nearest(features, features[first], len(features), metric, exclude=[first])
    position = int(np.flatnonzero(found.rows == second)[0])
    distance = float(found.distances[position])
    return distance, float((found.distances < distance).sum()) / max(1, len(found) - 1)
