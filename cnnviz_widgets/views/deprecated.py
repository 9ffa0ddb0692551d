"""Old names and old ways of calling, which go on for one release."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
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


def with_old_calls(
    init: Callable[..., None], renamed: Mapping[str, str], once_positional: Sequence[str]
) -> Callable[..., None]:
    """`init`, which can be called as it once was, for one release."""

    @functools.wraps(init)
    def run(self: Any, *arguments: Any, **options: Any) -> None:
        def warn(old: str, new: str) -> None:
            warnings.warn(f"{type(self).__name__}({old}) is now {new}=", DeprecationWarning, stacklevel=4)

        for old in renamed.keys() & options.keys():
            warn(f"{old}=", renamed[old])
            options[renamed[old]] = options.pop(old)
        # What follows model and picture.
        moved = dict(zip(once_positional, arguments[2:], strict=False))
        for number, name in enumerate(moved, 3):
            warn(f"argument {number}", name)
        init(self, *arguments[:2], *arguments[2 + len(moved) :], **moved, **options)

    return run
