"""What the outputs of single tensor operations see, given what their inputs see (see `reach.Reach`)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad
from torch.utils import _pytree as trees

#: -top, -left, bottom and right of what each element of a tensor sees, each of its shape.
Sides = tuple[Tensor, ...]

_NOTHING = -math.inf


class Axis(NamedTuple):
    """Cell i sees `size` pixels from `start + i * stride` on, were there no borders."""

    start: int
    size: int
    stride: int


Axes = tuple[Axis, Axis]


class Call:
    """One operation: its arguments by name, its outputs, and the sides of those inputs that see the picture."""

    def __init__(self, func: Any, args: Any, kwargs: Any, outputs: Sequence[Tensor], inputs: dict[int, Sides]) -> None:
        self.func = func
        self.name: str = func._schema.name.removeprefix("aten::").rstrip("_").lstrip("_")
        self.outputs = outputs
        self.shape = tuple(outputs[0].shape) if outputs else ()
        self.args, self.kwargs, self.inputs = args, kwargs, inputs
        self.named: dict[str, Any] = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
        self.named |= dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | kwargs
        self.main = self.inputs.get(id(args[0])) if args else None

    def everything(self) -> tuple[list[Sides], bool]:
        """All outputs see what any input sees; and whether every element did before."""
        # Not all of these may be on one grid: their boxes are reduced one by one.
        ends = [tuple(narrowed(side).amax() for side in sides) for sides in self.inputs.values()]
        union = tuple(torch.stack(along).amax() for along in zip(*ends, strict=True))
        same = all(
            bool((narrowed(side) == end).all())
            for sides in self.inputs.values()
            for side, end in zip(sides, union, strict=True)
        )
        return [union] * len(self.outputs), same

    def of(self, tensor: object) -> Sides | None:
        return self.inputs.get(id(tensor))


def narrowed(side: Tensor, *dims: int) -> Tensor:
    """`side` without the repetitions that `expand` made, along all or the given dimensions."""
    for dim in dims or range(side.ndim):
        if side.stride(dim) == 0 and side.shape[dim] > 1:
            side = side.narrow(dim, 0, 1)
    return side


def sides_of(call: Call) -> list[Sides] | None:
    """What each output sees, or None if the operation is not known."""
    if call.func.is_view:
        return _moved(call, view=True)
    if call.name in _MOVING:
        return _moved(call)
    if call.name in _RULES:
        sides = _RULES[call.name](call)
        # Indices and statistics beside the result are not what a network goes on with.
        return None if sides is None else [sides, *call.everything()[0][1:]]
    if torch.Tag.pointwise in call.func.tags or call.name in _PASSING:
        return [_union(list(call.inputs.values()), call.shape)] * len(call.outputs)
    return None


def axes_of(call: Call, axes: Axes) -> Axes | None:
    """The arithmetic of the output; None behind what is global. Elements that change places are not followed here:
    whoever uses it compares it with the boxes.
    """
    if call.name in _GLOBAL or (call.name in _REDUCING and call.args[0].shape[-2:] != call.shape[-2:]):
        return None
    window = _window(call)
    if window is not None:
        return _behind(axes[0], window, 0), _behind(axes[1], window, 1)
    if call.name == "constant_pad_nd":
        before = (
            (call.named["pad"][2], call.named["pad"][0]) if len(call.named["pad"]) > 2 else (0, call.named["pad"][0])
        )
        return tuple(axis._replace(start=axis.start - n * axis.stride) for axis, n in zip(axes, before, strict=True))  # type: ignore[return-value]
    return axes


class _Window(NamedTuple):
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]


def _window(call: Call) -> _Window | None:
    """The window of a convolution or pooling over the picture's two axes."""
    named = call.named
    if call.name == "convolution" and not named["transposed"]:
        kernel = named["weight"].shape[2:]
        return _Window(_pair(kernel), _pair(named["stride"]), _pair(named["padding"]), _pair(named["dilation"]))
    if call.name in ("max_pool2d_with_indices", "avg_pool2d", "max_pool2d"):
        kernel = _pair(named["kernel_size"])
        stride = _pair(named["stride"]) if named["stride"] else kernel
        return _Window(kernel, stride, _pair(named["padding"]), _pair(named.get("dilation", 1)))
    return None


def _pair(value: Any) -> tuple[int, int]:
    numbers = [value] if isinstance(value, int) else list(value)
    if len(numbers) > 2:
        raise ValueError("not two-dimensional")
    return numbers[0], numbers[-1]


def _behind(axis: Axis, window: _Window, dim: int) -> Axis:
    kernel, stride, padding, dilation = (along[dim] for along in window)
    return Axis(
        axis.start - padding * axis.stride, axis.size + (kernel - 1) * dilation * axis.stride, axis.stride * stride
    )


# -- rules ---------------------------------------------------------------------------------------------------------


