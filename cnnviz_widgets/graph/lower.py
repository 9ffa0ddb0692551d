"""From a trace to a program: tensor operations are recognised as sliding, cell by cell, or global."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.graph.pointwise import activation_of
from cnnviz_widgets.graph.program import (
    Affine,
    AveragePool,
    Cellwise,
    Convolution,
    Global,
    Join,
    Listing,
    MaxPool,
    Mean,
    Op,
    Pad,
    Pair,
    Reach,
)
from cnnviz_widgets.graph.trace import BATCH, Call, Ref, Trace, UntraceableError, replaced

_BATCH_NORMS = (
    "native_batch_norm",
    "_native_batch_norm_legit_no_training",
    "_batch_norm_no_update",
    "cudnn_batch_norm",
    "miopen_batch_norm",
)
_COPIES = ("clone", "alias", "detach", "lift_fresh", "contiguous")
_RESHAPES = ("view", "_unsafe_view", "reshape", "_reshape_alias")
#: Cell by cell, though torch, or torch 2.4, does not tag them so.
_UNTAGGED = (
    *("hardswish", "hardtanh", "_prelu_kernel"),
    *("celu", "elu", "hardshrink", "hardsigmoid", "leaky_relu", "mish", "softplus", "softshrink", "threshold"),
)


def lowered(trace: Trace) -> Listing:
    """The operations of a trace, with the present values of the network's weights. Raises UntraceableError."""
    return _Lowering(trace).listing()


@dataclass(frozen=True)
class _Slot:
    """Stands for an input of an operation, by position."""

    position: int


