"""Widgets and recordings as JSON and one block of bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export.recording import Recording
from cnnviz_widgets.export.tree import children_of, kind_of, state_of, title_of, widgets_of
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.tabs import Tabs


class Packing:
    """A tree of widgets for a page: `content` as JSON, `block` with the binary values that it refers to.

    `content` has the widgets by number, the root first, the scripts of ours, each once, the recordings, and where each
    value in `block` begins and how long it is. What would ask a kernel is disabled, and listed in `disabled`.
    """

    def __init__(self, root: Any, recorded: Sequence[Recording]) -> None:
        self.widgets = widgets_of([root])
        self.recorded = recorded
        self._numbers = {widget: number for number, widget in enumerate(self.widgets)}
        self._controls = {recording.control for recording in recorded}
        self._scripts: dict[str, int] = {}
        self._values: dict[bytes, int] = {}
        self._check_recordings()
        content = {
            "widgets": [self._widget(widget) for widget in self.widgets],
            "recordings": [self._recording(recording) for recording in recorded],
        }
        self.content = {**content, "scripts": list(self._scripts), "buffers": _extents(self._values)}

    @property
    def block(self) -> bytes:
        return b"".join(self._values)

    @property
    def disabled(self) -> list[Any]:
        """The widgets that would ask a kernel."""
        return [widget for widget in self.widgets if self._asks(widget)]

    @property
    def absent(self) -> list[Any]:
        """The widgets of which the page only says that they need a kernel."""
        return [widget for widget in self.widgets if kind_of(widget) == "absent"]

    def _asks(self, widget: Any) -> bool:
        return widget not in self._controls and (hasattr(widget, "disabled") or isinstance(widget, Tabs))

    def _check_recordings(self) -> None:
        recorded_by: dict[tuple[Any, str], Recording] = {}
        for recording in self.recorded:
            recording.check()
            if recording.control not in self._numbers:
                raise ExportError(
                    f"{title_of(recording.control)} was recorded but is not among the widgets of the page."
                )
            for trait in {*recording.changing, (recording.control, "index")}:
                other = recorded_by.setdefault(trait, recording)
                if other is not recording:
                    raise ExportError(
                        f"{title_of(other.control)} and {title_of(recording.control)} change the same "
                        f"{trait[1]!r} of {title_of(trait[0])}: record one of the two."
                    )

    def _widget(self, widget: Any) -> dict[str, Any]:
        packed: dict[str, Any] = {"kind": kind_of(widget), "name": title_of(widget)}
        if packed["kind"] == "hosted":
            packed["script"] = self._scripts.setdefault(str(widget._esm), len(self._scripts))
        if children := children_of(widget):
            packed["children"] = [self._numbers[child] for child in children]
        if isinstance(widget, Tabs) and self._asks(widget):
            packed["inert"] = True
        return {**packed, "state": self._state(widget, state_of(widget))}

    def _recording(self, recording: Recording) -> dict[str, Any]:
        states = [
            {
                str(self._numbers[widget]): self._state(widget, traits)
                for widget, traits in state.items()
                if widget in self._numbers
            }
            for state in recording.states
        ]
        return {"control": self._numbers[recording.control], "states": states}

    def _state(self, widget: Any, traits: Mapping[str, Any]) -> dict[str, Any]:
        """`traits` for the page, where the hand finds nothing that would have to ask a kernel."""
        still: dict[str, Any] = {}
        if self._asks(widget) and not isinstance(widget, Tabs):
            still["disabled"] = True
        if isinstance(widget, PictureCanvas):
            still = {"mode": "view", **_outlined(widget)}
        state = {name: still.get(name, value) for name, value in traits.items()}
        try:
            return {name: self._value(value) for name, value in state.items()}
        except TypeError as error:
            raise ExportError(f"A page cannot hold the state of {title_of(widget)}: {error}.") from error

    def _value(self, value: Any) -> Any:
        """`value` as JSON; {"$bytes": number} for a binary one, null for a number that is none or infinite."""
        if isinstance(value, bytes | bytearray | memoryview):
            return {"$bytes": self._values.setdefault(bytes(value), len(self._values))}
        if isinstance(value, Mapping):
            return {str(name): self._value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if value is None or isinstance(value, str | int):
            return value
        raise TypeError(f"there is a {type(value).__name__} in it")


def _outlined(canvas: PictureCanvas) -> dict[str, Any]:
    """The trait that shows where the occlusion window is, which is not drawn where it cannot be moved."""
    if canvas.mode != "window" or canvas.window is None or canvas.box is not None:
        return {}
    top, left, height, width = canvas.window
    return {"box": [top, left, top + height, left + width]}


def _extents(values: Iterable[bytes]) -> list[tuple[int, int]]:
    """(where it begins, length) of each value when they stand one after the other."""
    extents, begin = [], 0
    for value in values:
        extents.append((begin, len(value)))
        begin += len(value)
    return extents
