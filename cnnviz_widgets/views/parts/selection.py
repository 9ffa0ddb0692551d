"""What a selection of points is: its pictures, labels, channels and true neighbours, with a name and a CSV file."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.aside import Aside
from cnnviz_widgets.collection.cluster import (
    Distinction,
    common_neighbours,
    csv_of,
    distinctions,
    label_counts,
    table_of,
)
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.views.job import Job, Steps
from cnnviz_widgets.views.layout import row
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.answers import Answer, selection
from cnnviz_widgets.views.parts.data_set import captions
from cnnviz_widgets.views.parts.scales import short
from cnnviz_widgets.views.wording import title
from cnnviz_widgets.widgets.picker import Picked, Picker
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tiles import TilePicked, Tiles

#: Of a larger selection so many pictures are shown, evenly spaced.
SHOWN = 200
_LABELS = 8
_LONGEST_NAME = 100
EMPTY = (
    "Draw a lasso around some points: their pictures, labels, channels and true neighbours are listed here. "
    "A point is selected if its centre is inside; each lasso is a new selection."
)


@dataclass(frozen=True, eq=False)
class SelectionState:
    """A selection of rows, and what they have in common."""

    store: FeatureStore
    rows: NDArray[np.intp]
    shown: NDArray[np.intp]
    thumbnails: NDArray[np.uint8]
    distinctions: list[Distinction]
    common: list[tuple[int, int]]
    near_thumbnails: NDArray[np.uint8]


def describe_selection(store: FeatureStore, rows: NDArray[np.intp]) -> Steps:
    """The pictures of a selection at once, then what takes longer to find."""
    shown = rows[np.linspace(0, len(rows) - 1, min(len(rows), SHOWN)).astype(int)] if len(rows) else rows
    thumbnails = store.thumbnails(shown)
    yield SelectionState(store, rows, shown, thumbnails, [], [], thumbnails[:0])
    features = store.features
    found = Aside("selection", lambda: (distinctions(features, rows), common_neighbours(features, rows)))
    yield found
    different, common = found.result()
    near = store.thumbnails([row for row, _ in common])
    return SelectionState(store, rows, shown, thumbnails, different, common, near)


class SelectionDetails(ipywidgets.VBox):
    """The contact sheet of selected rows and what they have in common.

    `pick_picture(store, row)` is called when a tile is picked, `pick_channel(channel)` when a channel is; each returns
    the job that the browser's next event waits for, if any.
    """

    def __init__(
        self,
        panel: Panel,
        pick_picture: Callable[[FeatureStore, int], Job | None],
        pick_channel: Callable[[int], Job | None],
    ) -> None:
        self._pick_picture, self._pick_channel = pick_picture, pick_channel
        self._session = panel.session
        self._store: FeatureStore | None = None
        self.rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self.distinctions: list[Distinction] = []
        self._sheet_rows = self._near_rows = self.rows
        self.summary, self.near_line = Status(text=EMPTY), Status()
        self.channels = Picker(
            description="channels that tell it from the rest", placeholder="no selection", searchable=False
        )
        panel.on(self.channels, Picked, lambda event: self._pick_channel(self.distinctions[event.index].channel))
        self.sheet = Tiles(tile_width=48, height=230, captions=False, description="selected pictures")
        self.near = Tiles(tile_width=48, height=110, description="neighbours in the true space")
        panel.on(self.sheet, TilePicked, lambda event: self._pick(int(self._sheet_rows[event.index])))
        panel.on(self.near, TilePicked, lambda event: self._pick(int(self._near_rows[event.index])))
        self.name = ipywidgets.Text(
            placeholder=title("name this selection", panel.language),
            layout=ipywidgets.Layout(width="200px"),
            continuous_update=False,
        )
        self.name.observe(lambda _: self._draw_link(), names="value")
        self.link = ipywidgets.HTML()
        named = row(self.name, self.link, gap=12)
        super().__init__([self.summary, self.sheet, self.channels, self.near_line, self.near, named])

    def show(self, found: SelectionState) -> None:
        """Show what `describe_selection` found."""
        store, rows = found.store, found.rows
        self._store, self.rows, self.distinctions = store, rows, found.distinctions
        self._sheet_rows, self._near_rows = found.shown, np.array([row for row, _ in found.common], np.intp)
        self._draw_link()
        self.sheet.show(found.thumbnails if len(rows) else None, captions(store, self._sheet_rows))
        votes = [str(members) for _, members in found.common]
        self.near.show(found.near_thumbnails if votes else None, captions(store, self._near_rows), votes)
        with self.channels.hold_sync():
            self.channels.placeholder = "choose a channel" if self.distinctions else "no selection"
            self.channels.index = None
            self.channels.options = [
                f"{one.channel} of {store.layer}: {_ratio(one.difference)}" for one in self.distinctions
            ]
        if not len(rows):
            self.summary.say(EMPTY)
            self.near_line.say("")
            return
        self.summary.say(f"{self._answer(store, rows)} {_count_labels(store, rows, len(self._sheet_rows))}")
        self.near_line.say(
            "Not selected, yet among the ten nearest of members in the true space (of how many):"
            if votes
            else "The members' nearest in the true space are all selected too."
        )

    def _answer(self, store: FeatureStore, rows: NDArray[np.intp]) -> Answer:
        """The most frequent labels of rows, and the classes that the network takes most of them for."""
        classifier, logits = self._session.classifier, store.logits[rows]
        labels = [store.label_name(int(row)) for row in rows if store.labels[row] >= 0]
        named = classifier.scores == "softmax" and logits.shape[1] == len(classifier.class_names)
        classes = [classifier.class_names[index] for index in logits.argmax(axis=1)] if named else []
        return selection(len(rows), labels, classes)

    def clear(self) -> None:
        """Show that nothing is selected."""
        self._store, self.distinctions = None, []
        self.rows = self._sheet_rows = self._near_rows = np.zeros(0, np.intp)
        self._draw_link()
        for tiles in (self.sheet, self.near):
            tiles.show(None)
        with self.channels.hold_sync():
            self.channels.placeholder, self.channels.index, self.channels.options = "no selection", None, []
        self.summary.say(EMPTY)
        self.near_line.say("")

    @property
    def table(self) -> dict[str, list[object]]:
        """The selected pictures as columns."""
        if self._store is None:
            return {}
        return table_of(self._store, self.rows, self._name)

    @property
    def _name(self) -> str:
        # It stands in every row: a page may send one of megabytes.
        return str(self.name.value).strip()[:_LONGEST_NAME]

    def _draw_link(self) -> None:
        if not len(self.rows):
            self.link.value = ""
            return
        # Nothing of the user's stands in this HTML but in base64, and a file name of plain characters.
        data = base64.b64encode(csv_of(self.table).encode("utf-8-sig")).decode()
        file = re.sub(r"[^A-Za-z0-9_-]+", "_", self._name).strip("_")[:60] or "selection"
        href, style = f"data:text/csv;base64,{data}", "text-decoration: underline"
        text = f"CSV of {len(self.rows)} pictures"
        self.link.value = f'<a style="{style}" download="{file}.csv" href="{href}">{text}</a>'

    def _pick(self, row: int) -> Job | None:
        return None if self._store is None else self._pick_picture(self._store, row)


def _count_labels(store: FeatureStore, rows: NDArray[np.intp], shown: int) -> str:
    counts = label_counts(store, rows)
    listed = "; ".join(f"{count.name}: {count.inside} of {count.whole}" for count in counts[:_LABELS])
    more = f" and {len(counts) - _LABELS} more labels" if len(counts) > _LABELS else ""
    some = "" if shown == len(rows) else f" ({shown} shown)"
    known = f" ({listed}{more})" if any(count.label >= 0 for count in counts) else ""
    return f"{len(rows)} of {len(store)} pictures selected{some}{known}."


def _ratio(value: float) -> str:
    if not np.isfinite(value):
        return "never alike"
    return f"{'+' if value > 0 else ''}{short(value)} standard deviations"
