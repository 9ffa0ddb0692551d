"""Locks and objects that are reset in a forked child process, where only the thread that forked exists."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from typing import Any

_RENEWED: weakref.WeakSet[Renewed] = weakref.WeakSet()
_LOCKS: weakref.WeakSet[Any] = weakref.WeakSet()
_NUMBERS = itertools.count()


class Renewed:
    """Base of objects that are reset in each forked child, such as the workers of a torch DataLoader."""

    def __init__(self) -> None:
        self._number = next(_NUMBERS)
        _RENEWED.add(self)

    def renew(self) -> None:
        """Reset this object. Called in the child, by its only thread, before anything else."""
        raise NotImplementedError


def lock() -> threading.RLock:
    """A reentrant lock that is free in a forked child, unless the thread that forked held it.

    It is a threading.RLock: in a class around one, an interrupt could come between acquiring it and recording that.
    """
    made = threading.RLock()
    _LOCKS.add(made)
    return made


def is_mine(lock: Any) -> bool:
    """Whether this thread holds the lock."""
    return bool(lock._is_owned())


def _renew_all() -> None:
    """Free the locks that this thread does not hold, and reset the objects."""
    for held in _LOCKS:
        if not is_mine(held):
            held._at_fork_reinit()
    # In reverse order of creation, so that a change within another change is undone before that.
    for thing in sorted(_RENEWED, key=lambda thing: thing._number, reverse=True):
        thing.renew()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
