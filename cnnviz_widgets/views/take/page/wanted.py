"""What of a panel is to be on a page, and the axes that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export import Axis, hand_on
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.take.page.network import Live, PageNetwork, Weights
from cnnviz_widgets.widgets.tiles import Tiles

#: So many classes of each picture are on a page where nobody says which.
CLASSES = 10


@dataclass(frozen=True)
class Wanted:
    """What is to be on a page: `classes`, the best so many of each picture or these; `layers` by name, or None for all.

    With `brief`, as in an app of many views, a view records less of what is large. `live` and `weights` are as
    `to_html` says.
    """

    classes: int | Sequence[int | str] = CLASSES
    layers: Sequence[str] | None = None
    brief: bool = False
    live: Live = "tables"
    weights: Weights = "float16"


@dataclass(frozen=True, eq=False)
class SharedAxes:
    """The axes that several views have in common, None where there is no such choice; and the network, if any."""

    picture: Axis | None = None
    target: Axis | None = None
    network: PageNetwork | None = None


def target_axis(session: Session, pickers: Sequence[Any], wanted: Wanted) -> Axis | None:
    """The axis of the explained class, the best first, by the pickers of classes; None where there is but one."""
    names = session.classifier.class_names
    if isinstance(wanted.classes, int):
        if wanted.classes < 1:
            raise ExportError(f"A page needs at least one class, not {wanted.classes}.")
        count = min(wanted.classes, len(names))
    else:
        count = len(wanted.classes)

    def on_page() -> list[int]:
        if not isinstance(wanted.classes, int):
            return [session.classifier.class_index(one) for one in wanted.classes]
        best = [int(at) for at in np.argsort(-session.example.logits, kind="stable")[:count]]
        return best

    def choose(option: int) -> None:
        session.target = on_page()[option]

    if session.picture is None or count < 2 or not pickers:
        return None
    return Axis(tuple(pickers), count, choose, lambda _: [index + 1 for index in on_page()], _start(session, on_page()))


def _start(session: Session, on_page: Sequence[int]) -> int:
    shown = session.example.predicted if session.target is None else session.target
    return on_page.index(shown) if shown in on_page else 0


def picture_axis(session: Session, pictures: Sequence[Picture], strip: Tiles, resets: Iterable[Axis | None]) -> Axis:
    """The axis of the picture, by the tiles of a strip; each picture begins with the class that is predicted."""

    def choose(option: int) -> None:
        session.target = session.channel = None
        session.picture = pictures[option]

    start = next((at for at, picture in enumerate(pictures) if picture is session.picture), 0)
    return Axis((strip,), len(pictures), choose, start=start, resets=tuple(filter(None, resets)), name="picture")


def some_options(control: Any, kept: Sequence[int], choose: Callable[[int], object] | None = None) -> Axis | None:
    """The axis of some options of a picker or slider; None where that leaves no choice."""
    kept = list(kept)
    if len(kept) < 2:
        return None
    hand = choose or hand_on(control)
    start = kept.index(control.index) if control.index in kept else 0
    return Axis((control,), len(kept), lambda option: hand(kept[option]), lambda _: kept, start)


def first_tiles(tiles: Tiles, most: int) -> Axis | None:
    """The axis of the first tiles, which are picked as by the hand; None where that leaves no choice."""
    count = min(most, tiles.count)

    def choose(option: int) -> None:
        index = min(option, tiles.count - 1)  # another layer may have fewer
        event = {"kind": "event", "seq": 0, "final": True, "name": "picked", "index": index, "modifiers": []}
        tiles._handle_custom_msg({**event, "revision": tiles.revision}, [])

    if count < 2:
        return None
    return Axis((tiles,), count, choose, lambda _: range(min(count, tiles.count)), name="channel")


def spread(count: int, most: int, also: int | None = None) -> list[int]:
    """At most `most` of `count` places, evenly spread; `also` is one of them."""
    places = sorted({round(at) for at in np.linspace(0, count - 1, min(count, most))})
    if also is not None and 0 <= also < count and also not in places:
        nearest = min(range(len(places)), key=lambda at: abs(places[at] - also))
        places[nearest] = also
    return sorted(places)


def layer_axes(slider: Any, wanted: Wanted, most: int | None = None, *, late: bool = False) -> list[Axis]:
    """The axis of a slider of layers: those that are wanted, or all, or `most` of them; nothing without a choice.

    Those that nobody named are of the `late` half of the network where its maps are small.
    """
    names = slider.names
    if wanted.layers is not None:
        unknown = [name for name in wanted.layers if name not in names]
        if unknown:
            raise ExportError(f"There is no layer {unknown[0]!r} on the slider; there are {', '.join(names[:6])}, ...")
        kept = sorted(names.index(name) for name in wanted.layers)
    else:
        first = len(names) // 2 if late else 0
        places = range(len(names)) if most is None else spread(len(names) - first, most, slider.index - first)
        kept = list(places) if most is None else [first + place for place in places]
    axis = some_options(slider, kept)
    return [axis] if axis else []


def layers_and_tiles(slider: Any, tiles: Tiles, wanted: Wanted, most: int) -> list[Axis]:
    """The axes of some layers, and of the tiles that are first for each, at most so many."""
    channels = first_tiles(tiles, most // 2 if wanted.brief else most)
    layers = layer_axes(slider, wanted, 2 if wanted.brief else 5, late=wanted.brief)
    if channels is None:
        return layers
    return [*(replace(axis, resets=(channels,)) for axis in layers), channels]
