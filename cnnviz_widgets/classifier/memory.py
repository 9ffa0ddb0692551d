"""How much memory is left for a computation, and how a computation says that it was too little."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from cnnviz_widgets.classifier.control_groups import ROOT, folders_of, number_in

#: Where a control group's limit and use stand below its folder, and what of the use is files that can be dropped.
_CGROUPS = (
    ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
#: Words of out-of-memory errors that have no type of their own.
_WORDS = ("out of memory", "allocate memory", "not enough memory", "alloc_failed")


def left(device: torch.device | str) -> int:
    """Bytes that can still be allocated on `device`; what torch holds unused in its own cache is counted as left.

    In the computer's own memory: what the system has available, or less where the process is in a control group, as
    a container is. `sys.maxsize` where nothing can be found out.
    """
    device = torch.device(device)
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return _of_linux() or _of_others()


def ran_out(error: BaseException | None) -> bool:
    """Whether `error`, or the error that it was raised from, says that memory ran out."""
    while error is not None:
        if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
            return True
        # The allocator of the CPU, cuDNN and cuBLAS have no error of their own.
        if isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS):
            return True
        error = error.__cause__
    return False


def free(device: torch.device | str) -> None:
    """Give back what is held without being used: cycles of objects, and torch's cache on `device`."""
    gc.collect()
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()


def _of_linux(root: Path = ROOT) -> int:
    """What is left by Linux' own account under `root`, or 0 where there is none."""
    available = _numbers(root / "proc/meminfo").get("MemAvailable")
    return 0 if available is None else min(1024 * available, *_of_cgroups(root), sys.maxsize)


def _of_cgroups(root: Path) -> Iterator[int]:
    """What each control group that the process is in has left, of those that have a limit."""
    for mount, limit, usage, droppable in _CGROUPS:
        for folder in folders_of(mount, root):
            most, used = number_in(folder / limit), number_in(folder / usage)
            if most is not None and used is not None:
                used -= _numbers(folder / "memory.stat").get(droppable, 0)
                yield max(1, most - max(0, used))


def _of_others() -> int:
    try:
        import psutil
    except ImportError:
        pass
    else:
        return int(psutil.virtual_memory().available)
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize


def _numbers(path: Path) -> dict[str, int]:
    """The first number of each line of a file, by the word before it."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
