"""The lock under which panels draw and handle events of the user, one after the other."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar

from cnnviz_widgets.cells import CELLS
from cnnviz_widgets.forks import lock

Job = Callable[[], None]

_log = logging.getLogger("cnnviz_widgets")
_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Held during each callback, and while a panel handles what the user or a cell does. All panels share it: with a lock
#: for each, two panels that start each other's work from two threads would acquire them in opposite orders and wait
#: forever. A thread that holds it may acquire the lock of a network; one that holds a network's must not acquire this
#: one.
_CALLBACKS = lock()


class _Turn(threading.local):
    """A context manager that holds `_CALLBACKS`, reentrant.

    Jobs in `at_end` are called at the end of the outermost block, then those in `leaving`; those in `put_off` after it.
    """

    def __init__(self) -> None:
        self.held: list[AbstractContextManager[Any]] = []
        self.at_end: list[Job] = []
        self.leaving: list[Job] = []
        self.put_off: list[Job] = []

    def __enter__(self) -> None:
        turn = _CALLBACKS
        with CELLS.waiting():
            turn.__enter__()
        self.held.append(turn)

    def __exit__(self, kind: object, raised: object, traceback: object) -> None:
        found: list[Exception | None] = []
        put_off: list[Job] = []
        if len(self.held) == 1:
            while jobs := self.at_end or self.leaving:
                found.append(_error_of(jobs.pop(0)))
            put_off, self.put_off = self.put_off, put_off
        self.held.pop().__exit__(None, None, None)
        found += map(_error_of, put_off)
        errors = [error for error in found if error is not None]
        for error in errors[raised is None :]:
            _log.error("An observer failed.", exc_info=error)
        if errors and raised is None:
            raise errors[0]


_TURN = _Turn()


def _error_of(job: Job) -> Exception | None:
    """Call `job` and return the exception that it raises, or None."""
    try:
        job()
    except Exception as error:
        return error
    return None


def between_callbacks() -> AbstractContextManager[None]:
    """A context manager; within the block no other thread runs a callback, so no panel draws."""
    return _TURN


def is_between_callbacks() -> bool:
    """Whether this thread is within a `between_callbacks` block or runs a callback."""
    return bool(_TURN.held)


def at_end_of_turn(job: Job, *, last: bool = False) -> None:
    """Call `job` at the end of this thread's outermost `between_callbacks` block, or at once outside of one.

    No other thread runs a callback before. Jobs that are `last` are called after the others.
    """
    if _TURN.held:
        (_TURN.leaving if last else _TURN.at_end).append(job)
    else:
        job()


def after_callbacks(job: Job) -> None:
    """Call `job` when this thread leaves its outermost `between_callbacks` block, or at once outside of one.

    For code of the user, which may wait for a panel: within the block that panel could not draw.
    """
    if _TURN.held:
        _TURN.put_off.append(job)
    else:
        job()


def in_turn(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """A decorator: runs `function` within a `between_callbacks` block."""

    @functools.wraps(function)
    def run(*arguments: _P.args, **options: _P.kwargs) -> _T:
        with _TURN:
            return function(*arguments, **options)

    return run
