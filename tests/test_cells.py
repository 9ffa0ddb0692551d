"""Where a network has to be run itself, that gives way to notebook cells, and nobody waits for ever."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import schedule
from cnnviz_widgets.cells import CELLS
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import network_lock

PATIENCE = 60.0
PIXELS = torch.zeros(1, 3, 8, 8)


class Closed(nn.Module):
    """Calls its parts by a closure, so that no shadow of it can be made; says when it is called in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv = nn.Conv2d(3, 4, 3)
        self.evaluated = threading.Event()
        known = {id(self): conv}
        self.part = known.__getitem__

    def forward(self, pixels: Tensor) -> Tensor:
        if not self.training:
            self.evaluated.set()
        return self.part(next(iter(self.part.__self__)))(pixels).mean((2, 3))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Tells what a notebook's shell tells before and after a cell, on this thread."""
    told: dict[str, list[Callable[..., None]]] = {"pre_run_cell": [], "post_run_cell": []}
    events = SimpleNamespace(register=lambda name, call: told[name].append(call))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(events=events)))
    monkeypatch.setattr(CELLS, "_shell", None)
    # In vain it would be waited for longer than a test may take.
    monkeypatch.setattr(CELLS.give_way.__func__, "__defaults__", (1000.0,))
    yield lambda name: [call(None) for call in told[name]] and None
    CELLS.renew()


@pytest.fixture
def network() -> Closed:
    return Closed().train()


def background(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def joined(thread: threading.Thread) -> bool:
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_a_pass_waits_for_the_end_of_a_cell(
    shell: Callable[[str], None], network: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = Classifier(network, input_size=(8, 8))
    assert classifier.notes and classifier.shadow is network
    network.evaluated.clear()
    asked = threading.Event()
    give_way = CELLS.give_way
    monkeypatch.setattr(CELLS, "give_way", lambda: asked.set() or give_way())
    shell("pre_run_cell")
    thread = background(lambda: classifier.logits(PIXELS))
    assert asked.wait(PATIENCE)
    for _ in range(20):
        network(PIXELS).sum().backward()
        assert network.training and all(weight.requires_grad for weight in network.parameters())
    assert not network.evaluated.is_set()
    shell("post_run_cell")
    assert joined(thread)
    assert network.evaluated.is_set()


def test_a_cell_waits_for_the_end_of_a_pass(shell: Callable[[str], None], network: Closed) -> None:
    classifier = Classifier(network, input_size=(8, 8))
    inside, go = threading.Event(), threading.Event()
    modes: list[bool] = []

    def run() -> None:
        with classifier.evaluating():
            inside.set()
            go.wait(PATIENCE)

    def cell() -> None:
        shell("pre_run_cell")
        modes.append(network.training)
        shell("post_run_cell")

    running = background(run)
    assert inside.wait(PATIENCE)
    assert not network.training
    waiting = background(cell)
    go.set()
    assert joined(running) and joined(waiting)
    assert modes == [True]


def test_a_cell_that_explains_or_waits_for_a_view_does_not_wait_for_itself(
    shell: Callable[[str], None], network: Closed
) -> None:
    classifier = Classifier(network, input_size=(8, 8))
    shell("pre_run_cell")
    shell("pre_run_cell")  # as with %run
    classifier.logits(PIXELS)
    done = threading.Event()
    schedule.WORKER.submit(lambda: classifier.logits(PIXELS) is None or done.set())
    assert schedule.WORKER.drain(PATIENCE)
    assert done.is_set()
    shell("post_run_cell")
    shell("post_run_cell")
    assert CELLS.give_way(0.0)


def test_a_cell_that_wants_the_lock_of_one_who_gives_way_gets_it(shell: Callable[[str], None], network: Closed) -> None:
    classifier = Classifier(network, input_size=(8, 8))
    held = threading.Event()

    def run() -> None:
        with network_lock:
            held.set()
            classifier.logits(PIXELS)

    shell("pre_run_cell")
    thread = background(run)
    assert held.wait(PATIENCE)
    classifier.logits(PIXELS)
    shell("post_run_cell")
    assert joined(thread)


def test_networks_with_a_shadow_give_way_to_nobody(shell: Callable[[str], None]) -> None:
    classifier = Classifier(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)), input_size=(8, 8))
    CELLS.begun()
    assert joined(background(lambda: classifier.logits(PIXELS)))