class _Lowering:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.ops: list[Op] = []
        self.shapes = {value: tuple(shape) for value, shape in trace.shapes.items()}
        self.known: dict[int, Tensor] = dict(trace.leaves)
        self.planes: dict[int, Tensor] = {}
        self.copy_of: dict[int, int] = {}

    def listing(self) -> Listing:
        for call in self.trace.calls:
            if self.trace.varying.isdisjoint(call.outputs):
                self.known.update(zip(call.outputs, call.run(self.known.__getitem__), strict=True))
            elif not self.lower(call):
                self.lower_globally(call)
        shapes = {value: shape[1:] for value, shape in self.shapes.items()}
        return Listing(tuple(self.ops), shapes, self.planes, self.trace.input, self.value(self.trace.output))

    def plane(self, value: int) -> Pair:
        rows, columns = self.shapes[value][-2:]
        return rows, columns

    def value(self, number: int) -> int:
        """The value of which that one is a copy."""
        return self.copy_of.get(number, number)

    def new_value(self, shape: tuple[int, ...]) -> int:
        number = max(self.shapes) + 1
        self.shapes[number] = shape
        return number

    def planar(self, argument: Any) -> int | None:
        """The value (N, ..., H, W) that an argument stands for, if it is one."""
        if not isinstance(argument, Ref) or argument.value in self.known:
            return None
        value = self.value(argument.value)
        return value if len(self.shapes[value]) >= 4 and self.shapes[value][0] == BATCH else None

    def are_known(self, *arguments: Any) -> bool:
        return all(
            argument is None or (isinstance(argument, Ref) and argument.value in self.known) for argument in arguments
        )

    def tensor(self, argument: Any) -> Tensor | None:
        return self.known[argument.value] if isinstance(argument, Ref) else None

    def add(self, kind: type[Op], source: int, output: int, **fields: Any) -> bool:
        self.ops.append(kind(inputs=(source,), output=output, **fields))
        return True

    # -- one call ------------------------------------------------------------------------------------------------

    def lower(self, call: Call) -> bool:
        """Append what the call does to the program; False if it is none of the known operations."""
        name = call.function._schema.name.removeprefix("aten::")
        schema = call.function._schema.arguments
        arguments: dict[str, Any] = {a.name: a.default_value for a in schema if a.has_default_value()}
        arguments |= dict(zip((a.name for a in schema), call.args, strict=False)) | dict(call.kwargs)
        output = call.outputs[0]
        unchanged = tuple(arguments.get("size") or ()) == self.shapes[output]
        if name in _COPIES or (name == "as_strided" and unchanged):
            self.copy_of[output] = self.value(call.args[0].value)
            return True
        if name in _BATCH_NORMS:
            return self.batch_norm(output, arguments)
        if name in _RESHAPES:
            return self.reshape(output, arguments)
        match name:
            case "convolution":
                return self.convolution(output, arguments)
            case "max_pool2d_with_indices" | "max_pool2d":
                return self.max_pool(output, arguments)
            case "avg_pool2d":
                return self.average_pool(output, arguments)
            case "_adaptive_avg_pool2d":
                return self.adaptive_pool(output, arguments)
            case "mean":
                return self.mean(output, arguments)
            case "constant_pad_nd":
                return self.pad(output, arguments)
            case "cat":
                return self.cat(output, arguments)
            case "permute" | "transpose" | "slice" | "select" | "unsqueeze" | "squeeze":
                return self.view(call, arguments)
            case "split" | "split_with_sizes" | "unbind":
                return self.split(call, arguments)
        return self.cellwise(call, name)

    def convolution(self, output: int, a: dict[str, Any]) -> bool:
        source = self.planar(a["input"])
        if source is None or a["transposed"] or len(a["stride"]) != 2 or not self.are_known(a["weight"], a["bias"]):
            return False
        weight, bias = self.known[a["weight"].value], self.tensor(a["bias"])
        top, left = _pair(a["padding"])
        return self.add(
            Convolution, source, output, padding=(top, left, top, left), groups=a["groups"],
            reaches=_reaches(weight.shape[2:], a["stride"], (top, left), a["dilation"]),
            weight=weight.clone(memory_format=torch.channels_last), bias=None if bias is None else bias.clone(),
        )  # fmt: skip

    def max_pool(self, output: int, a: dict[str, Any]) -> bool:
        source = self.planar(a["self"])
        if source is None:
            return False
        reaches = _reaches(a["kernel_size"], a["stride"] or a["kernel_size"], a["padding"], a["dilation"])
        return self.add(MaxPool, source, output, reaches=reaches, rounds_up=a["ceil_mode"])

    def average_pool(self, output: int, a: dict[str, Any]) -> bool:
        source = self.planar(a["self"])
        if source is None:
            return False
        reaches = _reaches(a["kernel_size"], a["stride"] or a["kernel_size"], a["padding"], 1)
        fields = {"reaches": reaches, "rounds_up": a["ceil_mode"]}
        padded = any(reach.padding for reach in reaches)
        if a["divisor_override"] or (not a["ceil_mode"] and (a["count_include_pad"] or not padded)):
            divisor = a["divisor_override"] or reaches[0].kernel * reaches[1].kernel
            return self.add(AveragePool, source, output, divisor=divisor, **fields)
        # The divisor is another near the border: sums, times a plane that does not depend on the picture.
        ones = torch.ones(1, 1, *self.plane(source), dtype=self.trace.dtypes[source], device=self.trace.device)
        means = torch.ops.aten.avg_pool2d(
            ones, a["kernel_size"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"]
        )
        sums, factor = self.new_value(self.shapes[output]), self.new_value((1, 1, *self.plane(output)))
        self.add(AveragePool, source, sums, divisor=1, **fields)
        self.planes[factor] = means / self.ops[-1].whole(ones)
        self.ops.append(Cellwise(inputs=(sums, factor), output=output, function=torch.mul))
        return True

    def adaptive_pool(self, output: int, a: dict[str, Any]) -> bool:
        source = self.planar(a["self"])
        if source is None:
            return False
        before, after = self.plane(source), self.plane(output)
        if before == after:
            self.copy_of[output] = source
            return True
        if after == (1, 1):
            return self.add(Mean, source, output, keepdim=True)
        if before[0] % after[0] or before[1] % after[1]:
            return False
        kernel = before[0] // after[0], before[1] // after[1]
        reaches = _reaches(kernel, kernel, 0, 1)
        return self.add(AveragePool, source, output, reaches=reaches, rounds_up=False, divisor=kernel[0] * kernel[1])

    def mean(self, output: int, a: dict[str, Any]) -> bool:
        source = self.planar(a["self"])
        if source is None or a.get("dtype") is not None or not isinstance(a.get("dim"), list | tuple):
            return False
        rank = len(self.shapes[source])
        if sorted(axis % rank for axis in a["dim"]) != [rank - 2, rank - 1]:
            return False
        return self.add(Mean, source, output, keepdim=a["keepdim"])

    def pad(self, output: int, a: dict[str, Any]) -> bool:
        source, sides, fill = self.planar(a["self"]), [*a["pad"], 0, 0, 0, 0][:4], float(a["value"])
        if source is None or len(a["pad"]) > 4 or min(sides) < 0 or fill not in (0.0, -float("inf")):
            return False
        left, right, top, bottom = sides
        reaches = Reach(padding=top), Reach(padding=left)
        return self.add(Pad, source, output, reaches=reaches, padding=(top, left, bottom, right), fill=fill)

    def batch_norm(self, output: int, a: dict[str, Any]) -> bool:
        if a.get("training"):
            # Running it would change the network's own statistics.
            raise UntraceableError("a batch norm takes the statistics of the batch")
        source = self.planar(a["input"])
        statistics = (a["weight"], a["bias"], a["running_mean"], a["running_var"])
        if source is None or None in statistics[2:] or not self.are_known(*statistics):
            return False
        weight, bias, mean, variance = (self.tensor(argument) for argument in statistics)
        assert mean is not None and variance is not None
        scale = (variance.double() + float(a["eps"] if "eps" in a else a["epsilon"])).rsqrt()
        if weight is not None:
            scale = scale * weight.double()
        shift = -mean.double() * scale if bias is None else bias.double() - mean.double() * scale
        dtype = self.trace.dtypes[source]
        affine = Affine(scale.to(dtype).view(1, -1, 1, 1), shift.to(dtype).view(1, -1, 1, 1))
        return self.add(Cellwise, source, output, function=affine)

    def cat(self, output: int, a: dict[str, Any]) -> bool:
        values = [self.planar(argument) for argument in a["tensors"]]
        inputs = tuple(value for value in values if value is not None)
        if len(inputs) != len(values) or a["dim"] % len(self.shapes[output]) != 1:
            return False
        self.ops.append(Join(inputs=inputs, output=output))
        return True

    def cellwise(self, call: Call, name: str) -> bool:
        output = call.outputs[0]
        if (torch.Tag.pointwise not in call.function.tags and name not in _UNTAGGED) or len(self.shapes[output]) < 4:
            return False
        inputs: list[int] = []
        for number in call.inputs:
            value = self.value(number)
            if number in self.known:
                tensor = self.known[number]
                if tensor.numel() == 1 or (tensor.ndim in (3, 4) and tensor.shape[-2:] == (1, 1) and _single(tensor)):
                    continue
                if tensor.ndim != 4 or tensor.shape[-2:] != self.plane(output) or not _single(tensor):
                    return False
                self.planes[value] = tensor.clone()
            if value not in inputs:
                inputs.append(value)
        if not any(self.planar(Ref(value)) is not None for value in inputs):
            return False
        function = self.function(call, inputs)
        overwriting = (
            activation_of(call.function, call.args, call.kwargs) if len(inputs) == len(call.inputs) == 1 else None
        )
        self.ops.append(Cellwise(inputs=tuple(inputs), output=output, function=function, overwriting=overwriting))
        return True

    # -- views ---------------------------------------------------------------------------------------------------

    def reshape(self, output: int, a: dict[str, Any]) -> bool:
        before, after = self.shapes[self.value(a["self"].value)], self.shapes[output]
        if before == after:
            self.copy_of[output] = self.value(a["self"].value)
            return True
        source = self.planar(a["self"])
        if source is None or before[0] != after[0] or before[-2:] != after[-2:] or len(after) < 4:
            return False
        channels = after[1:-2]

        def function(values: Tensor) -> Tensor:
            return values.reshape(len(values), *channels, *values.shape[-2:])

        return self.add(Cellwise, source, output, function=function, fresh=False)

    def view(self, call: Call, a: dict[str, Any]) -> bool:
        """Views that leave the batch and the plane alone."""
        source, output = self.planar(call.args[0]), call.outputs[0]
        if source is None or len(self.shapes[output]) < 4 or self.plane(source) != self.plane(output):
            return False
        rank = len(self.shapes[source])
        if "dims" in a:
            order = [axis % rank for axis in a["dims"]]
            moved = {axis for place, axis in enumerate(order) if place != axis}
        else:
            rank += call.function._schema.name == "aten::unsqueeze"
            axes = [a[key] for key in ("dim", "dim0", "dim1") if key in a]
            moved = {axis % rank for entry in axes for axis in (entry if isinstance(entry, list | tuple) else [entry])}
        if not _are_channels(moved, rank):
            return False
        return self.add(Cellwise, source, output, function=self.function(call, [source]), fresh=False)

    def split(self, call: Call, a: dict[str, Any]) -> bool:
        source = self.planar(call.args[0])
        if source is None or any(len(self.shapes[output]) < 4 for output in call.outputs):
            return False
        rank = len(self.shapes[source])
        if not _are_channels({a["dim"] % rank}, rank):
            return False
        parts = self.function(call, [source])
        for place, output in enumerate(call.outputs):
            self.add(Cellwise, source, output, function=_item(parts, place), fresh=False)
        return True

    # -- anything else -------------------------------------------------------------------------------------------

    def lower_globally(self, call: Call) -> None:
        inputs = list(dict.fromkeys(self.value(number) for number in call.inputs if number not in self.known))
        function = self.function(call, inputs)
        name = call.function._schema.name.removeprefix("aten::")
        if name in (*_RESHAPES, "expand"):
            function = self.batched(call, name)
        for place, output in enumerate(call.outputs):
            self.ops.append(
                Global(
                    inputs=tuple(inputs),
                    output=output,
                    function=_item(function, place) if len(call.outputs) > 1 else function,
                )
            )

    def batched(self, call: Call, name: str) -> Callable[..., Tensor]:
        """A reshape or expand whose size was that of the traced batch, for any batch."""
        size, before = list(call.args[1]), self.shapes[call.args[0].value]
        if before[0] == BATCH and size[0] in (-1, 1):
            return self.function(call, [self.value(call.args[0].value)])
        if before[0] % BATCH or size[0] % BATCH:
            raise UntraceableError("the batch is mixed with other axes")
        method = "expand" if name == "expand" else "reshape"
        return lambda values: getattr(values, method)(len(values) * size[0] // before[0], *size[1:])

    def function(self, call: Call, inputs: list[int]) -> Callable[..., Any]:
        """The call as a function of the values `inputs`; what is known already is filled in."""

        def filled(ref: Ref) -> Any:
            value = self.value(ref.value)
            return _Slot(inputs.index(value)) if value in inputs else self.known[ref.value]

        args, kwargs = replaced((call.args, dict(call.kwargs)), Ref, filled)
        function = call.function
        if not kwargs and args == tuple(map(_Slot, range(len(inputs)))):
            return function  # type: ignore[no-any-return]

        def run(*values: Tensor) -> Any:
            now, named = replaced((args, kwargs), _Slot, lambda slot: values[slot.position])
            return function(*now, **named)

        return run


def _are_channels(axes: set[int], rank: int) -> bool:
    return axes.isdisjoint((0, rank - 2, rank - 1))


def _single(tensor: Tensor) -> bool:
    return tensor.ndim < 4 or len(tensor) == 1


def _item(function: Callable[..., Any], place: int) -> Callable[..., Tensor]:
    return lambda *values: function(*values)[place]


def _pair(numbers: Any) -> Pair:
    if isinstance(numbers, int):
        return numbers, numbers
    return (numbers[0], numbers[-1])


def _reaches(kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[Reach, Reach]:
    axes = zip(_pair(kernel), _pair(stride), _pair(padding), _pair(dilation), strict=True)
    rows, columns = (Reach(*numbers) for numbers in axes)
    return rows, columns
