"""What is stored of the pictures of a data set, and where: in memory here, in a folder in disk.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.errors import StoreError


@dataclass(frozen=True)
class StoreMetadata:
    """Which network, layer and data set the features of a store are of.

    `classifier` is the network's name, `weights` its fingerprint, `layer` the layer's name, `source` the fingerprint
    of the data set and `total` its number of pictures; `batch` pictures were run at a time. The fields are written
    to disk under these names: renaming one makes stores on disk unreadable.
    """

    classifier: str
    weights: str
    layer: str
    source: str
    total: int
    batch: int
    class_names: tuple[str, ...] | None

    @classmethod
    def of_mapping(cls, values: Mapping[str, Any]) -> StoreMetadata:
        """The metadata that was written as `values`, such as `asdict` makes them; other keys are ignored."""
        known = {field.name: values[field.name] for field in fields(cls)}
        names = known.pop("class_names")
        return cls(**known, class_names=None if names is None else tuple(names))

    def check_same(self, wanted: StoreMetadata) -> None:
        """Raise StoreError, which says what differs, unless features made as `wanted` can be added to these."""
        if self.weights != wanted.weights:
            raise StoreError(
                f"The folder has features of {self.classifier} with other weights or another preprocessing; "
                "choose another path."
            )
        if self.layer != wanted.layer:
            raise StoreError(
                f"The folder has features of the layer {self.layer!r}, not {wanted.layer!r}; choose another path."
            )
        if self.source != wanted.source:
            raise StoreError("The folder has features of another data set; choose another path.")


@dataclass(frozen=True, eq=False)
class RowBatch:
    """The rows of n pictures.

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


#: The names of the columns of a store.
COLUMNS = tuple(field.name for field in fields(RowBatch))


class FeatureStorage(Protocol):
    """Where rows are kept. Columns are the fields of `RowBatch`, in the order of `items`."""

    def __len__(self) -> int: ...

    def append(self, rows: RowBatch) -> None:
        """Add `rows` at the end: all of them or, where that fails, none."""

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows, (N, ...)."""
        ...

    def thumbnails(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The thumbnails of some rows, uint8 (n, h, w, 3)."""
        ...


class InMemoryStorage:
    """Rows in memory. One thread may append while others read: arrays that were handed out do not change."""

    def __init__(self) -> None:
        self._blocks: list[RowBatch] = []
        self._joined: dict[str, tuple[int, NDArray[Any]]] = {}

    def __len__(self) -> int:
        return sum(len(block) for block in list(self._blocks))

    def append(self, rows: RowBatch) -> None:
        """Add `rows` at the end."""
        self._blocks.append(rows)

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows, (N, ...); blocks are joined when the column is first asked for after an append."""
        count, joined = self._joined.get(name, (0, None))
        blocks = self._blocks[count:]
        if not blocks and joined is not None:
            return joined
        if not blocks:
            return empty_column(name)
        parts = [getattr(block, name) for block in blocks]
        joined = np.concatenate(parts if joined is None else [joined, *parts])
        self._joined[name] = (count + len(blocks), joined)
        return joined

    def thumbnails(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The thumbnails of some rows, uint8 (n, h, w, 3)."""
        column: NDArray[np.uint8] = self.column("thumbnails")
        return column[rows] if len(column) else no_thumbnails()


def empty_column(name: str) -> NDArray[Any]:
    """A column of a store without rows: (0, 0) for features and logits, (0,) for the others."""
    return np.zeros((0, 0), np.float32) if name in ("features", "logits") else np.zeros(0, np.int64)


def no_thumbnails() -> NDArray[np.uint8]:
    """The thumbnails of no rows, uint8 (0, 1, 1, 3)."""
    return np.zeros((0, 1, 1, 3), np.uint8)
