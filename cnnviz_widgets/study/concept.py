"""Concepts as directions in a layer's features: of a group of pictures, and how a class reacts to a step along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, TargetLike
from cnnviz_widgets.classifier.differentiation import cut_off, gradients_of
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import LayerError, MethodError
from cnnviz_widgets.parameters import check_choice

#: From the mean of the other pictures to that of the group, or the normal of the plane that parts them best.
Direction = Literal["means", "plane"]


@dataclass(frozen=True, eq=False)
class Concept:
    """A `direction` (D,) of length 1 in the features at `layer`, from other pictures towards those of a group.

    `floor` (n, D) are directions of random groups as large, made in the same way: directions without meaning.
    """

    layer: str
    direction: FloatArray
    floor: FloatArray

    @classmethod
    def of_group(
        cls,
        layer: str,
        features: NDArray[np.floating],
        rows: Sequence[int] | NDArray[np.integer],
        by: Direction = "means",
        *,
        draws: int = 40,
        seed: int = 0,
    ) -> Concept:
        """The direction of the pictures `rows` of `features` (N, D) at `layer`, such as those of a lasso.

        "plane" is a linear classifier's normal, the concept activation vector of Kim et al. 2018 (arXiv 1711.11279).
        Raises MethodError unless there are pictures inside and outside.
        """
        check_choice("by", by, Direction)
        inside = np.zeros(len(features), np.bool_)
        inside[np.asarray(rows, np.intp)] = True
        size = int(inside.sum())
        if not 0 < size < len(features):
            raise MethodError("A concept is a group of some of the pictures; select some of them, and not all.")
        values = np.asarray(features, np.float64)
        random = np.random.default_rng(seed)
        groups = [np.isin(np.arange(len(values)), random.permutation(len(values))[:size]) for _ in range(draws)]
        found = [_direction(values, group, by) for group in (inside, *groups)]
        return cls(layer, found[0], np.stack(found[1:]) if groups else np.zeros((0, values.shape[1]), np.float32))

    def sensitivity(self, classifier: Classifier, pixels: Tensor, target: TargetLike) -> Sensitivity:
        """How the score of one network input (1, C, H, W) changes along the direction.

        A forward and a backward pass. Raises LayerError, TargetError, PictureError, MethodError, ClassifierError.
        """
        slopes = _slopes(classifier, classifier.input_copy(pixels), self.layer, target)
        if len(slopes) != len(self.direction):
            raise LayerError(
                f"The layer {self.layer!r} of {classifier.name} has {len(slopes)} channels, the concept "
                f"{len(self.direction)}; make it of features of this layer."
            )
        return Sensitivity(float(self.direction @ slopes), self.floor @ slopes)


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """The derivative of a score along a concept, per unit of the features; `floor` (n,) are those of random groups."""

    value: float
    floor: FloatArray

    @property
    def low(self) -> float:
        """Of 100 random groups, 95 have a derivative from here up to `high`."""
        return float(np.quantile(self.floor, 0.025)) if len(self.floor) else 0.0

    @property
    def high(self) -> float:
        """The upper end, as `low`."""
        return float(np.quantile(self.floor, 0.975)) if len(self.floor) else 0.0

    @property
    def stands_out(self) -> bool:
        """Whether it is beyond what random groups do."""
        return not self.low <= self.value <= self.high


def _direction(features: NDArray[np.float64], inside: NDArray[np.bool_], by: Direction) -> FloatArray:
    if by == get_args(Direction)[0]:
        found = features[inside].mean(axis=0) - features[~inside].mean(axis=0)
    else:
        from sklearn.linear_model import LogisticRegression

        scale = features.std(axis=0) + 1e-12
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit(features / scale, inside)
        found = model.coef_[0] / scale
    length = float(np.linalg.norm(found))
    unit: FloatArray = (found / length if length > 0 else found).astype(np.float32)
    return unit


@torch.inference_mode(False)
@torch.enable_grad()
def _slopes(classifier: Classifier, pixels: Tensor, layer: str, target: TargetLike) -> FloatArray:
    """d score / d feature for each channel (D,): all cells of a channel are moved together, as their mean is."""
    with classifier.recording(layer) as outputs:
        score = classifier.score(classifier.logits(pixels), target)[0]
        if layer not in outputs:
            raise LayerError(f"{classifier.name} skipped the layer {layer!r} on this picture; choose another one.")
        (gradient,) = gradients_of(classifier, score, [outputs[layer]])
    if gradient is None:
        raise cut_off(classifier.name, f"the layer {layer!r}")
    slopes: FloatArray = gradient[0].float().sum(dim=(1, 2)).cpu().numpy()
    return slopes
