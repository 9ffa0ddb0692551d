"""What the controls with a list of options share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnviz_widgets.widgets.acknowledged import Outdated, integers


def chosen(content: dict[str, Any], options: Sequence[str]) -> int:
    """The index in a browser message, checked against `options`.

    The message carries the option's label too: a hand may still be on a list that the kernel has replaced.
    """
    option = content["option"]
    if not isinstance(option, str):
        raise ValueError("expected the option's label")
    (index,) = integers([content["index"]], 1, 0, 2**31)
    if index >= len(options) or option != options[index]:
        raise Outdated("the option belongs to a list that is no longer shown")
    return index


def truth(value: object) -> bool:
    """`value` if it is a boolean; ValueError otherwise."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value
