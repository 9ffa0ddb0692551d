"""The newest request wins, whatever happens to the others, and no thread is ever left waiting."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.schedule import InlineExecutor, LatestWins, SpareTime, Worker

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


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def hand() -> ByHand:
    return ByHand()


@pytest.fixture
def worker() -> Worker:
    return Worker(linger=0)


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> WatchedLock:
    watched = WatchedLock()
    monkeypatch.setattr(schedule.turns, "_CALLBACKS", watched)
    return watched


def test_delivers_every_step_and_ends(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)
    Request(log, "a", 2).submit_to(requests)
    assert requests.busy
    hand.run()
    assert log == ["a0", "a1", "a ended"]
    assert not requests.busy


def test_the_newest_wins_and_the_older_is_closed_at_its_next_turn(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)
    Request(log, "a").submit_to(requests)
    hand.turn()
    Request(log, "b", 1).submit_to(requests)
    hand.turn()
    assert log == ["a0", "a closed", "a ended"]
    assert requests.busy
    hand.run()
    assert log[3:] == ["b0", "b ended"]
    assert not requests.busy


def test_a_request_replaced_before_its_first_step_never_starts(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)
    for name in "abc":
        Request(log, name, 1).submit_to(requests)
    hand.run()
    assert log == ["a ended", "b ended", "c0", "c ended"]


def test_cancel_drops_the_request(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)
    Request(log, "a").submit_to(requests)
    hand.turn()
    requests.cancel()
    assert not requests.busy
    hand.run()
    assert log == ["a0", "a closed", "a ended"]
    requests.cancel()
    assert not requests.busy


def test_panels_take_turns(log: list[str], hand: ByHand) -> None:
    panels = [LatestWins(hand) for _ in range(3)]
    for name, count, requests in zip("abc", (3, 1, 2), panels, strict=True):
        Request(log, name, count).submit_to(requests)
    hand.run()
    delivered = [entry for entry in log if not entry.endswith("ended")]
    assert delivered == ["a0", "b0", "c0", "a1", "c1", "a2"]


def test_a_delivery_may_submit_the_next_request(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)

    def deliver(result: str) -> None:
        log.append(result)
        Request(log, "b", 1).submit_to(requests)

    Request(log, "a").submit_to(requests, deliver=deliver)
    hand.turn()
    assert log == ["a0", "a closed", "a ended"]
    hand.run()
    assert log[3:] == ["b0", "b ended"]


def test_the_end_of_a_request_may_submit_the_next(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)
    busy: list[bool] = []

    def ended() -> None:
        busy.append(requests.busy)
        Request(log, "b", 1).submit_to(requests)
        busy.append(requests.busy)

    Request(log, "a", 1).submit_to(requests, ended=ended)
    hand.run()
    assert log == ["a0", "b0", "b ended"]
    assert busy == [False, True]


# -- what goes wrong -----------------------------------------------------------------------------------------------


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


def test_an_exception_of_the_work_is_reported(log: list[str], hand: ByHand) -> None:
    requests, error = LatestWins(hand), ValueError("no")
    request = Request(log, "a").submit_to(requests, steps=raising(error))
    hand.run()
    assert log == ["a0", "a failed", "a ended"]
    assert request.errors == [error]
    assert not requests.busy


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration()], ids=["error", "stop"])
def test_an_exception_of_a_delivery_is_reported(log: list[str], hand: ByHand, error: Exception) -> None:
    requests = LatestWins(hand)

    def deliver(_: object) -> None:
        raise error

    request = Request(log, "a").submit_to(requests, deliver=deliver)
    hand.run()
    assert log == ["a failed", "a closed", "a ended"]
    assert request.errors == [error]
    assert not requests.busy


def test_a_replaced_request_fails_in_silence(log: list[str], hand: ByHand) -> None:
    requests = LatestWins(hand)

    def steps() -> Generator[str, None, None]:
        Request(log, "b", 1).submit_to(requests)
        raise ValueError("nobody waits for this")
        yield

    Request(log, "a").submit_to(requests, steps=steps())
    hand.run()
    assert log == ["a ended", "b0", "b ended"]


@pytest.mark.parametrize(
    ("submit", "between"),
    [
        ({}, None),
        ({}, "replace"),
        ({}, "cancel"),
        ({"steps": lambda: raising(ValueError())}, None),
        ({"steps": lambda: raising(ValueError(), 0)}, None),
        ({"steps": lambda: raising(ValueError()), "fail": refuse}, None),
        ({"deliver": refuse}, None),
        ({"deliver": refuse, "fail": refuse}, None),
        ({"deliver": refuse, "steps": lambda: stubborn(ValueError())}, None),
        ({"steps": lambda: stubborn(ValueError())}, "replace"),
        ({"steps": lambda: stubborn(ValueError())}, "cancel"),
        ({"steps": lambda: stubborn(ValueError())}, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turns", [0, 1, 2])
def test_ended_is_called_exactly_once(
    hand: ByHand, submit: dict[str, Any], between: str | None, turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    requests, other = LatestWins(hand), LatestWins(hand)
    submit = submit | ({"steps": submit["steps"]()} if "steps" in submit else {})
    Request(log, "a").submit_to(requests, **submit)
    Request([], "other", 4).submit_to(other)
    hand.turn(turns)
    if between == "replace":
        Request([], "b").submit_to(requests)
    elif between == "cancel":
        requests.cancel()
    hand.run()
    assert log.count("a ended") == 1
    assert log[-1] == "a ended"
    assert not requests.busy
    assert not other.busy


def test_an_exception_at_the_end_is_logged_and_stops_nobody(
    log: list[str], hand: ByHand, caplog: pytest.LogCaptureFixture
) -> None:
    requests = LatestWins(hand)
    Request(log, "a", 1).submit_to(requests, ended=refuse)
    hand.run()
    assert "ZeroDivisionError" in caplog.text
    assert not requests.busy
    Request(log, "b", 1).submit_to(requests)
    hand.run()
    assert log == ["a0", "b0", "b ended"]


def test_a_thread_that_cannot_be_started_loses_nothing(
    log: list[str], worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = LatestWins(worker)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ZeroDivisionError):
            Request(log, "a").submit_to(requests)
    assert log == ["a ended"]
    assert not requests.busy
    assert worker.drain(PATIENCE)
    Request(log, "b", 1).submit_to(requests)
    assert worker.drain(PATIENCE)
    assert log == ["a ended", "b0", "b ended"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_is_reported_and_passed_on(log: list[str], kind: type[BaseException]) -> None:
    requests = LatestWins(InlineExecutor())
    with pytest.raises(kind):
        Request(log, "a").submit_to(requests, steps=raising(kind()))
    assert log == ["a0", "a failed", "a ended"]
    assert not requests.busy
    Request(log, "b", 1).submit_to(requests)
    assert log[3:] == ["b0", "b ended"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_the_worker_survives_whatever_escapes_a_step(
    log: list[str], worker: Worker, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    request = Request(log, "a").submit_to(LatestWins(worker), steps=raising(kind()))
    assert worker.drain(PATIENCE)
    assert log == ["a0", "a failed", "a ended"]
    assert isinstance(request.errors[0], ValueError) or kind.__name__ in str(request.errors[0])
    Request(log, "b", 1).submit_to(LatestWins(worker))
    assert worker.drain(PATIENCE)
    assert log[3:] == ["b0", "b ended"]


# -- threads -------------------------------------------------------------------------------------------------------


def test_submit_waits_for_a_delivery_under_way(log: list[str], worker: Worker, lock: WatchedLock) -> None:
    requests = LatestWins(worker)
    drawing = threading.Event()

    def draw(result: str) -> None:
        drawing.set()
        # Were `submit` not to wait, nobody would ever contend.
        assert lock.contended.wait(PATIENCE)
        log.append(result)

    request = Request(log, "a").submit_to(requests, deliver=draw)
    assert drawing.wait(PATIENCE)
    Request(log, "b", 1).submit_to(requests)
    log.append("b submitted")
    assert worker.drain(PATIENCE)
    assert not request.errors
    assert log.index("a0") < log.index("b submitted")
    assert "a1" not in log


def test_cancel_waits_for_a_delivery_under_way(log: list[str], worker: Worker, lock: WatchedLock) -> None:
    requests = LatestWins(worker)
    drawing = threading.Event()

    def draw(result: str) -> None:
        drawing.set()
        assert lock.contended.wait(PATIENCE)
        log.append(result)

    Request(log, "a").submit_to(requests, deliver=draw)
    assert drawing.wait(PATIENCE)
    requests.cancel()
    log.append("cancelled")
    assert worker.drain(PATIENCE)
    assert log.index("a0") < log.index("cancelled")
    assert "a1" not in log


@pytest.mark.parametrize("act", ["submit", "cancel"])
def test_a_request_replaced_between_step_and_delivery_is_not_delivered(
    log: list[str], hand: ByHand, lock: WatchedLock, act: str
) -> None:
    requests = LatestWins(hand)
    Request(log, "a").submit_to(requests)
    # The step is done and its result about to be delivered when another thread acts.
    lock.before = requests.cancel if act == "cancel" else lambda: Request(log, "b", 1).submit_to(requests) and None
    hand.run()
    assert [entry for entry in log if entry.startswith("a")] == ["a closed", "a ended"]
    assert ("b0" in log) == (act == "submit")


def test_a_request_that_comes_while_another_ends_is_not_lost(
    log: list[str], hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, lock = LatestWins(hand), WatchedLock()
    Request(log, "a", 1).submit_to(requests)
    hand.turn()
    monkeypatch.setattr(requests, "_changing", lock)
    lock.before = lambda: Request(log, "b", 1).submit_to(requests) and None
    hand.run()
    assert log == ["a0", "a ended", "b0", "b ended"]


def test_two_panels_that_set_off_each_other_from_two_threads_do_not_block(log: list[str]) -> None:
    panels = [LatestWins(InlineExecutor()), LatestWins(InlineExecutor())]
    start = threading.Barrier(2)

    def loop(own: LatestWins, other: LatestWins) -> None:
        start.wait(PATIENCE)
        for _ in range(200):
            Request([], "a", 2).submit_to(own, deliver=lambda _: Request(log, "b", 1).submit_to(other))

    threads = [threading.Thread(target=loop, args=pair, daemon=True) for pair in (panels, panels[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert not any(panel.busy for panel in panels)


def test_many_threads_submit_at_once(worker: Worker) -> None:
    requests = LatestWins(worker)
    start = threading.Barrier(8)
    ends: list[str] = []
    delivered: list[str] = []

    def submit(thread: int) -> None:
        start.wait(PATIENCE)
        for index in range(50):
            name = f"{thread}-{index}-"
            request = Request([], name, 2)
            request.submit_to(requests, deliver=delivered.append, ended=lambda name=name: ends.append(name))

    threads = [threading.Thread(target=submit, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert worker.drain(PATIENCE)
    assert sorted(ends) == sorted(f"{thread}-{index}-" for thread in range(8) for index in range(50))
    # Whoever came last was brought to its end.
    assert [name[-1] for name in delivered[-2:]] == ["0", "1"]
    assert delivered[-1][:-1] == delivered[-2][:-1]
    assert not requests.busy


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_events_keeps_the_promises(seed: int) -> None:
    chance, hand = random.Random(seed), ByHand()
    panels = [LatestWins(hand) for _ in range(3)]
    newest: list[str | None] = [None] * 3
    log: list[str] = []
    submitted: list[str] = []

    def submit(panel: int) -> None:
        name = f"{panel}:{len(submitted)}:"
        submitted.append(name)
        newest[panel] = name

        def deliver(result: str) -> None:
            assert newest[panel] == name, "a stale result"
            log.append(result)
            if chance.random() < 0.1:
                submit(chance.randrange(3))
            if chance.random() < 0.1:
                raise ValueError

        steps = raising(ValueError(), 2) if chance.random() < 0.2 else None
        Request(log, name, chance.randrange(4)).submit_to(panels[panel], deliver=deliver, steps=steps)

    for _ in range(150):
        panel = chance.randrange(3)
        act = chance.random()
        if act < 0.3:
            submit(panel)
        elif act < 0.4:
            panels[panel].cancel()
            newest[panel] = None
        elif hand.jobs:
            hand.turn()
    chance.random = lambda: 1.0  # type: ignore[method-assign]
    hand.run()
    assert sorted(entry for entry in log if entry.endswith("ended")) == sorted(f"{name} ended" for name in submitted)
    assert not any(panel.busy for panel in panels)


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


# -- in turn -----------------------------------------------------------------------------------------------------


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
