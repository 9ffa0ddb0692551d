"""Locks that a forked child finds free: of the threads that held them only the one that forked lives on in it."""

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
    """Something that is made anew in each forked child, as in the workers of a torch DataLoader."""

    def __init__(self) -> None:
        self._number = next(_NUMBERS)
        _RENEWED.add(self)

    def renew(self) -> None:
        """Called in the child, by its only thread, before anything else."""
        raise NotImplementedError


def lock() -> threading.RLock:
    """A reentrant lock that is free in a forked child, unless the thread that forked held it.

    It is Python's own: in one written in Python an interrupt could come between taking it and saying so.
    """
    made = threading.RLock()
    _LOCKS.add(made)
    return made


def is_mine(lock: Any) -> bool:
    """Whether this thread holds the lock."""
    return bool(lock._is_owned())


def _renew_all() -> None:
    for held in _LOCKS:
        if not is_mine(held):
            held._at_fork_reinit()
    # The last made first: what was changed within a change is put back before that.
    for thing in sorted(_RENEWED, key=lambda thing: thing._number, reverse=True):
        thing.renew()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
