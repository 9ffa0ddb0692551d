"""Threads of one torch thread each: results, order, errors, what is dropped, and what others notice of it: nothing."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch

from cnnviz_widgets.classifier import workers
from cnnviz_widgets.classifier.workers import Answer, OutdatedError, Parts, Workers

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Two workers that nobody else uses."""
    made = Workers("cnnviz-test", linger=PATIENCE)
    made.count = 2
    monkeypatch.setattr(workers, "WORKERS", made)
    yield made
    made.end(PATIENCE)
    assert not made._threads


def numbers() -> Callable[[], int]:
    """0, 1, 2, ... from call to call."""
    given = iter(range(100))
    return lambda: next(given)


def in_a_thread(call: Callable[[], int]) -> int:
    answer = Answer(call)
    thread = threading.Thread(target=answer.compute)
    thread.start()
    thread.join(PATIENCE)
    return answer.result()


def test_results_come_in_order() -> None:
    parts: Parts[int, int] = Parts(-1, numbers())
    assert list(parts.in_order([lambda _, i=i: i * i for i in range(20)], lambda found: found + 1)) == [
        i * i + 1 for i in range(20)
    ]
    assert parts.closed and parts.left == 0


def test_two_run_at_once_each_with_something_of_its_own() -> None:
    together = threading.Barrier(2, timeout=PATIENCE)

    def call(lent: int) -> tuple[int, str]:
        together.wait()
        return lent, threading.current_thread().name

    parts: Parts[int, tuple[int, str]] = Parts(-1, numbers())
    found = list(parts.in_order([call] * 6, lambda result: result))
    assert {lent for lent, _ in found} == {0, 1}
    assert {name for _, name in found} == {"cnnviz-test"}


def test_the_first_that_ends_comes_first() -> None:
    go = threading.Event()
    parts: Parts[int, str] = Parts(-1, numbers())
    with parts:
        parts.start(lambda _: str(go.wait(PATIENCE)))
        parts.start(lambda _: "quick")
        assert parts.first() == "quick"
        go.set()
        assert parts.first() == "True"


def test_a_worker_has_one_thread_of_torch_and_nobody_else_does() -> None:
    torch.set_num_threads(3)
    try:
        parts: Parts[int, int] = Parts(-1, numbers())
        inside = list(parts.in_order([lambda _: torch.get_num_threads()] * 4, lambda found: found))
        assert inside == [1] * 4
        assert torch.get_num_threads() == 3
        assert in_a_thread(torch.get_num_threads) == 3
        with parts.alone():
            assert torch.get_num_threads() == 1
            assert in_a_thread(torch.get_num_threads) == 3
        assert torch.get_num_threads() == 3
        assert in_a_thread(torch.get_num_threads) == 3
    finally:
        torch.set_num_threads(1)


def test_without_workers_everything_is_done_by_who_asks() -> None:
    parts: Parts[int, tuple[int, str]] = Parts(7)
    call = lambda lent: (lent, threading.current_thread().name)  # noqa: E731
    assert list(parts.in_order([call] * 3, lambda found: found)) == [(7, threading.current_thread().name)] * 3
    assert not parts.side_by_side


def test_an_error_arrives_in_its_turn_and_ends_the_job(two: Workers) -> None:
    def call(number: int) -> Callable[[int], int]:
        return lambda _: number if number != 2 else 1 // 0

    parts: Parts[int, int] = Parts(-1, numbers())
    found = parts.in_order(map(call, range(50)), lambda found: found)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(found)
    assert parts.closed
    two.wait_for(lambda: not two.busy)


def test_what_is_outdated_is_done_by_who_asks() -> None:
    def call(number: int) -> Callable[[int], tuple[int, int]]:
        def run(lent: int) -> tuple[int, int]:
            if number == 3 and lent >= 0:
                raise OutdatedError
            return number, lent

        return run

    parts: Parts[int, tuple[int, int]] = Parts(-1, numbers())
    found = list(parts.in_order(map(call, range(10)), lambda found: found))
    assert [number for number, _ in found] == list(range(10))
    assert found[3] == (3, -1) and found[-1] == (9, -1)


def test_a_job_that_is_dropped_begins_nothing_more(two: Workers) -> None:
    inside, go = threading.Semaphore(0), threading.Event()
    begun: list[int] = []

    def call(number: int) -> Callable[[int], int]:
        def run(_: int) -> int:
            begun.append(number)
            inside.release()
            go.wait(PATIENCE)
            return number

        return run

    with Parts(-1, numbers()) as parts:
        for number in range(3):
            parts.start(call(number))
        assert not parts.free
        assert inside.acquire(timeout=PATIENCE) and inside.acquire(timeout=PATIENCE)
    assert parts.closed
    go.set()
    two.wait_for(lambda: not two.busy)
    assert sorted(begun) == [0, 1]


def test_nothing_is_kept_of_a_job(two: Workers) -> None:
    class Thing:
        pass

    parts: Parts[Thing, Thing] = Parts(Thing(), Thing)
    kept = [weakref.ref(found) for found in parts.in_order([lambda lent: lent] * 4, lambda found: found)]
    del parts
    two.wait_for(lambda: not two.busy)
    gc.collect()
    assert [thing() for thing in kept] == [None] * 4


def test_threads_end_when_there_is_nothing_to_do() -> None:
    made = Workers("cnnviz-short", linger=0.0)
    answer = Answer(lambda: threading.current_thread())
    made.submit(answer)
    made.wait_for(lambda: answer.done)
    answer.result().join(PATIENCE)
    assert not made._threads
    again = Answer(lambda: 5)
    made.submit(again)
    made.wait_for(lambda: again.done)
    assert again.result() == 5


def test_at_the_end_nobody_waits_for_what_was_dropped() -> None:
    made = Workers("cnnviz-ending")
    made.count = 1
    inside, go = threading.Event(), threading.Event()
    running = Answer(lambda: inside.set() or go.wait(PATIENCE))
    dropped = Answer(lambda: 1)
    made.submit(running)
    made.submit(dropped)
    assert inside.wait(PATIENCE)
    ending = threading.Thread(target=made.end, args=(PATIENCE,))
    ending.start()
    made.wait_for(lambda: dropped.done)
    with pytest.raises(RuntimeError, match="ending"):
        dropped.result()
    go.set()
    ending.join(PATIENCE)
    assert running.done and not made._threads
    late = Answer(lambda: 1)
    made.submit(late)
    with pytest.raises(RuntimeError, match="ending"):
        late.result()


SCRIPT = """
import torch
from cnnviz_widgets.classifier import workers
workers.WORKERS.count = 2
parts = workers.Parts(None, object)
found = parts.in_order((lambda _: torch.rand(300, 300) @ torch.rand(300, 300) for _ in range(1000)), lambda x: x)
next(found)
print("left in the middle")
"""


def test_a_process_ends_quietly_in_the_middle_of_a_job() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "left in the middle\n", "")
