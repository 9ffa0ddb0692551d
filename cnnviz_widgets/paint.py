"""Colouring of arrays, by the colour tables that the browser uses too (static/colormaps.json)."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FILE = Path(__file__).parent / "static" / "colormaps.json"


@functools.cache
def _tables() -> dict[str, tuple[str, NDArray[np.uint8]]]:
    """Kind ("sequential" or "diverging") and colours, uint8 (256, 3), of each table by name."""
    tables = {}
    for name, entry in json.loads(_FILE.read_text(encoding="utf-8")).items():
        table = np.frombuffer(bytes.fromhex(entry["rgb"]), np.uint8).reshape(256, 3)
        tables[name] = (entry["kind"], table)
    return tables


def table_names(*, signed: bool = False) -> tuple[str, ...]:
    """The names of the sequential colour tables, or of the diverging ones if `signed`; the first is the default.

    Viridis, magma (Smith & van der Walt 2015) and cividis (Nuñez et al. 2018) are matplotlib's. The diverging tables
    go from white to two opposite hues, with the same OKLab lightness at the same distance on both sides.
    """
    kind = "diverging" if signed else "sequential"
    return tuple(name for name, (of, _) in _tables().items() if of == kind)


def color_table(name: str) -> NDArray[np.uint8]:
    """The colour table `name`, uint8 (256, 3), read-only. Raises ValueError for an unknown name."""
    if name not in _tables():
        raise ValueError(f"There is no colour table {name!r}; there are {', '.join(_tables())}.")
    return _tables()[name][1]


def colorize(
    values: ArrayLike,
    low: float,
    high: float,
    table: str | NDArray[np.uint8] = "viridis",
    missing: tuple[int, int, int] = (128, 128, 128),
) -> NDArray[np.uint8]:
    """The colours of values of any shape, uint8 (..., 3): from the table's first at `low` to its last at `high`.

    Values outside are clipped; NaN and infinite ones get the colour `missing`. If `high` is not above `low`, all
    finite values get the first colour.
    """
    numbers = np.asarray(values, np.float64)
    rows = color_table(table) if isinstance(table, str) else table
    finite = np.isfinite(numbers)
    if high > low:
        position = np.clip((np.where(finite, numbers, low) - low) / (high - low), 0.0, 1.0)
    else:
        position = np.zeros_like(numbers)
    result = rows[np.floor(position * 255 + 0.5).astype(np.intp)]
    result[~finite] = missing
    return result
