"""How many processor cores this process may keep busy."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cnnviz_widgets.classifier.control_groups import ROOT, folders_of, number_in


def core_count(root: Path = ROOT) -> int:
    """The cores that the process may run on, or fewer where its control group has less time than these, at least 1.

    `OMP_NUM_THREADS`, which limits torch in the same way, is a limit here too.
    """
    return max(1, min(_scheduled(), *_of_quotas(root), _wanted()))


def _scheduled() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _of_quotas(root: Path) -> Iterator[int]:
    """Cores whose whole time each control group that has a quota may use, rounded up."""
    for folder in folders_of("sys/fs/cgroup", root):
        yield from _of_quota(number_in(folder / "cpu.max"), number_in(folder / "cpu.max", 1))
    for folder in folders_of("sys/fs/cgroup/cpu", root):
        yield from _of_quota(number_in(folder / "cpu.cfs_quota_us"), number_in(folder / "cpu.cfs_period_us"))


def _of_quota(quota: int | None, period: int | None) -> Iterator[int]:
    if quota is not None and period is not None and quota > 0 and period > 0:
        yield -(-quota // period)


def _wanted() -> int:
    # There may be one number for each level of nested threads.
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdigit() and int(first) else sys.maxsize
