"""A small classifier and pictures for the views; work runs inline, so that a test sees the result at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.widgets.pace import FrameAcknowledger
from tests.support.tally import Tally

NAMES = ["ant", "bee", "<script>alert(1)</script>", "dog"]


class Counting(nn.Module):
    """Counts its forward passes; `breaks` makes it raise, or answer with NaN."""

    calls = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU())
        self.head = nn.Linear(8, 4)
        self.calls = 0
        self.breaks = ""

    def forward(self, pixels: Tensor) -> Tensor:
        self.calls += 1
        if self.breaks == "raise":
            raise RuntimeError("the cable is loose\nsecond line")
        logits: Tensor = self.head(self.body(pixels).mean((2, 3)) * 50)
        return logits * float("nan") if self.breaks == "nan" else logits


class Stepping:
    """Runs jobs when told to."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def submit(self, job: Any) -> None:
        self.jobs.append(job)

    def work(self, steps: int = 10**6) -> None:
        while self.jobs and steps:
            self.jobs.pop(0)()
            steps -= 1


@pytest.fixture
def network() -> Counting:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Counting()


@pytest.fixture
def classifier(network: Counting) -> Classifier:
    return Classifier(network, class_names=NAMES, input_size=(24, 32))


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


@pytest.fixture
def inline() -> Iterator[None]:
    with schedule.inline():
        yield


@pytest.fixture(autouse=True)
def _no_widget_left() -> Iterator[None]:
    yield
    schedule.WORKER.drain(timeout=60)


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a page to come: there is none."""
    monkeypatch.setattr(FrameAcknowledger, "arrival", 0.0)


@pytest.fixture(autouse=True)
def batches_of_64(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many steps a map takes would depend on how fast the computer is."""
    monkeypatch.setattr(Batches, "batch", 64)
