"""Photographs under coloured lights: what a network takes for alike is not what has like pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.demo.photographs import CropSet, squares_of_photographs

#: Light -> what it multiplies red, green and blue with. Stronger lights draw neighbours in pixels away from the subject.
LIGHTS: dict[str, tuple[float, float, float]] = {
    "warm": (1.5, 1.0, 0.5),
    "cool": (0.5, 0.9, 1.5),
    "dim": (0.4, 0.4, 0.4),
    "bright": (1.8, 1.8, 1.8),
    "green": (0.6, 1.4, 0.6),
    "rose": (1.5, 0.6, 1.1),
}
#: Least width of a square, as a share of the photograph's shorter side. Smaller ones show parts that have less in common.
_LEAST = 0.8


@dataclass(frozen=True, eq=False)
class LitSet(CropSet):
    """Squares cut out of photographs, each under one of six lights: `lights` int64 (n,), an index of `light_names`."""

    lights: NDArray[np.int64]
    light_names: tuple[str, ...]


def lit_crops(n: int = 240, seed: int = 0, side: int = 112) -> LitSet:
    """A LitSet of `n` random squares from twelve photographs in turn; after each round the light is another one.

    Of the 12 nearest, nearly all are of the same photograph in the demo network's features (cosine), about a quarter in
    pixels (Euclidean), where three quarters have the same light. A smaller `n` gives the first squares of a larger one. Raises
    PictureError if scikit-image is not installed.
    """
    cut = squares_of_photographs(n, seed, side, _LEAST)
    lights = np.arange(n) // len(cut.class_names) % len(LIGHTS)
    gains = np.array(list(LIGHTS.values()))[lights]
    pictures = np.clip(np.rint(cut.pictures * gains[:, None, None]), 0, 255).astype(np.uint8)
    return LitSet(pictures, cut.labels, cut.class_names, lights, tuple(LIGHTS))
