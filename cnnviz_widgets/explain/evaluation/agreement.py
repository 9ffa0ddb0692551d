"""How like the maps of several techniques are, beside what maps of two different photographs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.evaluation import sentences
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.notes import rank_correlation

#: Longest side, in cells, at which maps are compared: finer ones are averaged first, as single pixels are noise.
_CELLS = 56
#: Maps that correlate this much are one, but for rounding.
_ONE = 0.9999
#: Rank correlation of a technique's maps of two different photographs, by its label: EfficientNet-Lite0, the mean over
#: 24 ImageNet photographs. Agreement at or below it says nothing of the picture. Ablation-CAM, Finer-CAM, KernelSHAP
#: and LRP were not measured.
OTHER_PHOTOGRAPH: Mapping[str, float] = {
    "Grad-CAM": 0.48,
    "HiResCAM": 0.48,
    "XGrad-CAM": 0.48,
    "CAM": 0.48,
    "Grad-CAM++": 0.49,
    "LayerCAM": 0.49,
    "Eigen-CAM": 0.54,
    "Score-CAM": 0.44,
    "guided backprop": 0.19,
    "guided Grad-CAM": 0.39,
    "gradient": 0.08,
    "SmoothGrad": 0.31,
    "gradient x input": 0.0,
    "integrated gradients": 0.0,
    "sliding window": 0.0,
    "random masks (RISE)": 0.16,
}


@dataclass(frozen=True, eq=False)
class Agreement:
    """Rank correlations (n, n) of the maps `names`, and the groups of them that are `one_map`, by one formula or not.

    A correlation is NaN where a map is the same everywhere.
    """

    names: tuple[str, ...]
    correlations: NDArray[np.float64]
    one_map: tuple[tuple[str, ...], ...]

    def floor(self, first: str, second: str) -> float | None:
        """What maps of two different photographs correlate at, the higher of two techniques; None: not measured."""
        known = [OTHER_PHOTOGRAPH[name] for name in (first, second) if name in OTHER_PHOTOGRAPH]
        return max(known) if len(known) == 2 else None

    def between(self, first: str, second: str) -> float:
        """The correlation of two maps by name."""
        return float(self.correlations[self.names.index(first), self.names.index(second)])

    def sentence(self, first: str, second: str) -> str:
        """How like two maps are."""
        for names in self.one_map:
            if first in names and second in names:
                return sentences.one_map([first, second])
        return sentences.two_maps(
            self.between(first, second), self.floor(first, second), f"The maps of {first} and {second}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each group of maps that are one."""
        return tuple(sentences.one_map(list(names)) for names in self.one_map)


def agreement(heatmaps: Mapping[str, Heatmap]) -> Agreement:
    """Spearman's rank correlations of the signed values of maps of one picture, by name.

    Maps finer than 56 cells a side are averaged to that first. Where names are labels of techniques, floors are known.
    Raises MethodError for fewer than two maps and for maps of different sizes.
    """
    if len(heatmaps) < 2:
        raise MethodError("It takes two maps to agree; compute another technique's first.")
    sizes = {heatmap.values.shape for heatmap in heatmaps.values()}
    if len(sizes) > 1:
        shapes = ", ".join(" x ".join(map(str, size)) for size in sorted(sizes))
        raise MethodError(f"The maps are of different sizes ({shapes}); make them of one picture and network.")
    names, maps = tuple(heatmaps), [_pooled(heatmap) for heatmap in heatmaps.values()]
    found = np.array([[rank_correlation(one, other) for other in maps] for one in maps])
    return Agreement(names, found, _groups(names, found))


def _pooled(heatmap: Heatmap) -> Tensor:
    values = torch.from_numpy(heatmap.values)
    size = (min(_CELLS, values.shape[0]), min(_CELLS, values.shape[1]))
    return functional.adaptive_avg_pool2d(values[None].double(), size)[0]


def _groups(names: tuple[str, ...], correlations: NDArray[np.float64]) -> tuple[tuple[str, ...], ...]:
    groups: list[tuple[str, ...]] = []
    left = list(range(len(names)))
    while left:
        first = left[0]
        same = [place for place in left if place == first or correlations[first, place] >= _ONE]
        left = [place for place in left if place not in same]
        if len(same) > 1:
            groups.append(tuple(names[place] for place in same))
    return tuple(groups)
