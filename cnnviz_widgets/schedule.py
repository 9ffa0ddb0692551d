"""Latest wins: a newer request closes the older one, and panels take turns on one worker.

No asyncio loop is captured and no thread is assumed: the thread on which Jupyter runs a callback differs between
front ends, and on ipykernel 7.4.0 from one event to the next.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from cnnviz_widgets.cells import CELLS
from cnnviz_widgets.forks import Renewed, lock

Job = Callable[[], None]

_log = logging.getLogger("cnnviz_widgets")

#: Held during each call back. One lock for all: panels that set off each other's work, from two threads, would take
#: locks of their own in opposite orders.
_CALLBACKS = lock()


def between_callbacks() -> AbstractContextManager[Any]:
    """Within the block nothing is called back: no panel draws."""
    return _CALLBACKS


class Executor(Protocol):
    """Runs jobs one after the other, in the order in which they were submitted."""

    def submit(self, job: Job) -> None: ...


class InlineExecutor:
    """Runs each job before `submit` returns; jobs that jobs submit follow, without recursion.

    A job that another thread submits meanwhile is run by the thread that is at it. After a job that raises, the rest
    waits for the next `submit`.
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
    """One daemon thread, started with its first job and ended when it has had nothing to do for a while.

    All views share one, so two never run a network at the same time. What escapes a job is logged.
    """

    def __init__(self, name: str = "cnnviz-worker", linger: float = 5.0) -> None:
        self._name = name
        self._linger = linger
        self._ended = False
        self.renew()
        super().__init__()

    def renew(self) -> None:
        """Begin without jobs: a forked child has neither the thread nor any use for what it was doing."""
        self._jobs: deque[Job] = deque()
        self._spare: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False

    def submit(self, job: Job, spare: bool = False) -> None:
        """Run a job after those before it; a `spare` one not while there is any other."""
        with self._changed:
            if self._ended:
                return
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
            (self._spare if spare else self._jobs).append(job)
            self._changed.notify_all()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until there is no job left; False if `timeout` seconds passed first. RuntimeError in a job."""
        with self._changed:
            if threading.current_thread() is self._thread:
                raise RuntimeError("A job cannot wait until there is no job left.")
            with CELLS.waiting():
                return self._changed.wait_for(lambda: not self._jobs and not self._spare and not self._busy, timeout)

    def end(self, timeout: float = 5.0) -> None:
        """Drop all jobs and wait for the one that runs; later ones are ignored. For the end of the process."""
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
            # The frame must not keep the last job, and with it a picture's tensors, alive while it waits.
            del job


class SpareTime:
    """Runs jobs on a worker that has nothing else to do."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def submit(self, job: Job) -> None:
        self._worker.submit(job, spare=True)


WORKER = Worker()
_SPARE = SpareTime(WORKER)
# The interpreter must not take itself apart under a thread that is inside torch: that ends the process with an abort.
atexit.register(WORKER.end)
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


def spare_executor() -> Executor | None:
    """The shared worker when it has nothing else to do; None in an open `inline()` block: no time is spare there."""
    return _SPARE if getattr(_inline, "executor", None) is None else None


class LatestWins:
    """Advances the newest of the generators it was given, one step at a time, and closes the others.

    After each step the rest queues up again behind the other panels' work; with `spare`, no step is taken while there
    is any other work, and in an open `inline()` block none at all. Steps run without a lock; what is called
    back, by this or any other LatestWins, is never called by two threads at a time.
    """

    def __init__(self, executor: Executor | None = None, spare: bool = False) -> None:
        self._executor = executor
        self._spare = spare
        self._newest: _Request | None = None
        self._changing = lock()
        self._delivering = 0

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
        delivery, after `fail`, or when the request was replaced or cancelled. Of the replaced request nothing is
        delivered after this returns; it waits for a delivery that another thread has begun.
        """
        executor = self._executor or (spare_executor() if self._spare else current_executor())
        if executor is None:
            self._replace(None)
            steps.close()
            if ended is not None:
                ended()
            return
        request = _Request(self, executor, steps, deliver, fail, ended)
        self._replace(request)
        request.queue()

    def cancel(self) -> None:
        """Drop the request under way; nothing of it is delivered after this returns."""
        self._replace(None)

    def _replace(self, request: _Request | None) -> None:
        with self._changing:
            self._newest = request
        # From here on no delivery of an older request begins; one that has begun is waited for, unless this is it.
        if self._delivering:
            with CELLS.waiting(), _CALLBACKS:
                pass


class _Request:
    """One generator and who is told about it. No reference to it is left once it has ended."""

    def __init__(
        self,
        owner: LatestWins,
        executor: Executor,
        steps: Generator[Any, None, None],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
        ended: Callable[[], None] | None,
    ) -> None:
        self._owner = owner
        self._executor = executor
        self._steps = steps
        self._deliver = deliver
        self._fail = fail
        self._ended = ended

    @property
    def _is_newest(self) -> bool:
        return self._owner._newest is self

    def queue(self) -> None:
        try:
            self._executor.submit(self._advance)
        except BaseException:
            self._end()
            raise

    def _advance(self) -> None:
        more = False
        try:
            more = self._is_newest and self._step()
        except Exception as error:
            self._report(error)
        except BaseException as error:
            self._report(RuntimeError(f"The work was stopped by {type(error).__name__}."))
            raise
        finally:
            if not more:
                self._end()
        if more:
            self.queue()

    def _step(self) -> bool:
        """Take one step and deliver its result; whether there is more to do."""
        try:
            result = next(self._steps)
        except StopIteration:
            return False
        self._call_if_newest(self._deliver, result)
        return self._is_newest

    def _report(self, error: Exception) -> None:
        try:
            self._call_if_newest(self._fail, error)
        except Exception:
            _log.exception("A failure could not be reported.")

    def _call_if_newest(self, callback: Callable[[Any], None], argument: object) -> None:
        with CELLS.waiting(), _CALLBACKS:
            # Said before the check: whoever replaces the request after the check will see it.
            self._owner._delivering += 1
            try:
                if self._is_newest:
                    callback(argument)
            finally:
                self._owner._delivering -= 1

    def _end(self) -> None:
        try:
            self._steps.close()
        except Exception:
            _log.exception("The work failed while it was being closed.")
        finally:
            with self._owner._changing:
                if self._is_newest:
                    self._owner._newest = None
            ended, self._ended = self._ended, None
            try:
                if ended is not None:
                    with _CALLBACKS:
                        ended()
            except Exception:
                _log.exception("The end of the work could not be reported.")
