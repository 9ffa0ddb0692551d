"""A user's network with all that may be lost, and what there is to compare before and after."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.support.networks import CLASSES, Failing, Poison, seeded


class Guest(nn.Module):
    """A user's network with all that may be lost: mixed modes, frozen weights, gradients, buffers and hooks.

    `failing` raises when it is told to, `poison` makes NaN.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.failing = Failing()
        self.poison = Poison()
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(6, CLASSES)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.failing(self.relu(self.bn(self.conv(pixels))))
        values = self.relu(self.poison(self.conv2(values)))
        return self.fc(self.dropout(values.mean((2, 3))))


def guest() -> nn.Module:
    network = seeded(Guest).train()
    network.bn.eval()
    network.conv.weight.requires_grad_(False)
    network.fc.weight.grad = torch.ones_like(network.fc.weight)
    network.conv2.register_forward_hook(lambda module, inputs, output: None)
    network.relu.register_forward_pre_hook(lambda module, inputs: None)
    return network


def state(network: nn.Module) -> dict[str, Any]:
    """Everything about a network that an explainer could leave changed."""
    found: dict[str, Any] = {}
    for name, module in network.named_modules():
        attributes = vars(module)
        found[name] = (
            id(module),
            type(module),
            module.training,
            attributes.get("inplace"),
            sorted(attributes),
        )
        found[f"{name} hooks"] = {key: list(value) for key, value in attributes.items() if "hooks" in key}
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        grad = None if tensor.grad is None else (id(tensor.grad), tensor.grad.tolist())
        found[f"{name} tensor"] = (id(tensor), tensor.requires_grad, tensor._version, grad, tensor.tolist())
        found[f"{name} tensor hooks"] = len(tensor._backward_hooks or ())
    return found


def mode() -> tuple[object, ...]:
    """What a context that was left open in a generator would change for everybody."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch._C._len_torch_function_stack(),
        torch._C._len_torch_dispatch_stack(),
        len(torch.nn.modules.module._global_forward_hooks),
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
    )
