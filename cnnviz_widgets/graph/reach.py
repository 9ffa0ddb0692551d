"""How far the values of a forward pass reach into the picture: a box for each, followed through every operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as trees
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from cnnviz_widgets.graph.reach_rules import BLIND, Axes, Axis, Call, Sides, axes_of, narrowed, sides_of


@dataclass(frozen=True, eq=False)
class Reach:
    """What each element of a tensor sees of the picture.

    `sides` are four tensors of its shape: -top, -left, bottom, right of each element's box, -inf where it sees
    nothing, so that the union of boxes is a maximum. `axes` (vertical, horizontal) is the arithmetic without borders,
    where there is one. `exact` is False behind an operation that is not known.
    """

    sides: Sides
    axes: Axes | None
    exact: bool = True

    def boxes(self) -> Tensor:
        """Top, left, bottom, right, int64 (h, w, 4), of a map (1, C, h, w), united over channels; zeros: nothing."""
        signs = torch.tensor([-1.0, -1.0, 1.0, 1.0])
        ends = torch.stack([narrowed(side, 1).amax((0, 1)) for side in self.sides], dim=-1) * signs
        return torch.where(ends.isfinite(), ends, 0).long()


class Reaching(TorchDispatchMode):
    """While it is on, every tensor computed from `pixels` (1, C, H, W) gets its Reach."""

    def __init__(self, pixels: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        height, width = pixels.shape[2:]
        rows, columns = torch.arange(height).float()[:, None], torch.arange(width).float()[None]
        sides = tuple(side.expand(pixels.shape) for side in (-rows, -columns, rows + 1, columns + 1))
        # Weak: the values of the pass may go as soon as the network lets go of them.
        self._known = WeakIdKeyDictionary()
        self._known[pixels] = Reach(sides, (Axis(0, 1, 1), Axis(0, 1, 1)))

    def of(self, tensor: Tensor) -> Reach | None:
        """What `tensor` sees, or None if it was not computed from the pixels."""
        reach: Reach | None = self._known.get(tensor)
        return reach

    # With torch's default the first operation imports torch._dynamo, which takes as long as importing torch.
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in trees.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        inputs = {id(tensor): reach for tensor in tensors if (reach := self.of(tensor)) is not None}
        outputs = func(*args, **kwargs)
        if inputs:
            self._follow(func, args, kwargs, outputs, inputs)
        return outputs

    def _follow(self, func: Any, args: Any, kwargs: Any, outputs: Any, inputs: dict[int, Reach]) -> None:
        made = [leaf for leaf in trees.tree_leaves(outputs) if isinstance(leaf, Tensor)]
        call = Call(func, args, kwargs, made, {key: reach.sides for key, reach in inputs.items()})
        if call.name in BLIND:
            return  # of a tensor that is filled in place, no more than before is said
        reaches = list(inputs.values())
        exact, axes = all(reach.exact for reach in reaches), _agreed(reaches)
        try:
            followed = sides_of(call)
            axes = None if axes is None else axes_of(call, axes)
        except (RuntimeError, IndexError, ValueError, TypeError, KeyError):
            followed = None  # an unknown form of a known operation
        if followed is None:
            followed, nothing_lost = call.everything()
            exact, axes = exact and nothing_lost, None
        for tensor, sides in zip(made, followed, strict=True):
            self._known[tensor] = Reach(tuple(side.expand(tensor.shape) for side in sides), axes, exact)
        base = made[0]._base if made and func._schema.is_mutable else None
        if base is not None:
            # Written through a view: what else shares the memory has changed too, and is not followed.
            (everything,) = call.everything()[0][:1]
            self._known[base] = Reach(tuple(side.expand(base.shape) for side in everything), None, exact=False)


def _agreed(reaches: Sequence[Reach]) -> Axes | None:
    """The arithmetic of a union: from the first start to the last end, where all advance alike."""
    pairs = [reach.axes for reach in reaches if reach.axes is not None]
    if len(pairs) < len(reaches):
        return None
    merged = []
    for along in zip(*pairs, strict=True):
        if len({axis.stride for axis in along}) > 1:
            return None
        start = min(axis.start for axis in along)
        end = max(axis.start + axis.size for axis in along)
        merged.append(Axis(start, end - start, along[0].stride))
    return merged[0], merged[1]
