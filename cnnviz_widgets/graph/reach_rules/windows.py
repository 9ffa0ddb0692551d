"""Convolutions, poolings, resizing and padding: an output sees what the inputs in its window see.

The union of boxes is a maximum of their bounds, so that a convolution of boxes is a max pooling of bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from cnnviz_widgets.graph.reach_rules.bounds import NOTHING, Axes, Axis, Bounds, Known, without_repeats
from cnnviz_widgets.tracing.trace import Call
from cnnviz_widgets.tracing.trees import tensors_in


class Window(NamedTuple):
    """Of rows and columns each."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]


def window_of(call: Call, known: Known) -> Window | None:
    """The window of a convolution or pooling over the picture's two axes; None of any other operation."""
    named = call.arguments
    if call.name == "convolution" and not named["transposed"]:
        kernel = known.shape(named["weight"])[2:]
        return Window(_pair(kernel), _pair(named["stride"]), _pair(named["padding"]), _pair(named["dilation"]))
    if call.name in ("max_pool2d_with_indices", "avg_pool2d", "max_pool2d"):
        kernel = _pair(named["kernel_size"])
        stride = _pair(named["stride"]) if named["stride"] else kernel
        return Window(kernel, stride, _pair(named["padding"]), _pair(named.get("dilation", 1)))
    return None


def axes_behind(window: Window, axes: Axes) -> Axes:
    """The arithmetic of what a window makes of a map with these `axes`."""
    rows, columns = (
        Axis(
            axis.start - padding * axis.stride, axis.size + (kernel - 1) * dilation * axis.stride, axis.stride * stride
        )
        for axis, kernel, stride, padding, dilation in zip(axes, *window, strict=True)
    )
    return rows, columns


def _pair(value: Any) -> tuple[int, int]:
    numbers = [value] if isinstance(value, int) else list(value)
    if len(numbers) > 2:
        raise ValueError("not two-dimensional")
    return numbers[0], numbers[-1]


def _maxima(maps: Tensor, window: Window, shape: Sequence[int]) -> Tensor:
    """Maxima over windows of maps (n, c, h, w).

    `shape` is the output's, whose last windows may reach beyond the border more than the padding says (`ceil_mode`).
    """
    ends = []
    for dim in (1, 0):
        needed = (shape[dim - 2] - 1) * window.stride[dim] + window.dilation[dim] * (window.kernel[dim] - 1) + 1
        ends += [window.padding[dim], max(0, needed - maps.shape[dim - 2] - window.padding[dim])]
    # Padded here: max_pool2d allows half a window at most.
    padded = pad(maps, ends, value=NOTHING)
    pooled = max_pool2d(padded, window.kernel, window.stride, 0, window.dilation)
    return pooled[..., : shape[-2], : shape[-1]]


def follow_convolution(call: Call, known: Known) -> Bounds | None:
    """A convolution in two dimensions, also transposed, whose weight does not come from the picture."""
    weight, first = call.arguments["weight"], known.first(call)
    if first is None or known.of(weight) is not None or len(known.shape(weight)) != 4:
        return None
    groups, shape = call.arguments["groups"], known.output_shape(call)
    outputs = []
    for bound in first:
        maps = without_repeats(bound, 1)
        if maps.shape[1] > 1:
            maps = maps.unflatten(1, (groups, -1)).amax(2)
        if call.arguments["transposed"]:
            maps = _maxima_apart(maps, call, known)
        else:
            window = window_of(call, known)
            assert window is not None
            maps = _maxima(maps, window, shape)
        if maps.shape[1] > 1:
            maps = maps.repeat_interleave(shape[1] // groups, dim=1)
        outputs.append(maps.expand(shape))
    return tuple(outputs)


def _maxima_apart(maps: Tensor, call: Call, known: Known) -> Tensor:
    """A transposed convolution is an ordinary one over cells set apart."""
    stride, padding, dilation = (_pair(call.arguments[name]) for name in ("stride", "padding", "dilation"))
    kernel = _pair(known.shape(call.arguments["weight"])[2:])
    height, width = ((n - 1) * s + 1 for n, s in zip(maps.shape[2:], stride, strict=True))
    apart = maps.new_full((*maps.shape[:2], height, width), NOTHING)
    apart[..., :: stride[0], :: stride[1]] = maps
    around = tuple(d * (k - 1) - p for k, p, d in zip(kernel, padding, dilation, strict=True))
    return _maxima(apart, Window(kernel, (1, 1), (around[0], around[1]), dilation), known.output_shape(call))


def follow_pooling(call: Call, known: Known) -> Bounds | None:
    """Max and average pooling in two dimensions."""
    window, first, shape = window_of(call, known), known.first(call), known.output_shape(call)
    if first is None or window is None or len(shape) < 3:
        return None
    # The batch of an unbatched map is its channels.
    pooled = [_maxima(without_repeats(bound, bound.ndim - 3), window, shape) for bound in first]
    return tuple(bound.expand(shape) for bound in pooled)


def follow_resizing(call: Call, known: Known) -> Bounds | None:
    """Resizing, adaptive pooling and padding by reflection, along rows and columns apart.

    Which places an output reads is tried out: one row or column of ones at a time, and where something arrives.
    """
    first, shape = known.first(call), known.output_shape(call)
    if first is None or len(shape) != 4:
        return None
    height, width = known.shape(call.args[0])[2:]
    bounds = tuple(without_repeats(bound, 1) for bound in first)
    for dim, length in ((2, height), (3, width)):
        seen = torch.zeros(shape[dim], length, dtype=torch.bool)
        for place in range(length):
            probe = torch.zeros(1, 1, height, width)
            probe.select(dim, place).fill_(1)
            answer = tensors_in(call.function(probe, *call.args[1:], **call.kwargs))[0]
            seen[:, place] = (answer[0, 0] != 0).any(3 - dim)
        bounds = tuple(
            torch.stack([bound.index_select(dim, row.nonzero()[:, 0]).amax(dim) for row in seen], dim)
            for bound in bounds
        )
    return tuple(bound.expand(shape) for bound in bounds)
