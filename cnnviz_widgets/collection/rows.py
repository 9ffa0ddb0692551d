"""Blocks of stored rows, and where they are kept: in memory here, on disk in disk.py."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Rows:
    """What is stored of n pictures.

    `items` int64 (n,), their indices in the data set; `features` float32 (n, D); `logits` float32 (n, K); `labels`
    int64 (n,), -1 where unknown; `names`, str (n,); `thumbnails` uint8 (n, h, w, 3).
    """

    items: NDArray[np.int64]
    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: NDArray[Any]
    thumbnails: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.items)


COLUMNS = tuple(field.name for field in fields(Rows))


class Shelf(Protocol):
    """Where rows are kept. Columns are those of `Rows`, in the order of `items`."""

    def __len__(self) -> int: ...
    def append(self, rows: Rows) -> None: ...
    def column(self, name: str) -> NDArray[Any]: ...
    def thumbnails(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]: ...


class Memory:
    """Rows in memory. One thread may append while others read."""

    def __init__(self) -> None:
        self._blocks: list[Rows] = []
        self._joined: dict[str, tuple[int, NDArray[Any]]] = {}

    def __len__(self) -> int:
        return sum(len(block) for block in list(self._blocks))

    def append(self, rows: Rows) -> None:
        """Add `rows` at the end."""
        self._blocks.append(rows)

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows."""
        count, joined = self._joined.get(name, (0, None))
        blocks = self._blocks[count:]
        if not blocks and joined is not None:
            return joined
        if not blocks:
            return np.zeros((0, 0), np.float32) if name in ("features", "logits") else np.zeros(0, np.int64)
        parts = [getattr(block, name) for block in blocks]
        joined = np.concatenate(parts if joined is None else [joined, *parts])
        self._joined[name] = (count + len(blocks), joined)
        return joined

    def thumbnails(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The thumbnails of some rows, uint8 (n, h, w, 3)."""
        column: NDArray[np.uint8] = self.column("thumbnails")
        return column[rows] if len(column) else np.zeros((0, 1, 1, 3), np.uint8)
