"""The values that a parameter may take, and checks of those that come from a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from cnnviz_widgets.errors import MethodError


@dataclass(frozen=True)
class Range:
    """Allowed values of a numeric field, ends included; a view draws it as a slider."""

    low: float
    high: float
    step: float = 1


def check_count(name: str, value: object, low: int = 1) -> None:
    """Raises MethodError unless `value` is an integer of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise MethodError(f"`{name}` is a whole number of at least {low}, not {value!r}.")


def check_share(name: str, value: object, low: float, high: float) -> None:
    """Raises MethodError unless `value` is a number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise MethodError(f"`{name}` is a number from {low} to {high}, not {value!r}.")


def check_choice(name: str, value: object, choices: Any) -> None:
    """Raises MethodError unless `value` is one of the strings of the Literal `choices`."""
    if not isinstance(value, str) or value not in get_args(choices):
        raise MethodError(f"`{name}` is one of {', '.join(map(repr, get_args(choices)))}, not {value!r}.")
