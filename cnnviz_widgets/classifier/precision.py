"""Arithmetic in half as many bits, where it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, get_args

import torch

from cnnviz_widgets.classifier.wording import short_repr, summarize_error
from cnnviz_widgets.errors import ClassifierError

#: Floating types that torch casts to on its own.
Autocast = Literal["bfloat16", "float16"]


def check_autocast(autocast: object) -> Autocast | None:
    """`autocast` if it is one. Raises ClassifierError, which names those that are."""
    choices = get_args(Autocast)
    if autocast is not None and autocast not in choices:
        raise ClassifierError(
            f"`autocast` is {' or '.join(map(repr, choices))}, or None for float32, not {short_repr(autocast)}."
        )
    return autocast  # type: ignore[return-value]


def check_runs(run: Callable[[], object], name: str, autocast: Autocast, device: torch.device) -> None:
    """`run` a pass of the network `name` in `autocast`. Raises ClassifierError where it fails."""
    try:
        run()
    except (ClassifierError, RuntimeError) as error:
        why = summarize_error(error.__cause__ or error)
        raise ClassifierError(
            f"{name} does not run in {autocast} on {device} ({why}); choose another `autocast`, or None."
        ) from error


def casting(autocast: Autocast | None, device: torch.device) -> AbstractContextManager[object]:
    """Inside, what bears it is computed in the type `autocast`; as outside where that is None.

    float16 only where no gradients are wanted: most of them are smaller than the smallest number it has.
    """
    if autocast is None or (autocast == "float16" and torch.is_grad_enabled()):
        return nullcontext()
    return torch.autocast(device.type, getattr(torch, autocast))


def exactly(device: torch.device) -> AbstractContextManager[object]:
    """Inside, everything is computed in the types that it has."""
    return torch.autocast(device.type, enabled=False)


def largest_error(cast: torch.Tensor, exact: torch.Tensor) -> float:
    """The largest difference between logits (N, K) and exact ones, as a share of the range of the picture's logits.

    Of a single logit: of its size.
    """
    spread = exact.amax(dim=1) - exact.amin(dim=1) if exact.shape[1] > 1 else exact.abs()[:, 0]
    return float(((cast - exact).abs().amax(dim=1) / spread.clamp_min(1e-12)).max())
