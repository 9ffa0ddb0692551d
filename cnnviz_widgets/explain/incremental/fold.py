"""The same operations, fewer: batch norms inside convolutions, activations in place, nothing computed in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from cnnviz_widgets.explain.incremental.lower import join
from cnnviz_widgets.explain.incremental.program import Affine, Cellwise, Convolution, Listing, Op, Pad


def folded(listing: Listing) -> Listing:
    """An equivalent listing, equal but for rounding, that is cheaper to run."""
    ops = _used(listing.ops, listing.output)
    ops = _merged(ops, listing.output, _padded)
    ops = _merged(ops, listing.output, _normalised)
    ops = _merged(ops, listing.output, _activated)
    ops = _growing(ops)
    return replace(listing, ops=tuple(_used(ops, listing.output)))


def _used(ops: Iterable[Op], output: int) -> list[Op]:
    wanted = {output}
    kept = []
    for op in reversed(list(ops)):
        if op.output in wanted:
            wanted.update(op.inputs)
            kept.append(op)
    return kept[::-1]


def _merged(ops: list[Op], output: int, merge) -> list[Op]:  # type: ignore[no-untyped-def]
    """Each pair (maker of a value, its only reader) replaced by `merge` of the two, where that is not None."""
    readers = Counter(value for op in ops for value in op.inputs)
    readers[output] += 1
    made: dict[int, Op] = {}
    for op in ops:
        maker = made.get(op.inputs[0]) if len(op.inputs) == 1 else None
        merged = merge(maker, op) if maker is not None and readers[maker.output] == 1 else None
        if merged is not None and maker is not None:
            del made[maker.output]
        made[op.output] = merged or op
    return list(made.values())


def _padded(pad: Op, op: Op) -> Op | None:
    if not (isinstance(pad, Pad) and pad.fill == 0 and isinstance(op, Convolution)):
        return None
    top, left, bottom, right = (own + added for own, added in zip(op.padding, pad.padding, strict=True))
    reaches = replace(op.reaches[0], padding=top), replace(op.reaches[1], padding=left)
    return replace(op, inputs=pad.inputs, padding=(top, left, bottom, right), reaches=reaches)


def _normalised(convolution: Op, op: Op) -> Op | None:
    if not (isinstance(convolution, Convolution) and isinstance(op, Cellwise) and isinstance(op.function, Affine)):
        return None
    scale, shift = op.function.scale.flatten(), op.function.shift.flatten()
    weight: Tensor = convolution.weight * scale.view(-1, 1, 1, 1)
    bias = shift if convolution.bias is None else shift + convolution.bias * scale
    return replace(
        convolution, output=op.output, bias=bias, weight=weight.contiguous(memory_format=torch.channels_last)
    )


def _activated(maker: Op, op: Op) -> Op | None:
    if not isinstance(op, Cellwise) or op.overwriting is None:
        return None
    if isinstance(maker, Convolution) or (isinstance(maker, Cellwise) and maker.fresh):
        return replace(maker, output=op.output, activation=op.overwriting) if maker.activation is None else None
    return None


def _growing(ops: list[Op]) -> list[Op]:
    """Where one list of values side by side goes on another, as in dense blocks, it is built from that one."""
    joined: dict[tuple[int, ...], int] = {}
    result = []
    for op in ops:
        if isinstance(op, Cellwise) and op.function is join:
            inputs = op.inputs
            start = next((inputs[:count] for count in range(len(inputs) - 1, 1, -1) if inputs[:count] in joined), None)
            if op.activation is None:
                joined[inputs] = op.output
            if start is not None:
                op = replace(op, inputs=(joined[start], *inputs[len(start) :]))
        result.append(op)
    return result
