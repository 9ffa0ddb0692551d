"""Jobs run in order, on one thread at a time, and nothing that a job does stops the next."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Generator
from typing import Any

import pytest

from cnnviz_widgets.schedule import WORKER, InlineExecutor, LatestWins, Worker, current_executor, inline
from tests.support.scheduling import PATIENCE, refuse


def test_five_thousand_inline_steps_do_not_recurse(log: list[str]) -> None:
    LatestWins(InlineExecutor()).submit((str(index) for index in range(5000)), log.append, refuse)
    assert len(log) == 5000


def test_inline_runs_what_a_job_submits_after_it(log: list[str]) -> None:
    executor = InlineExecutor()

    def outer() -> None:
        executor.submit(lambda: log.append("inner"))
        log.append("outer")

    executor.submit(outer)
    assert log == ["outer", "inner"]


def test_inline_runs_the_jobs_of_another_thread_too(log: list[str]) -> None:
    executor = InlineExecutor()

    def job() -> None:
        thread = threading.Thread(target=lambda: executor.submit(lambda: log.append(threading.current_thread().name)))
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()

    executor.submit(job)
    assert log == [threading.current_thread().name]


def test_inline_goes_on_after_a_job_that_raised(log: list[str]) -> None:
    executor = InlineExecutor()

    def job() -> None:
        executor.submit(lambda: log.append("left over"))
        refuse()

    with pytest.raises(ZeroDivisionError):
        executor.submit(job)
    executor.submit(lambda: log.append("next"))
    assert log == ["left over", "next"]


def test_inline_blocks_belong_to_their_thread() -> None:
    seen: list[object] = []
    with inline():
        outer = current_executor()
        assert isinstance(outer, InlineExecutor)
        with inline():
            assert current_executor() is not outer
        assert current_executor() is outer
        thread = threading.Thread(target=lambda: seen.append(current_executor()))
        thread.start()
        thread.join(PATIENCE)
    assert seen == [WORKER]
    assert current_executor() is WORKER


def test_the_worker_ends_when_idle_and_starts_again(worker: Worker) -> None:
    threads: list[threading.Thread] = []
    for _ in range(2):
        worker.submit(lambda: threads.append(threading.current_thread()))
        assert worker.drain(PATIENCE)
        threads[-1].join(PATIENCE)
        assert not threads[-1].is_alive()
    assert threads[0] is not threads[1]
    assert threads[0].daemon


def test_no_job_is_lost_when_the_worker_is_about_to_end(worker: Worker) -> None:
    for _ in range(500):
        done = threading.Event()
        worker.submit(done.set)
        assert done.wait(PATIENCE)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_the_worker_logs_what_escapes_a_job_and_goes_on(
    worker: Worker, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def job() -> None:
        raise kind("escaped")

    done = threading.Event()
    with caplog.at_level(logging.ERROR, "cnnviz_widgets"):
        worker.submit(job)
        worker.submit(done.set)
        assert done.wait(PATIENCE)
        assert worker.drain(PATIENCE)
    assert kind.__name__ in caplog.text


def test_drain_gives_up_and_refuses_to_wait_for_itself(worker: Worker) -> None:
    gate = threading.Event()
    errors: list[Exception] = []

    def job() -> None:
        try:
            worker.drain()
        except RuntimeError as error:
            errors.append(error)
        gate.wait(PATIENCE)

    worker.submit(job)
    assert not worker.drain(0)
    gate.set()
    assert worker.drain(PATIENCE)
    assert len(errors) == 1


class Thing:
    """Something that can be weakly referenced."""


@pytest.mark.parametrize("kind", [Worker, InlineExecutor])
@pytest.mark.parametrize("how", ["finish", "fail", "cancel"])
def test_nothing_of_an_ended_request_is_kept(kind: type[Worker | InlineExecutor], how: str) -> None:
    executor = kind()
    gone: list[weakref.ref[Any]] = []
    requests = LatestWins(executor)

    def steps() -> Generator[Thing, None, None]:
        thing = Thing()
        gone.append(weakref.ref(thing))
        yield thing
        if how == "fail":
            raise ValueError
        yield thing

    def deliver(_: Thing) -> None:
        if how == "cancel":
            requests.cancel()

    work = steps()
    gone.append(weakref.ref(work))
    requests.submit(work, deliver, lambda _: None)
    del work
    if isinstance(executor, Worker):
        assert executor.drain(PATIENCE)
    assert [reference() for reference in gone] == [None, None]


def test_the_end_waits_for_the_job_that_runs_and_drops_the_rest(worker: Worker) -> None:
    began, gate, done = threading.Event(), threading.Event(), []
    worker.submit(lambda: (began.set(), gate.wait(10), done.append("first")))
    worker.submit(lambda: done.append("second"))
    assert began.wait(10)
    ending = threading.Thread(target=worker.end, args=(10,))
    ending.start()
    gate.set()
    ending.join(10)
    assert not ending.is_alive() and done == ["first"]
    worker.submit(lambda: done.append("third"))
    assert worker.drain(10) and done == ["first"]
