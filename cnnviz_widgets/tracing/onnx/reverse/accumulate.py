"""All gradients of a score, from the last call to the first."""

from __future__ import annotations

from collections.abc import Iterable

from cnnviz_widgets.tracing.onnx.graph import Graph, NoFormError
from cnnviz_widgets.tracing.onnx.reverse import axes, windows
from cnnviz_widgets.tracing.onnx.reverse.cells import CELLS, Gradients, Reverse
from cnnviz_widgets.tracing.trace import Call

_REVERSES: dict[str, Reverse] = {
    **CELLS,
    "convolution": windows.reverse_convolution,
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices"), windows.reverse_max_pool),
    "avg_pool2d": windows.reverse_average_pool,
    "adaptive_avg_pool2d": windows.reverse_adaptive_average_pool,
    "constant_pad_nd": windows.reverse_padding,
    **dict.fromkeys(
        ("view", "unsafe_view", "reshape", "reshape_alias", "squeeze", "unsqueeze", "flatten", "unflatten"),
        axes.reverse_reshape,
    ),
    **dict.fromkeys(("permute", "transpose", "t"), axes.reverse_permutation),
    "slice": axes.reverse_slice,
    "select": axes.reverse_selection,
    **dict.fromkeys(("split", "split_with_sizes", "unbind"), axes.reverse_split),
    "cat": axes.reverse_concatenation,
    "expand": axes.reverse_expansion,
    "roll": axes.reverse_roll,
    **dict.fromkeys(("mean", "sum"), axes.reverse_mean),
    **dict.fromkeys(("addmm", "mm", "bmm", "matmul"), axes.reverse_product),
    **dict.fromkeys(("softmax", "safe_softmax", "log_softmax"), axes.reverse_softmax),
    "native_layer_norm": axes.reverse_layer_norm,
}


def accumulate(graph: Graph, value: int, gradient: str, wanted: Iterable[int]) -> Gradients:
    """The gradients of the values `wanted`, from that of `value`; zeros where it does not depend on them.

    Raises NoFormError, which names the operation that has no gradient here.
    """
    wanted = set(wanted)
    found: Gradients = {value: gradient}
    # Before the first of them nothing is to be known.
    first = min((place for place, call in enumerate(graph.trace.calls) if wanted & {*call.inputs}), default=0)
    for call in reversed(graph.trace.calls[first:]):
        if any(output in found for output in call.outputs) and any(i not in graph.known for i in call.inputs):
            for number, part in _of_call(graph, call, found).items():
                found[number] = graph.add("Add", found[number], part) if number in found else part
    zero = graph.constant(0.0)
    return {number: found.get(number) or graph.add("Mul", graph.names[number], zero) for number in wanted}


def _of_call(graph: Graph, call: Call, found: Gradients) -> Gradients:
    reverse = _REVERSES.get(call.name)
    if reverse is None:
        raise NoFormError(
            f"The network has no gradient as ONNX, because its operation `{call.name}` has none there; "
            "take it by torch."
        )
    return reverse(graph, call, [found.get(output) for output in call.outputs])
