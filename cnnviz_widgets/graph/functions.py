"""Functions of single cells: activations, batch norms, clamps, and joins of channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Activation:
    """A function that may overwrite its argument, and what oneDNN calls it where it can follow a convolution."""

    function: Callable[[Tensor], Tensor]
    name: str = ""
    scalars: tuple[float, ...] = ()
    algorithm: str = ""


@dataclass(frozen=True, eq=False)
class Affine:
    """What a batch norm in eval mode does: values * scale + shift, both (1, C, 1, 1)."""

    scale: Tensor
    shift: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        return torch.addcmul(self.shift, values, self.scale)


@dataclass(frozen=True, eq=False)
class Clamp:
    """The nearest to each value between `low` and, where there is one, `high`, both (1, C, 1, 1)."""

    low: Tensor
    high: Tensor | None = None

    def __call__(self, values: Tensor) -> Tensor:
        return torch.maximum(values, self.low) if self.high is None else torch.clamp(values, self.low, self.high)

    def apply_to_pieces(self, pieces: Sequence[Tensor]) -> Tensor:
        """The same of values side by side, without joining them first."""
        count, _, *plane = pieces[0].shape
        result = pieces[0].new_empty(count, *plane, self.low.shape[1]).permute(0, 3, 1, 2)
        first = 0
        for piece in pieces:
            here = slice(first, first := first + piece.shape[1])
            if self.high is None:
                torch.maximum(piece, self.low[:, here], out=result[:, here])
            else:
                torch.clamp(piece, self.low[:, here], self.high[:, here], out=result[:, here])
        return result


def join_channels(*values: Tensor) -> Tensor:
    """Values joined along their channels."""
    return torch.cat(values, 1)
