"""Occlusion maps while other programs want the cores too."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch

from benchmarks.occlusion import DEFAULT, STRIDE, TARGET, WINDOW, classifier_of
from benchmarks.table import Row, seconds
from cnnviz_widgets.explain import Occlusion

#: Of a map that is run beside another program, how many times its own quiet time it may take.
BOUND = 2.2
NETWORKS = (DEFAULT, "mobilenet_v2", "resnet18")
TIMES = 5


def rows() -> Iterable[Row]:
    for name in NETWORKS:
        classifier = classifier_of(name, 224)
        pixels = torch.randn(1, 3, 224, 224)
        explainer = Occlusion(WINDOW, STRIDE)

        def work() -> None:
            explainer(classifier, pixels, TARGET)  # noqa: B023

        work()
        quiet, busy = [], []
        for _ in range(TIMES):
            quiet.append(seconds(work))
            with spinning():
                busy.append(seconds(work))
        yield Row(
            f"{name}, beside a program that keeps one core busy",
            statistics.median(busy),
            statistics.median(quiet) * BOUND,
            f"{BOUND} times itself on a quiet machine",
            1.0,
        )


@contextmanager
def spinning() -> Iterator[None]:
    """Inside, another program keeps one core busy."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()
