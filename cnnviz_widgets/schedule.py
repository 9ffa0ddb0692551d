"""Latest wins: a newer request closes the older one, and panels take turns on one worker.

No asyncio loop is captured and no thread is assumed: the thread on which Jupyter runs a callback differs between
front ends, and on ipykernel 7.4.0 from one event to the next.
"""

from __future__ import annotations

import atexit
import functools
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec, Protocol, TypeVar

Job = Callable[[], None]

_log = logging.getLogger("cnnviz_widgets")
_P = ParamSpec("_P")
_T = TypeVar("_T")


#: Held during each call back, and while a panel is told of what the hand or a cell does. One lock for all: panels that
#: set off each other's work, from two threads, would take locks of their own in opposite orders. Whoever holds it may
#: run a network and wait for that one's lock; never the other way round.
_CALLBACKS = threading.RLock()


class _Turn(threading.local):
    """Takes `_CALLBACKS`, also again on the thread that has it; what is put off is called once that lets go."""

    def __init__(self) -> None:
        self.held: list[AbstractContextManager[Any]] = []
        self.put_off: list[Job] = []

    def __enter__(self) -> None:
        lock = _CALLBACKS
        lock.__enter__()
        self.held.append(lock)

    def __exit__(self, kind: object, raised: object, traceback: object) -> None:
        put_off: list[Job] = []
        lock = self.held.pop()
        if not self.held:
            put_off, self.put_off = self.put_off, put_off
        lock.__exit__(None, None, None)
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
        self._changing = threading.Lock()
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


class Worker:
    """One daemon thread, started with its first job and ended when it has had nothing to do for a while.

    All views share one, so two never run a network at the same time. What escapes a job is logged.
    """

    def __init__(self, name: str = "cnnviz-worker", linger: float = 5.0) -> None:
        self._name = name
        self._linger = linger
        self._jobs: deque[Job] = deque()
        self._spare: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._expected = 0
        self._ended = False

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

    def expect(self) -> Job:
        """Let `drain` wait for what is made elsewhere and will submit a job, until what this returns is called."""
        with self._changed:
            self._expected += 1
        return self._arrived

    def _arrived(self) -> None:
        with self._changed:
            self._expected -= 1
            self._changed.notify_all()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until there is no job left; False if `timeout` seconds passed first.

        Raises RuntimeError in a job and between call backs, where it would wait for ever.
        """
        if is_between_callbacks():
            raise RuntimeError("A panel's handler cannot wait until there is no job left: call this from a cell.")
        with self._changed:
            if threading.current_thread() is self._thread:
                raise RuntimeError("A job cannot wait until there is no job left.")
            return self._changed.wait_for(
                lambda: not (self._jobs or self._spare or self._busy or self._expected), timeout
            )

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


class Awaited:
    """What a step yields when the next one must wait for something that is made elsewhere; it is not delivered."""

    def begin(self, go_on: Job, wanted: Callable[[], bool]) -> None:
        """Begin to make it, and call `go_on` once it is there, from any thread, unless it is no longer `wanted`."""
        raise NotImplementedError


class LatestWins:
    """Advances the newest of the generators it was given, one step at a time, and closes the others.

    After each step the rest queues up again behind the other panels' work, after one that yields an `Awaited` once
    that is there; with `spare`, no step is taken while there
    is any other work, and in an open `inline()` block none at all. Steps run without a lock; what is called
    back, by this or any other LatestWins, is never called by two threads at a time.
    """

    def __init__(self, executor: Executor | None = None, spare: bool = False) -> None:
        self._executor = executor
        self._spare = spare
        self._newest: _Request | None = None
        self._changing = threading.Lock()
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
            before, self._newest = self._newest, request
        if before is not None:
            before.go_on()  # to its end, where it was waiting
        # From here on no delivery of an older request begins; one that has begun is waited for, unless this is it.
        if self._delivering:
            with _TURN:
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
        self._awaited: Awaited | None = None
        self._waiting = False

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
        if more and self._awaited is None:
            self.queue()
        elif more:
            self._wait()

    def _wait(self) -> None:
        awaited, self._awaited = self._awaited, None
        assert awaited is not None
        self._waiting = True
        try:
            awaited.begin(self.go_on, lambda: self._is_newest)
        except BaseException:
            self._waiting = False
            self._end()
            raise
        if not self._is_newest:
            self.go_on()

    def go_on(self) -> None:
        """Queue up again, if this waits for something."""
        with self._owner._changing:
            waited, self._waiting = self._waiting, False
        if waited:
            self.queue()

    def _step(self) -> bool:
        """Take one step and deliver its result; whether there is more to do."""
        try:
            result = next(self._steps)
        except StopIteration:
            return False
        if isinstance(result, Awaited):
            self._awaited = result
        else:
            self._call_if_newest(self._deliver, result)
        return self._is_newest

    def _report(self, error: Exception) -> None:
        try:
            self._call_if_newest(self._fail, error)
        except Exception:
            _log.exception("A failure could not be reported.")

    def _call_if_newest(self, callback: Callable[[Any], None], argument: object) -> None:
        with _TURN:
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
                    with _TURN:
                        ended()
            except Exception:
                _log.exception("The end of the work could not be reported.")
