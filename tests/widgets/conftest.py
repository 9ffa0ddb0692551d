"""A browser for widgets without one: it delivers messages to a widget and reads the acknowledgements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cnnviz_widgets.widgets.acknowledged import Acknowledged


class FakeBrowser:
    """The other end of `widget`: `events` reached its handlers, `acks` are the numbers it acknowledged."""

    def __init__(self, widget: Acknowledged, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.events: list[Any] = []
        self.acks: list[int] = []
        self._seq = 0
        monkeypatch.setattr(widget, "send", lambda content, buffers=None: self.acks.append(content["seq"]))
        widget.on_event(self._take)

    def _take(self, event: Any, done: Callable[[], None]) -> None:
        self.events.append(event)
        done()

    def send(self, content: dict[str, Any], buffers: list[memoryview] | None = None) -> None:
        """Deliver one event; it must be acknowledged, whatever it says."""
        self._seq += 1
        message = {"kind": "event", "seq": self._seq, "final": True, **content}
        self.widget._handle_custom_msg(message, buffers or [])
        assert self.acks == list(range(1, self._seq + 1))

    def refused(self, content: dict[str, Any], buffers: list[memoryview] | None = None) -> bool:
        """Whether an event is acknowledged but reaches no handler and changes no trait."""
        events, state = list(self.events), self.widget.get_state()
        self.send(content, buffers)
        return self.events == events and self.widget.get_state() == state


@pytest.fixture
def browser_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Acknowledged], FakeBrowser]]:
    yield lambda widget: FakeBrowser(widget, monkeypatch)
