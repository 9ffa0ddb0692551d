"""Widgets and recordings as JSON and one block of bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export.axis import Axis, chosen_trait
from cnnviz_widgets.export.recording import Recording
from cnnviz_widgets.export.tree import asks, children_of, kind_of, state_of, title_of, widgets_of
from cnnviz_widgets.export.values import Values
from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.head import Head
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.tiles import Tiles

#: Smaller tiles, in pixels a side, are no photographs.
SMALLEST_TILE = 32


@dataclass(frozen=True, eq=False)
class Player:
    """What answers the hand in the page beside what was recorded, of a `kind` that js/src/host knows.

    `widgets` are those that it moves, by the names that it knows them by, and `axes` those that it follows. `data` are
    plain values; each of `tables` is one that is read when it is needed. `moves` is the widget that the hand is on, and
    `note` a sentence for the foot of the page.
    """

    kind: str
    widgets: Mapping[str, Any]
    axes: Mapping[str, Sequence[Axis]]
    data: Mapping[str, Any]
    tables: Mapping[str, Any]
    moves: Any = None
    note: str = ""


class Packing:
    """A tree of widgets for a page: `content` as JSON, `block` with the binary values that it refers to.

    `content` has the widgets by number, the roots first, what is recorded, and where each value in `block` begins and
    how long it is. What would ask a kernel is left out, and listed in `left_out`. With `finest`, maps are rounded as
    `Values` says. What was recorded looks as it did at the end of its recording; unless it is `checked`, it may look
    otherwise by now.
    """

    def __init__(
        self,
        roots: Sequence[Any],
        recorded: Sequence[Recording],
        players: Sequence[Player] = (),
        *,
        finest: int | None = None,
        checked: bool = True,
    ) -> None:
        self.recorded = recorded
        self._final = {widget: traits for recording in recorded for widget, traits in recording.final.items()}
        self.axes = list(dict.fromkeys(axis for recording in recorded for axis in recording.axes))
        self._axis_of = {control: axis for axis in self.axes for control in axis.controls}
        found = widgets_of(roots)
        #: The widgets that would ask a kernel.
        self.left_out = [widget for widget in found if self._asks(widget)]
        self.widgets = [*roots, *(widget for widget in found if widget not in roots and not self._asks(widget))]
        self.players = players
        self.values = Values(finest)
        self._moved = {player.moves for player in players}
        self._numbers = {widget: number for number, widget in enumerate(self.widgets)}
        self._scripts: dict[str, int] = {}
        self._check_recordings(checked)
        content = {
            "widgets": [self._widget(widget) for widget in self.widgets],
            "axes": [self._axis(axis) for axis in self.axes],
            "recorded": [trait for recording in recorded for trait in self._recording(recording)],
            "players": [self._player(player) for player in players],
        }
        self.content = {
            **content,
            "values": self.values.table,
            "scripts": list(self._scripts),
            "buffers": self.values.extents,
            "images": self.values.images,
        }

    @property
    def block(self) -> bytes:
        """Four bytes with the length of the content, the content, and from a multiple of 8 on the binary values."""
        text = json.dumps(self.content, allow_nan=False, separators=(",", ":")).encode()
        head = len(text).to_bytes(4, "little") + text
        return head + bytes(-len(head) % 8) + self.values.block

    @property
    def absent(self) -> list[Any]:
        """The widgets of which the page only says that they need a kernel."""
        return [widget for widget in self.widgets if kind_of(widget) == "absent"]

    def _asks(self, widget: Any) -> bool:
        return widget not in self._axis_of and asks(widget)

    def _check_recordings(self, checked: bool) -> None:
        recorded_by: dict[tuple[Any, str], Recording] = {}
        for recording in self.recorded:
            if checked:
                recording.check()
            for axis in recording.axes:
                for control in axis.controls:
                    if control not in self._numbers:
                        raise ExportError(f"{title_of(control)} was recorded but is not among the widgets of the page.")
            for trait in recording.changing:
                other = recorded_by.setdefault(trait, recording)
                if other is not recording:
                    raise ExportError(
                        f"{other.title} and {recording.title} change the same "
                        f"{trait[1]!r} of {title_of(trait[0])}: record one of the two."
                    )

    def _widget(self, widget: Any) -> dict[str, Any]:
        packed: dict[str, Any] = {"kind": kind_of(widget), "name": title_of(widget)}
        if packed["kind"] == "hosted":
            script = str(widget._esm)
            packed["script"] = _bundles().get(script)
            if packed["script"] is None:
                packed["script"] = self._scripts.setdefault(script, len(self._scripts))
        if children := [self._numbers[child] for child in children_of(widget) if child in self._numbers]:
            packed["children"] = children
        traits = {**state_of(widget), **self._final.get(widget, {})}
        if axis := self._axis_of.get(widget):
            own = traits if widget in self._final else axis.traits_on_page(widget, traits)
            traits = {**own, chosen_trait(widget): axis.start}
        return {**packed, "state": self._state(widget, traits)}

    def _axis(self, axis: Axis) -> dict[str, Any]:
        return {
            "name": axis.title,
            "count": axis.count,
            "start": axis.start,
            "controls": [
                {"widget": self._numbers[control], "trait": chosen_trait(control)} for control in axis.controls
            ],
            "resets": [self.axes.index(other) for other in axis.resets if other in self.axes],
        }

    def _recording(self, recording: Recording) -> list[dict[str, Any]]:
        """Each trait with its values, of the axes on which it depends."""
        counts = [axis.count for axis in recording.axes]
        packed = []
        for widget, names in _by_widget(recording).items():
            if widget not in self._numbers:
                continue
            states = [self._state(widget, state[widget], self.values.place) for state in recording.states]
            for name in names:
                places = np.array([state[name] for state in states]).reshape(counts)
                axes, places = _only_needed(recording.axes, places)
                packed.append(
                    {
                        "widget": self._numbers[widget],
                        "trait": name,
                        "axes": [self.axes.index(axis) for axis in axes],
                        "values": places.ravel().tolist(),
                    }
                )
        return packed

    def _player(self, player: Player) -> dict[str, Any]:
        def places(value: Any) -> Any:
            return [places(item) for item in value] if isinstance(value, list) else self._placed(value)

        return {
            "kind": player.kind,
            **{name: self._numbers[widget] for name, widget in player.widgets.items()},
            **{name: [self.axes.index(axis) for axis in axes] for name, axes in player.axes.items()},
            **{name: self.values.packed(value) for name, value in player.data.items()},
            **{name: places(value) for name, value in player.tables.items()},
        }

    def _placed(self, value: Any) -> int:
        return self.values.place(self.values.packed(value))

    def _state(
        self, widget: Any, traits: Mapping[str, Any], place: Callable[[Any], int] | None = None
    ) -> dict[str, Any]:
        """`traits` for the page, where the hand finds nothing that would have to ask a kernel; or their places."""
        still: dict[str, Any] = {}
        if isinstance(widget, PictureCanvas):
            still = {"brush": {}} if widget in self._moved else {"mode": "view", "brush": {}, **_outlined(widget)}
        if isinstance(widget, Head):
            still = {"actions": []}
        state = {name: still.get(name, value) for name, value in traits.items()}
        try:
            plain = {name: self._packed_trait(widget, name, value, state) for name, value in state.items()}
        except TypeError as error:
            raise ExportError(f"A page cannot hold the state of {title_of(widget)}: {error}.") from error
        return plain if place is None else {name: place(value) for name, value in plain.items()}

    def _packed_trait(self, widget: Any, name: str, value: Any, state: Mapping[str, Any]) -> Any:
        if isinstance(widget, Tiles) and name == "sheet" and widget.channels == 3:
            height, width = state.get("tile_size", widget.tile_size)
            count = len(value) // max(1, 3 * height * width)
            if count and height >= SMALLEST_TILE:
                return self.values.image(bytes(value), (count * height, width))
        return self.values.packed(value)


@cache
def _bundles() -> dict[str, str]:
    """The names of the widgets' scripts that the host has itself."""
    return {path.read_text(encoding="utf-8"): path.stem for path in Path(STATIC).glob("*.js") if path.stem != "host"}


def _by_widget(recording: Recording) -> dict[Any, list[str]]:
    return {widget: list(traits) for widget, traits in recording.states[0].items()} if recording.states else {}


def _only_needed(axes: Sequence[Axis], places: Any) -> tuple[list[Axis], Any]:
    """The axes along which `places` are not all the same, and the places of these alone."""
    needed: list[Axis] = []
    for axis in axes:
        at = len(needed)
        if (places == places.take([0], axis=at)).all():
            places = places.take(0, axis=at)
        else:
            needed.append(axis)
    return needed, places


def _outlined(canvas: PictureCanvas) -> dict[str, Any]:
    """The trait that shows where the occlusion window is, which is not drawn where it cannot be moved."""
    if canvas.mode != "window" or canvas.window is None or canvas.box is not None:
        return {}
    top, left, height, width = canvas.window
    return {"box": [top, left, top + height, left + width]}
