"""Operations that put elements elsewhere, and norms and means, in which elements see what others do."""

from __future__ import annotations

from typing import Any

from torch.nn.functional import pad

from cnnviz_widgets.graph.reach_rules.bounds import NOTHING, Bounds, Known, union_over
from cnnviz_widgets.tracing.trace import Call
from cnnviz_widgets.tracing.trees import tensors_in


def follow_move(call: Call, known: Known) -> list[Bounds] | None:
    """The bounds of all outputs: what the operation does to elements, it does to their bounds."""
    if call.name in ("as_strided", "view_as_real", "view_as_complex") or "dtype" in call.arguments:
        return None
    moved = []
    for bound in range(4):
        args, kwargs = known.with_bounds(call, bound)
        if call.name in ("view", "unsafe_view"):
            result: Any = args[0].reshape(known.output_shape(call))
        elif call.name == "constant_pad_nd":
            result = pad(args[0], call.arguments["pad"], value=NOTHING)
        else:
            result = call.function(*args, **kwargs)
        moved.append(tensors_in(result))
    return [tuple(bounds) for bounds in zip(*moved, strict=True)]


def follow_reduction(call: Call, known: Known) -> Bounds | None:
    """Means, sums and maxima along some dimensions."""
    first = known.first(call)
    if first is None:
        return None
    wanted = call.arguments.get("dim")
    dims = range(first[0].ndim) if wanted is None or wanted == [] else wanted
    return union_over(first, [dims] if isinstance(dims, int) else list(dims), known.output_shape(call))


def follow_softmax(call: Call, known: Known) -> Bounds | None:
    """A softmax along one dimension."""
    first = known.first(call)
    return None if first is None else union_over(first, [call.arguments["dim"]], known.output_shape(call))


def follow_layer_norm(call: Call, known: Known) -> Bounds | None:
    """A norm over the last dimensions."""
    first, dims = known.first(call), range(-len(call.arguments["normalized_shape"]), 0)
    return None if first is None else union_over(first, list(dims), known.output_shape(call))


def follow_group_norm(call: Call, known: Known) -> Bounds | None:
    """A norm over the plane and the channels of a group."""
    first = known.first(call)
    if first is None:
        return None
    split = tuple(bound.unflatten(1, (call.arguments["group"], -1)) for bound in first)
    united = union_over(split, list(range(2, split[0].ndim)), split[0].shape)
    return tuple(bound.reshape(known.output_shape(call)) for bound in united)


def follow_batch_norm(call: Call, known: Known) -> Bounds | None:
    """Cell by cell in eval mode; a norm over the batch and the plane in train mode."""
    first, shape = known.first(call), known.output_shape(call)
    if first is None or not call.arguments.get("training", False):
        return first
    return union_over(first, [dim for dim in range(len(shape)) if dim != 1], shape)
