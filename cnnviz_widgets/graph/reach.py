"""What the values of a forward pass see of the picture: a box for each element, followed through every call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz_widgets.graph.reach_rules import (
    Axes,
    Axis,
    Bounds,
    Known,
    axes_of,
    bounds_of,
    everything,
    sees_nothing,
    without_repeats,
)
from cnnviz_widgets.tracing.trace import Call, Trace


@dataclass(frozen=True, eq=False)
class Support:
    """What each element of a value sees of the picture: `bounds` of its box.

    `axes` (vertical, horizontal) is the arithmetic without borders, where there is one. `exact` is False behind an
    operation that is not known: then the boxes may be too large.
    """

    bounds: Bounds
    axes: Axes | None
    exact: bool = True

    def boxes(self) -> Tensor:
        """Top, left, height, width, int64 (h, w, 4), of a map (1, C, h, w), united over channels; zeros: nothing."""
        signs = torch.tensor([-1.0, -1.0, 1.0, 1.0])
        ends = torch.stack([without_repeats(bound, 1).amax((0, 1)) for bound in self.bounds], dim=-1) * signs
        ends = torch.where(ends.isfinite(), ends, 0).long()
        return torch.cat([ends[..., :2], ends[..., 2:] - ends[..., :2]], dim=-1)


@torch.no_grad()
def follow_supports(trace: Trace) -> Iterator[tuple[int, Support]]:
    """Each output of a trace of one picture (1, C, H, W) with what it sees, in order of their computation.

    Outputs that see nothing of the picture are left out.
    """
    last_use = {value: position for position, call in enumerate(trace.calls) for value in call.inputs}
    supports = {trace.input: _of_picture(trace.shapes[trace.input])}
    known = Known(trace, {value: support.bounds for value, support in supports.items()})
    wanted = set(trace.outputs)
    if trace.input in wanted:
        yield trace.input, supports[trace.input]
    for position, call in enumerate(trace.calls):
        inputs = [supports[value] for value in dict.fromkeys(call.inputs) if value in supports]
        if inputs and not sees_nothing(call):
            for value, support in zip(call.outputs, _follow(call, known, inputs), strict=True):
                supports[value], known.bounds[value] = support, support.bounds
                if value in wanted:
                    yield value, support
        for value in (*call.inputs, *call.outputs):
            if last_use.get(value, -1) <= position:
                supports.pop(value, None)
                known.bounds.pop(value, None)


def _of_picture(shape: Sequence[int]) -> Support:
    """Each pixel sees itself."""
    rows, columns = torch.arange(shape[2]).float()[:, None], torch.arange(shape[3]).float()[None]
    bounds = tuple(bound.expand(*shape) for bound in (-rows, -columns, rows + 1, columns + 1))
    return Support(bounds, (Axis(0, 1, 1), Axis(0, 1, 1)))


def _follow(call: Call, known: Known, inputs: Sequence[Support]) -> list[Support]:
    """What the outputs of a call see."""
    exact, axes = all(support.exact for support in inputs), _common_axes(inputs)
    try:
        followed = bounds_of(call, known)
        axes = None if axes is None or followed is None else axes_of(call, known, axes)
    except (RuntimeError, IndexError, ValueError, TypeError, KeyError):
        followed = None  # an unknown form of a known operation
    if followed is None or len(followed) != len(call.outputs):
        followed, nothing_lost = everything(call, known)
        exact, axes = exact and nothing_lost and call.function is not None, None
    return [
        Support(tuple(bound.expand(known.trace.shapes[value]) for bound in bounds), axes, exact)
        for value, bounds in zip(call.outputs, followed, strict=True)
    ]


def _common_axes(supports: Sequence[Support]) -> Axes | None:
    """The arithmetic of a union: from the first start to the last end, where all advance alike."""
    pairs = [support.axes for support in supports if support.axes is not None]
    if len(pairs) < len(supports):
        return None
    merged = []
    for along in zip(*pairs, strict=True):
        if len({axis.stride for axis in along}) > 1:
            return None
        start = min(axis.start for axis in along)
        end = max(axis.start + axis.size for axis in along)
        merged.append(Axis(start, end - start, along[0].stride))
    return merged[0], merged[1]
