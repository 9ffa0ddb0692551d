"""A few classes as bars: what the network says now, and what it said before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged
from cnnviz_widgets.widgets.choice import chosen


@dataclass(frozen=True)
class ClassPressed:
    """The class in this row was pressed."""

    row: int


class ClassBars(Acknowledged):
    """A row for each of `names`, with a bar for its value `now` and a pale one behind for `before`; one is `chosen`.

    `texts` are the values of `now` for a person. Bars begin at zero, on a scale with these `ends`. `words` holds, by
    language, the texts `title`, `tooltip` of a row, and `now` and `before`, which name the two bars where they stand.
    The page takes `language`, or its own where that is None. Its event is `ClassPressed`.
    """

    _esm = STATIC / "class_bars.js"

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    now = traitlets.List(traitlets.Float()).tag(sync=True)
    before = traitlets.List(traitlets.Float()).tag(sync=True)
    texts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    ends = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.0, 1.0)).tag(sync=True)
    chosen = traitlets.Int(None, allow_none=True).tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> ClassPressed:
        """The message as `ClassPressed`; ValueError or KeyError if it is not one."""
        if buffers:
            raise ValueError("expected no binary data")
        return ClassPressed(chosen(content, self.names))
