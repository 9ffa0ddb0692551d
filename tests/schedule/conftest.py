"""A log of what happens, and executors to run requests on."""

from __future__ import annotations

import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.schedule import Worker
from tests.support.scheduling import ByHand, WatchedLock


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
