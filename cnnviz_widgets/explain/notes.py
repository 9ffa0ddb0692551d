"""How like two maps are, and whether a map depends on the class it was made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target
    from cnnviz_widgets.explain.instance import Instance

#: Maps of two classes that correlate this much are nearly the same. Those of two photographs do at 0.5.
_ALIKE = 0.6
#: With fewer cells two maps correlate by chance.
_FEWEST = 9

ONE_CLASS = "to ask about one class subtract another one, or choose an earlier layer"
OTHER_METHOD = "to ask about one class use Grad-CAM, or an earlier layer"


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

    The runner-up is mostly a sibling of the class, and the last one may be its opposite. A difference of classes is
    compared with none.
    """
    others = [index for index in logits.argsort(stable=True).tolist() if index != target.index]
    return others[(len(others) - 1) // 2] if others and not target.signed else None


def class_note(
    classifier: Classifier, logits: Tensor, target: Target, cells_of: Callable[[int], Tensor], advice: str
) -> str:
    """A sentence with `advice` where the signed map of a class is nearly that of one unrelated to it, or "".

    `cells_of` gives the map (h, w) of a class, `logits` (K,) say which classes are unrelated.
    """
    unrelated = unrelated_class(logits, target)
    if unrelated is None:
        return ""
    own, other = cells_of(target.index), cells_of(unrelated)
    correlation = rank_correlation(own, other) if own.numel() >= _FEWEST else 0.0
    if not correlation >= _ALIKE:
        return ""
    name = classifier.class_names[unrelated]
    return f"The map of an unrelated class, {name}, is nearly the same (rank correlation {correlation:.2f}); {advice}."


def same_maps(instance: Instance) -> str:
    """A sentence where the gradient is the same in all cells of the layer, so that several methods are one, or ""."""
    gradients = instance.target.combine(instance.gradients)
    spread = (gradients.amax(dim=(1, 2)) - gradients.amin(dim=(1, 2))).max()
    if not bool(spread <= 1e-4 * gradients.abs().max()):
        return ""
    linear = instance.tape.is_linear_behind(instance.tape.layer(instance.layer))
    names = "HiResCAM, XGrad-CAM and CAM" if linear else "HiResCAM and XGrad-CAM"
    return (
        f"At this layer Grad-CAM, {names} are the same map, as the gradient is the same in every cell: "
        "their agreement says nothing."
    )
