"""Linux' control groups that this process is in, as a container is: what they allow it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def folders_of(mount: str, root: Path = ROOT) -> Iterator[Path]:
    """The folders below `mount` that may say what a control group allows, of each that the process is in."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, group = line.split(":", 2)
        inner = Path(group.lstrip("/"))
        # A group has the limits of all around it; inside a container those outside cannot be read.
        yield from (root / mount / part for part in (inner, *inner.parents))


def number_in(path: Path, position: int = 0) -> int | None:
    """The number at that position in a file; None where there is none, as where it says "max"."""
    try:
        return int(path.read_text().split()[position])
    except (OSError, ValueError, IndexError):
        return None
