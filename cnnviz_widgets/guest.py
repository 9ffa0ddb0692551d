"""The user's network is a guest: ways to run it and to listen to its layers that leave it exactly as found."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_locks_guard = threading.Lock()

#: For each module: which names to record for which of its calls in a forward pass, counted from 0.
Wanted = Mapping[str, Mapping[int, list[str]]]


def lock_of(network: nn.Module) -> threading.RLock:
    """The lock under which this network is run, one per network in the process."""
    with _locks_guard:
        return _locks.setdefault(network, threading.RLock())


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode and frozen parameters inside; each module's mode and each `requires_grad` as found afterwards.

    Modes are set attribute by attribute: a network's own `train()` may do more than set them.
    """
    with lock_of(network):
        training = [module for module in network.modules() if module.training]
        learning = [weight for weight in network.parameters() if weight.requires_grad]
        try:
            for module in training:
                module.training = False
            for weight in learning:
                weight.requires_grad_(False)
            yield
        finally:
            for module in training:
                module.training = True
            for weight in learning:
                weight.requires_grad_(True)


@contextmanager
def recording(network: nn.Module, wanted: Wanted, calls: Mapping[str, int]) -> Iterator[dict[str, Tensor]]:
    """Outputs of the wanted calls by name, filled in by each forward pass that this thread makes inside the block.

    What is recorded is part of the autograd graph and no in-place operation behind the layer changes it: the network
    goes on with a copy. `calls` says how often a forward pass calls each module.
    """
    outputs: dict[str, Tensor] = {}
    thread = threading.get_ident()
    counts = dict.fromkeys(wanted, 0)
    modules = dict(network.named_modules())
    handles = []

    def restart(_: nn.Module, __: Any) -> None:
        if threading.get_ident() == thread:
            counts.update(dict.fromkeys(wanted, 0))

    def hook_of(module: str) -> Callable[[nn.Module, Any, Any], Any]:
        def hook(_: nn.Module, inputs: Any, output: Any) -> Any:
            if threading.get_ident() != thread:
                return None
            names = wanted[module].get(counts[module] % calls[module])
            counts[module] += 1
            if names is None or not isinstance(output, Tensor):
                return None
            # An output that shares memory with an input (Identity, in-place modules) could be changed through it.
            kept = output.clone() if any(_shares_memory(value, output) for value in inputs) else output
            if torch.is_grad_enabled() and not kept.requires_grad:
                kept = kept.detach().requires_grad_()
            outputs.update(dict.fromkeys(names, kept))
            return kept.clone()

        return hook

    with lock_of(network):
        try:
            handles.append(network.register_forward_pre_hook(restart))
            for module in wanted:
                handles.append(modules[module].register_forward_hook(hook_of(module)))
            yield outputs
        finally:
            for handle in handles:
                handle.remove()


def _shares_memory(value: object, output: Tensor) -> bool:
    return (
        isinstance(value, Tensor)
        and value.device == output.device
        and value.untyped_storage().data_ptr() == output.untyped_storage().data_ptr()
    )
