"""A line that says what was found, how the work stands, or what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.base import BaseWidget

#: By language, the pieces of a sentence, each with whether it is bold.
Answers = Mapping[str, Sequence[tuple[str, bool]]]


class Status(BaseWidget):
    """A line of plain text; "error" is announced to screen readers at once. `progress` is 0..1, or -1 for none.

    Where there is an `answer`, the page shows it in `language`, or its own where that is None, with `detail` below it.
    `text` is both in English.
    """

    _esm = STATIC / "status.js"
    text = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    detail = traitlets.Unicode().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    kind = traitlets.Enum(["info", "busy", "error"], "info").tag(sync=True)
    progress = traitlets.Float(-1).tag(sync=True)

    def say(
        self, text: str, kind: str = "info", progress: float = -1, answer: Answers | None = None, detail: str = ""
    ) -> None:
        """Show `text`, or in its place the `answer` and `detail`, in one message."""
        with self.hold_sync():
            self.text, self.kind, self.progress = text, kind, progress
            self.answer = {language: [list(piece) for piece in pieces] for language, pieces in (answer or {}).items()}
            self.detail = detail
