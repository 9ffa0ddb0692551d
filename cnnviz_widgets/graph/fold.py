"""The same operations, fewer: batch norms inside convolutions, activations in place, nothing computed in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import torch

from cnnviz_widgets.graph.functions import Affine, Clamp
from cnnviz_widgets.graph.ops import Cellwise, Convolution, Join, Listing, Op, Pad

Merge = Callable[[Op, Op], tuple[Op, ...]]


def fold(listing: Listing) -> Listing:
    """An equivalent listing, equal but for rounding, that is cheaper to run."""
    ops = _drop_unused(listing.ops, listing.output)
    for merge in (_fold_padding, _fold_batch_norm, _fold_activation, _reduce_to_clamp):
        ops = _merge_pairs(ops, listing.output, merge)
    return replace(listing, ops=tuple(_extend_joins(ops, listing)))


def _drop_unused(ops: Iterable[Op], output: int) -> list[Op]:
    wanted = {output}
    kept = []
    for op in reversed(list(ops)):
        if op.output in wanted:
            wanted.update(op.inputs)
            kept.append(op)
    return kept[::-1]


def _merge_pairs(ops: list[Op], output: int, merge: Merge) -> list[Op]:
    """Each pair, the maker of a value and its only reader, replaced by what `merge` makes of them, if anything."""
    readers = Counter(value for op in ops for value in op.inputs)
    readers[output] += 1
    made: dict[int, Op] = {}
    for op in ops:
        maker = made.get(op.inputs[0]) if len(op.inputs) == 1 else None
        merged = merge(maker, op) if maker is not None and readers[maker.output] == 1 else ()
        if merged and maker is not None:
            del made[maker.output]
        made.update({new.output: new for new in merged or (op,)})
    return list(made.values())


def _fold_padding(pad: Op, op: Op) -> tuple[Op, ...]:
    """Padding with zeros, then a convolution."""
    if not (isinstance(pad, Pad) and pad.fill == 0 and isinstance(op, Convolution)):
        return ()
    top, left, bottom, right = (own + added for own, added in zip(op.padding, pad.padding, strict=True))
    stencils = replace(op.stencils[0], padding=top), replace(op.stencils[1], padding=left)
    return (replace(op, inputs=pad.inputs, padding=(top, left, bottom, right), stencils=stencils),)


def _fold_batch_norm(convolution: Op, op: Op) -> tuple[Op, ...]:
    """A convolution, then a batch norm."""
    if not (isinstance(convolution, Convolution) and isinstance(op, Cellwise) and isinstance(op.function, Affine)):
        return ()
    scale, shift = op.function.scale.flatten(), op.function.shift.flatten()
    weight = (convolution.weight * scale.view(-1, 1, 1, 1)).contiguous(memory_format=torch.channels_last)
    bias = shift if convolution.bias is None else shift + convolution.bias * scale
    return (replace(convolution, output=op.output, bias=bias, weight=weight),)


def _fold_activation(maker: Op, op: Op) -> tuple[Op, ...]:
    """Anything that makes a tensor of its own, then a function that can overwrite it."""
    if not isinstance(op, Cellwise) or op.overwriting is None:
        return ()
    if not (isinstance(maker, Convolution) or (isinstance(maker, Cellwise) and maker.fresh)) or maker.activation:
        return ()
    return (replace(maker, output=op.output, activation=op.overwriting),)


def _reduce_to_clamp(norm: Op, op: Op) -> tuple[Op, ...]:
    """A batch norm, a ReLU and a convolution of single cells, as in dense blocks.

    With scale s > 0 and shift b, max(s x + b, 0) = s max(x, -b / s) + b: the convolution takes s and b over, and one
    comparison is left. With s < 0 the maximum is a minimum.
    """
    if not (isinstance(norm, Cellwise) and isinstance(norm.function, Affine) and isinstance(op, Convolution)):
        return ()
    single = all(stencil.kernel == 1 for stencil in op.stencils) and not any(op.padding) and op.groups == 1
    if not single or norm.activation is None or norm.activation.name != "relu":
        return ()
    scale, shift = norm.function.scale.double(), norm.function.shift.double()
    dead = scale.abs() < torch.finfo(op.weight.dtype).tiny
    edge = torch.where(dead, 0.0, -shift / scale).to(op.weight.dtype)
    infinity = torch.full_like(edge, float("inf"))
    low, high = torch.where(scale < 0, -infinity, edge), torch.where(scale > 0, infinity, edge)
    scale, shift = torch.where(dead, 0.0, scale), torch.where(dead, shift.relu(), shift)
    bias = torch.mv(op.weight.flatten(1).double(), shift.flatten())
    clamp = replace(norm, activation=None, function=Clamp(low, None if bool((scale > 0).all()) else high))
    weight = (op.weight.double() * scale).to(op.weight.dtype).contiguous(memory_format=torch.channels_last)
    bias = (bias if op.bias is None else bias + op.bias.double()).to(op.weight.dtype)
    return clamp, replace(op, weight=weight, bias=bias)


def _extend_joins(ops: list[Op], listing: Listing) -> list[Op]:
    """Where one join goes on another, as in dense blocks, it is built from that one."""
    previous: dict[tuple[int, ...], Join] = {}
    follower: dict[int, Join] = {}
    for op in ops:
        if isinstance(op, Join):
            starts = (op.inputs[:count] for count in range(len(op.inputs) - 1, 1, -1))
            start = next((previous[values] for values in starts if values in previous), None)
            if start is not None and start.output not in follower:
                follower[start.output] = op
            if op.activation is None:
                previous[op.inputs] = op
    started = {op.output: number for number, op in follower.items()}
    channels: dict[int, int] = {}
    for join in reversed([op for op in ops if isinstance(op, Join)]):
        after = follower.get(join.output)
        channels[join.output] = listing.shapes[join.output][0] if after is None else channels[after.output]
    result: list[Op] = []
    lengths = {op.output: len(op.inputs) for op in ops}
    for op in ops:
        if isinstance(op, Join):
            start_value = started.get(op.output)
            inputs = op.inputs if start_value is None else (start_value, *op.inputs[lengths[start_value] :])
            op = replace(op, inputs=inputs, channels=channels[op.output], extends=start_value is not None)
        result.append(op)
    return result
