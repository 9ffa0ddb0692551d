"""Arrays to colours. The browser draws from the very same tables (static/colormaps.json)."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FILE = Path(__file__).parent / "static" / "colormaps.json"


@functools.cache
def _tables() -> dict[str, tuple[str, NDArray[np.uint8]]]:
    tables = {}
    for name, entry in json.loads(_FILE.read_text(encoding="utf-8")).items():
        table = np.frombuffer(bytes.fromhex(entry["rgb"]), np.uint8).reshape(256, 3)
        tables[name] = (entry["kind"], table)
    return tables


def table_names(*, signed: bool = False) -> tuple[str, ...]:
    """Names for `color_table`: sequential tables, or diverging ones if `signed`. The first is the default.

    Viridis, magma (Smith & van der Walt 2015) and cividis (Nuñez et al. 2018) are matplotlib's. The diverging
    tables fall equally in OKLab lightness from white to both sides, in opposite hues.
    """
    kind = "diverging" if signed else "sequential"
    return tuple(name for name, (of, _) in _tables().items() if of == kind)


def color_table(name: str) -> NDArray[np.uint8]:
    """The table `name`: uint8 (256, 3), read-only. ValueError if there is none of that name."""
    if name not in _tables():
        raise ValueError(f"There is no colour table {name!r}; there are {', '.join(_tables())}.")
    return _tables()[name][1]


def colored(
    values: ArrayLike,
    low: float,
    high: float,
    table: str | NDArray[np.uint8] = "viridis",
    missing: tuple[int, int, int] = (128, 128, 128),
) -> NDArray[np.uint8]:
    """Values of any shape as uint8 (..., 3): the table's first colour up to `low`, its last from `high` on.

    What is not finite gets the colour `missing`. Unless `high` is above `low`, all get the first colour.
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
