"""A tree of widgets, and the state of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import ipywidgets

from cnnviz_widgets.widgets.base import BaseWidget

#: How a page draws a widget: one of ours by its own script, a box by its direction, and what ipywidgets has for text.
Kind = Literal["hosted", "column", "row", "grid", "html", "label", "button", "field", "absent"]

#: Which host and script a widget has, which the page settles itself, and what refers to widgets that are not drawn.
_NOT_DRAWN = frozenset({"_esm", "_css", "_host_id", "_anywidget_id", "layout", "tabbable", "tooltip"})
#: What is drawn of a widget of ipywidgets itself.
_PLAIN = ("description", "tooltip", "_dom_classes")


def kind_of(widget: Any) -> Kind:
    """How a page draws `widget`; "absent" is what only a kernel and its own front end can show."""
    if isinstance(widget, BaseWidget):
        return "hosted"
    if isinstance(widget, ipywidgets.GridBox):
        return "grid"
    if isinstance(widget, ipywidgets.VBox | ipywidgets.Tab | ipywidgets.Accordion | ipywidgets.Stack):
        return "column"
    if isinstance(widget, ipywidgets.Box):
        return "row"
    if isinstance(widget, ipywidgets.HTML | ipywidgets.HTMLMath):
        return "html"
    if isinstance(widget, ipywidgets.Label):
        return "label"
    if isinstance(widget, ipywidgets.Button):
        return "button"
    return "field" if isinstance(getattr(widget, "value", None), str | int | float) else "absent"


def children_of(widget: Any) -> tuple[Any, ...]:
    """What is drawn inside `widget`."""
    return tuple(widget.children) if isinstance(widget, ipywidgets.Box) else ()


def widgets_of(roots: Iterable[Any]) -> list[Any]:
    """`roots` and all that is drawn inside them, each once, the outermost first."""
    found: dict[Any, None] = {}
    waiting = list(roots)[::-1]
    while waiting:
        widget = waiting.pop()
        if widget not in found:
            found[widget] = None
            waiting += children_of(widget)[::-1]
    return list(found)


def state_of(widget: Any) -> dict[str, Any]:
    """The traits of `widget` that a page draws, its layout as CSS properties."""
    kind = kind_of(widget)
    if kind == "hosted":
        names = {name for name in widget.keys if not name.startswith(("_model_", "_view_"))} - _NOT_DRAWN
    else:
        names = {name for name in _PLAIN if name in widget.keys}
        names |= {"value"} if kind in ("html", "label", "field") else set()
    state = widget.get_state(names) if names else {}
    layout = _css_of(getattr(widget, "layout", None))
    if kind == "absent":  # a sentence needs no room for a chart
        layout = {name: value for name, value in layout.items() if not name.endswith("height")}
    return {**{name: state[name] for name in sorted(state)}, "layout": layout}


def _css_of(layout: Any) -> dict[str, str]:
    state = {} if layout is None else layout.get_state()
    return {
        name.replace("_", "-"): value
        for name, value in sorted(state.items())
        if not name.startswith("_") and value is not None
    }


def title_of(widget: Any) -> str:
    """What a reader knows `widget` by: its description, or what it is."""
    return getattr(widget, "description", "") or type(widget).__name__
