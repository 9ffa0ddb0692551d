"""The layers of a network, found by one recorded forward pass."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnviz_widgets.errors import ClassifierError, LayerError
from cnnviz_widgets.guest import evaluating, hooked

#: Types of modules that keep no modules of the network they were made of.
_GRAPHS = ("GraphModule", "UnflattenedModule", "InterpreterModule")

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
    """All layers of a network, how often a forward pass calls each module, and the layer to begin with."""

    layers: tuple[Layer, ...]
    calls: dict[str, int]
    default: str | None
    #: What helps where there is no layer.
    mend: str = "give a larger `input_size`"

    @property
    def default_layer(self) -> str:
        """The last layer that sees space, poolings that only thin out the one before set aside. Raises LayerError."""
        if self.default is None:
            raise LayerError(f"This network has no layer with spatial extent for its input size; {self.mend}.")
        return self.default


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
    thread = threading.get_ident()
    handles = []

    def hook_of(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if threading.get_ident() != thread:
                return
            if isinstance(output, Tensor):
                # Keeping the tensor keeps its identity from being reused; the version tells in-place changes apart.
                # Inference tensors count no versions: each of their outputs stands for itself.
                version = -len(seen) - 1 if output.is_inference() else output._version
                seen.append(_Output(name, calls[name], output, version))
            calls[name] += 1

        return hook

    with torch.inference_mode(False), torch.no_grad(), evaluating(network):
        try:
            for name, module in modules.items():
                if hooked(module):
                    handles.append(module.register_forward_hook(hook_of(name)))
            run(pixels.clone())
        finally:
            for handle in handles:
                handle.remove()
    height, width = pixels.shape[-2:]
    mend = _mend([output.tensor for output in seen if output.module and output.tensor.ndim == 4])
    seen = [output for output in seen if output.module and _is_map(output.tensor, modules[output.module])]
    spatial = _on_grids(seen, modules, height, width)
    groups: dict[tuple[int, int], list[_Output]] = {}
    for output in spatial:
        groups.setdefault((id(output.tensor), output.version), []).append(output)
    other_names = _other_names(network)
    layers = [_layer(group, modules, calls, other_names, height, width) for group in groups.values()]
    seeing = [layer.name for layer in layers if not _is_passing(modules[layer.call_of(layer.name)[0]])]
    default = seeing[-1] if seeing else layers[-1].name if layers else None
    return Structure(tuple(layers), dict(calls), default, mend)


def _mend(maps: list[Tensor]) -> str:
    """What helps a network of whose modules' outputs, all those (N, C, H, W), none is a layer."""
    if any(not tensor.is_floating_point() for tensor in maps):
        return "its layers are quantised: pass the network before that, or use Occlusion or RISE"
    if not maps:
        return "make its convolutions modules, as `nn.Conv2d`, or use Occlusion or RISE"
    return "give a larger `input_size`"


def _is_map(tensor: Tensor, module: nn.Module) -> bool:
    fits = tensor.ndim == 4 and len(tensor) == 1 and tensor.shape[2] * tensor.shape[3] > 1
    # Those two work on the last axis.
    return fits and tensor.is_floating_point() and not isinstance(module, nn.LayerNorm | nn.Linear)


def _on_grids(outputs: list[_Output], modules: dict[str, nn.Module], height: int, width: int) -> list[_Output]:
    """Those outputs (1, C, h, w) whose last two axes are rows and columns, not tokens or channels.

    Modules for two dimensions tell what grids there are. Another module's output is on one of them, or else smaller
    than the largest and of the picture's proportions.
    """
    grids = {output.tensor.shape[2:] for output in outputs if _is_two_dimensional(modules[output.module])}
    largest = max((rows * columns for rows, columns in grids), default=0)

    def is_on_grid(output: _Output) -> bool:
        rows, columns = output.tensor.shape[2:]
        if (rows, columns) in grids:
            return True
        return rows * columns < largest and abs(rows * width - columns * height) <= max(height, width)

    return [output for output in outputs if is_on_grid(output)]


def _is_two_dimensional(module: nn.Module) -> bool:
    return type(module).__name__.endswith("2d") or isinstance(module, nn.Conv2d | nn.BatchNorm2d)


def _is_passing(module: nn.Module) -> bool:
    return not _has_children(module) and any(word in type(module).__name__ for word in _PASSING)


def _has_children(module: nn.Module) -> bool:
    return next(module.children(), None) is not None


def _layer(
    group: list[_Output], modules: dict[str, nn.Module], calls: Counter[str], others: dict[str, list[str]],
    height: int, width: int,
) -> Layer:  # fmt: skip
    def name_of(module: str, output: _Output) -> str:
        last = output.call == calls[output.module] - 1
        return module if last else f"{module}#{output.call + 1}"

    def is_block(output: _Output) -> bool:
        module = modules[output.module]
        return type(module) is not nn.Sequential and _has_children(module)

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


def input_depths(network: nn.Module, name: str) -> Sequence[int]:
    """How many channels a network may take, the likeliest first. Raises ClassifierError if it cannot be looked into."""
    if isinstance(network, torch.jit.ScriptModule):
        raise ClassifierError(f"{name} is TorchScript, whose layers cannot be read; pass the network it was made from.")
    if any(is_lazy(weight) for weight in itertools.chain(network.parameters(), network.buffers())):
        raise ClassifierError(f"{name} has lazy layers without weights; run it once on a batch of pictures first.")
    if any(weight.is_meta for weight in network.parameters()):
        raise ClassifierError(f"{name} is on the meta device, without weights; load it on a real device first.")
    depths = [depth for module in network.modules() if (depth := _input_depth(module)) is not None]
    if not depths and any(type(module).__name__ in _GRAPHS for module in network.modules()):
        raise ClassifierError(
            f"{name} is an exported graph, which has no layers of its own; pass the network that it was exported from."
        )
    # A convolution may be written as a function of a weight.
    depths = depths or [weight.shape[1] for weight in network.parameters() if weight.ndim == 4]
    if not depths:
        raise ClassifierError(f"{name} has no 2-D convolution; pass a convolutional network, as one of torchvision's.")
    # A network may register another convolution before the one that it runs first.
    return list(dict.fromkeys([depths[0], *(depth for depth in (3, 1) if depth in depths)]))


def _input_depth(module: nn.Module) -> int | None:
    """How many channels a 2-D convolution takes, a quantised one too; None for other modules."""
    quantised = "quantized" in type(module).__module__ and type(module).__name__.endswith(("Conv2d", "ConvReLU2d"))
    depth = getattr(module, "in_channels", None) if quantised or isinstance(module, nn.Conv2d) else None
    return depth if isinstance(depth, int) else None
