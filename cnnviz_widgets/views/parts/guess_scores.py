"""How good a guess was: figures of what was marked against what was found."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: (top, left, height, width) in pixels.
Window = tuple[int, int, int, int]

LETTERS = ("A", "B", "C", "D")


def quarters(height: int, width: int) -> dict[str, Window]:
    """The quarters of a picture by letter: A top left, B top right, C bottom left, D bottom right."""
    rows = ((0, max(1, height // 2)), (height // 2, height - height // 2))
    columns = ((0, max(1, width // 2)), (width // 2, width - width // 2))
    places = [(top, left, tall, wide) for top, tall in rows for left, wide in columns]
    return dict(zip(LETTERS, places, strict=True))


def share_inside(values: NDArray[np.floating], window: Window) -> float:
    """The share of what is positive of a map (H, W) that lies in a window; NaN where nothing is positive."""
    positive = np.clip(values, 0, None).astype(np.float64)
    whole = float(positive.sum())
    top, left, height, width = window
    inside = float(positive[top : top + height, left : left + width].sum())
    return inside / whole if whole > 0 else float("nan")


def best_window(values: NDArray[np.floating], height: int, width: int) -> Window:
    """The window of a size that holds most of what is positive of a map (H, W); of equal ones the first."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    sums[1:, 1:] = np.clip(values, 0, None).astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    held = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(int(held.argmax()), held.shape)
    return int(top), int(left), height, width


def against_best(reached: float, best: float) -> float:
    """What was reached as a share of the best, 0 to 1; NaN where the best is nothing."""
    return float(np.clip(reached / best, 0, 1)) if best > 0 else float("nan")


def rank(scores: ArrayLike, index: int) -> int:
    """The place of an entry, 1 for the highest score; equal ones share the better place."""
    values = np.asarray(scores)
    return 1 + int((values > values[index]).sum())


def overlap(marked: Collection[int], truth: Collection[int]) -> float:
    """How many are in both, as a share of those in either, 0 to 1 (Jaccard); 0 where both are empty."""
    one, other = set(marked), set(truth)
    return len(one & other) / len(one | other) if one | other else 0.0


def most_hands(hands: Mapping[str, int]) -> tuple[str, int, int] | None:
    """The answer with most hands, of equal ones the first, its count, and that of all; None where none was raised."""
    total = sum(hands.values())
    if not total:
        return None
    answer = max(hands, key=lambda name: hands[name])
    return answer, hands[answer], total
