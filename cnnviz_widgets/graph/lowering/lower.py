"""Which function recognises which operation."""

from __future__ import annotations

from collections.abc import Callable

from cnnviz_widgets.graph.lowering import convolutions, pointwise, shapes
from cnnviz_widgets.graph.lowering.builder import Builder, item
from cnnviz_widgets.graph.ops import Global, Listing
from cnnviz_widgets.tracing.trace import Call, Trace

#: By the operation's name; any other may be pointwise.
_LOWERINGS: dict[str, Callable[[Builder, Call], bool]] = {
    "convolution": convolutions.lower_convolution,
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices"), convolutions.lower_max_pool),
    "avg_pool2d": convolutions.lower_average_pool,
    "adaptive_avg_pool2d": convolutions.lower_adaptive_pool,
    "mean": convolutions.lower_mean,
    "constant_pad_nd": convolutions.lower_padding,
    **dict.fromkeys(
        ("native_batch_norm", "native_batch_norm_legit_no_training", "batch_norm_no_update", "cudnn_batch_norm",
         "miopen_batch_norm"), pointwise.lower_batch_norm,
    ),
    **dict.fromkeys(("clone", "alias", "detach", "lift_fresh", "contiguous"), shapes.lower_copy),
    "as_strided": shapes.lower_restriding,
    **dict.fromkeys(("view", "unsafe_view", "reshape", "reshape_alias"), shapes.lower_reshape),
    **dict.fromkeys(("permute", "transpose", "slice", "select", "unsqueeze", "squeeze"), shapes.lower_view),
    **dict.fromkeys(("split", "split_with_sizes", "unbind"), shapes.lower_split),
    "cat": shapes.lower_concatenation,
}  # fmt: skip


def lower(trace: Trace) -> Listing:
    """The operations of a trace, with the present values of the network's weights. Raises UntraceableError.

    What depends on no picture is computed now. The trace's output is the listing's; both have one.
    """
    builder = Builder(trace)
    for call in trace.calls:
        if trace.varying.isdisjoint(call.outputs):
            builder.known.update(zip(call.outputs, call.run(builder.known.__getitem__), strict=True))
        elif not _LOWERINGS.get(call.name, pointwise.lower_pointwise)(builder, call):
            _lower_globally(builder, call)
    sizes = {value: shape[1:] for value, shape in builder.shapes.items()}
    (output,) = trace.outputs
    return Listing(tuple(builder.ops), sizes, builder.planes, trace.input, builder.original(output))


def _lower_globally(builder: Builder, call: Call) -> None:
    """Append an operation of which nothing is known but how to run it."""
    inputs = list(dict.fromkeys(builder.original(number) for number in call.inputs if number not in builder.known))
    resizes = _LOWERINGS.get(call.name) is shapes.lower_reshape or call.name == "expand"
    function = shapes.for_any_batch(builder, call) if resizes else builder.as_function(call, inputs)
    for place, output in enumerate(call.outputs):
        whole = item(function, place) if len(call.outputs) > 1 else function
        builder.ops.append(Global(inputs=tuple(inputs), output=output, function=whole))
