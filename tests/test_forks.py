"""A forked child finds every lock free and the worker ready, whatever other threads were doing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import forks, schedule
from cnnviz_widgets.cells import CELLS
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import network_lock
from cnnviz_widgets.picture import files
from cnnviz_widgets.session import Session

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]
PATIENCE = 30.0
LOCKS: dict[str, Any] = {
    "network": network_lock,
    "callbacks": schedule.turns._CALLBACKS,
    "pictures": files._warnings_lock,
}


def in_child(work: Callable[[], object]) -> int:
    """The exit status of a child that does `work`: 0, or 1 where that raises; a child that hangs is killed."""
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Waiting(nn.Module):
    """Stops inside a pass where a thread is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)
        self.inside, self.go, self.thread = threading.Event(), threading.Event(), [0]
        self.wait = lambda: self.inside.set() or self.go.wait(PATIENCE)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.conv(pixels)
        if threading.current_thread().name == "stops":
            self.inside.set()
            self.go.wait(PATIENCE)
        return self.head(self.drop(values.mean((2, 3))))


@pytest.mark.parametrize("shadow", [True, False])
def test_a_child_runs_the_network_that_another_thread_is_running(shadow: bool) -> None:
    network = Waiting().train()
    classifier = Classifier(network, input_size=(8, 8))
    if not shadow:
        classifier.runner._in_place("is a test")
    pixels = torch.zeros(1, 3, 8, 8)
    expected = classifier.logits(pixels)

    def stop() -> None:
        with torch.no_grad(), classifier.recording("conv"):
            classifier.logits(pixels)

    thread = threading.Thread(target=stop, name="stops", daemon=True)
    thread.start()
    assert network.inside.wait(PATIENCE)

    def work() -> None:
        assert all(module.training for module in network.modules())
        assert all(weight.requires_grad for weight in network.parameters())
        threading.current_thread().name = "child"
        with torch.no_grad():
            assert torch.equal(classifier.logits(pixels), expected)
        assert torch.equal(Session(classifier, pixels[0]).example.pixels, pixels)

    assert in_child(work) == 0
    network.go.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_that_another_thread_holds_is_free_in_the_child(name: str) -> None:
    lock = LOCKS[name]
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            go.wait(PATIENCE)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert held.wait(PATIENCE)

    def work() -> None:
        assert lock.acquire(timeout=5)
        lock.release()

    assert in_child(work) == 0
    go.set()
    thread.join(PATIENCE)
    assert not lock.acquire(timeout=0.01) if thread.is_alive() else in_child(work) == 0


def test_a_lock_that_the_forking_thread_holds_is_its_own_in_the_child() -> None:
    lock = forks.lock()

    def others_wait() -> None:
        assert forks.is_mine(lock)
        free: list[bool] = []
        thread = threading.Thread(target=lambda: free.append(lock.acquire(timeout=0.01)))
        thread.start()
        thread.join()
        assert free == [False]

    with lock:
        with lock:
            assert in_child(others_wait) == 0
        assert in_child(others_wait) == 0
    assert not forks.is_mine(lock)


def test_the_worker_of_a_child_works() -> None:
    begun, go = threading.Event(), threading.Event()
    schedule.WORKER.submit(lambda: begun.set() or go.wait(PATIENCE))  # type: ignore[func-returns-value, arg-type]
    schedule.WORKER.submit(lambda: None)
    assert begun.wait(PATIENCE)

    def work() -> None:
        done = threading.Event()
        assert schedule.WORKER.drain(5)
        schedule.WORKER.submit(done.set)
        assert done.wait(5)
        schedule.WORKER.end(5)

    assert in_child(work) == 0
    go.set()
    assert schedule.WORKER.drain(PATIENCE)


def test_no_cell_runs_in_a_child() -> None:
    began = threading.Event()
    go = threading.Event()

    def cell() -> None:
        CELLS.begun()
        began.set()
        go.wait(PATIENCE)
        CELLS.ended()

    thread = threading.Thread(target=cell, daemon=True)
    thread.start()
    assert began.wait(PATIENCE)
    assert in_child(lambda: CELLS.give_way(0.0) or _fail()) == 0  # type: ignore[func-returns-value]
    go.set()
    thread.join(PATIENCE)


def _fail() -> None:
    raise AssertionError("a cell of the parent's is waited for")
