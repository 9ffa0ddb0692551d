"""A panel as a page: recorded for each of the pictures, classes and layers that are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnviz_widgets.export import Axis, Player, Recording, record_all
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.views.take.page.wanted import SharedAxes
from cnnviz_widgets.widgets.tiles import Tiles

#: Side of a picture in the strip above a panel, in pixels; it is shown at half of that.
STRIP_SIDE = 112


@dataclass(frozen=True, eq=False)
class PanelRecord:
    """What a page needs of a panel beside its widgets."""

    recordings: Sequence[Recording]
    players: Sequence[Player]


def record_panel(view: Any, shared: SharedAxes, own: Sequence[Axis]) -> PanelRecord:
    """What `view` shows for each combination of the shared axes that it follows and its `own`. Raises ExportError."""
    axes = [axis for axis in (shared.picture if view.page_of_picture else None, _target_of(view, shared)) if axis]
    with view.being_recorded():
        recordings = [record_all([*axes, *own], [view], view.settle_on_page)] if axes or own else []
        return PanelRecord(recordings, [*view.page_players(shared), *_rows_of(view, shared)])


def _rows_of(view: Any, shared: SharedAxes) -> list[Player]:
    """What answers a press on the bar of a class."""
    target, listed = _target_of(view, shared), getattr(view, "class_list", None)
    if target is None or listed is None:
        return []
    widgets = {"bars": listed.bars, "picker": listed.picker}
    return [Player("rows", widgets, {"axes": [target]}, {}, {})]


def _target_of(view: Any, shared: SharedAxes) -> Axis | None:
    picker = page_class_picker(view)
    return None if shared.target is None or picker not in shared.target.controls else shared.target


def page_class_picker(view: Any) -> Any:
    """The picker by which a reader of the page chooses the class; None where there is none."""
    return getattr(view, "class_picker", None) if view.page_of_picture else None


def strip_of(pictures: Sequence[Picture], thumbnail: Callable[[Picture], Any]) -> Tiles:
    """Tiles to choose one of some pictures by."""
    strip = Tiles(tile_width=STRIP_SIDE // 2, columns=len(pictures), captions=False, height=STRIP_SIDE)
    names = [picture.name or f"picture {number}" for number, picture in enumerate(pictures, 1)]
    strip.show(np.stack([thumbnail(picture) for picture in pictures]), names)
    return strip


@contextmanager
def kept_as_it_is(panel: Any) -> Iterator[None]:
    """Inside, `panel` is moved through what is recorded; afterwards it looks as before."""
    before = panel.state
    picture, target = panel.session.picture, panel.session.target
    try:
        yield
    finally:
        panel.session.picture, panel.session.target = picture, target
        panel.state = before
