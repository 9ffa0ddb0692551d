"""What one hand does in one view happens in the other: links between two sessions, and between two panels."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
from collections.abc import Callable, Collection
from typing import Any

import ipywidgets
import numpy as np

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.comparison.matching import same_class, same_layer, same_layers, same_network
from cnnviz_widgets.views.panel import Panel

_NAMES = ("picture", "target", "against", "layer", "channel", "selection")
#: Where the one view has nothing that answers to what the other shows.
_NOTHING = object()
#: Controls that are linked with a trait of the sessions, or with the chosen technique (None), in their order.
_CONTROLS = (
    ("target", "class_picker"),
    ("against", "against_picker"),
    (None, "choice.picker"),
    ("layer", "layer_slider"),
    (None, "choice.controls"),
)


class SessionLinks:
    """Two sessions that look at the same, but for what is in `differs`, some of `KINDS`.

    Classes are matched by name and layers by depth, as `same_class` and `same_layer` say. Where networks differ and no
    class is chosen, both look at the one that the first predicts. A network that is exchanged takes over what the
    other is looking at. Sessions that were linked before, by another comparison, may be linked again.
    """

    def __init__(self, first: Session, second: Session, differs: Collection[str] = ()) -> None:
        self.first, self.second, self.differs = first, second, tuple(differs)
        self._apart = not same_network(first.classifier, second.classifier)
        unlinked = {"pictures": ("picture",), "classes": ("target", "against")}
        left_out = {name for kind in differs for name in unlinked.get(kind, ())}
        self.names = tuple(name for name in _NAMES if name not in left_out)
        self._known = (first.classifier, second.classifier)
        self._moving = False
        #: Whether no class is chosen, so that the second looks at the one that the first predicts.
        self._leads = first.target is None
        self._observed = first is not second
        if self._observed:
            self._push(0, self.names)
            first.link(self._first_moved, ["classifier", *self.names])
            second.link(self._second_moved, ["classifier", *self.names])

    def close(self) -> None:
        """Part the sessions."""
        if self._observed:
            self._observed = False
            self.first.unlink(self._first_moved, ["classifier", *self.names])
            self.second.unlink(self._second_moved, ["classifier", *self.names])

    def notes(self) -> list[str]:
        """What does not answer to each other, in sentences."""
        one, other = self.first, self.second
        notes = []
        if "target" in self.names:
            target = self.first.example.predicted if self._led() is _NOTHING else self.first.target
            notes += [_lacking(target, one, other, "B"), _lacking(self.second.target, other, one, "A")]
        names = [[layer.name for layer in session.classifier.layers] for session in (one, other)]
        if names[0] != names[1]:
            notes.append(
                f"The networks have other layers; they are matched by their share of the depth: {one.layer} in A, "
                f"{other.layer} in B."
            )
        return [note for note in notes if note]

    def _first_moved(self, change: Any) -> None:
        self._moved(0, change["name"])

    def _second_moved(self, change: Any) -> None:
        self._moved(1, change["name"])

    @in_turn
    def _moved(self, side: int, name: str) -> None:
        if self._moving or not self._observed:
            return
        now = (self.first.classifier, self.second.classifier)
        if now[side] is not self._known[side]:
            self._known = now
            self._exchange(side) if self._apart else self._adopt(side)
        elif name != "classifier":
            self._push(side, [name])
            # The first predicts something else of another picture, or is asked again what it predicts.
            if name in ("picture", "target") and self.first.target is None:
                self._push(0, ["target"])

    def _exchange(self, side: int) -> None:
        """One network was exchanged and looks at what it begins with: it is to look at what the other does."""
        led = side == 0 and self._leads  # whatever the new network predicts is looked at now
        self._push(1 - side, [name for name in self.names if not (led and name == "target")], anew=True)
        if led:
            self._push(0, ["target"])

    def _adopt(self, side: int) -> None:
        """One network was in both: give the other one the new one too."""
        source, destination = (self.first, self.second)[:: 1 - 2 * side]
        self._moving = True
        try:
            destination.classifier = source.classifier
        finally:
            self._moving = False
        self._known = (self.first.classifier, self.second.classifier)
        self._push(side, self.names)

    def _push(self, side: int, names: Collection[str], *, anew: bool = False) -> None:
        """Let the other session look at what that of `side` does; `anew`: whatever both looked at before."""
        source, destination = (self.first, self.second)[:: 1 - 2 * side]
        self._moving = True
        try:
            for name in names:
                if name not in self.names:
                    continue
                value = self._answer(name, source, destination)
                if value is _NOTHING or not (
                    _same(value, getattr(destination, name)) or self._answers(name, side, anew)
                ):
                    self._set(destination, name, value)
        finally:
            self._moving = False
        if not anew:
            self._leads = self.first.target is None

    def _answers(self, name: str, side: int, anew: bool) -> bool:
        """Whether what the other session has is answered by what that of `side` has.

        Several layers of a deep network answer to one of a flat network, which stays where it is.
        """
        source, destination = (self.first, self.second)[:: 1 - 2 * side]
        value = getattr(source, name)
        return not anew and value is not None and _same(self._answer(name, destination, source), value)

    def _set(self, session: Session, name: str, value: Any) -> None:
        # What a session refuses, its view says of the other's.
        with contextlib.suppress(ExplanationError):
            setattr(session, name, None if value is _NOTHING else value)

    def _answer(self, name: str, source: Session, destination: Session) -> Any:
        """What a session is to have where `source` is as it is; `_NOTHING` where it has no such thing."""
        value = getattr(source, name)
        if name == "target" and value is None:
            return self._led() if source is self.first else None
        if name in ("target", "against") and value is not None:
            index = same_class(value, source.classifier, destination.classifier)
            return _NOTHING if index is None else index
        if name == "layer":
            return same_layer(value, source.classifier, destination.classifier)
        if name == "channel" and not same_layers(source.classifier, destination.classifier):
            return None
        return value

    def _led(self) -> Any:
        """The class of the second network that has the name of what the first predicts; None for one network.

        Asks the first network at once: a map of another class would be made in vain.
        """
        first, second = self.first, self.second
        if not self._apart or first.picture is None or first.target is not None:
            return None
        try:
            index = same_class(first.example.predicted, first.classifier, second.classifier)
        except Exception:  # the view itself will say so
            return None
        return _NOTHING if index is None else index


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, int | str | tuple) and type(one) is type(other) and bool(one == other))


def _lacking(target: int | None, source: Session, destination: Session, who: str) -> str:
    """A sentence where the class that `source` looks at is unknown to the other network, `who`."""
    if target is None or same_class(target, source.classifier, destination.classifier) is not None:
        return ""
    name = source.classifier.class_names[target]
    return f"{who} knows no class {name} and shows the one that it predicts."


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

    @in_turn
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

    def _pair(self, one: Any, other: Any, name: str, answer: Callable[[Any, Any, Any], Any]) -> None:
        """Keep trait `name` of two in step: `answer(value, source, destination)` is what the destination is to have."""

        def move(source: Any, destination: Any) -> None:
            value = answer(getattr(source, name), source, destination)
            if self._moving or value is _NOTHING or _same(value, getattr(destination, name)):
                return
            self._moving = True
            try:
                setattr(destination, name, value)
            except (ExplanationError, ValueError):
                pass  # it has no such thing, and stays as it is
            finally:
                self._moving = False

        @in_turn
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
            return _NOTHING
        sizes = {panel.session.classifier.input_size for panel in self.panels}
        kept = [name for name in ("window", "stride") if len(sizes) > 1 and hasattr(own, name)]
        return dataclasses.replace(value, **{name: getattr(own, name) for name in kept})

    def _window_of(self, window: Any, source: Any, destination: Any) -> Any:
        """The patch at the same place of the other picture, which may be of another size."""
        sizes = [np.array(panel.canvas.picture_size) for panel in (source, destination)]
        if window is None or not all(size.all() for size in sizes):
            return _NOTHING
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
    return _NOTHING if value is not None and index is None else index
