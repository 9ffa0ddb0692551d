"""The user's network is a guest: ways to run it and to listen to its layers that leave it exactly as found."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from operator import is_
from typing import Any, Generic, TypeVar, overload

import torch
from torch import Tensor, nn

from cnnviz_widgets.cells import LOCK as LOCK
from cnnviz_widgets.forks import Renewed, is_mine

#: For each module: which names to record for which of its calls in a forward pass, counted from 0.
Wanted = Mapping[str, Mapping[int, list[str]]]
#: Given the names of a call, its inputs and its output; what it returns, if anything, takes the output's place.
See = Callable[[list[str], list[Any], Tensor], Tensor | None]

_T = TypeVar("_T")


class once(Generic[_T]):
    """A cached property that is computed once also when several threads ask for it, under `LOCK`.

    `functools.cached_property` of Python 3.11 has a lock of its own for all instances, so that a thread that waits
    for it with `LOCK` in hand and one that computes and waits for `LOCK` would block each other.
    """

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...
    def __get__(self, instance: object | None, owner: type) -> once[_T] | _T:
        if instance is None:
            return self
        with LOCK:
            # From now on Python finds the value there first.
            if self._name not in instance.__dict__:
                instance.__dict__[self._name] = self._compute(instance)
            value: _T = instance.__dict__[self._name]
        return value


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside wrappers for several devices and for torch.compile: behind those no hooks of layers run."""
    while (wrapped := inside(network)) is not None:
        network = wrapped
    return network


def bypassed(module: nn.Module) -> bool:
    """Whether a module only runs another one, compiled or on several devices, in a way in which hooks are lost."""
    return inside(module) is not None


def inside(module: nn.Module) -> nn.Module | None:
    """The module that a wrapper for several devices or for torch.compile only runs; None of any other."""
    wraps = isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel)
    # The modules of TorchScript are in a container of their own kind, and none of them is compiled by torch.compile.
    return None if not hooked(module) else module._modules.get("module" if wraps else "_orig_mod")


def _uncompiled(module: nn.Module) -> Callable[..., Any] | None:
    """What to call in place of a `forward` that torch.compile made, or that runs another module on several devices."""
    return inside(module) or getattr(module.__dict__.get("forward"), "_torchdynamo_orig_callable", None)


def modules(network: nn.Module) -> list[nn.Module]:
    """All modules of a network, itself first: twenty times as fast as torch's own iterator."""
    found: dict[int, nn.Module] = {}
    waiting: list[nn.Module | None] = [network]
    while waiting:
        module = waiting.pop()
        if module is not None and id(module) not in found:
            found[id(module)] = module
            waiting.extend(module._modules.values())
    return list(found.values())


def tensors(modules: Iterable[nn.Module]) -> list[Tensor]:
    """Weights and buffers of modules."""
    return [t for m in modules for t in (*m._parameters.values(), *m._buffers.values()) if t is not None]