def _union(inputs: Sequence[Sides], shape: Sequence[int]) -> Sides:
    """The union, element by element, of tensors that broadcast to `shape`."""
    if len(inputs) == 1:
        return tuple(side.expand(shape) for side in inputs[0])
    united = []
    for along in zip(*inputs, strict=True):
        sides = [side.expand(shape) for side in along]
        for dim in range(len(shape)):
            if all(side.stride(dim) == 0 or side.shape[dim] == 1 for side in sides):
                sides = [side.narrow(dim, 0, 1) for side in sides]
        united.append(functools.reduce(torch.maximum, sides).expand(shape))
    return tuple(united)


def _moved(call: Call, view: bool = False) -> list[Sides] | None:
    """Operations that only put elements elsewhere are done to the sides too."""
    if call.name in ("as_strided", "view_as_real", "view_as_complex") or "dtype" in call.named:
        return None
    made = []
    for side in range(4):

        def swapped(leaf: Any, side: int = side) -> Any:
            if not isinstance(leaf, Tensor):
                return leaf
            sides = call.of(leaf)
            if sides is not None:
                return sides[side]
            # Indices stay what they are; numbers that do not come from the picture see nothing of it.
            return torch.full(leaf.shape, _NOTHING) if leaf.is_floating_point() else leaf

        args, kwargs = trees.tree_map(swapped, (call.args, call.kwargs))
        if call.name in ("view", "unsafe_view"):
            result: Any = args[0].reshape(call.shape)
        elif call.name == "constant_pad_nd":
            result = pad(args[0], call.named["pad"], value=_NOTHING)
        else:
            result = call.func(*args, **kwargs)
        made.append([leaf for leaf in trees.tree_leaves(result) if isinstance(leaf, Tensor)])
    return [tuple(sides) for sides in zip(*made, strict=True)]


def _windowed(maps: Tensor, window: _Window, shape: Sequence[int]) -> Tensor:
    """Maxima over windows of maps (n, c, h, w); `shape` is the output's, whose last windows may stick out."""
    ends = []
    for dim in (1, 0):
        needed = (shape[dim - 2] - 1) * window.stride[dim] + window.dilation[dim] * (window.kernel[dim] - 1) + 1
        ends += [window.padding[dim], max(0, needed - maps.shape[dim - 2] - window.padding[dim])]
    # Padded here: max_pool2d allows half a window at most.
    padded = pad(maps, ends, value=_NOTHING)
    pooled = max_pool2d(padded, window.kernel, window.stride, 0, window.dilation)
    return pooled[..., : shape[-2], : shape[-1]]


