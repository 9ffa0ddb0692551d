"""A traced network as a list of operations, each of which can run on whole planes or on a part of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.graph.functions import Activation, join_channels

Pair = tuple[int, int]


@dataclass(frozen=True)
class Stencil:
    """What one axis of a sliding operation reads: cell `o` reads o * stride - padding + k * dilation, k < kernel."""

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def trivial(self) -> bool:
        """Each cell reads only the cell at its own place."""
        return self.kernel == 1 and self.stride == 1 and self.padding == 0

    @property
    def span(self) -> int:
        """Distance between the first and the last cell that one cell reads."""
        return (self.kernel - 1) * self.dilation

    @property
    def step(self) -> int:
        """Distance between the cells to cut out: a kernel of one cell reads only every `stride`-th."""
        return self.stride if self.kernel == 1 else 1


Stencils = tuple[Stencil, Stencil]


@dataclass(frozen=True, eq=False, kw_only=True)
class Op:
    """An operation that makes value `output` from values `inputs`, all tensors with the batch on axis 0."""

    inputs: tuple[int, ...]
    output: int

    def whole(self, *values: Tensor) -> Tensor:
        """The output, from whole inputs."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class Slide(Op):
    """A convolution, pooling or padding: cells read their neighbourhood, and `fill` beyond the border."""

    stencils: Stencils
    fill: float = 0.0

    def inside(self, values: Tensor) -> Tensor:
        """The output for a part of the plane, from the cells that it reads.

        Of these each `step`-th is given, and `fill` where there are none.
        """
        raise NotImplementedError

    @property
    def _strides(self) -> Pair:
        """The strides that are left to take in `inside`."""
        rows, columns = self.stencils
        return rows.stride // rows.step, columns.stride // columns.step

    @property
    def _dilations(self) -> Pair:
        return self.stencils[0].dilation, self.stencils[1].dilation


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution(Slide):
    """`padding` is (top, left, bottom, right); `weight` is a private copy."""

    weight: Tensor
    bias: Tensor | None
    padding: tuple[int, int, int, int]
    groups: int
    activation: Activation | None = None

    def whole(self, *values: Tensor) -> Tensor:
        top, left, bottom, right = self.padding
        strides = self.stencils[0].stride, self.stencils[1].stride
        if (top, left) == (bottom, right):
            return self._run(values[0], strides, (top, left))
        return self._run(functional.pad(values[0], (left, right, top, bottom)), strides, (0, 0))

    def inside(self, values: Tensor) -> Tensor:
        return self._run(values, self._strides, (0, 0))

    def _run(self, values: Tensor, strides: Pair, padding: Pair) -> Tensor:
        after = self.activation
        if _has_onednn(values):
            fused = after is not None and after.name != ""
            result: Tensor = torch.ops.mkldnn._convolution_pointwise(
                values, self.weight, self.bias, padding, strides, self._dilations, self.groups,
                *((after.name, after.scalars, after.algorithm) if after is not None and fused else ("none", (), "")),
            )  # fmt: skip
            return result if fused or after is None else after.function(result)
        result = functional.conv2d(values, self.weight, self.bias, strides, padding, self._dilations, self.groups)
        return result if after is None else after.function(result)


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(Slide):
    """Largest of a neighbourhood; `rounds_up` is torch's `ceil_mode`."""

    rounds_up: bool
    fill: float = -float("inf")

    def whole(self, *values: Tensor) -> Tensor:
        rows, columns = self.stencils
        return functional.max_pool2d(
            values[0], (rows.kernel, columns.kernel), (rows.stride, columns.stride),
            (rows.padding, columns.padding), self._dilations, self.rounds_up,
        )  # fmt: skip

    def inside(self, values: Tensor) -> Tensor:
        rows, columns = self.stencils
        return functional.max_pool2d(values, (rows.kernel, columns.kernel), self._strides, 0, self._dilations)


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(Slide):
    """Sum over a neighbourhood, divided by `divisor`."""

    rounds_up: bool
    divisor: int

    def whole(self, *values: Tensor) -> Tensor:
        rows, columns = self.stencils
        return functional.avg_pool2d(
            values[0], (rows.kernel, columns.kernel), (rows.stride, columns.stride),
            (rows.padding, columns.padding), self.rounds_up, divisor_override=self.divisor,
        )  # fmt: skip

    def inside(self, values: Tensor) -> Tensor:
        rows, columns = self.stencils
        kernels = rows.kernel, columns.kernel
        return functional.avg_pool2d(values, kernels, self._strides, divisor_override=self.divisor)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pad(Slide):
    """`fill` on all sides; `padding` is (top, left, bottom, right)."""

    padding: tuple[int, int, int, int]

    def whole(self, *values: Tensor) -> Tensor:
        top, left, bottom, right = self.padding
        return functional.pad(values[0], (left, right, top, bottom), value=self.fill)

    def inside(self, values: Tensor) -> Tensor:
        return values


