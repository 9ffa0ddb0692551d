"""The kernels that a network of a known library begins with, drawn anew by that library."""

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

#: What building a network of these does is known: nothing but to build it.
_LIBRARIES = ("torchvision", "timm")
#: So large a share of the kernels has to be alike for a builder to be the network's.
_ALIKE = 0.9

_LARGE = 10**6

#: Functions that take a generator.
_RANDOM = {"normal_", "uniform_", "bernoulli_", "exponential_", "random_", "rand", "randn", "randint", "randperm"}
_RANDOM |= {"normal", "kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_", "trunc_normal_"}
_RANDOM |= {"orthogonal_", "sparse_"}

Build = Callable[[], nn.Module]


def initial_kernels(network: nn.Module, seed: int) -> tuple[str, Mapping[str, Tensor]] | None:
    """The name of the network's builder, such as "torchvision's resnet18", and the weights of new convolutions by name.

    None where the network is of no known library, or not as the library builds it. No random state is touched.
    """
    kind: Any = type(network)
    found = _builder_of(kind, _architecture(network), _shapes(network))
    return found and (found[0], _drawn(found[1], seed))


@functools.lru_cache(maxsize=8)
def _builder_of(kind: type[nn.Module], architecture: str | None, shapes: frozenset[Any]) -> tuple[str, Build] | None:
    for name, build in _builders(kind, architecture):
        with _Drawing(0, shapes_only=True):
            known = _shapes(build())
        if len(shapes & known) >= _ALIKE * len(shapes | known):
            return name, build
    return None


@functools.lru_cache(maxsize=1)
def _drawn(build: Build, seed: int) -> Mapping[str, Tensor]:
    with _Drawing(seed):
        return {name: weight.detach() for name, weight in _kernels(build()).items()}


def _shapes(network: nn.Module) -> frozenset[Any]:
    return frozenset((name, tuple(weight.shape)) for name, weight in _kernels(network).items())


def _kernels(network: nn.Module) -> dict[str, Tensor]:
    modules = network.named_modules()
    return {name: module.weight for name, module in modules if isinstance(module, nn.Conv2d)}


def _architecture(network: nn.Module) -> str | None:
    """The name that timm keeps in its networks."""
    config = getattr(network, "pretrained_cfg", None)
    return config.get("architecture") if isinstance(config, dict) else None


def _builders(kind: type[nn.Module], architecture: str | None) -> Iterator[tuple[str, Build]]:
    """The functions beside a network's class that build such networks, by name, without anything to fetch."""
    library = kind.__module__.partition(".")[0]
    if library not in _LIBRARIES:
        return
    module = sys.modules[kind.__module__]
    names = [architecture] if architecture else list(vars(module))
    for name in names:
        build = getattr(module, name, None)
        if not inspect.isfunction(build) or build.__module__ != module.__name__ or name.startswith("_"):
            continue
        options = _options(build, kind)
        if options is not None:
            yield f"{library}'s {name}", _bound(build, tuple(options.items()))


def _options(build: Callable[..., Any], kind: type[nn.Module]) -> dict[str, Any] | None:
    """How to call a builder for new weights; None for a function that is no builder."""
    parameters = inspect.signature(build).parameters
    if "weights" in parameters:
        drawn = {"init_weights": True} if "init_weights" in inspect.signature(kind).parameters else {}
        return {"weights": None, **drawn}
    return {"pretrained": False} if "pretrained" in parameters else None


@functools.cache
def _bound(build: Callable[..., nn.Module], options: tuple[tuple[str, Any], ...]) -> Build:
    return functools.partial(build, **dict(options))


class _Drawing(TorchFunctionMode):
    """Inside, this thread's random numbers come from a generator of its own: torch's are left to the user.

    What takes long and is not asked for gets no memory: large weights that are no kernels, or with `shapes_only` all.
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
            if self._shapes_only or (len(size) != 4 and math.prod(size) > _LARGE):
                options["device"] = "meta"
        elif name in _RANDOM and options.get("generator") is None:
            options["generator"] = self._generator
        return func(*args, **options)
