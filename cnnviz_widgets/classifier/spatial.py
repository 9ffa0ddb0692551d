"""Whether a tensor is a map of the picture: whether its two axes move with the picture's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

#: (rows, columns)
Grid = tuple[int, int]

#: How often pictures are drawn anew, at the most, while it is open whether something moves.
ROUNDS = 3
#: A grid of so few cells may be mixed by a single convolution, so that weights decide where its activity is.
TINY = 16
#: As a share of its axis, how far activity moves at the least when its cause moves by half of the picture, and from
#: where on it counts as moving with something else: on a tiny grid, or not.
_LEAST, _ASTRAY = 0.01, {True: 0.25, False: 0.05}
#: How much larger that has to be than what moves along an axis for other causes, and when it is beyond doubt.
_CLEARER, _CLEAR = 2.0, 5.0
#: Activity below this share of a tensor's size is rounding.
_ROUNDING = 1e-6
#: Values of an output that are looked at, about.
_LOOKED_AT = 2**16
#: Class tokens and registers that may stand before a grid of tokens.
_MOST_BEFORE = 16
#: Signs of the four quarters, in reading order: where each is along the rows, along the columns, and their product.
_DOWN, _RIGHT, _BOTH = (-1, -1, 1, 1), (-1, 1, -1, 1), (1, -1, -1, 1)

Verdict = Literal["moves", "astray", "flat", "silent"]


@dataclass(frozen=True)
class Arrangement:
    """How a tensor of N pictures holds their maps (N, C, h, w).

    "first" is (N, C, h, w), "last" (N, h, w, C); "tokens" is (N, T, C) with the cells row by row, behind `before`
    tokens that are no cells, such as a class token.
    """

    axes: Literal["first", "last", "tokens"] = "first"
    grid: Grid | None = None
    before: int = 0

    def maps_of(self, tensor: Tensor) -> Tensor:
        """The maps (N, C, h, w), a view."""
        if self.axes == "first":
            return tensor
        if self.axes == "last":
            return tensor.permute(0, 3, 1, 2)
        assert self.grid is not None
        cells: Tensor = tensor[:, self.before :].transpose(1, 2).unflatten(2, self.grid)
        return cells

    def tensor_of(self, maps: Tensor, tensor: Tensor) -> Tensor:
        """`tensor` with `maps` (N, C, h, w) in place of its own."""
        if self.axes == "first":
            return maps
        if self.axes == "last":
            return maps.permute(0, 2, 3, 1)
        cells = maps.flatten(2).transpose(1, 2)
        return torch.cat([tensor[:, : self.before], cells], dim=1) if self.before else cells

    def fits(self, tensor: Tensor) -> bool:
        """Whether a tensor has the axes, and the cells, for it."""
        if self.axes != "tokens":
            return tensor.ndim == 4
        return tensor.ndim == 3 and self.grid is not None and tensor.shape[1] == self.before + math.prod(self.grid)


FIRST = Arrangement()


def arrangements(tensor: Tensor, grids: set[Grid], size: Grid) -> Iterator[Arrangement]:
    """The ways in which an output for one picture of `size` may hold maps of more than one cell, likeliest first.

    `grids` are those of the maps (1, C, h, w) that were seen before; tokens are on one of them, or on one of the
    picture's proportions.
    """
    if not tensor.is_floating_point() or tensor.ndim not in (3, 4) or len(tensor) != 1:
        return
    if tensor.ndim == 4:
        if tensor.shape[2] * tensor.shape[3] > 1:
            yield FIRST
        if tensor.shape[1] * tensor.shape[2] > 1 and in_proportion((tensor.shape[1], tensor.shape[2]), size):
            yield Arrangement("last")
        return
    tokens = tensor.shape[1]
    fitting = [grid for grid in grids if math.prod(grid) > 1 and 0 <= tokens - math.prod(grid) <= _MOST_BEFORE]
    for before in (0, 1, 2):
        rows = round(math.sqrt(max(tokens - before, 0) * size[0] / size[1]))
        if rows and tokens - before > 1 and (tokens - before) % rows == 0:
            fitting.append((rows, (tokens - before) // rows))
    for grid in sorted(set(fitting), key=lambda grid: tokens - math.prod(grid)):
        yield Arrangement("tokens", grid, tokens - math.prod(grid))


def in_proportion(grid: Grid, size: Grid) -> bool:
    """Whether a grid has, up to a cell, the picture's proportions."""
    return abs(grid[0] * size[1] - grid[1] * size[0]) <= max(size)


def trial_picture(shape: Sequence[int]) -> Tensor:
    """A picture (1, C, H, W) of noise in 0..1, coarse and fine."""
    return _noise(shape, torch.Generator().manual_seed(0))


