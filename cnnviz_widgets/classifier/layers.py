"""The layers of a network, found by a few forward passes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from cnnviz_widgets.classifier.evidence import gradients, reaches
from cnnviz_widgets.classifier.functions import FunctionCall
from cnnviz_widgets.classifier.locks import locked_property
from cnnviz_widgets.classifier.maps import Output
from cnnviz_widgets.classifier.observed import Observed, Run, observe
from cnnviz_widgets.classifier.spatial import FIRST, Arrangement
from cnnviz_widgets.classifier.wording import close_matches
from cnnviz_widgets.errors import ClassifierError, LayerError

Role = Literal["convolution", "block", "other"]

#: What a layer is called that no module puts out.
_POOLED = "pooled"
#: So many layers, from the last on, are asked whether all evidence passes through them.
_ASKED = 100


@dataclass(frozen=True)
class Layer:
    """A layer with spatial extent.

    `name` is its qualified name, as in `named_modules`, without the parts that torch.compile adds. Of a module that a
    forward pass calls several times the last call has that name, earlier ones are "name#1", "name#2", ... `shape` is
    (C, H, W) for the classifier's input size, `stride` the input pixels per cell, (rows, columns). `aliases` are
    other names of the very same tensor, such as a block and the activation it ends in.

    "pooled" is what the head is given where no module puts it out: the result of `function`. `arrangement` says how
    the network holds the maps; what is recorded of a layer is (N, C, H, W) always.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    stride: tuple[float, float]
    role: Role
    aliases: tuple[str, ...]
    calls: tuple[tuple[str, str, int], ...]
    arrangement: Arrangement = FIRST
    function: FunctionCall | None = None

    def call_of(self, name: str) -> tuple[str, int]:
        """Which module, and which of its calls in a forward pass, `name` (this layer's or an alias) stands for.

        Of a function's result, the module that calls the function.
        """
        return next((module, call) for known, module, call in self.calls if known == name)


@dataclass(frozen=True)
class Structure:
    """All layers of a network, how often a forward pass calls each module, and the layer to begin with.

    `notes` are sentences that a reader of any layer's maps should know; `missing` says why there are no layers.
    """

    layers: tuple[Layer, ...]
    calls: dict[str, int]
    default: str | None
    notes: tuple[str, ...] = ()
    missing: str = ""

    @property
    def default_layer(self) -> str:
        """The last layer that all evidence passes through, poolings set aside that only thin out the one before.

        Raises LayerError where there are no layers.
        """
        if self.default is None:
            raise LayerError(self.missing)
        return self.default

    @locked_property
    def _by_name(self) -> dict[str, Layer]:
        return {name: layer for layer in self.layers for name in (layer.name, *layer.aliases)}

    def layer(self, name: str, network: str) -> Layer:
        """The layer of that name or alias, of a network of that name. Raises LayerError with close matches."""
        known = self._by_name.get(name) or self._by_name.get(shown(name)) if isinstance(name, str) else None
        if known is not None:
            return known
        if isinstance(name, str) and name in self.calls:
            raise LayerError(
                f"{name!r} of {network} has no spatial extent; choose a layer before the pooling, "
                f"such as {self.default_layer!r}."
            )
        raise LayerError(f"{network} has no layer {name!r}{close_matches(str(name), list(self._by_name))}.")


def structure_of(network: nn.Module, pixels: torch.Tensor, run: Run) -> Structure:
    """Run trial pictures of the shape of `pixels`, (1, C, H, W), through the network and describe what is put out."""
    observed = observe(network, pixels.shape, run)
    modules = dict(network.named_modules())
    seeing = _seeing(observed.outputs, modules)
    chosen = _last_of_all_evidence(observed, seeing, modules)

    maps = [
        output for output in observed.outputs if output is chosen or output.may_be_layer(output.arrangement, modules)
    ]
    size = int(pixels.shape[2]), int(pixels.shape[3])
    describing = _Describing(modules, dict(observed.calls), _other_names(network), size)
    groups: dict[tuple[int, int], list[Output]] = {}
    for output in maps:
        groups.setdefault(output.key, []).append(output)
    layers = {key: describing.layer(group) for key, group in groups.items()}
    if chosen is None:
        chosen = next(reversed([output for output in seeing if output in maps] or maps), None)
    default = None if chosen is None else layers[chosen.key]
    return Structure(
        tuple(layers.values()),
        dict(observed.calls),
        None if default is None else default.name,
        () if default is None else _notes(default, observed, chosen),
        _why_there_are_none(observed, modules),
    )


