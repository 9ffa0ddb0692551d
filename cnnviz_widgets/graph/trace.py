"""A forward pass written down: every tensor operation the network ran, without its Python code."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import TensorWeakRef, WeakTensorKeyDictionary

#: Pictures in the traced batch: with 1, a batch axis could not be told from an axis of size 1.
BATCH = 2


class UntraceableError(Exception):
    """This forward pass cannot be written down as a fixed list of tensor operations."""


@dataclass(frozen=True)
class Ref:
    """Stands for the value of that number in the arguments of a call."""

    value: int


@dataclass(frozen=True, eq=False)
class Call:
    """One operation. In-place ones are replaced by their twins that make a new tensor."""

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[int, ...]

    @property
    def inputs(self) -> tuple[int, ...]:
        """Numbers of the values among the arguments."""
        return tuple(ref.value for ref in _found((self.args, self.kwargs), Ref))

    def run(self, value_of: Callable[[int], Tensor]) -> tuple[Tensor, ...]:
        """The outputs, from the values of the inputs."""
        args, kwargs = replaced((self.args, dict(self.kwargs)), Ref, lambda ref: value_of(ref.value))
        result = self.function(*args, **kwargs)
        return (result,) if isinstance(result, Tensor) else tuple(result)


@dataclass(frozen=True, eq=False)
class Trace:
    """All calls between value `input`, pictures (BATCH, C, H, W), and value `output`, scores (BATCH, K).

    `leaves` are the network's own weights and buffers, by value; they are read anew each time the trace is lowered.
    `varying` are the values that depend on the pictures.
    """

    calls: tuple[Call, ...]
    leaves: Mapping[int, Tensor]
    varying: frozenset[int]
    shapes: Mapping[int, torch.Size]
    dtypes: Mapping[int, torch.dtype]
    device: torch.device
    input: int
    output: int


def traced(network: nn.Module, pixels: Tensor, scores: Callable[[object], Tensor]) -> Trace:
    """Write down `scores(network(pixels))` in eval mode, for `pixels` (BATCH, C, H, W).

    The network is not run itself: a copy of its modules is, which shares its weights. Raises UntraceableError.
    """
    recorder = _Recorder()
    try:
        duplicate = _with_same_weights(network)
        with torch.inference_mode(False), torch.no_grad():
            pixels = pixels.clone()
            start = recorder.picture(pixels)
            with recorder:
                output = scores(duplicate(pixels))
        end = recorder.number(output)
    except UntraceableError:
        raise
    except Exception as error:  # whatever a network's own Python code may raise
        raise UntraceableError(str(error)) from error
    if end not in recorder.varying:
        raise UntraceableError("the scores do not depend on the picture")
    return Trace(
        calls=tuple(_needed(recorder.calls, end)),
        leaves=recorder.leaves,
        varying=frozenset(recorder.varying),
        shapes=recorder.shapes,
        dtypes=recorder.dtypes,
        device=pixels.device,
        input=start,
        output=end,
    )


def _with_same_weights(network: nn.Module) -> nn.Module:
    """A copy whose modules may be changed by their own forward code, and whose weights are the network's own."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    duplicate = copy.deepcopy(network, shared)
    for module in duplicate.modules():
        module.training = False
    return duplicate