def weights(modules: Iterable[nn.Module]) -> Hashable:
    """What changes when a weight or a buffer of these modules does; writing through `.data` does not show."""
    return tuple((id(t), t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors(modules))


class Buffers:
    """A copy of some of a network's buffers, by name, to put them back as they were."""

    def __init__(self, network: nn.Module, names: Iterable[str]) -> None:
        self._found: list[tuple[nn.Module, str, Tensor, Tensor]] = []
        for name in names:
            owner, _, leaf = name.rpartition(".")
            module = network.get_submodule(owner)
            buffer = dict(module.named_buffers(recurse=False)).get(leaf)
            if buffer is not None:
                self._found.append((module, leaf, buffer, buffer.detach().clone()))

    # Only there may buffers that were made in inference mode be written to.
    @torch.inference_mode()
    def restore(self) -> None:
        for module, leaf, buffer, copy in self._found:
            if not isinstance(module, torch.jit.ScriptModule):
                module._buffers[leaf] = buffer
            if not torch.equal(buffer, copy):
                buffer.copy_(copy)


class Attributes:
    """What the attributes of a network's modules were, lists and dicts with what was in them, to put them back."""

    def __init__(self, network: nn.Module) -> None:
        self._found: list[tuple[Any, Any]] = []
        for module in modules(network):
            self._keep(module.__dict__)

    def _keep(self, value: Any) -> None:
        if type(value) in (dict, OrderedDict, list, set) and len(value) <= 1000:
            self._found.append((value, value.copy()))
            for item in value.values() if isinstance(value, dict) else value:
                self._keep(item)

    def restore(self) -> None:
        for value, copy in self._found:
            if isinstance(value, list):
                value[:] = copy
            elif len(value) != len(copy) or isinstance(value, set) or not all(map(is_, value.values(), copy.values())):
                value.clear()
                value.update(copy)


class _Found(Renewed):
    """How a network was found: modes, `requires_grad`, compiled calls and some buffers, to put them back.

    A child that is forked meanwhile begins with the network as it was found, too.
    """

    def __init__(self, network: nn.Module, restless: Iterable[str]) -> None:
        modules = list(network.modules())
        self._modes = [(module, module.training) for module in modules]
        self._learning = [(weight, weight.requires_grad) for weight in network.parameters()]
        self._compiled = [(module, module._compiled_call_impl) for module in modules if _is_compiled(module)]
        plain = [(module, forward) for module in modules if (forward := _uncompiled(module)) is not None]
        self._bypasses = [(module, module.__dict__.get("forward"), forward) for module, forward in plain]
        self._buffers = Buffers(network, restless)
        self._done = False
        super().__init__()

    def freeze(self) -> None:
        for module, _ in self._compiled:
            module._compiled_call_impl = None
        for module, _, forward in self._bypasses:
            module.__dict__["forward"] = forward
        for module, training in self._modes:
            if training:
                module.training = False
        for weight, learns in self._learning:
            if learns:
                weight.requires_grad_(False)

    def restore(self) -> None:
        for module, call in self._compiled:
            module._compiled_call_impl = call
        for module, forward, _ in self._bypasses:
            module.__dict__.pop("forward", None)
            if forward is not None:
                module.__dict__["forward"] = forward
        for module, training in self._modes:
            if module.training != training:
                module.training = training
        # Only there may a weight that was made in inference mode require gradients again.
        with torch.inference_mode():
            for weight, learns in self._learning:
                if weight.requires_grad != learns:
                    weight.requires_grad_(learns)
        self._buffers.restore()
        self._done = True

    def renew(self) -> None:
        if not (is_mine(LOCK) or self._done):
            self.restore()


@contextmanager
def evaluating(network: nn.Module, restless: Iterable[str] = ()) -> Iterator[None]:
    """Eval mode and frozen parameters inside; modes, `requires_grad` and `restless` buffers as found afterwards.

    Modes are set attribute by attribute: a network's own `train()` may do more than set them. Modules that were
    compiled in place run as they are, since a compiled one is compiled anew for each set of hooks and modes; so do
    those inside wrappers for several devices and for torch.compile.
    """
    with LOCK:
        found = _Found(network, restless)
        try:
            found.freeze()
            yield
        finally:
            found.restore()


def _is_compiled(module: nn.Module) -> bool:
    return module.__dict__.get("_compiled_call_impl") is not None


def hooked(module: nn.Module) -> bool:
    """Whether forward hooks can be set on `module`, and are called: not inside TorchScript."""
    return not isinstance(module, torch.jit.ScriptModule)


class Enough(BaseException):
    """Ends a forward pass of which enough has been seen. No `except Exception` of the network stops it."""


@contextmanager
def watching(network: nn.Module, wanted: Wanted, calls: Mapping[str, int], see: See) -> Iterator[None]:
    """Call `see` for each wanted call of each forward pass that this thread makes inside the block.

    `calls` says how often a forward pass calls each module.
    """
    thread = threading.get_ident()
    counts = dict.fromkeys(wanted, 0)
    modules = dict(network.named_modules())
    handles = []

    def restart(_: nn.Module, __: Any) -> None:
        if threading.get_ident() == thread:
            counts.update(dict.fromkeys(wanted, 0))

    def hook_of(module: str) -> Callable[[nn.Module, Any, Any, Any], Any]:
        def hook(_: nn.Module, inputs: Any, named_inputs: Any, output: Any) -> Any:
            if threading.get_ident() != thread:
                return None
            names = wanted[module].get(counts[module] % calls[module])
            counts[module] += 1
            return see(names, [inputs, named_inputs], output) if names and isinstance(output, Tensor) else None

        return hook

    with LOCK:
        try:
            handles.append(network.register_forward_pre_hook(restart))
            for module in wanted:
                handles.append(modules[module].register_forward_hook(hook_of(module), with_kwargs=True))
            yield
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def recording(network: nn.Module, wanted: Wanted, calls: Mapping[str, int]) -> Iterator[dict[str, Tensor]]:
    """Outputs of the wanted calls by name, filled in by each forward pass that this thread makes inside the block.

    What is recorded is part of the autograd graph and no in-place operation behind the layer changes it: the network
    goes on with a copy.
    """
    outputs: dict[str, Tensor] = {}
    with watching(network, wanted, calls, keeping(outputs)):
        yield outputs


def keeping(outputs: dict[str, Tensor]) -> See:
    """What puts all it sees into `outputs`, as `recording` does."""

    def see(names: list[str], inputs: list[Any], output: Tensor) -> Tensor:
        # An output that shares memory with an input (Identity, in-place modules) could be changed through it.
        kept = output.clone() if _shares_memory(inputs, output) else output
        if torch.is_grad_enabled() and not kept.requires_grad:
            kept = kept.detach().requires_grad_()
        outputs.update(dict.fromkeys(names, kept))
        return kept.clone()

    return see


def _shares_memory(value: object, output: Tensor) -> bool:
    if isinstance(value, Tensor):
        same_device = value.device == output.device
        return same_device and value.untyped_storage().data_ptr() == output.untyped_storage().data_ptr()
    if isinstance(value, Mapping):
        value = list(value.values())
    return isinstance(value, list | tuple) and any(_shares_memory(item, output) for item in value)
