"""Parts of a job side by side: threads of one torch thread each, as many as there are cores.

A network that is run by several threads of torch at once has them wait for each other behind every layer: a quarter of
the time on a machine that is idle, nearly all of it where another program takes one of the cores. Here each part of a
job is run by one thread from its beginning to its end, and no part waits for another.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Generic, TypeVar

import torch

from cnnviz_widgets.classifier.cores import core_count
from cnnviz_widgets.forks import Renewed, lock

_R = TypeVar("_R")
_T = TypeVar("_T")
_U = TypeVar("_U")

#: Held while torch's number of threads is being changed.
_setting = lock()


class Workers(Renewed):
    """Threads that run calls, `count` at once; each begins with work and ends after `linger` seconds without."""

    def __init__(self, name: str = "cnnviz-core", linger: float = 5.0) -> None:
        self._name, self._linger = name, linger
        #: How many calls are run at once.
        self.count = core_count()
        self._ended = False
        self.renew()
        super().__init__()

    def renew(self) -> None:
        """Forget all calls: in a forked child the threads do not exist, and the calls belong to the parent."""
        self._changed = threading.Condition()
        self._calls: deque[Answer[Any]] = deque()
        self._threads: set[threading.Thread] = set()
        self._idle = self._running = 0

    def submit(self, answer: Answer[Any], first: bool = False) -> None:
        """Run a call behind those before it, or before all that have not begun."""
        with self._changed:
            if self._ended:
                answer.fail(RuntimeError("The process is ending: nothing more is computed."))
                return
            (self._calls.appendleft if first else self._calls.append)(answer)
            if self._idle < len(self._calls) and len(self._threads) < self.count:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._threads.add(thread)
                thread.start()
            self._changed.notify_all()

    @property
    def busy(self) -> bool:
        """Whether a call is being run, or waits."""
        return bool(self._calls) or self._running > 0

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until calls that have ended make this so."""
        with self._changed:
            self._changed.wait_for(done)

    def end(self, timeout: float = 5.0) -> None:
        """Drop the calls that have not begun, and wait at most `timeout` seconds for each that has.

        For the end of the process: a thread that is inside torch then would abort it.
        """
        with self._changed:
            self._ended = True
            dropped, threads = list(self._calls), list(self._threads)
            self._calls.clear()
            for answer in dropped:
                answer.fail(RuntimeError("The process is ending: nothing more is computed."))
            self._changed.notify_all()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout)

    def _run(self) -> None:
        set_own_threads(1)
        while (answer := self._next()) is not None:
            answer.compute()
            # While the thread waits, this variable must not keep the last result alive.
            del answer
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _next(self) -> Answer[Any] | None:
        with self._changed:
            self._idle += 1
            try:
                if self._changed.wait_for(self._is_turn, self._linger) and not self._ended:
                    self._running += 1
                    return self._calls.popleft()
                self._threads.discard(threading.current_thread())
                return None
            finally:
                self._idle -= 1

    def _is_turn(self) -> bool:
        return self._ended or bool(self._calls and self._running < self.count)


