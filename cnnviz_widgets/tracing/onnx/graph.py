"""The ONNX graph under construction, and the names of a trace's values in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import Tensor

from cnnviz_widgets.errors import EngineError
from cnnviz_widgets.tracing.trace import BATCH, Call, Ref, Trace

#: Operator set and file format: the lowest that have Gelu and, of reductions, axes that are an input.
OPSET, IR_VERSION = 20, 10
#: Constants of fewer numbers are kept in full precision, and equal ones once.
_SMALL = 256


class NoFormError(EngineError):
    """An operation of the network has no ONNX form here; the message names it."""


class Graph:
    """Nodes so far. `known` are the values of the trace that depend on no picture.

    With `half` large constants are stored in 16 bits and cast when a session is made.
    """

    def __init__(self, trace: Trace, known: Mapping[int, Tensor], half: bool = False) -> None:
        self.trace = trace
        self.known = known
        self.names: dict[int, str] = {}
        #: On which axis a value has the pictures of the batch, where not on the first.
        self.batch_axes: dict[int, int] = {}
        #: Written in place: made of parts, weights would be copied several times.
        self._model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="cnnviz_widgets")
        self._half = half
        self._equal: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        #: Tensors are kept, so that their memory is not given to others.
        self._placed: dict[tuple[int, tuple[int, ...], tuple[int, ...]], tuple[Tensor, str]] = {}
        self._count = 0

    def new_name(self) -> str:
        """A name that no value has yet."""
        self._count += 1
        return f"v{self._count}"

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a node with one output, and name that."""
        return self.add_many(kind, inputs, 1, **attributes)[0]

    def add_many(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """The same with several outputs."""
        names = [self.new_name() for _ in range(outputs)]
        self._model.graph.node.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def put_out(self, name: str, value: str) -> None:
        """Give a value the name of an output."""
        self._model.graph.node.append(helper.make_node("Identity", [value], [name]))

    def constant(self, value: Tensor | NDArray[Any] | Sequence[int] | float) -> str:
        """The name of a constant: integers are int64, floats float32. Large ones in the same memory are stored once."""
        if isinstance(value, Tensor) and value.numel() > _SMALL:
            place = value.data_ptr(), tuple(value.shape), value.stride()
            if place not in self._placed:
                self._placed[place] = value, self._written(value)
            return self._placed[place][1]
        return self._written(value)

    def _written(self, value: Tensor | NDArray[Any] | Sequence[int] | float) -> str:
        if isinstance(value, Tensor):
            value = value.detach().cpu().float().numpy() if value.is_floating_point() else value.detach().cpu().numpy()
        array = np.asarray(value)
        array = np.ascontiguousarray(array, np.float32 if array.dtype.kind == "f" else np.int64).reshape(array.shape)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= _SMALL else None
        if key is not None and key in self._equal:
            return self._equal[key]
        name = self._stored(array)
        if key is not None:
            self._equal[key] = name
        return name

    def _stored(self, array: NDArray[Any]) -> str:
        name = self.new_name()
        coarse = None
        if self._half and array.dtype == np.float32 and array.size > _SMALL:
            with np.errstate(over="ignore"):
                coarse = array.astype(np.float16)
        if coarse is None or not np.isfinite(coarse).all():
            self._store(name, TensorProto.FLOAT if array.dtype == np.float32 else TensorProto.INT64, array)
            return name
        self._store(name, TensorProto.FLOAT16, coarse)
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def _store(self, name: str, kind: int, array: NDArray[Any]) -> None:
        self._model.graph.initializer.add(name=name, data_type=kind, dims=array.shape, raw_data=array.tobytes())

    def shape(self, value: int) -> tuple[int, ...]:
        """Of a value of the trace, with its batch of BATCH pictures."""
        return tuple(self.trace.shapes[value])

    def rank(self, argument: Any) -> int:
        """How many axes a value that is read has."""
        return len(self.shape(argument.value))

    def varies(self, argument: Any) -> bool:
        """Whether an argument is a value that depends on the picture."""
        return isinstance(argument, Ref) and argument.value not in self.known

    def batch_axis(self, argument: Any) -> int:
        """The axis on which a value that varies has the pictures of the batch."""
        return self.batch_axes.get(argument.value, 0)

    def tensor(self, argument: Any, of: Call) -> Tensor | None:
        """The known tensor that an argument stands for, None for None. Raises NoFormError where it varies."""
        if argument is None:
            return None
        if not isinstance(argument, Ref) or argument.value not in self.known:
            raise no_form(of, "of weights that depend on the picture")
        return self.known[argument.value]

    def value(self, argument: Any, rank: int | None = None) -> str:
        """The name of a value, constant or number that is read by a call of so many axes.

        A known tensor with equal values for each picture of the traced batch is given for one picture.
        """
        if not isinstance(argument, Ref):
            return self.constant(float(argument))
        if argument.value not in self.known:
            return self.names[argument.value]
        tensor = self.known[argument.value]
        if rank is not None and tensor.ndim == rank and rank > 1 and len(tensor) == BATCH:
            if not torch.equal(tensor[:1].expand_as(tensor), tensor):
                raise NoFormError("The network computes something that differs from picture to picture of a batch.")
            tensor = tensor[:1]
        return self.constant(tensor)

    def reshape(self, name: str, shape: Sequence[int], of: Call) -> str:
        """A value in another shape, given for the traced batch, which is on the first axis or part of it."""
        if not shape or shape[0] % BATCH:
            raise no_form(of, "that mixes pictures of a batch with other axes")
        return self.add("Reshape", name, self.constant([-1, *shape[1:]]))

    def model(self, inputs: Mapping[str, Sequence[int | str]], outputs: Mapping[str, Sequence[int | str]]) -> bytes:
        """The graph as the bytes of a model, with the shapes of inputs and outputs by name."""
        model = self._model
        model.graph.name = "network"
        model.opset_import.add(domain="", version=OPSET)
        for told, shapes in ((model.graph.input, inputs), (model.graph.output, outputs)):
            for name, shape in shapes.items():
                told.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
        found: bytes = model.SerializeToString()
        return found


def no_form(call: Call, form: str = "") -> NoFormError:
    """The error for a call that cannot be written, in a form that is not the usual one."""
    what = f"{call.name or 'a view that is changed in place'} {form}".rstrip()
    return NoFormError(
        f"The network cannot be written as ONNX, because its operation `{what}` has no form there; run it by torch."
    )
