"""Requests from many threads: none is lost, none is delivered late, and no thread is left waiting."""

from __future__ import annotations

import random
import threading

import pytest

from cnnviz_widgets.schedule import InlineExecutor, LatestWins, Worker
from tests.support.scheduling import PATIENCE, ByHand, Request, WatchedLock, raising


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
