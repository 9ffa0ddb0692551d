"""What one hand looks at in one session is looked at in the other."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Any

from cnnviz_widgets.errors import ExplanationError
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.comparison.matching import same_class, same_layer, same_layers, same_network

_NAMES = ("picture", "target", "against", "layer", "channel", "selection")
#: Where the one view has nothing that answers to what the other shows.
NOTHING = object()


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
            target = self.first.example.predicted if self._led() is NOTHING else self.first.target
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
                if value is NOTHING or not (
                    is_same(value, getattr(destination, name)) or self._answers(name, side, anew)
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
        return not anew and value is not None and is_same(self._answer(name, destination, source), value)

    def _set(self, session: Session, name: str, value: Any) -> None:
        # What a session refuses, its view says of the other's.
        with contextlib.suppress(ExplanationError):
            setattr(session, name, None if value is NOTHING else value)

    def _answer(self, name: str, source: Session, destination: Session) -> Any:
        """What a session is to have where `source` is as it is; `NOTHING` where it has no such thing."""
        value = getattr(source, name)
        if name == "target" and value is None:
            return self._led() if source is self.first else None
        if name in ("target", "against") and value is not None:
            index = same_class(value, source.classifier, destination.classifier)
            return NOTHING if index is None else index
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
        return NOTHING if index is None else index


def is_same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, int | str | tuple) and type(one) is type(other) and bool(one == other))


def _lacking(target: int | None, source: Session, destination: Session, who: str) -> str:
    """A sentence where the class that `source` looks at is unknown to the other network, `who`."""
    if target is None or same_class(target, source.classifier, destination.classifier) is not None:
        return ""
    name = source.classifier.class_names[target]
    return f"{who} knows no class {name} and shows the one that it predicts."
