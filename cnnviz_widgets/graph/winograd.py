"""Convolutions of 3 x 3 cells by minimal filtering: 36 products for 4 x 4 outputs, where 144 are the direct way.

Winograd's algorithm F(4 x 4, 3 x 3), with the points 0, 1, -1, 2, -2 and infinity, as in Lavin and Gray 2015
(arXiv 1509.09308), here as three matrix products. In float32 its error is three times that of the direct way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from cnnviz_widgets.graph.ops import Convolution, Listing, Op, Pair

#: Outputs of a tile along an axis, and the inputs that they read. The three matrices below are for these sizes.
_OUT, _IN = 4, 6
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_WEIGHT = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
#: Cost of transforming one channel of a tile there and back, in multiply-adds: roughly, on a CPU. If larger, fewer
#: convolutions are run by tiles.
_TRANSFORM = 4500.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Winograd(Convolution):
    """A convolution of 3 x 3 cells and stride 1; `kernels` (36, C, K) is its weight transformed.

    `before` (36, 36) makes of the cells of a tile what is multiplied, `after` (16, 36) of the products its outputs.
    """

    kernels: Tensor
    before: Tensor
    after: Tensor

    def _run(self, values: Tensor, strides: Pair, padding: Pair) -> Tensor:
        size = (values.shape[2] + 2 * padding[0] - 2, values.shape[3] + 2 * padding[1] - 2)
        if not pays(self.weight, size):
            return super()._run(values, strides, padding)
        result = self._by_tiles(values, size, padding)
        return result if self.activation is None else self.activation.function(result)

    def _by_tiles(self, values: Tensor, size: Pair, padding: Pair) -> Tensor:
        count, channels = values.shape[:2]
        rows, columns = (-(-side // _OUT) for side in size)
        below, right = (_OUT * tiles + 2 for tiles in (rows, columns))
        room = values.new_zeros(count, below, right, channels)
        room[:, padding[0] : padding[0] + values.shape[2], padding[1] : padding[1] + values.shape[3]] = values.permute(
            0, 2, 3, 1
        )
        picture, row, column, _ = room.stride()
        tiles = room.as_strided(
            (_IN, _IN, count, rows, columns, channels), (row, column, picture, _OUT * row, _OUT * column, 1)
        ).reshape(_IN * _IN, -1)
        products = torch.bmm((self.before @ tiles).view(_IN * _IN, -1, channels), self.kernels)
        outputs = len(self.weight)
        result = (self.after @ products.view(_IN * _IN, -1)).view(_OUT, _OUT, count, rows, columns, outputs)
        joined = result.permute(2, 3, 0, 4, 1, 5).reshape(count, _OUT * rows, _OUT * columns, outputs)
        joined = joined[:, : size[0], : size[1]]
        return (joined if self.bias is None else joined + self.bias).permute(0, 3, 1, 2)


def pays(weight: Tensor, size: Pair) -> bool:
    """Whether tiles are cheaper than the direct way for planes of outputs of this size."""
    outputs, channels = weight.shape[:2]
    tiles = -(-size[0] // _OUT) * -(-size[1] // _OUT)
    by_tiles = tiles * (_IN * _IN * channels * outputs + _TRANSFORM * (channels + outputs))
    return by_tiles < size[0] * size[1] * math.prod(weight.shape[1:]) * outputs


def use_winograd(listing: Listing, room: float) -> Listing:
    """The same listing, with convolutions by tiles where they pay, as far as their kernels fit into `room` bytes."""
    ops: list[Op] = []
    for op in listing.ops:
        if (
            isinstance(op, Convolution)
            and _suits(op)
            and (size := 4.0 * _IN * _IN * op.weight[..., 0, 0].numel()) <= room
        ):
            room -= size
            op = _by_tiles(op)
        ops.append(op)
    return replace(listing, ops=tuple(ops))


def _suits(op: Convolution) -> bool:
    windows = [(stencil.kernel, stencil.stride, stencil.dilation) for stencil in op.stencils]
    plain = op.groups == 1 and windows == [(3, 1, 1)] * 2
    # On a large plane no part of a tile is wasted: where it does not pay there, it never does.
    return plain and op.weight.dtype == torch.float32 and pays(op.weight, (64, 64))


def _by_tiles(op: Convolution) -> Winograd:
    transform = torch.tensor(_WEIGHT, dtype=torch.float64)
    kernels = torch.einsum("ai,bj,kcij->abck", transform, transform, op.weight.double()).flatten(0, 1)
    before, after = (torch.tensor(rows, dtype=op.weight.dtype) for rows in (_INPUT, _OUTPUT))
    known = {field.name: getattr(op, field.name) for field in fields(op)}
    return Winograd(
        **known,
        kernels=kernels.to(op.weight.dtype).contiguous(),
        before=torch.kron(before, before),
        after=torch.kron(after, after),
    )
