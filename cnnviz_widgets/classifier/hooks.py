"""Hooks that listen to the calls of a network's modules, and may replace what they put out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import locks

#: For each module: which names to record for which of its calls in a forward pass, counted from 0.
Wanted = Mapping[str, Mapping[int, list[str]]]
#: Given the names of a call, its inputs and its output; what it returns, if anything, takes the output's place.
See = Callable[[list[str], list[Any], Tensor], Tensor | None]


class StopForward(BaseException):
    """Ends a forward pass of which enough has been seen. No `except Exception` of the network stops it."""


@contextmanager
def watching(network: nn.Module, wanted: Wanted, calls: Mapping[str, int], see: See) -> Iterator[None]:
    """Call `see` for each wanted call of each forward pass that this thread makes inside the block.

    `calls` says how often a forward pass calls each module. For the `root` of a Runner while it is `evaluating`.
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

    try:
        handles.append(network.register_forward_pre_hook(restart))
        for module in wanted:
            handles.append(modules[module].register_forward_hook(hook_of(module), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def noting_calls(network: nn.Module, names: Iterable[str], called: Callable[[str], None]) -> Iterator[None]:
    """Call `called` with the name of each of these modules when this thread has run it inside the block."""
    thread = threading.get_ident()
    modules = dict(network.named_modules())
    handles = []

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda *_: called(name) if threading.get_ident() == thread else None

    with locks.network_lock:
        try:
            for name in names:
                handles.append(modules[name].register_forward_hook(hook_of(name)))
            yield
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def following(network: nn.Module, running: Callable[[str], None]) -> Iterator[None]:
    """Call `running` with the name of the module that this thread is in whenever that changes inside the block."""
    thread, inside, handles = threading.get_ident(), [""], []

    def enter_of(name: str) -> Callable[[nn.Module, Any], None]:
        def enter(_: nn.Module, __: Any) -> None:
            if threading.get_ident() == thread:
                inside.append(name)
                running(name)

        return enter

    def leave(_: nn.Module, __: Any, ___: Any) -> None:
        if threading.get_ident() == thread:
            inside.pop()
            running(inside[-1])

    with locks.network_lock:
        try:
            for name, module in network.named_modules():
                handles.append(module.register_forward_pre_hook(enter_of(name)))
                handles.append(module.register_forward_hook(leave))
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
