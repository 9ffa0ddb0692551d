"""Turns: panels draw, and the hand and cells are answered, one after the other."""

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

#: Held during each call back, and while a panel is told of what the hand or a cell does. One lock for all: panels that
#: set off each other's work, from two threads, would take locks of their own in opposite orders. Whoever holds it may
#: run a network and wait for that one's lock; never the other way round.
_CALLBACKS = lock()


class _Turn(threading.local):
    """Takes `_CALLBACKS`, also again on the thread that has it; what is put off is called once that lets go."""

    def __init__(self) -> None:
        self.held: list[AbstractContextManager[Any]] = []
        self.put_off: list[Job] = []

    def __enter__(self) -> None:
        turn = _CALLBACKS
        with CELLS.waiting():
            turn.__enter__()
        self.held.append(turn)

    def __exit__(self, kind: object, raised: object, traceback: object) -> None:
        put_off: list[Job] = []
        turn = self.held.pop()
        if not self.held:
            put_off, self.put_off = self.put_off, put_off
        turn.__exit__(None, None, None)
        errors = [error for error in map(_error_of, put_off) if error is not None]
        for error in errors[raised is None :]:
            _log.error("An observer failed.", exc_info=error)
        if errors and raised is None:
            raise errors[0]


_TURN = _Turn()


def _error_of(job: Job) -> Exception | None:
    try:
        job()
    except Exception as error:
        return error
    return None


def between_callbacks() -> AbstractContextManager[None]:
    """Within the block nothing is called back: no panel draws."""
    return _TURN


def is_between_callbacks() -> bool:
    """Whether this thread is inside such a block, or is being called back."""
    return bool(_TURN.held)


def after_callbacks(job: Job) -> None:
    """Call `job` on this thread when it leaves the outermost such block; at once outside one.

    This is for code of the user's: it may wait for a panel, which could not draw meanwhile.
    """
    if _TURN.held:
        _TURN.put_off.append(job)
    else:
        job()


def in_turn(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """`function`, run between two call backs."""

    @functools.wraps(function)
    def run(*arguments: _P.args, **options: _P.kwargs) -> _T:
        with _TURN:
            return function(*arguments, **options)

    return run
