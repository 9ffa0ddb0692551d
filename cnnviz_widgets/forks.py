"""Locks that a forked child finds free: of the threads that held them only the one that forked lives on in it."""

from __future__ import annotations

import itertools
import os
import threading
import weakref

_RENEWED: weakref.WeakSet[Renewed] = weakref.WeakSet()
_NUMBERS = itertools.count()


class Renewed:
    """Something that is made anew in each forked child, as in the workers of a torch DataLoader."""

    def __init__(self) -> None:
        self._number = next(_NUMBERS)
        _RENEWED.add(self)

    def renew(self) -> None:
        """Called in the child, by its only thread, before anything else."""
        raise NotImplementedError


class Lock(Renewed):
    """A lock, free in a forked child unless the thread that forked held it."""

    def __init__(self, *, reentrant: bool = False) -> None:
        super().__init__()
        self._make = threading.RLock if reentrant else threading.Lock
        self._inner = self._make()
        self._owner: int | None = None
        self._depth = 0

    @property
    def mine(self) -> bool:
        """Whether this thread holds it."""
        return self._owner == threading.get_ident()

    def acquire(self, timeout: float = -1) -> bool:
        """Take it, waiting at most `timeout` seconds; whether it is this thread's now."""
        if not (self._inner.acquire(blocking=False) or self._wait(timeout)):
            return False
        self._owner = threading.get_ident()
        self._depth += 1
        return True

    def release(self) -> None:
        """Give it back."""
        self._depth -= 1
        if not self._depth:
            self._owner = None
        self._inner.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _wait(self, timeout: float) -> bool:
        return self._inner.acquire(timeout=timeout)

    def renew(self) -> None:
        self._inner = self._make()
        if not self.mine:
            self._owner, self._depth = None, 0
        for _ in range(self._depth):
            self._inner.acquire()


def _renew_all() -> None:
    # The last made first: what was changed within a change is put back before that.
    for thing in sorted(_RENEWED, key=lambda thing: thing._number, reverse=True):
        thing.renew()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
