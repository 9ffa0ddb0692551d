"""Tells the kernel when the page has drawn what it was sent: a moving picture waits for its audience."""

from __future__ import annotations

import threading
import time
from typing import Any

import ipywidgets

from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.base import BaseWidget


class FrameAcknowledger(BaseWidget):
    """Asks the page for a sign after each frame. Nothing of it is seen.

    A page that sleeps, or that is hidden or gone, gives none, and is sent nothing until it does.
    """

    _esm = STATIC / "pace.js"

    #: Seconds after which an answer may have been lost, and the page is asked again; from then on ever longer.
    patience = 2.0
    #: The longest of these times.
    longest_patience = 60.0
    #: Seconds after which nobody waits any longer for a page.
    arrival = 10.0

    def __init__(self) -> None:
        self._here = threading.Event()
        self._made = time.monotonic()
        self._frame = 0
        self._drawn = 0
        self._asked = float("-inf")
        self._waits = self.patience
        super().__init__(layout=ipywidgets.Layout(display="none"))
        self.on_msg(self._answered)

    @property
    def ready(self) -> bool:
        """Whether the page has drawn the last frame, or there is no page."""
        if self._drawn >= self._frame:
            return True
        overdue = time.monotonic() - self._asked >= self.patience
        return not self._here.is_set() and (self.arrived or overdue)

    @property
    def arrived(self) -> bool:
        """Whether a page shows this widget, or none has come for too long.

        Widgets that are made while a page loads may be told of before what they consist of: it never shows them.
        """
        return self._here.is_set() or time.monotonic() - self._made >= self.arrival

    def wait(self, seconds: float) -> None:
        """Wait for a page, at most so long."""
        self._here.wait(seconds)

    def sent(self) -> None:
        """A frame was just sent to the page."""
        self._frame += 1
        self._waits = self.patience
        self._ask()

    def remind(self) -> None:
        """Ask once more if no answer has come for long: a connection that breaks may lose one."""
        if not self.ready and time.monotonic() - self._asked >= self._waits:
            self._waits = min(2 * self._waits, self.longest_patience)
            self._ask()

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self.send({"kind": "frame", "frame": self._frame})

    def _answered(self, _: object, content: Any, buffers: list[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        if content.get("kind") == "here":
            self._here.set()
            self._drawn = self._frame  # a page that comes is told how things stand
        if content.get("kind") != "drawn":
            return
        frame = content.get("frame")
        if isinstance(frame, int) and not isinstance(frame, bool) and self._drawn < frame <= self._frame:
            self._drawn = frame
