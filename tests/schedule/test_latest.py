"""The newest request wins, whatever happens to the others."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import pytest

from cnnviz_widgets.schedule import InlineExecutor, LatestWins, Worker
from tests.support.scheduling import PATIENCE, ByHand, Request, raising, refuse, stubborn


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
