"""A row of tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged, integers


@dataclass(frozen=True)
class TabOpened:
    """The user opened the tab `index`."""

    index: int


class Tabs(Acknowledged):
    """A row of tabs, `titles`, of which `index` is open. What a tab shows is not its concern.

    Stock tabs tell the kernel through a trait, whose sync freezes on ipykernel 7.4.0; this one sends an event.
    """

    _esm = STATIC / "tabs.js"
    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> TabOpened:
        (index,) = integers([content["index"]], 1, 0, len(self.titles) - 1)
        self.index = index
        return TabOpened(index)
