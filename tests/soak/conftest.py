"""How long and with which seeds: `--soak INTERACTIONS` and `--seed NUMBER`; a short form without them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.widgets.pace import FrameAcknowledger

from .stage import made_classifier


@pytest.fixture
def interactions(request: pytest.FixtureRequest) -> int:
    """How many interactions, messages or rounds a test tries."""
    return int(request.config.getoption("--soak") or 150)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--seed"))


@pytest.fixture
def classifier() -> Classifier:
    return made_classifier()


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody waits for a page to come, and nothing is under way when the next test begins."""
    monkeypatch.setattr(FrameAcknowledger, "arrival", 0.0)
    yield
    assert schedule.WORKER.drain(60)
