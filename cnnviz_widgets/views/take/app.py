"""The state of an app: its session, its open tab, and the settings of each view that was opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cnnviz_widgets.errors import StateError
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.take.state import (
    VERSION,
    checked,
    kept,
    restore_session,
    restore_settings,
    session_state,
    settings_of,
)
from cnnviz_widgets.widgets.tabs import Tabs


class App(Protocol):
    """What is asked of an app to keep its state."""

    session: Session
    tabs: Tabs

    @property
    def pictures(self) -> Sequence[Picture]: ...
    @property
    def views(self) -> dict[str, Any]: ...
    def open_tab(self, title: str) -> Any: ...
    def make_view(self, title: str) -> Any: ...
    def drop_view(self, title: str) -> None: ...


def app_state(app: App) -> dict[str, Any]:
    """The state of an app, of JSON types."""
    return {
        "version": VERSION,
        "tab": app.tabs.titles[app.tabs.index],
        "session": session_state(app.session),
        "views": {title: settings_of(view) for title, view in app.views.items()},
    }


def restore_app(app: App, state: object) -> None:
    """Set an app to a state, all of it or nothing. Raises as `state.restore`."""
    known = checked(state, {"version", "tab", "session", "views"}, "An app's state")
    settings = checked(known.get("views", {}), set(app.tabs.titles), "The tabs' states", versioned=False)
    tab = known.get("tab", app.tabs.titles[app.tabs.index])
    if not isinstance(tab, str) or tab not in app.tabs.titles:
        raise StateError(f"This state has a tab that is not here; there are {', '.join(app.tabs.titles)}.")
    before = app.views
    try:
        with kept(app.session, *before.values()):
            restore_session(app.session, known.get("session", {}), app.pictures)
            for title, of_view in settings.items():
                restore_settings(app.make_view(title), of_view)
    except Exception:
        for title in app.views.keys() - before.keys():
            app.drop_view(title)
        raise
    app.open_tab(tab)
