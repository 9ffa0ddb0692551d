"""A forward pass written down: every tensor operation that ran, without the network's Python code.

Of EfficientNet-Lite0 torch.fx takes 3.5 s and refuses an `if` over a shape; make_fx takes 8 s and torch.export 19 s,
and both import torch's compiler. This recorder takes 1 s, follows the `if` and imports nothing: so it is our own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import TensorWeakRef, WeakTensorKeyDictionary

from cnnviz_widgets.tracing.trees import substitute, tensors_in

#: Pictures in a batch that is traced to be run: with 1, a batch axis could not be told from an axis of size 1.
BATCH = 2


class UntraceableError(Exception):
    """This forward pass cannot be written down as a list of operations that holds for every picture."""


@dataclass(frozen=True)
class Ref:
    """Stands for the value of that number in the arguments of a call."""

    value: int


@dataclass(frozen=True, eq=False)
class Call:
    """One operation: numbers of the values that it reads (each time it does) and makes.

    An operation in place is replaced by the one that makes a new tensor. `function` is None where a value changed
    because another tensor in the same memory was written to; `args` are then the value before and what was written.
    `layer` is the module that was running, where the recorder was told.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    layer: str = ""

    @cached_property
    def name(self) -> str:
        """The operation's name without namespace and outer underscores: `relu` for aten::relu_."""
        return "" if self.function is None else self.function._schema.name.removeprefix("aten::").strip("_")

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """All arguments by name, with their defaults."""
        schema = self.function._schema.arguments
        named = {argument.name: argument.default_value for argument in schema if argument.has_default_value()}
        return named | dict(zip((argument.name for argument in schema), self.args, strict=False)) | dict(self.kwargs)

    def run(self, value_of: Callable[[int], Tensor]) -> tuple[Tensor, ...]:
        """The outputs, from the values of the inputs."""
        args, kwargs = substitute((self.args, dict(self.kwargs)), Ref, lambda ref: value_of(ref.value))
        return tuple(tensors_in(self.function(*args, **kwargs)))


@dataclass(frozen=True, eq=False)
class Trace:
    """The calls that lead from value `input`, pictures (N, C, H, W), to the values `outputs`.

    `leaves` are the network's own weights and buffers, by value; they are read anew each time the trace is lowered.
    `varying` are the values that depend on the pictures. `indices` are copies of the values without a fraction, such
    as indices and masks, that are read together with varying ones, `drawn` of those that were random numbers. `notes`
    say why the calls may hold for these pictures only.
    """

    calls: tuple[Call, ...]
    input: int
    outputs: tuple[int, ...]
    leaves: Mapping[int, Tensor]
    varying: frozenset[int]
    indices: Mapping[int, Tensor]
    drawn: Mapping[int, Tensor]
    shapes: Mapping[int, torch.Size]
    dtypes: Mapping[int, torch.dtype]
    notes: tuple[str, ...]


def trace_scores(
    network: nn.Module, pixels: Tensor, scores: Callable[[object], Tensor], also: Mapping[str, Tensor] | None = None
) -> Trace:
    """Write down `scores(network(pixels))` in eval mode, for `pixels` (BATCH, C, H, W) and any others like them.

    The network is not run itself: a copy of its modules is, which shares its weights and hooks. What hooks have put
    into `also` are further outputs of the trace, in the order of their names. Raises UntraceableError.
    """
    try:
        duplicate = _with_same_weights(network)
        with torch.inference_mode(False), torch.no_grad():
            pixels = pixels.clone()
            recorder = Recorder(pixels, strict=True)
            with recorder:
                output = scores(duplicate(pixels))
        more = (tensor for _, tensor in sorted((also or {}).items()))
        trace = recorder.trace(*map(recorder.number, (output, *more)))
    except UntraceableError:
        raise
    except Exception as error:  # whatever a network's own Python code may raise
        raise UntraceableError(str(error)) from error
    if trace.notes:  # the network's own code went on in spite of an exception
        raise UntraceableError(trace.notes[0])
    if trace.outputs[0] not in trace.varying:
        raise UntraceableError("the scores do not depend on the picture")
    if any(call.function is None for call in trace.calls):
        raise UntraceableError("a tensor is read after a view of it was changed in place")
    return trace


