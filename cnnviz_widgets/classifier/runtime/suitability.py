"""Whether a network, or one pass of it, may be run by another engine than torch."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.classifier.modules import modules, tensors
from cnnviz_widgets.classifier.runner import Runner
from cnnviz_widgets.classifier.runtime.written import Traceable

#: Share of the memory that is left that weights may take again, which an engine keeps in an order of its own.
_MEMORY_SHARE = 1 / 4


class Runnable(Traceable, Protocol):
    """What of a `Classifier` is looked at to choose its engine."""

    network: nn.Module
    runner: Runner

    def logits(self, pixels: Tensor) -> Tensor: ...


def suits(of: Runnable, pixels: Tensor) -> bool:
    """Whether this pass may be run elsewhere: nobody listens to it or differentiates it, and it is as it was traced."""
    plain = (
        len(pixels) > 0
        and tuple(pixels.shape[1:]) == (of.channels, *of.input_size)
        and type(pixels) is Tensor
        and pixels.device.type == "cpu"
        and pixels.dtype == torch.float32
        and not (torch.is_grad_enabled() and pixels.requires_grad)
    )
    return plain and not of.runner.is_open and not _is_watched()


def _is_watched() -> bool:
    """Whether torch's operations are recorded, transformed or cast in this thread."""
    return (
        torch._C._len_torch_dispatch_stack() + torch._C._len_torch_function_stack() > 0
        or torch.autograd.forward_ad._current_level >= 0
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch.is_autocast_enabled("cpu")
    )


def state_of(of: Runnable) -> Hashable:
    """What changes when the network, its weights or what it is run with does; through `.data` too."""
    form = of.runner.form()
    return None if form is None else (form, of.runner.weights(anew=True), of.arithmetic, bool(_global_hooks()))


def apart_from_builds(state: Any) -> Hashable:
    """What of a state is the same for a replica."""
    return None if state is None else (state[0][1:], state[1:])


def _global_hooks() -> bool:
    module = torch.nn.modules.module
    return bool(module._global_forward_hooks or module._global_forward_pre_hooks)


def hindrance(of: Runnable) -> str:
    """What stands against running the network elsewhere, apart from its operations, or ""."""
    runner = of.runner
    if runner.form() is None:
        return "its modules have attributes that cannot be copied"
    if runner.is_random:
        return "it draws random numbers"
    found = modules(of.network)
    if _global_hooks() or any(module._forward_hooks or module._forward_pre_hooks for module in found):
        return "hooks are set on it, which only torch calls"
    weights = sum(tensor.numel() * tensor.itemsize for tensor in tensors(found))
    if weights > _MEMORY_SHARE * memory.left("cpu"):
        return "its weights would not fit into memory a second time"
    return ""


def altered(pixels: Tensor) -> Tensor:
    """A picture (1, C, H, W), the same mirrored, and noise of the same range."""
    low, high = float(pixels.min()), float(pixels.max())
    noise = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(0)) * (high - low) + low
    return torch.cat([pixels, pixels.flip(-1), noise])
