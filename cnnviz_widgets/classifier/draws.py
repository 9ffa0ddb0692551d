"""Random numbers that a network draws: the same ones each time, and none of the user's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from cnnviz_widgets.classifier.randomness import OwnRandomness


class Draws:
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
