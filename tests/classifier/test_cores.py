"""How many cores there are to use: by affinity, by control groups of either kind, by OMP_NUM_THREADS."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cnnviz_widgets.classifier.cores import core_count

#: What a control group says in its files, and the cores it leaves of eight.
GROUPS = {
    "none": ({}, 8),
    "no quota": ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
    "two and a half": ({"sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),
    "a tenth": ({"sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
    "around a group": ({"sys/fs/cgroup/jobs/cpu.max": "max 100000\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
    "the older kind": (
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
        2,
    ),
    "the older kind without": (
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
        8,
    ),
}


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.parametrize("name", GROUPS)
def test_control_groups(name: str, tmp_path: Path) -> None:
    files, expected = GROUPS[name]
    for path, text in {"proc/self/cgroup": "0::/jobs\n", **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert core_count(tmp_path) == expected


def test_affinity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert core_count(tmp_path) == 2


def test_a_system_without_affinity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert core_count(tmp_path) == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert core_count(tmp_path) == 1


@pytest.mark.parametrize(("text", "expected"), [("3", 3), ("2,4", 2), ("0", 8), ("many", 8), (str(sys.maxsize), 8)])
def test_the_limit_that_torch_has(text: str, expected: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert core_count(tmp_path) == expected
