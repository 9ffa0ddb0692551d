"""Hooks on layers, whatever puts them out and in whatever order of axes the network holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from cnnviz_widgets.classifier import hooks
from cnnviz_widgets.classifier.functions import FunctionCall, listening
from cnnviz_widgets.classifier.layers import Layer
from cnnviz_widgets.errors import LayerError


@contextmanager
def watching(
    network: nn.Module, layers: Mapping[str, Layer], calls: Mapping[str, int], see: hooks.See
) -> Iterator[None]:
    """Call `see` with the maps (N, C, h, w) of `layers`, by name, in each forward pass of this thread inside the block.

    What it returns, if anything, takes their place. `calls` says how often a pass calls each module. Raises LayerError.
    """

    def see_maps(names: list[str], inputs: list[Any], output: Tensor) -> Tensor | None:
        arrangement = layers[names[0]].arrangement
        if not arrangement.fits(output):
            return None
        maps = see(names, inputs, arrangement.maps_of(output))
        return None if maps is None else arrangement.tensor_of(maps, output)

    wanted: dict[str, dict[int, list[str]]] = {}
    functions: dict[FunctionCall, list[str]] = {}
    known = dict(network.named_modules())
    for name, layer in layers.items():
        module, call = layer.call_of(name)
        if module not in known:
            raise LayerError(f"The network no longer has the layer {name!r}; make a new Classifier of it.")
        if layer.function is not None:
            functions.setdefault(layer.function, []).append(name)
        else:
            wanted.setdefault(module, {}).setdefault(call, []).append(name)
    with ExitStack() as stack:
        stack.enter_context(hooks.watching(network, wanted, calls, see_maps))
        for function, names in functions.items():
            stack.enter_context(listening(network, function, names, see_maps))
        yield
