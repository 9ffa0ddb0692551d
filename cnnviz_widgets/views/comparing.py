"""Comparing on the page: a view and another of its kind, in the place of the view."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.compare import Comparison
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.widgets.picker import Picked, Picker


class Comparer:
    """Puts a comparison in the place of `view`, and takes it away again: what "Compare" at its head does.

    The two have the settings of the view, but for another method, class or picture in B.
    """

    def __init__(self, view: Panel) -> None:
        self._view = view
        self._pictures: Callable[[], Sequence[Picture]] = tuple
        #: The comparison that is shown, or None.
        self.shown: Comparison | None = None
        self.picture_picker: Picker | None = None
        view.actions.comparer = self
        view.link(self._rest, ["active"])

    def choose_from(self, pictures: Callable[[], Sequence[Picture]]) -> None:
        """Take the picture of B from `pictures()`."""
        self._pictures = pictures
        self._view.actions.show()

    def kinds(self) -> tuple[str, ...]:
        """What may differ: "method", "class" or "picture"."""
        session, view = self._view.session, self._view
        others = [one for one in self._pictures() if one is not session.picture]
        there = {
            "method": len(getattr(getattr(view, "choice", None), "options", ())) > 1,
            "class": len(session.classifier.class_names) > 1,
            "picture": bool(others),
        }
        return tuple(kind for kind, is_there in there.items() if is_there and session.picture is not None)

    def open(self, kind: str) -> Comparison:
        """Show the view beside one with another method, class or picture. Raises ValueError for what cannot differ."""
        if kind not in self.kinds():
            raise ValueError(f"There is no other {kind} here.")
        self.close()
        session = self._view.session
        first = another(self._view, session)
        second = another(self._view, session if kind == "method" else self._session(kind))
        if kind == "method":
            options = list(second.choice.options)
            at = [option.label for option in options].index(second.choice.value.label)
            second.choice.value = options[(at + 1) % len(options)]
        self.shown = Comparison(first, second)
        if kind == "picture":
            self._offer_pictures(second)
        self._view.put_in_place(self.shown)
        first.active = self._view.active
        return self.shown

    def close(self) -> None:
        """Show the view itself again."""
        shown, self.shown, self.picture_picker = self.shown, None, None
        if shown is not None:
            self._view.put_in_place(None)
            shown.close()

    def _session(self, kind: str) -> Session:
        """What B looks at: the view's session, but for its class or picture."""
        own = self._view.session
        made = Session(own.classifier, own.picture)
        made.layer, made.target, made.against = own.layer, own.target, own.against
        if kind == "picture":
            made.picture = next(one for one in self._pictures() if one is not own.picture)
        else:
            shown = own.scene.class_index
            made.target = next(int(each) for each in np.argsort(-own.example.logits) if int(each) != shown)
        return made

    def _offer_pictures(self, second: Panel) -> None:
        """Let B's picture be chosen."""
        pictures = list(self._pictures())
        names = [picture.name or f"picture {number}" for number, picture in enumerate(pictures, 1)]
        index = next(number for number, one in enumerate(pictures) if one is second.session.picture)
        picker = Picker(options=names, index=index, description="picture of B", searchable=False)

        def chosen(event: Picked) -> None:
            second.session.picture = pictures[event.index]

        second.on(picker, Picked, chosen)
        self.picture_picker = picker
        assert self.shown is not None
        self.shown.add(picker)

    def _rest(self, _: Any) -> None:
        if self.shown is not None:
            self.shown.panels[0].active = self._view.active


def another(view: Any, session: Session) -> Any:
    """A view of the same kind and settings over `session`, which rests."""
    options = {"language": view.language, "active": False, **view.options_made_with()}
    if "techniques" in inspect.signature(type(view)).parameters:
        options["techniques"] = list(view.choice.options)
    made = type(view)(session, **options)
    made.leave_notes_out()
    for name in view.settings:
        value = getattr(view, name)
        if value is not None:
            setattr(made, name, value)
    return made
