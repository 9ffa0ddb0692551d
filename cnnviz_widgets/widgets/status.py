"""One line that says how the work stands, or what went wrong."""

from __future__ import annotations

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.base import BaseWidget


class Status(BaseWidget):
    """A line of plain text; "error" is announced to screen readers at once. `progress` is 0..1, or -1 for none."""

    _esm = STATIC / "status.js"
    text = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Enum(["info", "busy", "error"], "info").tag(sync=True)
    progress = traitlets.Float(-1).tag(sync=True)

    def say(self, text: str, kind: str = "info", progress: float = -1) -> None:
        """Show `text`, all three traits in one message."""
        with self.hold_sync():
            self.text, self.kind, self.progress = text, kind, progress
