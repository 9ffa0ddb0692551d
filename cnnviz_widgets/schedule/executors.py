"""Executors of jobs: one worker thread for all panels, or the thread that submits them."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from cnnviz_widgets.cells import CELLS
from cnnviz_widgets.forks import Renewed, lock
from cnnviz_widgets.schedule.turns import Job, is_between_callbacks

_log = logging.getLogger("cnnviz_widgets")


class Executor(Protocol):
    """Runs jobs one after the other, in the order in which they were submitted."""

    def submit(self, job: Job) -> None: ...


class InlineExecutor:
    """Runs each job before `submit` returns; a job submitted by a job runs after that one, without recursion.

    A job that another thread submits meanwhile runs on the thread that is running jobs. If a job raises, those after
    it wait for the next `submit`.
    """

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changing = lock()
        self._running = False

    def submit(self, job: Job) -> None:
        with self._changing:
            self._jobs.append(job)
            if self._running:
                return
            self._running = True
        del job
        while (next_job := self._next()) is not None:
            try:
                next_job()
            except BaseException:
                with self._changing:
                    self._running = False
                raise

    def _next(self) -> Job | None:
        with self._changing:
            if self._jobs:
                return self._jobs.popleft()
            self._running = False
            return None


class Worker(Renewed):
    """A daemon thread that runs jobs. It starts with its first job and ends after `linger` seconds without one.

    All views share one worker, so no two run a network at the same time. Exceptions of jobs are logged.
    """

    def __init__(self, name: str = "cnnviz-worker", linger: float = 5.0) -> None:
        self._name = name
        self._linger = linger
        self._ended = False
        self.renew()
        super().__init__()

    def renew(self) -> None:
        """Drop all jobs: in a forked child the thread does not exist, and the jobs belong to the parent."""
        self._jobs: deque[Job] = deque()
        self._spare: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._expected = 0
        self._ended = False

    def submit(self, job: Job, spare: bool = False) -> None:
        """Run a job after the earlier ones; a `spare` job only when there is no other."""
        with self._changed:
            if self._ended:
                return
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
            (self._spare if spare else self._jobs).append(job)
            self._changed.notify_all()

    def expect(self) -> Job:
        """Make `drain` wait for work elsewhere that will submit a job, until the returned function is called."""
        with self._changed:
            self._expected += 1
        return self._arrived

    def _arrived(self) -> None:
        with self._changed:
            self._expected -= 1
            self._changed.notify_all()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until no job is left, at most `timeout` seconds; return whether that is so.

        Raises RuntimeError in a job and in a `between_callbacks` block, where it would wait forever.
        """
        if is_between_callbacks():
            raise RuntimeError("A panel's handler cannot wait until there is no job left: call this from a cell.")
        with self._changed:
            if threading.current_thread() is self._thread:
                raise RuntimeError("A job cannot wait until there is no job left.")
            with CELLS.waiting():
                return self._changed.wait_for(
                    lambda: not (self._jobs or self._spare or self._busy or self._expected), timeout
                )

    def end(self, timeout: float = 5.0) -> None:
        """Drop all jobs, ignore later ones, and wait at most `timeout` seconds for the running one.

        For the end of the process.
        """
        with self._changed:
            self._ended = True
            self._jobs.clear()
            self._spare.clear()
            if threading.current_thread() is not self._thread:
                self._changed.wait_for(lambda: not self._busy, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                if not self._changed.wait_for(lambda: bool(self._jobs or self._spare), self._linger):
                    self._thread = None
                    return
                job = (self._jobs or self._spare).popleft()
                self._busy = True
            try:
                job()
            except BaseException:
                _log.exception("A job failed.")
            # While the thread waits, this variable must not keep the last job and its tensors alive.
            del job


class SpareTime:
    """Runs jobs on a worker when that has nothing else to do."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def submit(self, job: Job) -> None:
        self._worker.submit(job, spare=True)


#: The worker that all panels share.
WORKER = Worker()
_SPARE = SpareTime(WORKER)
# If the interpreter shuts down while a thread is inside torch, the process aborts.
atexit.register(WORKER.end)
_inline = threading.local()


@contextmanager
def inline() -> Iterator[None]:
    """Within the block, jobs that this thread submits run at once on this thread. For tests and scripts."""
    before = getattr(_inline, "executor", None)
    _inline.executor = InlineExecutor()
    try:
        yield
    finally:
        _inline.executor = before


def current_executor() -> Executor:
    """The executor of this thread's open `inline()` block, else the shared worker."""
    executor: Executor | None = getattr(_inline, "executor", None)
    return WORKER if executor is None else executor


def spare_executor() -> Executor | None:
    """The executor that waits until the shared worker has no other job; None within an `inline()` block."""
    return _SPARE if getattr(_inline, "executor", None) is None else None
