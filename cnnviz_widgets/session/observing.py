"""Traits that are set between two drawings, and observers of the user's that are called after all panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import traitlets

from cnnviz_widgets.schedule import after_callbacks, between_callbacks, is_between_callbacks


class _Afterwards:
    """An observer that is called when this thread holds up no panel, with what has changed by then."""

    def __init__(self, handler: Callable[[Any], object]) -> None:
        self._handler = handler
        self._untold: dict[object, Any] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Afterwards) and self._handler == other._handler

    def __hash__(self) -> int:
        return hash(self._handler)

    def __call__(self, change: Any) -> None:
        if not is_between_callbacks():
            self._handler(change)
            return
        key = (id(change.get("owner")), change["name"], change["type"])
        first = self._untold.get(key)
        if first is not None:
            change = traitlets.Bunch({**change, "old": first.get("old")})
        self._untold[key] = change
        if first is None:
            after_callbacks(lambda: self._tell(key))

    def _tell(self, key: object) -> None:
        self._handler(self._untold.pop(key))


class SetInTurn(traitlets.HasTraits):
    """Traits that are set between two drawings.

    Panels hear of a change at once, by `link`. Handlers that the user passes to `observe` are called after all panels:
    they may take their time, and wait for a panel. `traitlets.link` and `dlink` act at once.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
            return
        # No panel draws while some have been told of a change and others not.
        with between_callbacks():
            super().__setattr__(name, value)

    def set_trait(self, name: str, value: object) -> None:
        with between_callbacks():
            super().set_trait(name, value)

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        with between_callbacks(), super().hold_trait_notifications():
            yield

    def link(self, handler: Callable[[Any], object], names: Sequence[str]) -> None:
        """Call `handler` with each change of these traits, between two drawings: for panels."""
        super().observe(handler, names=list(names))

    def unlink(self, handler: Callable[[Any], object], names: Sequence[str]) -> None:
        """Undo `link`; nothing happens where it was undone before."""
        with suppress(ValueError):
            super().unobserve(handler, names=list(names))

    def observe(self, handler: Callable[..., Any], names: Any = traitlets.All, type: Any = "change") -> None:
        """Call `handler` with each change of these traits, after all panels: it may take its time, and wait for them.

        Changes of one trait that came together are told as one, as `hold_trait_notifications` does.
        """
        super().observe(_told_at_once(handler) or _Afterwards(handler), names, type)

    def unobserve(self, handler: Callable[..., Any], names: Any = traitlets.All, type: Any = "change") -> None:
        super().unobserve(_told_at_once(handler) or _Afterwards(handler), names, type)


def _told_at_once(handler: Any) -> Any:
    """`handler` if it is a class's own or belongs to a link of traits, which must not lag behind; else None."""
    own = isinstance(handler, traitlets.EventHandler)
    linking = isinstance(getattr(handler, "__self__", None), traitlets.link | traitlets.directional_link)
    return handler if own or linking else None
