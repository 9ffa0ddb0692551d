"""What a reader of a page can choose without a kernel: an axis of what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export.tree import title_of
from cnnviz_widgets.widgets.tabs import Tabs
from cnnviz_widgets.widgets.tiles import Tiles

#: Lists with one entry for each option of a control.
_BY_OPTION = ("options", "details", "hints")


@dataclass(frozen=True, eq=False)
class Axis:
    """Something that is chosen by `controls`: pickers, sliders or tiles. It has `count` options on the page.

    `choose(option)` makes the panels show one of them. `kept(control)` says which of a control's options they are, as
    things stand; None: all, in their order. `start` is the option that the page begins with; the axes in `resets`
    begin anew when this one changes.
    """

    controls: tuple[Any, ...]
    count: int
    choose: Callable[[int], object]
    kept: Callable[[Any], Sequence[int]] | None = None
    start: int = 0
    resets: tuple[Axis, ...] = ()
    name: str = ""

    @property
    def title(self) -> str:
        """What a reader knows the axis by."""
        return self.name or title_of(self.controls[0])

    def traits_on_page(self, control: Any, traits: Mapping[str, Any]) -> dict[str, Any]:
        """The `traits` of a control with the options that are on the page; which is chosen the page says itself."""
        own = {name: value for name, value in traits.items() if name != chosen_trait(control)}
        if self.kept is None:
            return own
        kept = list(self.kept(control))
        if isinstance(control, Tiles):
            return {**own, **_some_tiles(control, kept)}
        if isinstance(control, Tabs):
            return {**own, **_some_tabs(control, kept)}
        listed = {name: [own[name][at] for at in kept] for name in _BY_OPTION if own.get(name)}
        return {**own, **listed, **({"order": []} if "order" in own else {})}


def axis_of(control: Any, choose: Callable[[int], object] | None = None) -> Axis:
    """The axis of all options of one control, which are chosen as the hand does. Raises ExportError without any."""
    if not (getattr(control, "options", None) and hasattr(control, "index")):
        raise ExportError(f"{title_of(control)} has no options to choose from: record a slider or a picker.")
    if control.index is None:
        raise ExportError(
            f"Nothing is chosen in {title_of(control)}: choose the option that the page should begin with."
        )
    return Axis((control,), len(control.options), choose or hand_on(control), start=control.index)


def hand_on(control: Any) -> Callable[[int], None]:
    """A function that chooses an option of `control` as the browser does: by its message."""

    def choose(index: int) -> None:
        event = {"kind": "event", "seq": 0, "final": True, "index": index, "option": control.options[index]}
        control._handle_custom_msg(event, [])

    return choose


def chosen_trait(control: Any) -> str:
    """The trait of a control that says which option is chosen."""
    return "selected" if isinstance(control, Tiles) else "index"


def _some_tiles(tiles: Tiles, kept: Sequence[int]) -> dict[str, Any]:
    height, width = tiles.tile_size
    size = height * width * tiles.channels
    sheet = bytes(tiles.sheet)
    return {
        "sheet": b"".join(sheet[at * size : (at + 1) * size] for at in kept),
        "count": len(kept),
        **{name: [texts[at] for at in kept] for name in ("labels", "badges") if (texts := getattr(tiles, name))},
    }


def _some_tabs(tabs: Tabs, kept: Sequence[int]) -> dict[str, Any]:
    some = {"titles": [tabs.titles[at] for at in kept]}
    if len(kept) == len(tabs.titles):
        return some
    labels = {
        language: {"titles": [texts["titles"][at] for at in kept], "groups": []}
        for language, texts in tabs.labels.items()
    }
    return {**some, "labels": labels}
