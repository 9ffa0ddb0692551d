"""Which rule is for which operation.

An operation in no table is not known: all its outputs are taken to see what any of its inputs sees.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from cnnviz_widgets.graph.reach_rules import moves, products, windows
from cnnviz_widgets.graph.reach_rules.bounds import Axes, Axis, Bounds, Known, union, without_repeats
from cnnviz_widgets.tracing.trace import Call

#: Elements go elsewhere and nothing else happens.
_MOVING = {
    "cat", "stack", "roll", "flip", "index", "index_select", "gather", "constant_pad_nd", "pixel_shuffle", "repeat",
    "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "unsafe_view", "unsafe_split", "im2col",
}  # fmt: skip

#: Each element goes on as it is, without being tagged as pointwise; torch 2.4 does not tag the last lines.
_PASSING = {
    "to_copy", "copy", "contiguous", "hardswish", "log_sigmoid_forward", "prelu", "prelu_kernel", "native_dropout",
    "bernoulli", "rrelu_with_noise", "floor_divide",
    "celu", "elu", "hardshrink", "hardsigmoid", "hardtanh", "leaky_relu", "mish", "relu6", "selu", "softplus",
    "softshrink", "threshold",
}  # fmt: skip

#: Made anew, with no more of the input than its shape.
_NEW = {
    "new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided", "zeros_like", "ones_like", "full_like",
    "empty_like", "rand_like", "randn_like", "fill", "zero",
}  # fmt: skip

_REDUCING = {
    "mean", "sum", "amax", "amin", "max", "min", "prod", "var", "std", "var_mean", "std_mean", "logsumexp", "norm",
    "linalg_vector_norm",
}  # fmt: skip
_ATTENDING = {
    "scaled_dot_product_attention", "scaled_dot_product_flash_attention", "scaled_dot_product_attention_math",
    "scaled_dot_product_flash_attention_for_cpu", "scaled_dot_product_efficient_attention",
}  # fmt: skip
#: Behind these there is no arithmetic.
_GLOBAL = {*_ATTENDING, "native_group_norm", "adaptive_avg_pool2d", "adaptive_max_pool2d"}

_RULES: dict[str, Callable[[Call, Known], Bounds | None]] = {
    "convolution": windows.follow_convolution,
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool2d", "avg_pool2d"), windows.follow_pooling),
    **dict.fromkeys(
        ("adaptive_avg_pool2d", "adaptive_max_pool2d", "upsample_nearest2d", "upsample_nearest_exact2d",
         "upsample_bilinear2d", "upsample_bicubic2d", "upsample_bilinear2d_aa", "upsample_bicubic2d_aa",
         "reflection_pad2d", "replication_pad2d"), windows.follow_resizing,
    ),
    **dict.fromkeys(_REDUCING, moves.follow_reduction),
    **dict.fromkeys(("softmax", "log_softmax"), moves.follow_softmax),
    "native_layer_norm": moves.follow_layer_norm,
    "native_group_norm": moves.follow_group_norm,
    **dict.fromkeys(
        ("native_batch_norm", "native_batch_norm_legit", "native_batch_norm_legit_no_training", "cudnn_batch_norm",
         "miopen_batch_norm", "batch_norm_with_update", "batch_norm_no_update"), moves.follow_batch_norm,
    ),
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm"), products.follow_product),
    **dict.fromkeys(_ATTENDING, products.follow_attention),
}  # fmt: skip


def sees_nothing(call: Call) -> bool:
    """Whether the outputs take no more from the inputs than their shapes."""
    return call.name in _NEW


def bounds_of(call: Call, known: Known) -> list[Bounds] | None:
    """What each output sees, or None if the operation is not known.

    Raises what torch raises for a form of a known operation that its rule does not fit.
    """
    if call.function is None:
        return None
    if call.function.is_view or call.name in _MOVING:
        return moves.follow_move(call, known)
    if call.name in _RULES:
        bounds = _RULES[call.name](call, known)
        # Indices and statistics beside the result are not what a network goes on with.
        return None if bounds is None else [bounds, *everything(call, known)[0][1:]]
    if torch.Tag.pointwise in call.function.tags or call.name in _PASSING:
        return [union(known.inputs(call), known.output_shape(call))] * len(call.outputs)
    return None


def everything(call: Call, known: Known) -> tuple[list[Bounds], bool]:
    """All outputs see what any input sees; and whether every element did before."""
    inputs = known.inputs(call)
    # Not all of these may be on one grid: their boxes are reduced one by one.
    ends = [tuple(without_repeats(bound).amax() for bound in bounds) for bounds in inputs]
    united = tuple(torch.stack(along).amax() for along in zip(*ends, strict=True))
    same = all(
        bool((without_repeats(bound) == end).all())
        for bounds in inputs
        for bound, end in zip(bounds, united, strict=True)
    )
    return [united] * len(call.outputs), same


def axes_of(call: Call, known: Known, axes: Axes) -> Axes | None:
    """The arithmetic of the output; None behind what is global.

    Elements that change places are not followed here: whoever uses it compares it with the boxes.
    """
    if call.name in _GLOBAL:
        return None
    if call.name in _REDUCING and known.shape(call.args[0])[-2:] != known.output_shape(call)[-2:]:
        return None
    window = windows.window_of(call, known)
    if window is not None:
        return windows.axes_behind(window, axes)
    if call.name == "constant_pad_nd":
        left, _, top = [*call.arguments["pad"], 0, 0][:3]
        return _start_earlier(axes[0], top), _start_earlier(axes[1], left)
    return axes


def _start_earlier(axis: Axis, before: int) -> Axis:
    return axis._replace(start=axis.start - before * axis.stride)
