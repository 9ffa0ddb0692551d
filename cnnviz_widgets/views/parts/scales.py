"""Named scales for a map: each picture says which one it is drawn on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: A name and the values at the two ends of the colour table.
Scale = tuple[str, float, float]
#: What is drawn as zeros is less than a step of a colour table of 256.
_BLANK = 1000.0


def scales_of(
    values: NDArray[np.float32],
    *,
    signed: bool,
    others: Sequence[NDArray[np.float32]] = (),
    tailed: bool = False,
    blank: bool = False,
) -> list[Scale]:
    """Scales for `values`, the best default first: zero stays in place, and signed ones are symmetrical around it.

    `others` are maps to be compared with this one ("all layers"). `tailed` maps have few very high values, so the
    99th percentile comes first. A `blank` map is drawn as zeros on all of them.
    """
    ends = {"this map": _end(values)}
    if tailed:
        ends = {"99 % of this map": float(np.nanpercentile(np.abs(values), 99)) or _end(values), **ends}
    if others:
        ends["all layers"] = max(_end(other) for other in others)
    if blank:
        ends = {name: max(1.0, end, _BLANK * _end(values)) for name, end in ends.items()}
    # A map of zeros is drawn as zeros, not stretched.
    return [(name, -end if signed else 0.0, end) for name, end in ((n, e if e > 0 else 1.0) for n, e in ends.items())]


def _end(values: NDArray[np.float32]) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def short(value: float) -> str:
    """A number for a person: three significant digits, a real minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
