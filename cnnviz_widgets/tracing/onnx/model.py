"""Which function writes which operation, and the model that comes of a whole trace."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cnnviz_widgets.tracing.onnx import arranging, products, sliding
from cnnviz_widgets.tracing.onnx.graph import Graph, no_form
from cnnviz_widgets.tracing.onnx.pointwise import POINTWISE, Write
from cnnviz_widgets.tracing.onnx.reverse.accumulate import accumulate
from cnnviz_widgets.tracing.trace import Call, Trace

_WRITERS: dict[str, Write] = {
    **POINTWISE,
    "convolution": sliding.write_convolution,
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices"), sliding.write_max_pool),
    "avg_pool2d": sliding.write_average_pool,
    "adaptive_avg_pool2d": sliding.write_adaptive_average_pool,
    **dict.fromkeys(
        ("constant_pad_nd", *(f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2))),
        sliding.write_padding,
    ),
    **dict.fromkeys(("upsample_nearest2d", "upsample_bilinear2d"), sliding.write_resizing),
    **dict.fromkeys(
        ("clone", "alias", "detach", "lift_fresh", "contiguous", "to_copy", "dropout"), arranging.write_copy
    ),
    "as_strided": arranging.write_restriding,
    **dict.fromkeys(
        ("view", "unsafe_view", "reshape", "reshape_alias", "squeeze", "unsqueeze", "flatten", "unflatten"),
        arranging.write_reshape,
    ),
    **dict.fromkeys(("permute", "transpose", "t"), arranging.write_permutation),
    "slice": arranging.write_slice,
    "select": arranging.write_selection,
    "index_select": arranging.write_choice,
    **dict.fromkeys(("split", "split_with_sizes", "unbind"), arranging.write_split),
    **dict.fromkeys(("cat", "stack"), arranging.write_concatenation),
    "expand": arranging.write_expansion,
    "roll": arranging.write_roll,
    "addmm": products.write_affine,
    "baddbmm": products.write_added_product,
    **dict.fromkeys(("mm", "bmm", "matmul"), products.write_product),
    "scaled_dot_product_flash_attention_for_cpu": products.write_attention,
    **dict.fromkeys(("softmax", "safe_softmax", "log_softmax"), products.write_softmax),
    "native_layer_norm": products.write_layer_norm,
    "native_group_norm": products.write_group_norm,
    "mean": products.reduction("ReduceMean"),
    "sum": products.reduction("ReduceSum"),
    "amax": products.reduction("ReduceMax"),
    "linalg_vector_norm": products.reduction("ReduceL2"),
}
#: Those that bear the batch on another axis than the first: they leave it there, or note where it goes.
_KEEP_AXIS = {"clone", "alias", "contiguous"}
_MOVE_AXIS = {"permute", "transpose", "t", "select", "unbind"}


@torch.no_grad()
def write_model(
    trace: Trace,
    outputs: Mapping[str, int],
    maxima: Mapping[str, int],
    half: bool = False,
    gradients: Mapping[str, int] | None = None,
) -> bytes:
    """An ONNX model of a trace: input "pixels" (N, C, H, W), and `outputs` by name with a free batch axis.

    `maxima` are names of further outputs (N, c): the largest value of each map (N, c, h, w). The weights are read now.
    With `half` they are stored in 16 bits and computed with in 32. `gradients` are names of further outputs: of the sum
    of the trace's first output times a second input, "target" (N, K), with respect to values. Raises NoFormError.
    """
    graph = Graph(trace, known_values(trace), half)
    write_calls(graph)
    shapes: dict[str, list[int | str]] = {}
    for name, value in outputs.items():
        shapes[name] = ["N", *graph.shape(value)[1:]]
        graph.put_out(name, graph.names[value])
    for name, value in maxima.items():
        shapes[name] = ["N", graph.shape(value)[1]]
        largest = graph.add("GlobalMaxPool", graph.names[value])
        graph.put_out(name, graph.add("Reshape", largest, graph.constant([0, -1])))
    inputs: dict[str, list[int | str]] = {"pixels": ["N", *graph.shape(trace.input)[1:]]}
    if gradients:
        inputs["target"] = ["N", *graph.shape(trace.outputs[0])[1:]]
        found = accumulate(graph, trace.outputs[0], "target", gradients.values())
        for name, value in gradients.items():
            shapes[name] = ["N", *graph.shape(value)[1:]]
            graph.put_out(name, found[value])
    return graph.model(inputs, shapes)


def known_values(trace: Trace) -> dict[int, Tensor]:
    """The values that depend on no picture, computed with the present weights."""
    known = dict(trace.leaves)
    for call in trace.calls:
        if trace.varying.isdisjoint(call.outputs):
            known.update(zip(call.outputs, call.run(known.__getitem__), strict=True))
    return known


def write_calls(graph: Graph) -> None:
    """Append the nodes of all calls that depend on the picture."""
    trace = graph.trace
    graph.names[trace.input] = "pixels"
    for call in trace.calls:
        if not trace.varying.isdisjoint(call.outputs):
            write_call(graph, call)


def write_call(graph: Graph, call: Call) -> None:
    """Append the nodes of one call. Raises NoFormError."""
    writer = _WRITERS.get(call.name)
    types = {graph.trace.dtypes[call.outputs[0]], *(graph.trace.dtypes[v] for v in call.inputs if v not in graph.known)}
    if writer is None or call.function is None:
        raise no_form(call)
    if types != {torch.float32}:
        raise no_form(call, f"of {', '.join(sorted(str(kind).removeprefix('torch.') for kind in types))}")
    axis = max((graph.batch_axes.get(value, 0) for value in call.inputs), default=0)
    if axis and call.name not in _KEEP_AXIS | _MOVE_AXIS:
        raise no_form(call, "with the batch on another axis than the first")
    if call.name in _KEEP_AXIS:
        graph.batch_axes[call.outputs[0]] = axis
    graph.names.update(zip(call.outputs, writer(graph, call), strict=False))