def _seeing(outputs: list[Output], modules: dict[str, nn.Module]) -> list[Output]:
    """Those that see something anew, each tensor once; what only pools or passes on is left out."""
    first: dict[tuple[int, int], Output] = {}
    for output in outputs:
        first.setdefault(output.key, output)

    def is_seeing(output: Output) -> bool:
        # An identity names the result of a function that was given to it.
        return output.takes == output.key or not output.is_passing(modules[output.module])

    return [output for output in first.values() if is_seeing(output)]


def _last_of_all_evidence(observed: Observed, outputs: list[Output], modules: dict[str, nn.Module]) -> Output | None:
    """The last of `outputs` that all evidence passes through and that the scores answer to.

    Where there is none, the last that they answer to; None where the network cannot be differentiated.
    """
    scores = observed.scores
    if scores is None:
        return None
    seeing = [output for output in outputs[::-1] if output.edge is not None][:_ASKED]
    felt = gradients(scores, [output.edge for output in seeing if output.edge is not None])
    answering = [
        output
        for output, gradient in zip(seeing, felt, strict=True)
        if gradient is not None and bool(output.arrangement.maps_of(gradient).any())
    ]
    # All gradients of a network that is dead for noise are zero.
    for outputs in (answering, seeing):
        for output in outputs:
            if not reaches(scores, observed.pixels, without=output.edge):
                return output
    return next((output for output in answering if output.may_be_layer(output.arrangement, modules)), None)


def _notes(default: Layer, observed: Observed, chosen: Output | None) -> tuple[str, ...]:
    found = []
    if observed.attends or default.arrangement.axes == "tokens":
        found.append(
            "This network mixes what is at different places, as transformers do, so that a cell of a layer's map also "
            "stands for what is elsewhere in the picture; occlusion, RISE and Saliency ask the pixels themselves."
        )
    if observed.scores is not None and chosen is not None and reaches(observed.scores, observed.pixels, chosen.edge):
        found.append(
            f"No layer of this network has all the evidence: what does not pass through {default.name} is missing in "
            "that layer's maps; occlusion, RISE and the gradients of pixels have all of it."
        )
    return tuple(found)


def _why_there_are_none(observed: Observed, modules: dict[str, nn.Module]) -> str:
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules.values()):
        return (
            "The layers of this network are inside TorchScript, where they cannot be read; "
            "use the module it was made from."
        )
    none = "This network has no layer with spatial extent for its input size"
    if any("quantized" in type(module).__module__ for module in modules.values()):
        return f"{none}; its layers are quantised: pass the network before that, or use Occlusion or RISE."
    if not any(_input_depth(module) for module in modules.values()):
        return f"{none}; make its convolutions modules, as `nn.Conv2d`, or use Occlusion or RISE."
    if observed.extended:
        return (
            "No layer of this network moves with the picture, so that none can be shown as a map; use Occlusion, RISE "
            "or Saliency, which need no layer, or a larger `input_size` if its maps have a single cell."
        )
    return f"{none}; give a larger `input_size`."


@dataclass(frozen=True)
class _Describing:
    modules: dict[str, nn.Module]
    calls: dict[str, int]
    others: dict[str, list[str]]
    size: tuple[int, int]

    def layer(self, group: list[Output]) -> Layer:
        main = next((output for output in group if self._is_block(output)), group[0])
        module = self.modules[main.module]
        role: Role = "block" if self._is_block(main) else "other"
        if isinstance(module, nn.Conv2d) and main.function is None:
            role = "convolution"
        channels, rows, columns = main.shape
        names = list(dict.fromkeys(self._names(main) + [entry for output in group for entry in self._names(output)]))
        return Layer(
            name=names[0][0],
            kind=type(module).__name__ if main.function is None else main.function.name,
            shape=(channels, rows, columns),
            stride=(self.size[0] / rows, self.size[1] / columns),
            role=role,
            aliases=tuple(dict.fromkeys(name for name, _, _ in names[1:])),
            calls=tuple(names),
            arrangement=main.arrangement,
            function=main.function,
        )

    def _is_block(self, output: Output) -> bool:
        module = self.modules[output.module]
        plain = type(module) is nn.Sequential or next(module.children(), None) is None
        return output.function is None and not plain

    def _names(self, output: Output) -> list[tuple[str, str, int]]:
        if output.function is not None:
            taken = {shown(name) for name in self.modules}
            free = (_POOLED if not turn else f"{_POOLED}_{turn}" for turn in itertools.count())
            return [(next(name for name in free if name not in taken), output.module, output.call)]
        last = output.call == self.calls[output.module] - 1
        suffix = "" if last else f"#{output.call + 1}"
        known = [output.module, *self.others.get(output.module, [])]
        # State dicts have the names that torch.compile gives.
        return [(name + suffix, output.module, output.call) for name in (*map(shown, known), *known)]


def shown(name: str) -> str:
    """A module's qualified name without the parts that torch.compile adds."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


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
    # A convolution may be written as a function of a weight; so are all of an exported network.
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
