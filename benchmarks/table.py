"""Rows of a benchmark: our way and others' to do the same work, timed in turns."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

PACKAGES = (
    "torch", "torchvision", "captum", "grad-cam", "torchcam", "torch-lucent", "scikit-learn", "openTSNE", "lancedb",
    "onnxruntime", "ipykernel", "ipywidgets", "ipycanvas", "bqplot", "voila",
)  # fmt: skip
Unit = Literal["s", "MiB"]


@dataclass(frozen=True)
class Row:
    """`ours` and `rival` are median seconds or MiB; `bound` is what the ratio rival / ours should at least be."""

    name: str
    ours: float
    rival: float
    rival_name: str
    bound: float | None = None
    note: str = ""
    unit: Unit = "s"

    @property
    def ratio(self) -> float:
        return self.rival / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the bound is met, if there is one."""
        return None if self.bound is None else self.ratio >= self.bound


@dataclass(frozen=True)
class Rival:
    """Another way to do the same work; one that takes minutes is run once, and says so."""

    name: str
    work: Callable[[], object]
    bound: float | None = None
    once: bool = False


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def best(make: Callable[[int], Callable[[], object]], settings: Sequence[int]) -> tuple[int, Callable[[], object]]:
    """The setting whose work is the quickest of two calls each, and that work: a rival gets its best one."""
    works = {setting: make(setting) for setting in settings}
    times = {setting: min(seconds(work), seconds(work)) for setting, work in works.items()}
    setting = min(times, key=times.__getitem__)
    return setting, works[setting]


def compare(
    name: str,
    ours: Callable[[], object],
    *rivals: Rival,
    note: str = "",
    repeats: int = 5,
    warm: bool = False,
) -> list[Row]:
    """Time all in turns after one untimed call each, so that a busy moment of the machine hits all of them.

    `warm`: the rivals have been run before.
    """
    ours()
    several = [rival for rival in rivals if not rival.once]
    if not warm:
        for rival in several:
            rival.work()
    works = [ours, *(rival.work for rival in several)]
    times = [[seconds(work) for work in works] for _ in range(repeats)]
    own, *others = (statistics.median(column) for column in zip(*times, strict=True))
    measured = dict(zip([rival.name for rival in several], others, strict=True))
    rows = []
    for rival in rivals:
        value = seconds(rival.work) if rival.once else measured[rival.name]
        rival_name = f"{rival.name} (one run)" if rival.once else rival.name
        rows.append(Row(name, own, value, rival_name, rival.bound, note))
    return rows


def conditions(threads: int) -> dict[str, str]:
    """What the figures depend on."""
    found = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version()}
    found |= {"processor": _processor(), "threads": str(threads)}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def load() -> float:
    """How many processes have wanted to run in the last minute, on average: 0 on a machine with nothing else to do."""
    return os.getloadavg()[0]


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else f"{os.cpu_count()} x {platform.machine()}"


@dataclass(frozen=True)
class Measured:
    """A row of a group, what its figures depend on, and how busy the machine was before."""

    group: str
    conditions: dict[str, str]
    load: float
    row: Row


def noted(rows: Sequence[Row], note: str) -> list[Row]:
    """`rows` with a further note, of what is known only after the timing."""
    return [replace(row, note=f"{row.note}; {note}" if row.note else note) for row in rows]
