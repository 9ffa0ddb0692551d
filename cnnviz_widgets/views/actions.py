"""The buttons at the head of a panel: what can be done with every view."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.views.history import History
from cnnviz_widgets.views.take.save import Saved, content_of
from cnnviz_widgets.widgets.head import ActionPressed, Head

#: What a view is saved as, by the items of the menu, and the types of the files.
_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
}
_SAVED = ("png", "svg", "csv", "code", "json", "html")
#: More bytes are not sent to a page.
MOST = 48 * 2**20


class _Acted(Saved, Protocol):
    """The panel that the buttons are of."""

    head: Head
    history: History

    @property
    def state(self) -> dict[str, Any]: ...
    def code(self) -> str: ...
    def guess(self) -> None: ...


class _Compares(Protocol):
    """What puts a comparison in the place of the panel."""

    @property
    def shown(self) -> object | None: ...
    def choose_from(self, pictures: Callable[[], Sequence[Picture]]) -> None: ...
    def kinds(self) -> Sequence[str]: ...
    def open(self, kind: str) -> object: ...
    def close(self) -> None: ...


class Actions:
    """Back, Reset, Guess, Test, Compare and Save, in that order.

    `test` is what Test calls, and `comparer` what Compare opens; None where there is none.
    """

    def __init__(self, panel: _Acted) -> None:
        self._panel = panel
        self.test: Callable[[], object] | None = None
        self.comparer: _Compares | None = None
        panel.history.shown = self.show

    def show(self) -> None:
        """Show which buttons there are, and which can be pressed."""
        panel, comparer = self._panel, self.comparer
        apart = comparer is not None and comparer.shown is not None  # the view itself is not on the page
        actions: list[dict[str, Any]] = [
            {"id": "back", "icon": True, "disabled": not panel.history.depth},
            {"id": "reset", "icon": True, "disabled": not panel.history.changed},
            {"id": "guess", "disabled": apart},
        ]
        if self.test is not None:
            actions.append({"id": "test", "disabled": apart})
        if apart:
            actions.append({"id": "compare", "pressed": True})
        elif comparer is not None and (kinds := comparer.kinds()):
            actions.append({"id": "compare", "items": list(kinds)})
        panel.head.actions = [*actions, {"id": "save", "disabled": apart, "items": list(_SAVED)}]

    def press(self, event: ActionPressed) -> None:
        """Do what a button is for. Raises what it raises."""
        panel, comparer, name = self._panel, self.comparer, event.id
        if name in _SAVED:
            self._take_away(name, event.view)
        elif name == "test" and self.test is not None:
            self.test()
        elif comparer is not None and name == "compare":
            comparer.close()
        elif comparer is not None and name in comparer.kinds():
            comparer.open(name)
        else:
            {"back": panel.history.back, "reset": panel.history.reset, "guess": panel.guess}[name]()

    def close(self) -> None:
        """Take away what stands in the place of the panel."""
        if self.comparer is not None:
            self.comparer.close()

    def _take_away(self, name: str, view: str) -> None:
        panel = self._panel
        if name == "code":
            panel.head.copy(view, panel.code())
            return
        if name == "json":
            data = json.dumps(panel.state, ensure_ascii=False, indent=1).encode()
        else:
            data = content_of(panel, f".{name}")
        if len(data) > MOST:
            raise ExportError(f"This would be {len(data) / 10**6:.0f} MB; take a part of it with save(path) in Python.")
        panel.head.download(view, f"{_file_name(panel.title)}.{name}", _TYPES[name], data)


def _file_name(title: str) -> str:
    """A title as the name of a file on any system."""
    return re.sub(r"[^\w-]+", "-", title)[:80].strip("-") or "view"