def _convolution(call: Call) -> Sides | None:
    weight = call.named["weight"]
    if call.main is None or call.of(weight) is not None or weight.ndim != 4:
        return None
    groups = call.named["groups"]
    outputs = []
    for side in call.main:
        maps = narrowed(side, 1)
        if maps.shape[1] > 1:
            maps = maps.unflatten(1, (groups, -1)).amax(2)
        if call.named["transposed"]:
            maps = _spread(maps, call)
        else:
            window = _window(call)
            assert window is not None
            maps = _windowed(maps, window, call.shape)
        if maps.shape[1] > 1:
            maps = maps.repeat_interleave(call.shape[1] // groups, dim=1)
        outputs.append(maps.expand(call.shape))
    return tuple(outputs)


def _spread(maps: Tensor, call: Call) -> Tensor:
    """A transposed convolution is an ordinary one over cells set apart."""
    stride, padding, dilation = (_pair(call.named[name]) for name in ("stride", "padding", "dilation"))
    kernel = _pair(call.named["weight"].shape[2:])
    height, width = ((n - 1) * s + 1 for n, s in zip(maps.shape[2:], stride, strict=True))
    apart = maps.new_full((*maps.shape[:2], height, width), _NOTHING)
    apart[..., :: stride[0], :: stride[1]] = maps
    around = tuple(d * (k - 1) - p for k, p, d in zip(kernel, padding, dilation, strict=True))
    return _windowed(apart, _Window(kernel, (1, 1), (around[0], around[1]), dilation), call.shape)


def _pooled(call: Call) -> Sides | None:
    window = _window(call)
    if call.main is None or window is None or len(call.shape) < 3:
        return None
    # The batch of an unbatched map is its channels.
    found = [_windowed(narrowed(side, side.ndim - 3), window, call.shape) for side in call.main]
    return tuple(side.expand(call.shape) for side in found)


def _probed(call: Call) -> Sides | None:
    """Operations along each axis whose weights do not matter: those places count from which something arrives."""
    if call.main is None or len(call.shape) != 4:
        return None
    height, width = call.args[0].shape[2:]
    sides = tuple(narrowed(side, 1) for side in call.main)
    for dim, length in ((2, height), (3, width)):
        seen = torch.zeros(call.shape[dim], length, dtype=torch.bool)
        for place in range(length):
            probe = torch.zeros(1, 1, height, width)
            probe.select(dim, place).fill_(1)
            answer = trees.tree_leaves(call.func(probe, *call.args[1:], **call.kwargs))[0]
            seen[:, place] = (answer[0, 0] != 0).any(3 - dim)
        sides = tuple(
            torch.stack([side.index_select(dim, row.nonzero()[:, 0]).amax(dim) for row in seen], dim) for side in sides
        )
    return tuple(side.expand(call.shape) for side in sides)


def _reduced(call: Call) -> Sides | None:
    if call.main is None:
        return None
    wanted = call.named.get("dim")
    dims = range(call.args[0].ndim) if wanted is None or wanted == [] else wanted
    dims = [dims] if isinstance(dims, int) else list(dims)
    return _over(call.main, dims, call.shape)


def _over(sides: Sides, dims: Sequence[int], shape: Sequence[int]) -> Sides:
    """The union along `dims`, for a result of `shape`, in which they are kept, repeated or left out."""
    found = []
    for side in sides:
        kept = narrowed(side).amax(tuple(dims), keepdim=True)
        gone = len(shape) < side.ndim
        full = kept.expand([1 if d in [dim % side.ndim for dim in dims] else n for d, n in enumerate(side.shape)])
        found.append((full.reshape(tuple(shape)) if gone else full).expand(shape))
    return tuple(found)


def _softmax(call: Call) -> Sides | None:
    return None if call.main is None else _over(call.main, [call.named["dim"]], call.shape)


def _layer_norm(call: Call) -> Sides | None:
    dims = range(-len(call.named["normalized_shape"]), 0)
    return None if call.main is None else _over(call.main, list(dims), call.shape)


def _group_norm(call: Call) -> Sides | None:
    if call.main is None:
        return None
    groups = call.named["group"]
    split = tuple(side.unflatten(1, (groups, -1)) for side in call.main)
    dims = list(range(2, split[0].ndim))
    return tuple(side.reshape(call.shape) for side in _over(split, dims, split[0].shape))


def _batch_norm(call: Call) -> Sides | None:
    if call.main is None:
        return None
    if not call.named.get("training", False):
        return call.main
    return _over(call.main, [dim for dim in range(len(call.shape)) if dim != 1], call.shape)


def _product(call: Call) -> Sides | None:
    """Matrix products: an element sees its row of the first and its column of the second matrix."""
    first, second = (call.named.get(name) for name in (("mat1", "mat2") if "mat1" in call.named else ("self", "mat2")))
    if "batch1" in call.named:
        first, second = call.named["batch1"], call.named["batch2"]
    terms = []
    for factor, dim in ((first, -1), (second, -2)):
        sides = call.of(factor)
        if sides is not None:
            terms.append(tuple(narrowed(side, side.ndim + dim).amax(dim, keepdim=True) for side in sides))
    added = call.of(call.named["self"]) if first is not call.named["self"] else None
    return _union([*terms, added] if added is not None else terms, call.shape)


def _attention(call: Call) -> Sides | None:
    """Every token of a head sees all its keys and values, and itself."""
    terms = []
    for name, dims in (("query", [-1]), ("key", [-1, -2]), ("value", [-1, -2])):
        sides = call.of(call.named[name])
        if sides is not None:
            terms.append(tuple(side.amax(dims, keepdim=True) for side in sides))
    return _union(terms, call.shape)


#: Elements go elsewhere and nothing else happens.
_MOVING = {
    "cat", "stack", "roll", "flip", "index", "index_select", "gather", "constant_pad_nd", "pixel_shuffle", "repeat",
    "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "unsafe_view", "unsafe_split", "im2col",
}  # fmt: skip
#: Each element goes on as it is, without being tagged as pointwise; torch 2.4 does not tag the last lines.
_PASSING = {
    "to_copy",
    "copy",
    "contiguous",
    "hardswish",
    "log_sigmoid_forward",
    "prelu",
    "prelu_kernel",
    "native_dropout",
    "bernoulli",
    "rrelu_with_noise",
    "floor_divide",
    *("celu", "elu", "hardshrink", "hardsigmoid", "hardtanh", "leaky_relu", "mish", "relu6", "selu", "softplus"),
    *("softshrink", "threshold"),
}

#: Made anew, with no more of the input than its shape.
BLIND = {
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

_RULES: dict[str, Callable[[Call], Sides | None]] = {
    "convolution": _convolution,
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool2d", "avg_pool2d"), _pooled),
    **dict.fromkeys(
        ("adaptive_avg_pool2d", "adaptive_max_pool2d", "upsample_nearest2d", "upsample_nearest_exact2d",
         "upsample_bilinear2d", "upsample_bicubic2d", "upsample_bilinear2d_aa", "upsample_bicubic2d_aa",
         "reflection_pad2d", "replication_pad2d"), _probed,
    ),
    **dict.fromkeys(_REDUCING, _reduced),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    **dict.fromkeys(
        ("native_batch_norm", "native_batch_norm_legit", "native_batch_norm_legit_no_training", "cudnn_batch_norm",
         "miopen_batch_norm", "batch_norm_with_update", "batch_norm_no_update"), _batch_norm,
    ),
    **dict.fromkeys(("mm", "addmm", "bmm", "baddbmm"), _product),
    **dict.fromkeys(_ATTENDING, _attention),
}  # fmt: skip
