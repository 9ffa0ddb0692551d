"""A network in eval mode, with all that this changes as it was afterwards."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import locks
from cnnviz_widgets.classifier.modules import is_compiled, modules, uncompiled
from cnnviz_widgets.forks import Renewed, is_mine


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

    def __init__(self, network: nn.Module, volatile_buffers: Iterable[str]) -> None:
        modules = list(network.modules())
        self._modes = [(module, module.training) for module in modules]
        self._learning = [(weight, weight.requires_grad) for weight in network.parameters()]
        self._compiled = [(module, module._compiled_call_impl) for module in modules if is_compiled(module)]
        plain = [(module, forward) for module in modules if (forward := uncompiled(module)) is not None]
        self._bypasses = [(module, module.__dict__.get("forward"), forward) for module, forward in plain]
        self._buffers = Buffers(network, volatile_buffers)
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
        if not (is_mine(locks.network_lock) or self._done):
            self.restore()


@contextmanager
def evaluating(network: nn.Module, volatile_buffers: Iterable[str] = ()) -> Iterator[None]:
    """Eval mode and frozen parameters inside; modes, `requires_grad` and `volatile_buffers` as found afterwards.

    Modes are set attribute by attribute: a network's own `train()` may do more than set them. Modules that were
    compiled in place run as they are, since a compiled one is compiled anew for each set of hooks and modes; so do
    those inside wrappers for several devices and for torch.compile.
    """
    with locks.network_lock:
        found = _Found(network, volatile_buffers)
        try:
            found.freeze()
            yield
        finally:
            found.restore()