def _needed(calls: list[Call], output: int) -> list[Call]:
    wanted = {output}
    kept = []
    for call in reversed(calls):
        if not wanted.isdisjoint(call.outputs):
            wanted.update(call.inputs)
            kept.append(call)
    return kept[::-1]


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []
        self.leaves: dict[int, Tensor] = {}
        self.varying: set[int] = set()
        self.shapes: dict[int, torch.Size] = {}
        self.dtypes: dict[int, torch.dtype] = {}
        # Weak, so that no more is kept in memory than by the forward pass itself.
        self._numbers: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()
        self._sharing: dict[int, list[Any]] = {}
        self._outdated: set[int] = set()

    def number(self, tensor: Tensor) -> int:
        """The number of this tensor's present value; a tensor not seen before is a leaf."""
        if tensor not in self._numbers:
            self.leaves[self._new_value(tensor)] = tensor
        number = self._numbers[tensor]
        if number in self._outdated:
            raise UntraceableError("a tensor is read after a view of it was changed in place")
        return number

    def picture(self, pixels: Tensor) -> int:
        """The number of the value on which the varying ones depend."""
        number = self._new_value(pixels)
        self.varying.add(number)
        return number

    def _new_value(self, tensor: Tensor) -> int:
        number = len(self.shapes)
        self.shapes[number] = tensor.shape
        self.dtypes[number] = tensor.dtype
        if tensor not in self._numbers:
            self._sharing.setdefault(tensor.untyped_storage().data_ptr(), []).append(TensorWeakRef(tensor))
        self._numbers[tensor] = number
        return number

    def _sharing_with(self, tensor: Tensor) -> list[Tensor]:
        """The tensors in the same memory, itself included."""
        references = self._sharing[tensor.untyped_storage().data_ptr()]
        return [other for reference in references if (other := reference()) is not None]

    # With torch's default the first operation imports torch._dynamo, which takes as long as importing torch.
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        written = [
            args[position] if position < len(args) else kwargs.get(argument.name)
            for position, argument in enumerate(func._schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ]
        function = func if not written else _twin(func, written, args)
        numbered_args, numbered_kwargs = replaced((args, kwargs), Tensor, lambda tensor: Ref(self.number(tensor)))
        inputs = [ref.value for ref in _found((numbered_args, numbered_kwargs), Ref)]
        if written:
            self._change(written[0])
        result = func(*args, **kwargs)
        varies = not self.varying.isdisjoint(inputs)
        if varies and torch.Tag.nondeterministic_seeded in func.tags:
            raise UntraceableError(f"{func} is random")
        if written:
            outputs = [written[0]]
        elif isinstance(result, Tensor):
            outputs = [result]
        elif isinstance(result, list | tuple) and all(isinstance(item, Tensor) for item in result):
            outputs = list(result)
        elif varies:
            raise UntraceableError(f"{func} takes a number out of a tensor that depends on the picture")
        else:
            return result
        numbers = tuple(self._new_value(tensor) for tensor in outputs)
        if varies:
            self.varying.update(numbers)
        self.calls.append(Call(function, tuple(numbered_args), numbered_kwargs, numbers))
        return result

    def _change(self, tensor: Tensor) -> None:
        """Called before a tensor is written to, so that nothing of the network is."""
        sharing = self._sharing_with(tensor)
        if any(self._numbers[other] in self.leaves for other in sharing):
            raise UntraceableError("a weight or buffer is changed in place")
        self._outdated.update(self._numbers[other] for other in sharing if other is not tensor)


def _twin(func: Any, written: list[Any], args: tuple[Any, ...]) -> Any:
    """The operation that makes a new tensor instead of changing its first argument."""
    namespace, name = func._schema.name.split("::")
    if len(written) == 1 and args and written[0] is args[0] and name.endswith("_"):
        packet = getattr(getattr(torch.ops, namespace), name[:-1], None)
        twin = getattr(packet, func._overloadname, None)
        if twin is not None:
            return twin
    raise UntraceableError(f"{func} changes its arguments")


def replaced(tree: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """`tree` of lists, tuples and dicts with each item of that kind replaced."""
    if isinstance(tree, kind):
        return by(tree)
    if isinstance(tree, list | tuple):
        return type(tree)(replaced(item, kind, by) for item in tree)
    if isinstance(tree, dict):
        return {key: replaced(item, kind, by) for key, item in tree.items()}
    return tree


def _found(tree: Any, kind: type) -> Iterator[Any]:
    if isinstance(tree, kind):
        yield tree
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from _found(item, kind)
    elif isinstance(tree, Mapping):
        yield from _found(tuple(tree.values()), kind)
