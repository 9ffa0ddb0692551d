"""The layers of a network, found by one recorded forward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cnnviz_widgets.errors import LayerError
from cnnviz_widgets.guest import evaluating

Role = Literal["convolution", "block", "other"]

#: Layers of these kinds only pass on, or thin out, what the layer before them saw.
_PASSING = ("Pool", "Dropout", "Identity", "Flatten", "Upsample")


@dataclass(frozen=True)
class Layer:
    """A layer with spatial extent.

    `name` is its qualified name, as in `named_modules`. Of a module that a forward pass calls several times the last
    call has that name, earlier ones are "name#1", "name#2", ... `shape` is (C, H, W) for the classifier's input size,
    `stride` the input pixels per cell, (rows, columns). `aliases` are other names of the very same tensor, such as a
    block and the activation it ends in.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    stride: tuple[float, float]
    role: Role
    aliases: tuple[str, ...]
    calls: tuple[tuple[str, str, int], ...]

    def call_of(self, name: str) -> tuple[str, int]:
        """Which module, and which of its calls in a forward pass, `name` (this layer's or an alias) stands for."""
        return next((module, call) for known, module, call in self.calls if known == name)


@dataclass(frozen=True)
class Structure:
    """All layers of a network, and how often a forward pass calls each module."""

    layers: tuple[Layer, ...]
    calls: dict[str, int]

    @property
    def default_layer(self) -> str:
        """The last layer that sees space, poolings that only thin out the one before set aside."""
        for layer in reversed(self.layers):
            if not any(word in layer.kind for word in _PASSING):
                return layer.name
        if self.layers:
            return self.layers[-1].name
        raise LayerError("This network has no layer with spatial extent for its input size; give a larger `input_size`.")


@dataclass(frozen=True, eq=False)
class _Output:
    module: str
    call: int
    tensor: Tensor
    version: int


def structure_of(network: nn.Module, pixels: Tensor, run: Callable[[Tensor], object]) -> Structure:
    """Run `pixels` (1, C, H, W) through the network once and describe every module's outputs."""
    seen: list[_Output] = []
    calls: Counter[str] = Counter()
    modules = dict(network.named_modules())
    handles = []

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                # Keeping the tensor keeps its identity from being reused; the version tells in-place changes apart.
                seen.append(_Output(name, calls[name], output, output._version))
            calls[name] += 1

        return hook

    # Inference tensors have no version counter.
    with torch.inference_mode(False), torch.no_grad(), evaluating(network):
        try:
            for name, module in modules.items():
                handles.append(module.register_forward_hook(hook_of(name)))
            run(pixels.clone())
        finally:
            for handle in handles:
                handle.remove()
    height, width = pixels.shape[-2:]
    groups: dict[tuple[int, int], list[_Output]] = {}
    for output in seen:
        if output.module and _is_spatial(output.tensor, modules[output.module], height, width):
            groups.setdefault((id(output.tensor), output.version), []).append(output)
    other_names = _other_names(network)
    layers = [_layer(group, modules, calls, other_names, height, width) for group in groups.values()]
    return Structure(tuple(layers), dict(calls))


def _is_spatial(tensor: Tensor, module: nn.Module, height: int, width: int) -> bool:
    if tensor.ndim != 4 or len(tensor) != 1 or isinstance(module, nn.LayerNorm | nn.Linear):
        return False
    rows, columns = tensor.shape[2:]
    # A map that does not have the picture's proportions is no map of it: channels last, tokens.
    return rows * columns > 1 and abs(rows * width - columns * height) <= max(height, width)


def _layer(
    group: list[_Output], modules: dict[str, nn.Module], calls: Counter[str], others: dict[str, list[str]],
    height: int, width: int,
) -> Layer:  # fmt: skip
    def name_of(module: str, output: _Output) -> str:
        last = output.call == calls[output.module] - 1
        return module if last else f"{module}#{output.call + 1}"

    def is_block(output: _Output) -> bool:
        module = modules[output.module]
        return type(module) is not nn.Sequential and next(module.children(), None) is not None

    main = next((output for output in group if is_block(output)), group[0])
    module = modules[main.module]
    role: Role = "convolution" if isinstance(module, nn.Conv2d) else "block" if is_block(main) else "other"
    names = [
        (name_of(name, output), output.module, output.call)
        for output in group
        for name in (output.module, *others.get(output.module, []))
    ]
    name = name_of(main.module, main)
    channels, rows, columns = main.tensor.shape[1:]
    return Layer(
        name=name,
        kind=type(module).__name__,
        shape=(channels, rows, columns),
        stride=(height / rows, width / columns),
        role=role,
        aliases=tuple(other for other, _, _ in names if other != name),
        calls=tuple(names),
    )


def _other_names(network: nn.Module) -> dict[str, list[str]]:
    """Further qualified names of modules that are registered in several places, by their first name."""
    first: dict[int, str] = {}
    others: dict[str, list[str]] = {}
    for name, module in network.named_modules(remove_duplicate=False):
        if id(module) in first:
            others.setdefault(first[id(module)], []).append(name)
        else:
            first[id(module)] = name
    return others
