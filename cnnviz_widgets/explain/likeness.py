"""How like two maps are, and whether a map depends on the class it was made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target

#: Maps of two classes that correlate this much are nearly the same. Those of two photographs do at 0.5.
_ALIKE = 0.6
#: With fewer cells two maps correlate by chance.
_FEWEST = 9


def rank_correlation(first: NDArray[np.floating] | Tensor, second: NDArray[np.floating] | Tensor) -> float:
    """Spearman's rank correlation of two maps of one shape, -1 to 1; NaN where one is the same everywhere."""
    ranks = [_ranks(np.asarray(values.cpu() if isinstance(values, Tensor) else values)) for values in (first, second)]
    deviations = [rank - rank.mean() for rank in ranks]
    norm = np.prod([np.sqrt(np.square(deviation).sum()) for deviation in deviations])
    return float((deviations[0] * deviations[1]).sum() / norm) if norm > 0 else float("nan")


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Equal values share the mean of their ranks."""
    _, places, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places.ravel()]
    return ranks


def unrelated_class(logits: Tensor, target: Target) -> int | None:
    """The class whose logit, of logits (K,), is in the middle of all other classes'; None where there is none.

    The runner-up is mostly a sibling of the class, and the last one may be its opposite.
    """
    others = [index for index in logits.argsort(stable=True).tolist() if index != target]
    return others[(len(others) - 1) // 2] if others and isinstance(target, int) else None


def class_note(classifier: Classifier, own: Tensor, other: Tensor, unrelated: int, advice: str) -> str:
    """A sentence with `advice` where the signed maps of a class and of an unrelated one are nearly the same."""
    correlation = rank_correlation(own, other) if own.numel() >= _FEWEST else 0.0
    if not correlation >= _ALIKE:
        return ""
    name = classifier.class_names[unrelated]
    return f"The map of an unrelated class, {name}, is nearly the same (rank correlation {correlation:.2f}); {advice}."
