"""Operations that slide over the plane: convolutions, poolings, paddings, and the mean of a whole plane.

Weights are copied, so that a plan stays as it was made when somebody trains the network; `plan` makes a new one then.
"""

from __future__ import annotations

import torch

from cnnviz_widgets.graph.lowering.builder import Builder, pair, stencils
from cnnviz_widgets.graph.ops import AveragePool, Cellwise, Convolution, MaxPool, Mean, Pad, Stencil
from cnnviz_widgets.tracing.trace import Call


def lower_convolution(builder: Builder, call: Call) -> bool:
    """A convolution in two dimensions, not transposed, whose weight depends on no picture."""
    a = call.arguments
    source = builder.planar(a["input"])
    if source is None or a["transposed"] or len(a["stride"]) != 2 or not builder.are_known(a["weight"], a["bias"]):
        return False
    weight, bias = builder.known[a["weight"].value], builder.tensor(a["bias"])
    top, left = pair(a["padding"])
    return builder.add(
        Convolution, source, call.outputs[0], padding=(top, left, top, left), groups=a["groups"],
        stencils=stencils(weight.shape[2:], a["stride"], (top, left), a["dilation"]),
        weight=weight.clone(memory_format=torch.channels_last), bias=None if bias is None else bias.clone(),
    )  # fmt: skip


def lower_max_pool(builder: Builder, call: Call) -> bool:
    """Max pooling; indices of the maxima are left out."""
    a = call.arguments
    source = builder.planar(a["self"])
    if source is None:
        return False
    windows = stencils(a["kernel_size"], a["stride"] or a["kernel_size"], a["padding"], a["dilation"])
    return builder.add(MaxPool, source, call.outputs[0], stencils=windows, rounds_up=a["ceil_mode"])


def lower_average_pool(builder: Builder, call: Call) -> bool:
    """Average pooling.

    Where windows at the border have other divisors, it is a sum times a constant plane.
    """
    a, output = call.arguments, call.outputs[0]
    source = builder.planar(a["self"])
    if source is None:
        return False
    windows = stencils(a["kernel_size"], a["stride"] or a["kernel_size"], a["padding"], 1)
    padded = any(stencil.padding for stencil in windows)
    if a["divisor_override"] or (not a["ceil_mode"] and (a["count_include_pad"] or not padded)):
        divisor = a["divisor_override"] or windows[0].kernel * windows[1].kernel
        return builder.add(
            AveragePool, source, output, divisor=divisor, stencils=windows, rounds_up=a["ceil_mode"]
        )  # fmt: skip
    ones = torch.ones(1, 1, *builder.plane(source), dtype=builder.dtypes[source])
    means = torch.ops.aten.avg_pool2d(
        ones, a["kernel_size"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"]
    )
    sums, factor = builder.new_value(builder.shapes[output]), builder.new_value((1, 1, *builder.plane(output)))
    builder.add(AveragePool, source, sums, divisor=1, stencils=windows, rounds_up=a["ceil_mode"])
    builder.planes[factor] = means / builder.ops[-1].whole(ones)
    builder.ops.append(Cellwise(inputs=(sums, factor), output=output, function=torch.mul))
    return True


def lower_adaptive_pool(builder: Builder, call: Call) -> bool:
    """Adaptive average pooling, where all its windows are of one size."""
    source, output = builder.planar(call.arguments["self"]), call.outputs[0]
    if source is None:
        return False
    before, after = builder.plane(source), builder.plane(output)
    if before == after:
        return builder.copy(source, output)
    if after == (1, 1):
        return builder.add(Mean, source, output, keepdim=True)
    if before[0] % after[0] or before[1] % after[1]:
        return False
    kernel = before[0] // after[0], before[1] // after[1]
    windows = stencils(kernel, kernel, 0, 1)
    return builder.add(
        AveragePool, source, output, stencils=windows, rounds_up=False, divisor=kernel[0] * kernel[1]
    )  # fmt: skip


def lower_mean(builder: Builder, call: Call) -> bool:
    """A mean over rows and columns."""
    a = call.arguments
    source = builder.planar(a["self"])
    if source is None or a.get("dtype") is not None or not isinstance(a.get("dim"), list | tuple):
        return False
    rank = len(builder.shapes[source])
    if sorted(axis % rank for axis in a["dim"]) != [rank - 2, rank - 1]:
        return False
    return builder.add(Mean, source, call.outputs[0], keepdim=a["keepdim"])


def lower_padding(builder: Builder, call: Call) -> bool:
    """Padding of the plane with zeros or, for a max pooling, -inf."""
    a = call.arguments
    source, sides, fill = builder.planar(a["self"]), [*a["pad"], 0, 0, 0, 0][:4], float(a["value"])
    if source is None or len(a["pad"]) > 4 or min(sides) < 0 or fill not in (0.0, -float("inf")):
        return False
    left, right, top, bottom = sides
    return builder.add(
        Pad, source, call.outputs[0], padding=(top, left, bottom, right), fill=fill,
        stencils=(Stencil(padding=top), Stencil(padding=left)),
    )  # fmt: skip
