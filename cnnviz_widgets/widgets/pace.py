"""Tells the kernel when the page has drawn what it was sent: a moving picture waits for its audience."""

from __future__ import annotations

import threading
import time

from cnnviz_widgets.widgets.hosted import Hosted

_ANSWERS = """
export default {
  initialize({ model }) {
    model.on("msg:custom", (message) => {
      if (message?.kind !== "frame") return;
      // After the next painting, when all that came before this message is drawn.
      requestAnimationFrame(() => setTimeout(() => model.send({ kind: "drawn", frame: message.frame }), 0));
    });
  },
  render({ model }) {
    model.send({ kind: "here" });
  },
};
"""


class Pace(Hosted):
    """Asks the page for a sign after each frame. Where no page answers, as in a hidden tab, `patience` goes on."""

    _esm = _ANSWERS

    #: Seconds after which a frame that nobody answered for counts as drawn.
    patience = 2.0
    #: Seconds after which nobody waits any longer for a page.
    arrival = 10.0

    def __init__(self) -> None:
        self._here = threading.Event()
        self._made = time.monotonic()
        self._frame = 0
        self._drawn = 0
        self._asked = float("-inf")
        super().__init__()
        self.on_msg(self._answered)

    @property
    def ready(self) -> bool:
        """Whether the page has drawn the last frame, or has not answered for too long."""
        return self._drawn >= self._frame or time.monotonic() - self._asked >= self.patience

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
        self._asked = time.monotonic()
        self.send({"kind": "frame", "frame": self._frame})

    def _answered(self, _: object, content: object, buffers: list[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        if content.get("kind") == "here":
            self._here.set()
        if content.get("kind") != "drawn":
            return
        frame = content.get("frame")
        if isinstance(frame, int) and not isinstance(frame, bool) and self._drawn < frame <= self._frame:
            self._drawn = frame
