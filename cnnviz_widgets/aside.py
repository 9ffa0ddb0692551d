"""Long calls other than forward passes, on threads of their own, so that they do not block the panels' worker."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Generic, TypeVar

from cnnviz_widgets import schedule
from cnnviz_widgets.forks import lock

_T = TypeVar("_T")

#: One thread for each kind of call: two calls of a kind at once would only slow each other down.
_THREADS: dict[str, schedule.Worker] = {}
_changing = lock()


class Aside(schedule.Awaited, Generic[_T]):
    """A call on a thread of its own. A generator yields it, and its next step follows when the call has returned.

    For imports, compilation and long computations that other panels should not wait for::

        found = Aside("UMAP", lambda: fit(features))
        yield found
        positions = found.result()

    Calls of one `kind` are made one after the other, and skipped if their result is no longer wanted. Within a
    `schedule.inline()` block the call is made at once.
    """

    def __init__(self, kind: str, call: Callable[[], _T]) -> None:
        self._kind = kind
        self._call: Callable[[], _T] | None = call
        self._results: list[_T] = []
        self._error: BaseException | None = None

    def begin(self, go_on: Callable[[], None], wanted: Callable[[], bool]) -> None:
        if isinstance(schedule.current_executor(), schedule.InlineExecutor):
            self._make(wanted)
            go_on()
            return
        arrived = schedule.WORKER.expect()

        def job() -> None:
            try:
                self._make(wanted)
                go_on()
            finally:
                arrived()

        try:
            _thread_of(self._kind).submit(job)
        except BaseException:
            arrived()
            raise

    def _make(self, wanted: Callable[[], bool]) -> None:
        call, self._call = self._call, None
        if call is None or not wanted():
            return
        try:
            self._results.append(call())
        except BaseException as error:
            self._error = error

    def result(self) -> _T:
        """What the call returned. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]


def _thread_of(kind: str) -> schedule.Worker:
    """The thread for calls of a kind."""
    with _changing:
        thread = _THREADS.get(kind)
        if thread is None:
            thread = _THREADS[kind] = schedule.Worker(f"cnnviz-aside-{kind}")
        return thread


def end(timeout: float = 5.0) -> None:
    """Drop the calls that have not begun, and wait at most `timeout` seconds for each that has.

    For the end of the process.
    """
    for thread in list(_THREADS.values()):
        thread.end(timeout)


atexit.register(end)
