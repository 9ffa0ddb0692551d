"""What pages say to a panel's widgets, stock ones included: in turn with its drawing, and refused if malformed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import ipywidgets
from ipywidgets.widgets import widget as _ipywidgets

from cnnviz_widgets.schedule import in_turn, is_between_callbacks
from cnnviz_widgets.widgets.base import BaseWidget

_log = logging.getLogger("cnnviz_widgets")
_Widget = ipywidgets.Widget
_LONGEST = 200

#: Widgets that were made by a panel. Those of the user's are left alone: a handler of theirs may run for long.
_OF_PANELS: WeakSet[Any] = WeakSet()


def install() -> None:
    """Let ipywidgets hand over messages to a panel's widgets as this module says; once for the process."""
    if _Widget._handle_msg is _handled:
        return
    _Widget._handle_msg = _handled
    _Widget._call_widget_constructed = staticmethod(_constructed)


_handle: Callable[[Any, Any], None] = _Widget._handle_msg
_call_constructed: Callable[[Any], None] = _Widget._call_widget_constructed


def _constructed(widget: Any) -> None:
    # Panels make widgets between callbacks only, and nobody else makes any there.
    if is_between_callbacks():
        _OF_PANELS.add(widget)
    _call_constructed(widget)


def is_of_panel(widget: Any) -> bool:
    """Whether a panel made the widget."""
    return widget in _OF_PANELS


def _handled(widget: Any, message: Any) -> None:
    """Handle a message to `widget`."""
    if widget not in _OF_PANELS and not isinstance(widget, BaseWidget):
        _handle(widget, message)
        return
    try:
        well_formed = _read(widget, message)
    except Exception as error:  # from whatever reads what a page has sent: ipywidgets, bqplot, traitlets, NumPy
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:_LONGEST]
        _log.warning("%s: refused a browser message: %s", type(widget).__name__, reason)
        return
    if widget in _OF_PANELS:
        _handle_in_turn(widget, well_formed)
    else:
        _handle(widget, well_formed)


@in_turn
def _handle_in_turn(widget: Any, message: Any) -> None:
    _handle(widget, message)


def _read(widget: Any, message: Any) -> Any:
    """A message of the form that ipywidgets expects. Raises whatever is wrong with it."""
    data, buffers = message["content"]["data"], message.get("buffers") or []
    method = data["method"]
    if method == "custom":
        content = data["content"]
        if not isinstance(content, dict):
            raise ValueError("expected named values")
    elif method == "update":
        data = {"method": method, "state": _state(widget, data, buffers)}
    elif method != "request_state":
        raise ValueError("expected one of ipywidgets' methods")
    return {**message, "content": {**message["content"], "data": data}, "buffers": buffers}


def _state(widget: Any, data: Any, buffers: list[Any]) -> dict[str, Any]:
    """What a page may set of the widget's state, checked before any observer is called."""
    state = data["state"]
    if not isinstance(state, dict):
        raise ValueError("expected the values of traits by name")
    if isinstance(widget, BaseWidget):
        return widget.writable(state)
    _ipywidgets._put_buffers(state, data.get("buffer_paths", []), buffers)
    state = {name: value for name, value in state.items() if name in widget.keys}
    for name, value in state.items():
        read = widget.trait_metadata(name, "from_json", widget._trait_from_json)
        widget.traits()[name]._validate(widget, read(value, widget))
    return state
