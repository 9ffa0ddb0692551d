"""How much memory is left, by the accounts that systems keep of it, and which errors say that it ran out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.errors import ClassifierError

MEMINFO = "MemTotal:       24684096 kB\nMemFree:   20016056 kB\nMemAvailable:   1000 kB\nHugePages_Total: 0\n"


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def group(folder: str, limit: object, used: int, stat: str = "anon 5\n", *, first: bool = False) -> dict[str, str]:
    """Files of a control group; with `first`, of the first version."""
    names = ("limit_in_bytes", "usage_in_bytes") if first else ("max", "current")
    values = dict(zip(names, (f"{limit}\n", f"{used}\n"), strict=True))
    return {f"{folder}/memory.{name}": value for name, value in values.items()} | {f"{folder}/memory.stat": stat}


SECOND, FIRST = "sys/fs/cgroup", "sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 1000 * 1024),
        ({"proc/self/cgroup": "0::/\n"}, 1000 * 1024),
        ({"proc/self/cgroup": "0::/\n", **group(SECOND, "max", 900)}, 1000 * 1024),
        ({"proc/self/cgroup": "0::/\n", **group(SECOND, 1000, 900)}, 100),
        ({"proc/self/cgroup": "0::/a\n", **group(f"{SECOND}/a", 2000, 900)}, 1100),
        # The limit of the group around it counts, and files that can be dropped do not.
        ({"proc/self/cgroup": "0::/a/b\n", **group(f"{SECOND}/a", 1000, 900), **group(f"{SECOND}/a/b", 999, 10)}, 100),
        ({"proc/self/cgroup": "0::/\n", **group(SECOND, 1000, 900, "anon 5\ninactive_file 300\n")}, 400),
        # A container of the first version does not see the folder that it is told of.
        ({"proc/self/cgroup": "4:memory:/far/away\n", **group(FIRST, 5000, 1000, first=True)}, 4000),
        (
            {
                "proc/self/cgroup": "4:memory:/far\n",
                **group(FIRST, 5000, 1000, "inactive_file 7\ntotal_inactive_file 500\n", first=True),
            },
            4500,
        ),
        # No limit is written as a very large one; a group over its limit has next to nothing left.
        ({"proc/self/cgroup": "4:memory:/\n", **group(FIRST, 2**63 - 4096, 1000, first=True)}, 1000 * 1024),
        ({"proc/self/cgroup": "0::/\n", **group(SECOND, 1000, 1900)}, 1),
    ],
)
def test_what_linux_has_left(files: dict[str, str], expected: int, tmp_path: Path) -> None:
    assert memory._of_linux(written(tmp_path, {"proc/meminfo": MEMINFO, **files})) == expected


def test_without_linux_accounts_others_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory._of_linux(tmp_path) == 0
    monkeypatch.setattr(memory, "_of_linux", lambda: 0)
    assert 2**20 < memory.left("cpu") < 2**50
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr(memory.os, "sysconf", {"SC_AVPHYS_PAGES": 3, "SC_PAGE_SIZE": 5}.__getitem__)
    assert memory.left("cpu") == 15
    monkeypatch.delattr(memory.os, "sysconf")
    assert memory.left(torch.device("cpu")) == sys.maxsize


def test_an_accelerator_has_what_is_free_and_what_torch_keeps_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def told(values: object) -> Callable[[torch.device], object]:
        return lambda device: asked.append(str(device)) or values

    monkeypatch.setattr(torch.cuda, "mem_get_info", told((100, 1000)))
    monkeypatch.setattr(torch.cuda, "memory_reserved", told(50))
    monkeypatch.setattr(torch.cuda, "memory_allocated", told(20))
    assert memory.left("cuda:1") == 130
    assert asked == ["cuda:1"] * 3


def caused(cause: BaseException) -> ClassifierError:
    error = ClassifierError("It failed.")
    error.__cause__ = cause
    return error


def by_the_allocator() -> RuntimeError:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60)
    return raised.value


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."), True),
        (by_the_allocator(), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 18 GB)"), True),
        (caused(MemoryError()), True),
        (caused(caused(by_the_allocator())), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
        (caused(ValueError("no")), False),
        (None, False),
    ],
)
def test_what_says_that_memory_ran_out(error: BaseException | None, expected: bool) -> None:
    assert memory.ran_out(error) is expected