@dataclass(frozen=True, eq=False, kw_only=True)
class Cellwise(Op):
    """Each cell reads only the cells at its own place, in one or several values.

    `fresh`: the output never shares memory with an input. `overwriting`: the same as a function that may overwrite
    its only argument.
    """

    function: Callable[..., Tensor]
    fresh: bool = True
    overwriting: Activation | None = None
    activation: Activation | None = None

    def part(self, *values: Tensor) -> Tensor:
        """The output in a part of the plane, from inputs in the same part."""
        result = self.function(*values)
        return result if self.activation is None else self.activation.function(result)

    def whole(self, *values: Tensor) -> Tensor:
        return self.part(*values)


@dataclass(frozen=True, eq=False, kw_only=True)
class Join(Cellwise):
    """Values side by side, as channels.

    In a dense block each join goes on the one before. There the first makes room for all `channels` of the last, and
    those that `extend` it write behind what is there, so nothing is copied twice.
    """

    function: Callable[..., Tensor] = join_channels
    channels: int = 0
    extends: bool = False

    def whole(self, *values: Tensor) -> Tensor:
        count = sum(value.shape[1] for value in values)
        if self.channels <= count and not self.extends:
            return self.part(*values)
        start, *others = values
        number, filled, height, width = start.shape
        if self.extends and start.stride(1) == 1 and start.stride(3) == self.channels:
            joined = start.as_strided((number, count, height, width), start.stride())
        else:
            room = start.new_empty(number, height, width, self.channels)
            joined = room.permute(0, 3, 1, 2)[:, :count]
            joined[:, :filled] = start
        for other in others:
            joined[:, filled : filled + other.shape[1]] = other
            filled += other.shape[1]
        return joined


@dataclass(frozen=True, eq=False, kw_only=True)
class Mean(Op):
    """The mean of each channel over its plane."""

    keepdim: bool

    def whole(self, *values: Tensor) -> Tensor:
        return values[0].mean((-2, -1), keepdim=self.keepdim)


@dataclass(frozen=True, eq=False, kw_only=True)
class Global(Op):
    """An operation of which nothing is known but how to run it on a batch."""

    function: Callable[..., Tensor]

    def whole(self, *values: Tensor) -> Tensor:
        return self.function(*values)


@dataclass(frozen=True, eq=False)
class Listing:
    """Operations in order, from value `input` (N, C, H, W) to value `output` (N, K).

    `shapes` are without the batch axis. `constants` are values (1, C, H, W) that depend on no picture.
    """

    ops: tuple[Op, ...]
    shapes: Mapping[int, tuple[int, ...]]
    constants: Mapping[int, Tensor]
    input: int
    output: int


def _has_onednn(values: Tensor) -> bool:
    """oneDNN can run a convolution on this tensor, and the activation behind it in the same pass."""
    return (
        _ONEDNN
        and values.device.type == "cpu"
        and values.dtype == torch.float32
        and bool(torch.backends.mkldnn.enabled)
    )


#: Weights stay in torch's order: oneDNN's own differs from size to size, and to go from one to another is slow.
_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
