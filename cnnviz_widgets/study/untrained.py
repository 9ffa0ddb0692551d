"""Kernels of a network before training, initialised anew by the library that the network comes from."""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

#: Libraries whose builders are called. Of others it is not known whether a builder does more than build a network.
_LIBRARIES = ("torchvision", "timm")
#: Share of names and shapes of kernels, of all in either network, that a builder's network must have in common with the
#: user's. A smaller one would accept builders of other variants; 1 would refuse networks with a changed first layer.
_MIN_COMMON_SHARE = 0.9
#: Elements above which a tensor that is not four-dimensional, so no kernel, gets no memory and no random values. A
#: smaller number saves time for large linear layers; any change gives other kernels for the same seed.
_MAX_OTHER_WEIGHTS = 10**6

#: Functions of torch and torch.nn.init that draw random numbers and take a generator.
_RANDOM_FUNCTIONS = {
    "normal_",
    "uniform_",
    "bernoulli_",
    "exponential_",
    "random_",
    "rand",
    "randn",
    "randint",
    "randperm",
}
_RANDOM_FUNCTIONS |= {
    "normal",
    "kaiming_normal_",
    "kaiming_uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "trunc_normal_",
}
_RANDOM_FUNCTIONS |= {"orthogonal_", "sparse_"}

Build = Callable[[], nn.Module]


def initial_kernels(network: nn.Module, seed: int) -> tuple[str, Mapping[str, Tensor]] | None:
    """The network's builder, such as "torchvision's resnet18", and its convolutions' initial weights by module name.

    None if the network comes from no known library or differs from what the library builds. Global random states stay
    as they are.
    """
    kind: Any = type(network)
    found = _builder_of(kind, _architecture(network), _shapes(network))
    return found and (found[0], _draw_kernels(found[1], seed))


@functools.lru_cache(maxsize=8)
def _builder_of(kind: type[nn.Module], architecture: str | None, shapes: frozenset[Any]) -> tuple[str, Build] | None:
    """The first builder, and its name, whose network has the kernels `shapes`; None if there is none."""
    for name, build in _builders(kind, architecture):
        with _OwnRandomness(0, shapes_only=True):
            known = _shapes(build())
        if len(shapes & known) >= _MIN_COMMON_SHARE * len(shapes | known):
            return name, build
    return None


@functools.lru_cache(maxsize=1)
def _draw_kernels(build: Build, seed: int) -> Mapping[str, Tensor]:
    """The kernels of a network that `build` makes with random numbers of `seed`."""
    with _OwnRandomness(seed):
        return {name: weight.detach() for name, weight in _kernels(build()).items()}


def _shapes(network: nn.Module) -> frozenset[Any]:
    """The names and shapes of a network's kernels."""
    return frozenset((name, tuple(weight.shape)) for name, weight in _kernels(network).items())


def _kernels(network: nn.Module) -> dict[str, Tensor]:
    """The weights of a network's convolutions by module name."""
    modules = network.named_modules()
    return {name: module.weight for name, module in modules if isinstance(module, nn.Conv2d)}


def _architecture(network: nn.Module) -> str | None:
    """The name of the builder that timm keeps in its networks, None in others."""
    config = getattr(network, "pretrained_cfg", None)
    return config.get("architecture") if isinstance(config, dict) else None


def _builders(kind: type[nn.Module], architecture: str | None) -> Iterator[tuple[str, Build]]:
    """Functions of the module that defines `kind` which build such networks without downloading, and their names."""
    library = kind.__module__.partition(".")[0]
    if library not in _LIBRARIES:
        return
    module = sys.modules[kind.__module__]
    names = [architecture] if architecture else list(vars(module))
    for name in names:
        build = getattr(module, name, None)
        if not inspect.isfunction(build) or build.__module__ != module.__name__ or name.startswith("_"):
            continue
        options = _builder_options(build, kind)
        if options is not None:
            yield f"{library}'s {name}", _call_with(build, tuple(options.items()))


def _builder_options(build: Callable[..., Any], kind: type[nn.Module]) -> dict[str, Any] | None:
    """Keyword arguments that make a builder initialise new weights; None for a function that is no builder."""
    parameters = inspect.signature(build).parameters
    if "weights" in parameters:
        drawn = {"init_weights": True} if "init_weights" in inspect.signature(kind).parameters else {}
        return {"weights": None, **drawn}
    return {"pretrained": False} if "pretrained" in parameters else None


@functools.cache
def _call_with(build: Callable[..., nn.Module], options: tuple[tuple[str, Any], ...]) -> Build:
    """`build` with its keyword arguments: the same object each time, as the caches compare it by identity."""
    return functools.partial(build, **dict(options))


class _OwnRandomness(TorchFunctionMode):
    """Within the block, this thread draws random numbers from a generator of its own; torch's keep their state.

    Tensors that are not needed are on the meta device, without memory: large ones that are no kernels, or with
    `shapes_only` all of them.
    """

    def __init__(self, seed: int, *, shapes_only: bool = False) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)
        self._shapes_only = shapes_only

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        options, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if name == "empty" and args:
            size = args if isinstance(args[0], int) else args[0]
            if self._shapes_only or (len(size) != 4 and math.prod(size) > _MAX_OTHER_WEIGHTS):
                options["device"] = "meta"
        elif name in _RANDOM_FUNCTIONS and options.get("generator") is None:
            options["generator"] = self._generator
        return func(*args, **options)
