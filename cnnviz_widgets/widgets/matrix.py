"""A table of counts to click: true classes by predicted ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged, Outdated, integers


@dataclass(frozen=True)
class CellPicked:
    """A cell was clicked; `row` or `column` is None where a header was: all of that column or row."""

    row: int | None
    column: int | None


class Matrix(Acknowledged):
    """Counts of true classes (rows) by predicted ones (columns); its event is `CellPicked`. `show` sets them.

    `selected` is the (row, column) that is outlined, -1 for a header, or None.
    """

    _esm = STATIC / "matrix.js"

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    counts = traitlets.List(traitlets.Int()).tag(sync=True)
    selected = traitlets.Any(None).tag(sync=True)
    #: Grows with every `show`: a cell from the browser means one of that table only.
    revision = traitlets.Int(0).tag(sync=True)
    placeholder = traitlets.Unicode().tag(sync=True)

    def show(self, names: Sequence[str], counts: NDArray[np.int64]) -> None:
        """Show `counts` (n, n) of n named classes, in one message."""
        if counts.shape != (len(names), len(names)):
            raise ValueError(f"expected counts of {len(names)} classes, not {counts.shape}.")
        with self.hold_sync():
            self.selected = None
            self.names, self.counts = list(map(str, names)), counts.ravel().tolist()
            self.revision += 1

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> CellPicked:
        """The message as an event; ValueError or KeyError if it is none."""
        if buffers:
            raise ValueError("expected no binary data")
        if integers([content["revision"]], 1, 0, 2**31) != (self.revision,):
            raise Outdated("the cell belongs to a table that is no longer shown")
        row, column = integers([content["row"], content["column"]], 2, -1, len(self.names) - 1)
        if row < 0 and column < 0:
            raise ValueError("expected a cell, a row or a column")
        return CellPicked(None if row < 0 else row, None if column < 0 else column)
