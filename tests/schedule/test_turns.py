"""What is in turn waits for a delivery, and spare work for all other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.schedule import LatestWins, SpareTime, Worker
from tests.support.scheduling import PATIENCE, Request, WatchedLock


def test_what_is_in_turn_waits_for_a_delivery_and_may_be_nested(worker: Worker, lock: WatchedLock) -> None:
    log: list[str] = []
    drawing = threading.Event()

    @schedule.in_turn
    def outer() -> str:
        log.append("outer")
        return inner()

    @schedule.in_turn
    def inner() -> str:
        assert schedule.is_between_callbacks()
        return "done"

    def draw(_: object) -> None:
        drawing.set()
        assert lock.contended.wait(PATIENCE)
        log.append("drawn")

    LatestWins(worker).submit(iter_of(1), draw, pytest.fail)
    assert drawing.wait(PATIENCE)
    assert outer() == "done" and log == ["drawn", "outer"]
    assert not schedule.is_between_callbacks()


def iter_of(*results: object) -> Generator[object, None, None]:
    yield from results


def test_what_is_put_off_is_called_when_the_outermost_block_ends() -> None:
    log: list[object] = []

    def note() -> None:
        log.append(schedule.is_between_callbacks())

    schedule.after_callbacks(note)
    with schedule.between_callbacks():
        with schedule.between_callbacks():
            schedule.after_callbacks(note)
        assert log == [False]
    assert log == [False, False]


def test_an_error_of_what_was_put_off_is_raised_where_the_block_ends(caplog: pytest.LogCaptureFixture) -> None:
    def wrong(text: str) -> Callable[[], None]:
        def fail() -> None:
            raise ValueError(text)

        return fail

    with pytest.raises(ValueError, match="first"), schedule.between_callbacks():
        schedule.after_callbacks(wrong("first"))
        schedule.after_callbacks(wrong("second"))
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["second"]
    with pytest.raises(KeyError), schedule.between_callbacks():
        schedule.after_callbacks(wrong("third"))
        raise KeyError
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["second", "third"]


def test_waiting_for_the_worker_between_callbacks_is_refused(worker: Worker) -> None:
    with schedule.between_callbacks(), pytest.raises(RuntimeError, match="cell"):
        worker.drain(0)


# -- spare time --------------------------------------------------------------------------------------------


def test_spare_work_waits_for_all_other_work() -> None:
    worker, order, begun, go = Worker(linger=0.01), [], threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert go.wait(PATIENCE)

    worker.submit(first)
    assert begun.wait(PATIENCE)
    spare, other = LatestWins(SpareTime(worker)), LatestWins(worker)
    log: list[str] = []
    idle, asked = Request(log, "spare", 2), Request(log, "asked", 3)
    spare.submit(idle.steps(), idle.deliver, idle.fail)
    other.submit(asked.steps(), asked.deliver, asked.fail)
    worker.submit(lambda: order.append(list(log)))
    go.set()
    assert worker.drain(PATIENCE)
    assert log == ["asked0", "asked1", "asked2", "spare0", "spare1"] and order == [["asked0"]]


def test_the_end_of_the_process_does_not_wait_for_spare_work() -> None:
    worker, go, done = Worker(linger=0.01), threading.Event(), []

    def first() -> None:
        assert go.wait(PATIENCE)
        worker.end()

    worker.submit(first)
    worker.submit(lambda: done.append(1), spare=True)
    go.set()
    assert worker.drain(PATIENCE) and not done


def test_where_work_is_run_inline_no_time_is_spare() -> None:
    log: list[str] = []
    request, spare = Request(log, "spare"), LatestWins(spare=True)
    with schedule.inline():
        spare.submit(request.steps(), request.deliver, request.fail, lambda: log.append("ended"))
    assert log == ["ended"] and not spare.busy
    spare.submit(request.steps(), request.deliver, request.fail)
    assert schedule.WORKER.drain(PATIENCE) and log == ["ended", "spare0", "spare1", "spare2"]
