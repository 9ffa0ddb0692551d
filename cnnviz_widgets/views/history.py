"""Back and Reset: what was looked at before, of a session and of one panel or app."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import ipywidgets

from cnnviz_widgets.schedule import at_end_of_turn, between_callbacks, in_turn
from cnnviz_widgets.session import Session

#: In the order in which they are set: each resets those behind it, or decides what they may be.
_SESSION = ("classifier", "picture", "layer", "channel", "target", "against", "selection")
#: Traits of a panel that are no choice of what is looked at, or mirror the session.
_NO_CHOICE = {"active", "source", "selection"}
#: Traits that say how the work stands.
_STANDING = {"busy", "progress", "error"}
#: So many steps are kept: each may hold a picture.
MOST = 30

#: Values by where they belong: "session", "panel" or "choice", and the trait's name.
Snapshot = dict[tuple[str, str], Any]


class _Owner(Protocol):
    session: Session


class History:
    """Snapshots of the session's traits and of a panel's own that can be set; the newest MOST are kept.

    A snapshot is of references, not of results: going back computes what any other change computes. What follows one
    change in the same turn, such as a channel that a new layer does not have, belongs to its step.
    """

    def __init__(self, panel: _Owner) -> None:
        self._panel = panel
        self._past: list[Snapshot] = []
        self._first: Snapshot = {}
        self._now: Snapshot = {}
        self._watched: list[tuple[Any, list[str]]] = []
        self._noticing = False
        #: Called when there is another step to go back, or another way to the beginning.
        self.shown: Callable[[], object] = lambda: None

    @property
    def depth(self) -> int:
        """How many steps there are to go back."""
        return len(self._past)

    @property
    def changed(self) -> bool:
        """Whether anything else is looked at than at the beginning."""
        return bool(_different(self._first, self._now))

    def follow_on(self, other: History) -> None:
        """Begin with the past of another history of the same session."""
        self._past = list(other._past)
        self.shown()

    def begin(self) -> None:
        """Take what is looked at now as the beginning, and follow it from here."""
        self._first = self._now = self._snapshot()
        for place, owner in self._owners().items():
            if names := [name for kind, name in self._now if kind == place]:
                self._watched.append((owner, names))
        # A gesture ends with a result, where it has moved nothing more.
        if results := results_of(self._panel):
            self._watched.append((self._panel, results))
        for owner, names in self._watched:
            owner.link(self._noticed, names)

    def close(self) -> None:
        """Let go of the session and the panel, and of what was looked at."""
        for owner, names in self._watched:
            owner.unlink(self._noticed, names)
        self._watched.clear()
        self._past.clear()
        self._first = self._now = {}

    @in_turn
    def back(self) -> None:
        """Go one step back; nothing happens where there is none."""
        if self._past:
            self._restore(self._past.pop())

    @in_turn
    def reset(self) -> None:
        """Go to the beginning; Back goes from there to what was looked at before."""
        self._push(self._now)
        self._restore(self._first)

    # -- snapshots -----------------------------------------------------------------------------------------------

    def _owners(self) -> Mapping[str, Any]:
        owners = {"session": self._panel.session, "panel": self._panel}
        choice = getattr(self._panel, "choice", None)
        return owners if choice is None else {**owners, "choice": choice}

    def _snapshot(self) -> Snapshot:
        taken: Snapshot = {("session", name): getattr(self._panel.session, name) for name in _SESSION}
        for name, trait in _own_traits(self._panel):
            if not trait.read_only:
                taken["panel", name] = getattr(self._panel, name)
        if "choice" in self._owners():
            taken["choice", "value"] = self._owners()["choice"].value
        return taken

    @in_turn
    def _noticed(self, _: Any) -> None:
        # At the end of the turn: all that one change brings about is one step.
        if not self._noticing:
            self._noticing = True
            at_end_of_turn(self._changed)

    def _changed(self) -> None:
        self._noticing = False
        if not self._watched or not getattr(self._panel, "settled", True):
            return
        before, now = self._now, self._snapshot()
        if not _different(before, now):
            return
        self._now = now
        if any(before[key] is None and now[key] is not None for key in before if key[1] == "window"):
            self._first = now  # the view has found out how large its window is: nobody has chosen it
        else:
            self._push(before)
        self.shown()

    def _push(self, snapshot: Snapshot) -> None:
        self._past = [*self._past, snapshot][-MOST:]

    def _restore(self, wanted: Snapshot) -> None:
        with between_callbacks():
            self._set(("session", "classifier"), wanted)  # alone: it resets the others
            with self._panel.session.hold_trait_notifications():
                for name in _SESSION:
                    self._set(("session", name), wanted)
            for key in wanted:
                self._set(key, wanted)
            # What could not be had again is not tried at every step.
            self._now = self._snapshot()
            self.shown()

    def _set(self, key: tuple[str, str], wanted: Snapshot) -> None:
        owner = self._owners()[key[0]]
        if not _same(getattr(owner, key[1]), wanted[key]):
            setattr(owner, key[1], wanted[key])


class Revertible:
    """What a panel or an app with a history offers."""

    history: History

    @in_turn
    def back(self) -> None:
        """Show what was shown before the last change of the session or of this view."""
        self.history.back()

    @in_turn
    def reset(self) -> None:
        """Show what was shown when this view was opened."""
        self.history.reset()


def results_of(panel: Any) -> list[str]:
    """The names of the traits that hold what a panel has found."""
    return [name for name, trait in _own_traits(panel) if trait.read_only and name not in _STANDING]


def _own_traits(panel: Any) -> list[tuple[str, Any]]:
    """The traits that a panel has besides those of any box."""
    stock = set(ipywidgets.VBox.class_trait_names()) | _NO_CHOICE
    return [(name, trait) for name, trait in panel.traits().items() if name not in stock]


def _different(one: Snapshot, other: Snapshot) -> list[tuple[str, str]]:
    return [key for key in one if not _same(one[key], other.get(key))]


def _same(one: Any, other: Any) -> bool:
    """Whether two values are one; pictures and data sets are only themselves."""
    if one is other:
        return True
    plain = isinstance(one, bool | int | float | str | tuple | frozenset) or dataclasses.is_dataclass(one)
    return plain and type(one) is type(other) and bool(one == other)
