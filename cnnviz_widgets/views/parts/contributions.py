"""What each channel of a layer gives to a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.session import Example
from cnnviz_widgets.views.parts.scales import short


@dataclass(frozen=True, eq=False)
class Contributions:
    """Gradient x activation of the channels of `layer` for a class, added up over the cells: `values` float32 (C,).

    Where nothing but a linear function follows the layer, that is the weight times the mean of the map, and `exact`:
    all values and a bias add up to the logit.
    """

    example: Example
    layer: str
    class_index: int
    values: NDArray[np.float32]
    exact: bool

    @property
    def order(self) -> NDArray[np.int64]:
        """The channels, those that give most first, int64 (C,)."""
        return np.argsort(-self.values, kind="stable")

    def is_of(self, example: Example, layer: str, class_index: int) -> bool:
        """Whether these are the contributions to a class of a picture at a layer."""
        return (self.example, self.layer, self.class_index) == (example, layer, class_index)


def contributions_to(example: Example, layer: str, class_index: int) -> Contributions | None:
    """The Contributions of a layer, at a backward pass for each class; None where no gradient comes to it."""
    try:
        tape = example.tape(layer)
        name = tape.layer(layer)
        product = tape.gradient(name, class_index)[0].float() * tape.activations[name][0].float()
        values: NDArray[np.float32] = product.sum(dim=(1, 2)).cpu().numpy()
        return Contributions(example, layer, class_index, values, tape.is_linear_behind(name))
    except ExplanationError:
        return None


def strength_badge(strength: float, extent: float) -> str:
    """A strength in the corner of a tile: what is next to nothing is not given three digits."""
    return "~0" if 0 < abs(strength) < 0.001 * extent else short(strength)
