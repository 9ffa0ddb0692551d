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

    `labels` holds, by language, what stands on the tabs instead, `titles`, and their `groups`: pairs of a name and the
    number of its tabs. The page takes `language`, or its own where that is None.

    Stock tabs tell the kernel through a trait, whose sync freezes on ipykernel 7.4.0; this one sends an event.
    """

    _esm = STATIC / "tabs.js"
    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    labels = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> TabOpened:
        (index,) = integers([content["index"]], 1, 0, len(self.titles) - 1)
        self.index = index
        return TabOpened(index)
