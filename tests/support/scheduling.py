"""Executors, requests and locks that a test can watch and step through."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from cnnviz_widgets.schedule import LatestWins

#: Far longer than anything here takes: reached only by a test that fails.
PATIENCE = 20.0


class ByHand:
    """An executor whose jobs run one at a time, when the test says so."""

    def __init__(self) -> None:
        self.jobs: deque[Callable[[], None]] = deque()

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.jobs.popleft()()

    def run(self) -> None:
        while self.jobs:
            self.turn()


class Request:
    """A generator of `count` results "name0", "name1", ... that logs what becomes of it."""

    def __init__(self, log: list[str], name: str, count: int = 3) -> None:
        self.log = log
        self.name = name
        self.count = count
        self.errors: list[Exception] = []

    def steps(self) -> Generator[str, None, None]:
        try:
            for index in range(self.count):
                yield f"{self.name}{index}"
        except GeneratorExit:
            self.log.append(f"{self.name} closed")
            raise

    def deliver(self, result: Any) -> None:
        self.log.append(result)

    def fail(self, error: Exception) -> None:
        self.errors.append(error)
        self.log.append(f"{self.name} failed")

    def ended(self) -> None:
        self.log.append(f"{self.name} ended")

    def submit_to(self, requests: LatestWins, **instead: Any) -> Request:
        parts = {part: getattr(self, part) for part in ("deliver", "fail", "ended")} | instead
        requests.submit(parts.pop("steps", None) or self.steps(), **parts)
        return self


class WatchedLock:
    """A reentrant lock that tells when a thread has to wait for it, and calls `before` once ahead of an entry."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.contended = threading.Event()
        self.before: Callable[[], None] | None = None

    def __enter__(self) -> None:
        before, self.before = self.before, None
        if before is not None:
            before()
        if not self._lock.acquire(blocking=False):
            self.contended.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def raising(error: BaseException, results: int = 1) -> Generator[str, None, None]:
    yield from (f"a{index}" for index in range(results))
    raise error


def stubborn(error: BaseException) -> Generator[str, None, None]:
    try:
        yield "a0"
        yield "a1"
    finally:
        raise error


def refuse(*_: object) -> None:
    raise ZeroDivisionError("refused")
