"""What one hand does in one panel happens in the other."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Collection
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.views.comparison.matching import same_class, same_layers
from cnnviz_widgets.views.comparison.session_links import NOTHING, is_same
from cnnviz_widgets.views.panel import Panel

#: Controls that are linked with a trait of the sessions, or with the chosen technique (None), in their order.
_CONTROLS = (
    ("target", "class_picker"),
    ("against", "against_picker"),
    (None, "choice.picker"),
    ("layer", "layer_slider"),
    (None, "choice.controls"),
)


class PanelLinks:
    """Two panels of one kind: their patch, their parameters and their buttons are moved together.

    The controls of both that do the same are in `shared`, those of the first panel; the second's are hidden.
    """

    #: Traits that mean the same in both, whatever the network.
    plain = ("rank", "metric", "k")

    def __init__(self, first: Panel, second: Panel, differs: Collection[str], session_names: Collection[str]) -> None:
        self.panels = (first, second)
        #: The controls of the first panel that move both.
        self.shared: list[ipywidgets.Widget] = []
        self._undo: list[Callable[[], None]] = []
        self._moving = False
        methods = "methods" not in differs and all(hasattr(panel, "choice") for panel in self.panels)
        for name, path in _CONTROLS:
            moved = methods if name is None else name in session_names or first.session is second.session
            if moved:
                self._share(path)
        if type(first) is type(second):
            self._link_traits(differs)
        if methods:
            self._pair(first.choice, second.choice, "value", self._technique_of)
        self._pair_buttons()
        first.link(self._rest, ["active"])
        self._undo.append(lambda: first.unlink(self._rest, ["active"]))
        self._rest(None)

    def close(self) -> None:
        """Part the panels."""
        while self._undo:
            self._undo.pop()()

    def _rest(self, _: Any) -> None:
        self.panels[1].active = self.panels[0].active

    def _link_traits(self, differs: Collection[str]) -> None:
        first, second = self.panels
        alike = first.session.classifier, second.session.classifier
        for name in self.plain:
            if first.has_trait(name):
                self._pair(first, second, name, lambda value, source, destination: value)
        if first.has_trait("off") and same_layers(*alike):
            self._pair(first, second, "off", lambda value, source, destination: value)
        if first.has_trait("second") and "classes" not in differs:
            self._pair(first, second, "second", _class_of)
        if first.has_trait("window"):
            self._own_size = "methods" in differs
            self._pair(first, second, "window", self._window_of)
        if first.has_trait("mask"):
            self._pair(first, second, "mask", _mask_of)

    def _pair(self, one: Any, other: Any, name: str, answer: Callable[[Any, Any, Any], Any]) -> None:
        """Keep trait `name` of two in step: `answer(value, source, destination)` is what the destination is to have."""

        def move(source: Any, destination: Any) -> None:
            value = answer(getattr(source, name), source, destination)
            if self._moving or value is NOTHING or is_same(value, getattr(destination, name)):
                return
            self._moving = True
            try:
                setattr(destination, name, value)
            except (ExplanationError, ValueError):
                pass  # it has no such thing, and stays as it is
            finally:
                self._moving = False

        def moved(change: Any) -> None:
            # A value that the second begins with is no wish.
            wished = change["owner"] is one or (change["old"] is None and getattr(one, name) is not None)
            move(*((one, other) if wished else (other, one)))

        move(one, other)
        for side in (one, other):
            side.link(moved, [name])
            self._undo.append(functools.partial(side.unlink, moved, [name]))

    def _technique_of(self, value: Any, source: Any, destination: Any) -> Any:
        """The chosen technique, with the patch of the destination where its network's input is of another size."""
        own: Any = {option.label: option for option in destination.options}.get(value.label)
        if type(own) is not type(value):
            return NOTHING
        sizes = {panel.session.classifier.input_size for panel in self.panels}
        kept = [name for name in ("window", "stride") if len(sizes) > 1 and hasattr(own, name)]
        return dataclasses.replace(value, **{name: getattr(own, name) for name in kept})

    def _window_of(self, window: Any, source: Any, destination: Any) -> Any:
        """The patch at the same place of the other picture, which may be of another size."""
        sizes = [np.array(panel.canvas.picture_size) for panel in (source, destination)]
        if window is None or not all(size.all() for size in sizes):
            return NOTHING
        ratio = np.tile(sizes[1] / sizes[0], 2)
        found = [int(value) for value in np.rint(np.array(window) * ratio)]
        if self._own_size and destination.window is not None:
            size = destination.window[2:]
            found = [round(at + (side - own) / 2) for at, side, own in zip(found[:2], found[2:], size, strict=True)]
            found += size
        fitted: tuple[int, ...] = destination.canvas.fitted(found)
        return fitted

    def _pair_buttons(self) -> None:
        first, second = self.panels
        for name, button in vars(first).items():
            other = vars(second).get(name)
            if isinstance(button, ipywidgets.Button) and isinstance(other, ipywidgets.Button):
                self._pair_clicks(button, other)
                self._share(name)

    def _pair_clicks(self, button: ipywidgets.Button, other: ipywidgets.Button) -> None:
        def follow(_: object) -> None:
            # A button that is Stop in the one and Go on in the other is pressed in the one only.
            if not other.disabled and other.description == button.description:
                other.click()

        # Before the button's own: that may change what stands on it.
        button._click_handlers.callbacks.insert(0, follow)
        self._undo.append(lambda: button.on_click(follow, remove=True))

    def _share(self, path: str) -> None:
        find = operator.attrgetter(path)
        try:
            one, other = (find(panel) for panel in self.panels)
        except AttributeError:  # these views have no such control
            return
        if one is not other:
            self.shared.append(one)
            other.layout.display = "none"


def _class_of(value: Any, source: Panel, destination: Panel) -> Any:
    index = None if value is None else same_class(value, source.session.classifier, destination.session.classifier)
    return NOTHING if value is not None and index is None else index


def _mask_of(mask: Any, source: Panel, destination: Panel) -> Any:
    """The same part of the other picture, which may be of another size."""
    if mask is None:
        return None
    rows, columns = ((np.arange(new) * old) // new for old, new in zip(mask.shape, _input_of(destination), strict=True))
    return mask[np.ix_(rows, columns)]


def _input_of(panel: Panel) -> tuple[int, int]:
    size: tuple[int, int] = panel.session.classifier.input_size
    return size
