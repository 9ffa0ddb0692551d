"""The class scores in whatever a network returns, and short words for what went wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from torch import Tensor

from cnnviz_widgets.errors import ClassifierError


def scores_in(output: object, batch: int, network: str) -> Tensor:
    """The scores (N, K) in a tensor, tuple, dict or object with `.logits`. Raises ClassifierError."""
    found = _find(output, batch)
    if found is None:
        is_tensor = isinstance(output, Tensor)
        got = f"a tensor of shape {tuple(output.shape)}" if is_tensor else f"a {type(output).__name__}"  # type: ignore[attr-defined]
        raise ClassifierError(
            f"{network} must return one row of class scores for each picture, a tensor (N, K), not {got}; "
            "wrap it in a module that returns its logits."
        )
    return found


def _find(output: object, batch: int) -> Tensor | None:
    if isinstance(output, Tensor):
        if output.ndim > 2 and all(side == 1 for side in output.shape[2:]):
            output = output.flatten(1)
        return output if output.ndim == 2 and len(output) == batch and output.is_floating_point() else None
    logits = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if logits is not None:
        return _find(logits, batch)
    items: Sequence[object] = ()
    if isinstance(output, Mapping):
        items = list(output.values())
    elif isinstance(output, list | tuple):
        items = output
    return next((scores for item in items if (scores := _find(item, batch)) is not None), None)


def close_matches(name: str, known: Sequence[str]) -> str:
    """A clause such as "; did you mean 'layer4.1' or 'layer4.0'?", or the first few names there are."""
    similar = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if similar:
        return "; did you mean " + " or ".join(repr(match) for match in similar) + "?"
    return "; it has " + ", ".join(repr(name) for name in known[:4]) + (", ..." if len(known) > 4 else "")


def brief(error: BaseException) -> str:
    """An error as a clause: its type and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('. ')[:200]}" if lines else type(error).__name__
