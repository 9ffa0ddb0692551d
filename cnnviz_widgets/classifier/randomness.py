"""Random numbers that a network draws: the same ones each time where that helps, and none of the user's session."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class OwnRandomness(TorchDispatchMode):
    """Inside, random operations of this thread draw from generators of its own. `used` says whether there were any.

    torch has one generator for all threads: a dropout that a network leaves on would move the dropout of a cell that
    trains meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.used = False
        self._generators: dict[torch.device, torch.Generator] = {}

    # With torch's default the first operation imports torch._dynamo, which takes as long as importing torch.
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded not in func.tags or not _draws(func, args, kwargs):
            return func(*args, **kwargs)
        self.used = True
        own = _with_generator(func)
        if own is not None:
            generator = kwargs.get("generator") or self._generator(_device(args, kwargs))
            return own(*args, **{**kwargs, "generator": generator})
        name = func._schema.name
        if name in ("aten::rand_like", "aten::randn_like"):
            made = torch.empty_like(args[0], **kwargs)
            generator = self._generator(made.device)
            return (
                made.uniform_(generator=generator) if name == "aten::rand_like" else made.normal_(generator=generator)
            )
        if name == "aten::native_dropout":
            return self._dropout(*args)
        return func(*args, **kwargs)

    def _dropout(self, values: Tensor, share: float, _: bool | None = True) -> tuple[Tensor, Tensor]:
        kept = torch.empty_like(values).bernoulli_(1 - share, generator=self._generator(values.device))
        return values * kept / max(1 - share, 1e-12), kept.bool()

    def restart(self) -> None:
        """From now on draw the numbers of the beginning again."""
        self._generators.clear()

    def _generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(0)
        return self._generators[device]


class GeneratorStates:
    """The state of the generators that a network on `device` may draw from, to put it back.

    What torch draws in its passes comes from generators of its `own`.
    """

    def __init__(self, device: torch.device, own: OwnRandomness) -> None:
        self.own = own
        self._states = *_host_states(), torch.get_rng_state()
        self._device = device if device.type == "cuda" else None
        self._accelerator = None if self._device is None else torch.cuda.get_rng_state(self._device)

    @property
    def moved(self) -> bool:
        """Whether something has been drawn since."""
        python, numpy, torches = self._states
        same = python == random.getstate() and all(map(np.array_equal, numpy, np.random.get_state()))
        device = self._device
        accelerator = None if device is None else torch.cuda.get_rng_state(device)
        return (
            self.own.used
            or not same
            or any(
                old is not None and new is not None and not torch.equal(old, new)
                for old, new in ((torches, torch.get_rng_state()), (self._accelerator, accelerator))
            )
        )

    def restore(self) -> None:
        """Go on as if nothing had been drawn since."""
        python, numpy, torches = self._states
        _set_host_states(python, numpy)
        torch.set_rng_state(torches)
        if self._device is not None and self._accelerator is not None:
            torch.cuda.set_rng_state(self._accelerator, self._device)


@contextmanager
def same_draws(own: OwnRandomness) -> Iterator[None]:
    """Inside, a network that torch gives numbers from its `own` generators draws the same ones each time.

    So it does from Python's and NumPy's generators, which are put back afterwards.
    """
    before = _host_states()
    try:
        random.seed(0)
        np.random.seed(0)
        own.restart()
        yield
    finally:
        _set_host_states(*before)


def _host_states() -> tuple[Any, Any]:
    """The states of Python's and of NumPy's generator."""
    return random.getstate(), np.random.get_state()


def _set_host_states(python: Any, numpy: Any) -> None:
    random.setstate(python)
    np.random.set_state(numpy)


def _with_generator(func: Any) -> Any:
    """The overload of an operation that is given its generator, if there is one."""
    if any(argument.name == "generator" for argument in func._schema.arguments):
        return func
    overload = "generator" if func._overloadname == "default" else f"{func._overloadname}_generator"
    return getattr(func.overloadpacket, overload, None)


def _draws(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether a random operation is one, with these arguments: attention without dropout is not."""
    named = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)} | kwargs
    defaults = {argument.name: argument.default_value for argument in func._schema.arguments}
    share = named.get("dropout_p", defaults.get("dropout_p", 1.0))
    return share != 0 and named.get("train", named.get("training", True)) is not False


def _device(args: Any, kwargs: Any) -> torch.device:
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
    return tensors[0].device if tensors else torch.device(kwargs.get("device") or "cpu")
