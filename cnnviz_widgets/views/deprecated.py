"""Old names of attributes, which go on for one release."""

from __future__ import annotations

import warnings
from typing import Any


def old_name(old: str, new: str) -> property:
    """A property `old` that reads and sets `new`, which may be an attribute of an attribute, and warns."""

    def warn() -> None:
        warnings.warn(f"`{old}` is now `{new}`", DeprecationWarning, stacklevel=3)

    *path, name = new.split(".")

    def owner(view: Any) -> Any:
        for part in path:
            view = getattr(view, part)
        return view

    def read(view: Any) -> Any:
        warn()
        return getattr(owner(view), name)

    def write(view: Any, value: Any) -> None:
        warn()
        setattr(owner(view), name, value)

    return property(read, write, doc=f"Old name of `{new}`.")
