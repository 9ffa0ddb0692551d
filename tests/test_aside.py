"""Long calls are made beside the worker: nobody else waits for them, and whoever leaves is let go at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from cnnviz_widgets import aside, schedule
from cnnviz_widgets.aside import Aside
from cnnviz_widgets.schedule import LatestWins

PATIENCE = 20.0


class Slow:
    """A call that begins, and returns when it is let."""

    def __init__(self) -> None:
        self.began, self.gate, self.calls = threading.Event(), threading.Event(), 0
        self.thread = ""

    def __call__(self) -> str:
        self.calls += 1
        self.thread = threading.current_thread().name
        self.began.set()
        assert self.gate.wait(PATIENCE)
        return "made"


class Panel:
    """A LatestWins and what it was told."""

    def __init__(self) -> None:
        self.requests, self.log, self.ended = LatestWins(), [], threading.Event()  # type: ignore[var-annotated]

    def submit(self, steps: Generator[Any, None, None]) -> None:
        self.ended = ended = threading.Event()
        self.requests.submit(steps, self.log.append, self.log.append, ended.set)


def waiting(call: Callable[[], Any], kind: str = "slow") -> Generator[Any, None, None]:
    yield "first"
    made = Aside(kind, call)
    yield made
    yield made.result()


def quick() -> Iterator[Any]:
    yield "quick"


@pytest.fixture(autouse=True)
def _drained() -> Iterator[None]:
    yield
    assert schedule.WORKER.drain(PATIENCE)


def test_others_go_on_meanwhile_and_the_result_comes() -> None:
    slow, panel, other = Slow(), Panel(), Panel()
    panel.submit(waiting(slow))
    assert slow.began.wait(PATIENCE) and slow.thread == "cnnviz-aside-slow"
    other.submit(quick())  # type: ignore[arg-type]
    assert other.ended.wait(PATIENCE) and other.log == ["quick"]
    assert panel.log == ["first"] and panel.requests.busy and not panel.ended.is_set()
    assert not schedule.WORKER.drain(0)  # something is still to come
    slow.gate.set()
    assert schedule.WORKER.drain(PATIENCE)
    assert panel.log == ["first", "made"] and panel.ended.is_set() and not panel.requests.busy


def test_cancelling_ends_at_once_and_the_late_result_is_dropped() -> None:
    slow, panel = Slow(), Panel()
    panel.submit(waiting(slow))
    assert slow.began.wait(PATIENCE)
    panel.requests.cancel()
    assert panel.ended.wait(PATIENCE) and not slow.gate.is_set()
    slow.gate.set()
    assert schedule.WORKER.drain(PATIENCE)
    assert panel.log == ["first"]


def test_a_newer_request_does_not_wait_for_the_older_ones_call() -> None:
    slow, panel = Slow(), Panel()
    panel.submit(waiting(slow))
    ended = panel.ended
    assert slow.began.wait(PATIENCE)
    panel.submit(waiting(lambda: "other", "another kind"))
    assert ended.wait(PATIENCE) and panel.ended.wait(PATIENCE)
    assert panel.log == ["first", "first", "other"]
    slow.gate.set()


def test_of_one_kind_one_call_at_a_time_and_none_that_nobody_waits_for() -> None:
    first, second, third = Slow(), Slow(), Slow()
    panels = [Panel() for _ in range(3)]
    panels[0].submit(waiting(first))
    assert first.began.wait(PATIENCE)
    panels[1].submit(waiting(second))
    panels[2].submit(waiting(third))
    panels[1].requests.cancel()
    assert panels[1].ended.wait(PATIENCE) and not third.began.is_set()
    for slow in (first, second, third):
        slow.gate.set()
    assert schedule.WORKER.drain(PATIENCE)
    assert (first.calls, second.calls, third.calls) == (1, 0, 1)
    assert panels[2].log == ["first", "made"]


def test_what_the_call_raises_is_reported() -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    panel = Panel()
    panel.submit(waiting(fail))
    assert schedule.WORKER.drain(PATIENCE)
    assert panel.log[0] == "first" and str(panel.log[1]) == "no such thing" and panel.ended.is_set()


def test_inline_it_is_made_at_once_on_this_thread() -> None:
    names: list[str] = []
    panel = Panel()
    with schedule.inline():
        panel.submit(waiting(lambda: names.append(threading.current_thread().name)))
    assert names == [threading.current_thread().name] and panel.log == ["first", None] and panel.ended.is_set()


def test_a_thread_that_cannot_be_started_ends_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> Any:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(aside, "_thread_of", refuse)
    panel = Panel()
    panel.submit(waiting(lambda: "never"))
    assert schedule.WORKER.drain(PATIENCE)
    assert panel.ended.is_set() and not panel.requests.busy


def test_the_process_ends_while_a_call_is_made() -> None:
    code = """
import threading
from cnnviz_widgets import aside, schedule
from cnnviz_widgets.aside import Aside
aside.end.__defaults__ = (0.1,)
began = threading.Event()
def steps():
    yield Aside("import", lambda: (began.set(), threading.Event().wait()))
schedule.LatestWins().submit(steps(), print, print)
began.wait()
print("end")
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")
