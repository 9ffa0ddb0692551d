"""Old names of attributes, which go on for one release."""

from __future__ import annotations

import functools
import warnings
from typing import Any


def old_name(old: str, new: str, assigned: str = "") -> property:
    """A property `old` that reads and sets `new`, which may be an attribute of an attribute, and warns.

    What is set is `assigned`, where that is another one.
    """

    def warn(name: str) -> None:
        warnings.warn(f"`{old}` is now `{name}`", DeprecationWarning, stacklevel=3)

    def read(view: Any) -> Any:
        warn(new)
        return functools.reduce(getattr, new.split("."), view)

    def write(view: Any, value: Any) -> None:
        warn(assigned or new)
        *path, name = (assigned or new).split(".")
        setattr(functools.reduce(getattr, path, view), name, value)

    return property(read, write, doc=f"Old name of `{new}`.")
