"""Rows of a benchmark: two ways to do the same work, timed in turns."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "torchvision", "captum", "grad-cam", "torchcam", "ipykernel", "ipywidgets", "voila", "ipycanvas")


@dataclass(frozen=True)
class Row:
    """`ours` and `rival` are median seconds; `bound` is what the ratio rival / ours should at least be."""

    name: str
    ours: float
    rival: float
    rival_name: str
    bound: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.rival / self.ours


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
    rival: Callable[[], object],
    rival_name: str,
    *,
    bound: float | None = None,
    repeats: int = 5,
    note: str = "",
) -> Row:
    """Time both in turns after one untimed call each, so that a busy moment of the machine hits both."""
    ours()
    rival()
    times: list[tuple[float, float]] = [(seconds(ours), seconds(rival)) for _ in range(repeats)]
    ours_median, rival_median = (statistics.median(column) for column in zip(*times, strict=True))
    return Row(name, ours_median, rival_median, rival_name, bound, note)


def conditions(threads: int) -> dict[str, str]:
    """What the figures depend on."""
    found = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version()}
    found |= {"machine": platform.machine(), "threads": str(threads)}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


@dataclass(frozen=True)
class Measured:
    """A row of a group, and what its figures depend on."""

    group: str
    conditions: dict[str, str]
    row: Row


def markdown(measured: Sequence[Measured]) -> str:
    """The table as Markdown, with the conditions of each run below it."""
    lines = [
        "# Benchmark results",
        "",
        "Made by `python -m benchmarks --save`. Both sides are timed in turns; medians. Above 1 x: we are faster.",
        "",
        "| what | ours | rival | rival's | ratio | should be | run |",
        "|---|---|---|---|---|---|---|",
    ]
    runs: list[dict[str, str]] = []
    for entry in measured:
        row = entry.row
        if entry.conditions not in runs:
            runs.append(entry.conditions)
        bound = "" if row.bound is None else f"{row.bound:.2g} x"
        name = f"{row.name} ({row.note})" if row.note else row.name
        ours, rival = (f"{1000 * value:.1f} ms" for value in (row.ours, row.rival))
        number = runs.index(entry.conditions) + 1
        lines.append(f"| {name} | {ours} | {row.rival_name} | {rival} | {row.ratio:.2f} x | {bound} | {number} |")
    lines.append("")
    for number, found in enumerate(runs, start=1):
        lines.append(f"Run {number}: " + ", ".join(f"{key} {value}" for key, value in found.items()) + ".")
    return "\n".join(lines) + "\n"


def save(group: str, rows: Sequence[Row], found: dict[str, str], folder: Path) -> None:
    """Put the rows of a group in place of its older ones in results.json, and write RESULTS.md anew."""
    file = folder / "results.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    measured = [Measured(entry["group"], entry["conditions"], Row(**entry["row"])) for entry in kept]
    measured = [entry for entry in measured if entry.group != group] + [Measured(group, found, row) for row in rows]
    (folder / "RESULTS.md").write_text(markdown(measured), encoding="utf-8")
    file.write_text(json.dumps([asdict(entry) for entry in measured], indent=2) + "\n", encoding="utf-8")
