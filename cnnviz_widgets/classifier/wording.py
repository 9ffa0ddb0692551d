"""Short words for what went wrong."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def close_matches(name: object, known: Sequence[str]) -> str:
    """A clause such as "; did you mean 'layer4.1' or 'layer4.0'?", or the first few names there are."""
    similar = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    if similar:
        return "; did you mean " + " or ".join(repr(match) for match in similar) + "?"
    return "; it has " + ", ".join(repr(name) for name in known[:4]) + (", ..." if len(known) > 4 else "")


def summarize_error(error: BaseException) -> str:
    """An error as a clause: its type and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('. ')[:200]}" if lines else type(error).__name__


def short_repr(value: object) -> str:
    """A value as it is printed, in one short line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:79] + "\N{HORIZONTAL ELLIPSIS}"
