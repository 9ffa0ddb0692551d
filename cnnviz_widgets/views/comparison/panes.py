"""The panes of a comparison, and the faint picture under a difference of maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np

#: Pixels of a pane: three fit beside the explorer's margins on a screen of 1,280.
PANE = 280


def pane(*widgets: ipywidgets.Widget, narrow: bool) -> ipywidgets.VBox:
    """One of the panes that stand beside each other."""
    if narrow:
        narrow_layout = ipywidgets.Layout(flex=f"0 0 {PANE}px", width=f"{PANE}px")
        return ipywidgets.VBox(widgets, layout=narrow_layout).add_class("cnnviz-pane")
    return ipywidgets.VBox(widgets, layout=ipywidgets.Layout(flex="1 1 420px", min_width="0"))


def take_out(box: ipywidgets.Box, widgets: Sequence[ipywidgets.Widget]) -> None:
    """Take widgets out of a box and the boxes in it."""
    for child in box.children:
        if isinstance(child, ipywidgets.Box) and child not in widgets:
            take_out(child, widgets)
    kept = tuple(child for child in box.children if child not in widgets)
    if len(kept) < len(box.children):
        box.children = kept


def faint(appearance: Any, *, blank: bool) -> Any:
    """A picture in light grey, as it lies under a map of a difference; none where that is of two pictures."""
    if blank:
        return np.full_like(appearance, 232)
    grey = 255 - (255 - appearance.astype(np.float32).mean(axis=2, keepdims=True)) / 2
    return np.repeat(grey.astype(np.uint8), 3, axis=2)
