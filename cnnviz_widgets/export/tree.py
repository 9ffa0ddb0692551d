"""A tree of widgets, and the state of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal

import ipywidgets
import numpy as np

from cnnviz_widgets.widgets.base import BaseWidget
from cnnviz_widgets.widgets.camera import Camera
from cnnviz_widgets.widgets.tabs import Tabs
from cnnviz_widgets.widgets.upload import Upload

#: How a page draws a widget: one of ours by its own script, a box by its direction, and what ipywidgets has for text.
Kind = Literal["hosted", "column", "row", "grid", "html", "label", "field", "chart", "absent"]

#: Which host and script a widget has, which the page settles itself, and what refers to widgets that are not drawn.
_NOT_DRAWN = frozenset({"_esm", "_css", "_host_id", "_anywidget_id", "layout", "tabbable", "tooltip"})
#: What is drawn of a widget of ipywidgets itself.
_PLAIN = ("description", "tooltip", "_dom_classes")


def kind_of(widget: Any) -> Kind:
    """How a page draws `widget`; "absent" is what only a kernel and its own front end can show."""
    if isinstance(widget, BaseWidget):
        return "hosted"
    if isinstance(widget, ipywidgets.Box) and hasattr(widget, "drawn") and _draws_nothing_else(widget):
        return "chart"
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
    return "field" if isinstance(getattr(widget, "value", None), str | int | float) else "absent"


def _draws_nothing_else(box: Any) -> bool:
    """Whether all that `box` shows is what its figures do."""
    return all(
        asks(child) or (_draws_nothing_else(child) if isinstance(child, ipywidgets.Box) else kind_of(child) == "absent")
        for child in box.children
    )


def children_of(widget: Any) -> tuple[Any, ...]:
    """What is drawn inside `widget`: a chart is drawn by itself."""
    return tuple(widget.children) if isinstance(widget, ipywidgets.Box) and kind_of(widget) != "chart" else ()


def asks(widget: Any) -> bool:
    """Whether `widget` is there for the hand alone, and would ask a kernel."""
    return hasattr(widget, "disabled") or isinstance(widget, Tabs | Upload | Camera)


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
    if kind == "chart":
        return {"_dom_classes": list(widget._dom_classes), "part": _part_of(widget), "layout": {}}
    if kind == "hosted":
        names = {name for name in widget.keys if not name.startswith(("_model_", "_view_"))} - _NOT_DRAWN
    else:
        names = {name for name in _PLAIN if name in widget.keys}
        names |= {"value"} if kind in ("html", "label", "field") else set()
    state: dict[str, Any] = widget.get_state(names) if names else {}
    if isinstance(widget, BaseWidget):
        state.update(widget.without_kernel)
    layout = _css_of(getattr(widget, "layout", None))
    if kind == "absent":  # a sentence needs no room for a chart
        layout = {name: value for name, value in layout.items() if not name.endswith("height")}
    return {**{name: state[name] for name in sorted(state)}, "layout": layout}


def _part_of(widget: Any) -> dict[str, Any] | None:
    """What a chart draws, of JSON types and bytes; None while there is nothing."""
    part = widget.drawn()
    if part is None:
        return None
    values = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    kind = type(part).__name__.removesuffix("Part").lower()
    return {"kind": kind, **{name: _plain(value) for name, value in values.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.astype("<f4").tobytes() if value.dtype.kind == "f" else value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


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
