"""A small data set of six pictures in three classes, as several kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
from torch.utils.data import (
    Dataset,
    IterableDataset,
)

ARRAY = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


LABELS = np.array([0, 1, 2, 0, 1, 2])


class Pairs(Dataset[tuple[np.ndarray, int]]):
    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(ARRAY)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        self.read.append(index)
        return ARRAY[index], int(LABELS[index])


class Endless(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        yield 0


def folder(path: Path) -> Path:
    for index, array in enumerate(ARRAY):
        inner = path / f"class{LABELS[index]}"
        inner.mkdir(exist_ok=True)
        PIL.Image.fromarray(array).save(inner / f"{index}.png")
    (path / "class0" / "notes.txt").write_text("no picture")
    return path
