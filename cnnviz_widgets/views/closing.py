"""Closing widgets with all that hangs on them: ipywidgets keeps each, with a comm, until it is closed itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets


def discard(*widgets: Any) -> None:
    """Close widgets and their contents."""
    for root in widgets:
        discard_contents(root)
        root.close()


def discard_contents(root: Any, keep: Any = None) -> None:
    """Close what hangs on a widget: children, layouts, styles, marks, scales; `keep` and what hangs on it stays."""
    spared = {root} if keep is None else {root, *_hanging(keep)}
    for widget in _hanging(root):
        if widget not in spared and widget.comm is not None:
            # What observes it would otherwise live as long as the page does.
            widget.unobserve_all()
            widget.close()


def drawn_by(root: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """A widget and all that the page draws with it: children, layouts, styles, marks, scales."""
    found: dict[ipywidgets.Widget, None] = {}
    waiting = [root]
    while waiting:
        widget = waiting.pop()
        if widget not in found:
            found[widget] = None
            waiting += [held for value in widget._trait_values.values() for held in _widgets_in(value)]
    return [widget for widget in found if not _shared(widget)]


def _hanging(root: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """All widgets that `root` has as traits or attributes, and those in turn, the innermost first."""
    found: dict[ipywidgets.Widget, None] = {}
    waiting = [root]
    while waiting:
        widget = waiting.pop()
        if widget in found:
            continue
        found[widget] = None
        values = [*vars(widget).values(), *widget._trait_values.values()]
        waiting += [held for value in values for held in _widgets_in(value) if not _shared(held)]
    return list(found)[::-1]


def _widgets_in(value: Any) -> Iterator[ipywidgets.Widget]:
    if isinstance(value, ipywidgets.Widget):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _widgets_in(item)


def _shared(widget: ipywidgets.Widget) -> bool:
    """Whether a library has one such widget for all: ipycanvas, for all canvases."""
    return type(widget).__name__ == "_CanvasManager"
