"""Latest wins: a newer request closes the older one, and panels take turns on one worker.

No asyncio loop is captured and no thread is assumed: the thread on which Jupyter runs a callback differs between
front ends, and on ipykernel 7.4.0 from one event to the next.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

Job = Callable[[], None]


class Executor(Protocol):
    """Runs jobs one after the other, in the order in which they were submitted."""

    def submit(self, job: Job) -> None: ...


class InlineExecutor:
    """Runs each job on the calling thread before `submit` returns; jobs that jobs submit follow, without recursion."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._running = False

    def submit(self, job: Job) -> None:
        self._jobs.append(job)
        if self._running:
            return
        self._running = True
        try:
            while self._jobs:
                self._jobs.popleft()()
        finally:
            self._running = False


class Worker:
    """One daemon thread, started with its first job and ended when it has had nothing to do for a while.

    All views share one, so two never run a network at the same time.
    """

    def __init__(self, name: str = "cnnviz-worker", linger: float = 5.0) -> None:
        self._name = name
        self._linger = linger
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False

    def submit(self, job: Job) -> None:
        with self._changed:
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until there is no job left; False if `timeout` seconds passed first. Not for use by a job."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                if not self._changed.wait_for(lambda: bool(self._jobs), self._linger):
                    self._thread = None
                    return
                job = self._jobs.popleft()
                self._busy = True
            job()
            # The frame must not keep the last job, and with it a picture's tensors, alive while it waits.
            del job


WORKER = Worker()
_inline = threading.local()


@contextmanager
def inline() -> Iterator[None]:
    """Within the block, work that this thread submits runs at once, on this thread: for tests and scripts."""
    before = getattr(_inline, "executor", None)
    _inline.executor = InlineExecutor()
    try:
        yield
    finally:
        _inline.executor = before


def current_executor() -> Executor:
    """The inline executor of an open `inline()` block, else the shared worker."""
    executor: Executor | None = getattr(_inline, "executor", None)
    return WORKER if executor is None else executor


class LatestWins:
    """Advances the newest of the generators it was given, one step at a time, and closes the others.

    After each step the rest queues up again behind the other panels' work.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self._executor = executor
        self._newest: object | None = None

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._newest is not None

    def submit(
        self,
        steps: Generator[Any, None, None],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Replace the request under way by `steps` and deliver what it yields until it ends or is replaced.

        `fail` gets an exception of the work or of `deliver`. `ended` is called exactly once: after the last
        delivery, after `fail`, or when the request was replaced or cancelled.
        """
        self._newest = steps
        executor = self._executor or current_executor()

        def close() -> None:
            try:
                steps.close()
            finally:
                if self._newest is steps:
                    self._newest = None
                if ended is not None:
                    ended()

        def advance() -> None:
            if self._newest is not steps:
                close()
                return
            try:
                result = next(steps)
                if self._newest is steps:
                    deliver(result)
            except StopIteration:
                close()
            except Exception as error:
                try:
                    if self._newest is steps:
                        fail(error)
                finally:
                    close()
            else:
                executor.submit(advance)

        executor.submit(advance)

    def cancel(self) -> None:
        """Drop the request under way; nothing of it is delivered after this returns, but for a delivery already begun."""
        self._newest = None