def _with_same_weights(network: nn.Module) -> nn.Module:
    """A copy whose modules may be changed by their own forward code, and whose weights are the network's own."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    duplicate = copy.deepcopy(network, shared)
    for module in duplicate.modules():
        module.training = False
    return duplicate


class Recorder(TorchDispatchMode):
    """While it is on, every tensor operation is written down; `pixels` are what varies.

    It runs all operations, whatever they do. With `strict` it raises UntraceableError instead of making a note, and
    does so before a weight or buffer of the network is written to.
    """

    def __init__(self, pixels: Tensor, strict: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._strict = strict
        #: The module that is running, for `Call.layer`.
        self.layer = ""
        self._calls: list[Call] = []
        self._leaves: dict[int, Tensor] = {}
        self._indices: dict[int, Tensor] = {}
        self._drawn: dict[int, Tensor] = {}
        self._shapes: dict[int, torch.Size] = {}
        self._dtypes: dict[int, torch.dtype] = {}
        self._notes: list[str] = []
        # Weak, so that no more is kept in memory than by the forward pass itself.
        self._numbers: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()
        self._sharing: dict[int, list[Any]] = {}
        self._input = self._new_value(pixels)
        self._varying = {self._input}

    def number(self, tensor: Tensor) -> int:
        """The number of this tensor's present value; a tensor not seen before is a leaf."""
        if tensor not in self._numbers:
            self._leaves[self._new_value(tensor)] = tensor
        return self._numbers[tensor]

    def trace(self, *outputs: int) -> Trace:
        """What was written down, as far as these values need it."""
        wanted, calls = set(outputs), []
        for call in reversed(self._calls):
            if not wanted.isdisjoint(call.outputs):
                wanted.update(call.inputs)
                calls.append(call)
        return Trace(
            tuple(reversed(calls)), self._input, outputs, self._leaves, frozenset(self._varying), self._indices,
            self._drawn, self._shapes, self._dtypes, tuple(self._notes),
        )  # fmt: skip

    # With torch's default the first operation imports torch._dynamo, which takes as long as importing torch.
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        inputs: dict[int, Tensor] = {}
        read: list[int] = []

        def refer(tensor: Tensor) -> Ref:
            read.append(self.number(tensor))
            inputs[read[-1]] = tensor
            return Ref(read[-1])

        numbered_args, numbered_kwargs = substitute((args, kwargs), Tensor, refer)
        written = _written(func, args, kwargs)
        function = _without_writing(func, written, args) if written else func
        varies = not self._varying.isdisjoint(inputs)
        self._prepare(func, inputs, written, function is not None, varies)
        result = func(*args, **kwargs)
        outputs = list({id(tensor): tensor for tensor in (*tensors_in(result), *written)}.values())
        plain = isinstance(result, Tensor) or (
            isinstance(result, list | tuple) and all(isinstance(item, Tensor) for item in result)
        )
        if varies and not (plain or written):
            self._note(f"{func} takes a number out of a tensor that depends on the picture")
        if outputs:
            numbers = tuple(self._new_value(tensor) for tensor in outputs)
            self._add(Call(function or func, tuple(numbered_args), numbered_kwargs, tuple(read), numbers, self.layer))
            if torch.Tag.nondeterministic_seeded in func.tags:
                self._drawn.update({n: tensor.clone() for n, tensor in zip(numbers, outputs, strict=True)})
            for tensor in written:
                self._change_others(tensor)
        return result

    def _prepare(
        self, func: Any, inputs: Mapping[int, Tensor], written: Sequence[Tensor], replaceable: bool, varies: bool
    ) -> None:
        """Note what stands against an operation, and keep what it must not change, before it runs."""
        if not replaceable:
            self._note(f"{func} changes its arguments")
        if varies and torch.Tag.nondeterministic_seeded in func.tags:
            self._note(f"{func} is random")
        for tensor in written:
            if any(self._numbers[other] in self._leaves for other in (tensor, *self._others_in_memory(tensor))):
                self._note("a weight or buffer is changed in place")
        if varies:
            for number, tensor in inputs.items():
                if number not in self._indices and not tensor.is_floating_point():
                    self._indices[number] = tensor.clone()

    def _note(self, reason: str) -> None:
        self._notes.append(reason)
        if self._strict:
            raise UntraceableError(reason)

    def _add(self, call: Call) -> None:
        self._calls.append(call)
        if not self._varying.isdisjoint(call.inputs):
            self._varying.update(call.outputs)

    def _new_value(self, tensor: Tensor) -> int:
        number = len(self._shapes)
        self._shapes[number] = tensor.shape
        self._dtypes[number] = tensor.dtype
        if tensor not in self._numbers and tensor.layout == torch.strided:
            self._sharing.setdefault(tensor.untyped_storage().data_ptr(), []).append(TensorWeakRef(tensor))
        self._numbers[tensor] = number
        return number

    def _others_in_memory(self, tensor: Tensor) -> list[Tensor]:
        """The other tensors that share memory with this one."""
        if tensor.layout != torch.strided:
            return []
        references = self._sharing.get(tensor.untyped_storage().data_ptr(), [])
        others = [other for reference in references if (other := reference()) is not None and other is not tensor]
        first, last = _extent(tensor)
        return [other for other in others if _extent(other)[0] < last and first < _extent(other)[1]]

    def _change_others(self, tensor: Tensor) -> None:
        """Called after a tensor was written to: the others in its memory have new values too."""
        number = self._numbers[tensor]
        for other in self._others_in_memory(tensor):
            if _layout(other) == _layout(tensor):
                self._numbers[other] = number
            else:
                before = self._numbers[other]
                self._add(
                    Call(None, (Ref(before), Ref(number)), {}, (before, number), (self._new_value(other),), self.layer)
                )


def _written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """The tensors that an operation writes to."""
    return tensors_in([
        args[position] if position < len(args) else kwargs.get(argument.name)
        for position, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ])  # fmt: skip


def _without_writing(func: Any, written: Sequence[Tensor], args: Sequence[Any]) -> Any:
    """The operation that makes a new tensor instead of changing its first argument, or None."""
    namespace, name = func._schema.name.split("::")
    if len(written) != 1 or not args or written[0] is not args[0] or not name.endswith("_"):
        return None
    return getattr(getattr(getattr(torch.ops, namespace), name[:-1], None), func._overloadname, None)


def _layout(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.dtype, tensor.shape, tensor.stride(), tensor.storage_offset()


def _extent(tensor: Tensor) -> tuple[int, int]:
    """First and last + 1 byte of a tensor in its memory."""
    first = int(tensor.storage_offset()) * tensor.element_size()
    if not tensor.numel():
        return first, first
    steps = sum((int(size) - 1) * int(stride) for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return first, first + (steps + 1) * tensor.element_size()