class Answer(Generic[_T]):
    """What a call returns or raises, once it has been made."""

    def __init__(self, call: Callable[[], _T]) -> None:
        self._call: Callable[[], _T] | None = call
        self._results: list[_T] = []
        self._error: BaseException | None = None
        self.done = False

    def compute(self) -> None:
        call, self._call = self._call, None
        try:
            if call is not None:
                self._results.append(call())
        except BaseException as error:
            self._error = error
        # The traceback of an error, and so its frames, is all that is left of the call.
        del call
        self.done = True

    def fail(self, error: BaseException) -> None:
        """It is not made, and raises `error`."""
        self._call, self._error, self.done = None, error, True

    def drop(self) -> None:
        """Do not make the call if it has not begun."""
        self._call = None

    def result(self) -> _T:
        """What the call returned. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]


#: The threads that all jobs share.
WORKERS = Workers()
atexit.register(WORKERS.end)


class OutdatedError(BaseException):
    """What a call was given to work with is outdated. No `except Exception` of a network stops it."""


class Parts(Generic[_R, _T]):
    """The parts of one job: calls, each given something to work with that is no other call's at the time.

    `make` makes that, once for each worker, and no more than `most` are at work. Without it the calls are made one
    after the other, by the thread that asks for their results, and are given `own`; so are all from the one on that
    raises OutdatedError. What was made is kept in `spare`. As a context: what has not begun in the end is dropped.
    """

    def __init__(
        self,
        own: _R,
        make: Callable[[], _R] | None = None,
        most: int = sys.maxsize,
        spare: deque[_R] | None = None,
    ) -> None:
        self._own, self._make = own, make
        self._ahead = most if most < WORKERS.count else WORKERS.count + 1
        self._spare: deque[_R] = deque() if spare is None else spare
        self._open: list[tuple[Answer[_T], Callable[[_R], _T]]] = []
        #: Whether nobody wants the results any more: a call that takes long may look.
        self.closed = False

    def __enter__(self) -> Parts[_R, _T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True
        while self._open:
            self._open.pop()[0].drop()

    @property
    def side_by_side(self) -> bool:
        """Whether they are run by the workers."""
        return self._make is not None

    @property
    def free(self) -> bool:
        """Whether to start another: no worker is to wait for it."""
        return len(self._open) < (self._ahead if self.side_by_side else 1)

    @property
    def left(self) -> int:
        """How many were started whose results have not been asked for."""
        return len(self._open)

    def start(self, call: Callable[[_R], _T]) -> None:
        """Run `call` behind those before it."""
        answer = Answer(lambda: self._lend(call))
        self._open.append((answer, call))
        if self.side_by_side:
            WORKERS.submit(answer)

    def next(self) -> _T:
        """The result of the call that was started first. Raises what it raised."""
        return self._result(0)

    def first(self) -> _T:
        """The result of the call that ends first, of those that were started. Raises what it raised."""
        if self.side_by_side:
            WORKERS.wait_for(lambda: any(answer.done for answer, _ in self._open))
        return self._result(next((i for i, (answer, _) in enumerate(self._open) if answer.done), 0))

    def in_order(self, calls: Iterable[Callable[[_R], _T]], then: Callable[[_T], _U]) -> Iterator[_U]:
        """What `then` makes of the results of `calls`, in their order.

        Calls are asked for one by one, and `then` is called, by the thread that goes through what is yielded.
        """
        waiting = iter(calls)
        with self:
            while True:
                with self.alone():
                    while self.free and (call := next(waiting, None)) is not None:
                        self.start(call)
                    if not self._open:
                        return
                    found = then(self.next())
                yield found

    def alone(self) -> AbstractContextManager[None]:
        """Inside, torch has one thread for what this one calls, where the cores are the workers'."""
        return one_thread() if self.side_by_side else nullcontext()

    def _result(self, number: int) -> _T:
        answer, call = self._open[number]
        if self.side_by_side or answer.done:
            WORKERS.wait_for(lambda: answer.done)
            del self._open[number]
            try:
                return answer.result()
            except OutdatedError:
                self._make = None
        else:
            del self._open[number]
        return call(self._own)

    def _lend(self, call: Callable[[_R], _T]) -> _T:
        if self._make is None:
            raise OutdatedError
        try:
            lent = self._spare.pop()
        except IndexError:
            lent = self._make()
        found = call(lent)
        self._spare.append(lent)
        return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch uses one thread for what this one calls."""
    before = set_own_threads(1)
    try:
        yield
    finally:
        set_own_threads(before)


def set_own_threads(count: int) -> int:
    """Set how many threads torch uses for what this one calls, and for no other; returns how many it were before.

    torch gives each thread, when it first calls it, the number that was set last, whoever set it.
    """
    before = torch.get_num_threads()
    if before != count:
        with _setting:
            others = _in_a_new_thread(torch.get_num_threads)
            torch.set_num_threads(count)
            _in_a_new_thread(lambda: torch.set_num_threads(others))
    return before


def _in_a_new_thread(call: Callable[[], _T]) -> _T:
    answer = Answer(call)
    thread = threading.Thread(target=answer.compute)
    thread.start()
    thread.join()
    return answer.result()