def changed_quarters(picture: Tensor, turn: int = 0) -> Iterator[Tensor]:
    """The picture four times, each with one quarter drawn anew, in reading order.

    The noise is of the same mean and contrast everywhere, so that what depends on the whole picture hardly changes.
    """
    generator = torch.Generator().manual_seed(turn + 1)
    height, width = picture.shape[-2:]
    for bottom in (False, True):
        for right in (False, True):
            rows = slice(height // 2, None) if bottom else slice(0, max(height // 2, 1))
            columns = slice(width // 2, None) if right else slice(0, max(width // 2, 1))
            changed = picture.clone()
            changed[..., rows, columns] = _noise(picture.shape, generator)[..., rows, columns]
            yield changed


def _noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    height, width = shape[-2:]
    layers = []
    for cell in (1, 4, 16):
        grid = [max(2, -(-side // cell)) for side in (height, width)]
        coarse = torch.rand(1, shape[1], *grid, generator=generator)
        layers.append(functional.interpolate(coarse, (height, width), mode="nearest"))
    return torch.stack(layers).mean(dim=0)


class Movement:
    """How the activity of maps (1, C, h, w) follows the quarter of the picture that changes, over rounds of four.

    `base` are the maps of the picture that the four differ from. Of many channels every few are looked at.
    """

    def __init__(self, base: Tensor) -> None:
        self.shape = tuple(base.shape)
        self._step = max(1, base.numel() // _LOOKED_AT)
        self._base = base[:, :: self._step].detach().to(torch.float32, copy=True)
        self._least = _ROUNDING**2 * float(self._base.square().sum())
        self._centroids: tuple[list[tuple[float, float]], ...] = ([], [], [], [])

    def see(self, maps: Tensor, quarter: int) -> None:
        """Take the maps of the picture that differs in `quarter`, 0 to 3."""
        change = (maps[:, :: self._step].detach().float() - self._base).square_().sum(dim=(0, 1))
        # To the processor once, whatever computes the maps: a copy waits for what was computed before.
        total, row, column = (change.flatten().cpu().double() @ _places(*self.shape[2:])).tolist()
        if total > self._least:
            self._centroids[quarter].append((row / total, column / total))

    @property
    def verdict(self) -> Verdict:
        """Whether both axes move with the picture's.

        "astray": an axis follows something else, such as the picture's other axis. "flat": every place answers to
        every quarter alike. "silent": what changes is no more than rounding.
        """
        if not all(self._centroids):
            return "silent"
        contrasts = self._contrasts()
        least = _ASTRAY[self.shape[2] * self.shape[3] <= TINY]
        if any(wrong >= max(least, _CLEARER * own) for own, _, wrong in contrasts):
            return "astray"
        return "moves" if all(own >= _LEAST and own >= _CLEARER * noise for own, noise, _ in contrasts) else "flat"

    @property
    def is_open(self) -> bool:
        """Whether another round may change the verdict."""
        if not all(self._centroids) or len(self._centroids[0]) >= ROUNDS:
            return False
        shares = [own / max(noise, _LEAST / _CLEARER) for own, noise, _ in self._contrasts()]
        return 1 / _CLEAR < min(shares) < _CLEAR

    def _contrasts(self) -> list[tuple[float, float, float]]:
        """For each axis of several cells, how far the activity's centroid moves, as a share of the axis.

        First, with the quarter along the picture's same axis; second, along its other axis or across, without a sign;
        third, the second or against the first, whichever is more.
        """
        means = [[sum(axis) / len(seen) for axis in zip(*seen, strict=True)] for seen in self._centroids]
        found = []
        for axis, signs in ((0, (_DOWN, _RIGHT, _BOTH)), (1, (_RIGHT, _DOWN, _BOTH))):
            if self.shape[2 + axis] > 1:
                own, other, across = (
                    sum(mean[axis] * factor for mean, factor in zip(means, sign, strict=True)) / 2 for sign in signs
                )
                noise = max(abs(other), abs(across))
                found.append((own, noise, max(noise, -own)))
        return found


@lru_cache(maxsize=64)
def _places(rows: int, columns: int) -> Tensor:
    """For each cell of a grid, row by row: 1, and where it is along the rows and the columns, 0 to 1. (cells, 3)"""
    with torch.inference_mode(False):
        along = [torch.linspace(0, 1, side, dtype=torch.float64) for side in (rows, columns)]
        row, column = torch.meshgrid(*along, indexing="ij")
        return torch.stack([torch.ones_like(row), row, column], dim=-1).flatten(0, 1)
