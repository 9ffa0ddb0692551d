"""What to do next in an occlusion view and with the channels of a layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnviz_widgets.views.next_step import NextStep
from cnnviz_widgets.views.parts.opening import spots_of

#: So many channels are switched off together.
_FIRST = 10


def next_spot(view: Any) -> NextStep:
    """Where the map says that covering matters most; from there the next such place; without a map, to make one."""
    found, window, index = view.heatmap, view.window, view.session.target
    if found is None or window is None:
        return NextStep("step.places", view.compute_map)
    first, second = spots_of(found, found.target.index if index is None else index, window[2:])
    key, spot = ("step.next_spot", second) if window == first else ("step.spot", first)
    return NextStep(key, lambda: setattr(view, "window", spot))


def next_switch(view: Any, order: Iterable[Any]) -> NextStep | None:
    """To switch the first channels of `order` off, or all on again where any is off."""
    if view.activations is None:
        return None
    off = [] if view.off else [int(channel) for channel in order][:_FIRST]
    key = "step.on" if view.off else "step.off"
    return NextStep(key, lambda: setattr(view, "off", frozenset(off)), {"n": len(off)})
