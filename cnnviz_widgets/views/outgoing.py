"""What a panel's widgets say to pages: all that one turn changes leaves together, at its end.

It is one message, to a widget that an event has come from, and js/src/core/answer.ts hands the parts on. So a page has
drawn the whole answer before it sends the next event, and no part of it waits on the wire until another has arrived
(Nagle's algorithm, 40 ms). Where no event has come yet, or from a page that has no such script, each widget gets its
own message.

What comes before the answer to an event, such as that work is under way, waits up to GRACE seconds to be told with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ipywidgets

from cnnviz_widgets.forks import lock
from cnnviz_widgets.schedule import at_end_of_turn, between_callbacks, is_between_callbacks
from cnnviz_widgets.views.incoming import is_of_panel
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.base import BaseWidget

_Widget = ipywidgets.Widget
#: Seconds; sooner nobody reads what is about to be replaced.
GRACE = 0.05


@dataclass
class _Message:
    widget: Any
    data: dict[str, Any]
    buffers: list[Any]

    @property
    def is_update(self) -> bool:
        return bool(self.data["method"] == "update")

    @property
    def says_anything(self) -> bool:
        return not self.is_update or bool(self.data["state"])

    @property
    def acknowledges(self) -> bool:
        """Whether it acknowledges an event of a page that hands the parts of an answer on."""
        content = self.data.get("content")
        return (
            isinstance(self.widget, Acknowledged)
            and self.widget.page_takes_answers
            and isinstance(content, dict)
            and content.get("kind") == "ack"
        )


class _Outbox(threading.local):
    """The messages of this thread's turn."""

    def __init__(self) -> None:
        self.messages: list[_Message] = []

    def send(self) -> None:
        messages, self.messages = self.messages, []
        _held.send(messages)


class _Held:
    """Messages that wait for the answer to an event. They change between callbacks only, but for `forget`."""

    def __init__(self) -> None:
        self._messages: list[_Message] = []
        self._timer: threading.Timer | None = None
        self._changing = lock()

    def send(self, messages: list[_Message], *, now: bool = False) -> None:
        """Send what is held and `messages`, or hold them if an event has come just before, unless `now`."""
        with self._changing:
            for message in messages:
                _put(self._messages, message)
            wait = 0.0 if now or any(message.acknowledges for message in messages) else _time_left()
            if wait > 0:
                self._send_in(wait)
                return
            ready, self._messages = self._messages, []
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        _leave([message for message in ready if message.widget.comm is not None and message.says_anything])

    def forget(self, message: _Message) -> None:
        """Let nothing that is held undo a message that is sent at once."""
        with self._changing:
            for held in self._messages:
                if held.widget is message.widget and held.is_update and message.is_update:
                    _drop(held, message.data["state"])

    def _send_in(self, seconds: float) -> None:
        if self._timer is None and self._messages:
            self._timer = threading.Timer(seconds, self._overdue)
            self._timer.daemon = True
            self._timer.start()

    def _overdue(self) -> None:
        with between_callbacks():
            self.send([], now=True)


def _time_left() -> float:
    """Seconds for which an answer to the last event may still be waited for."""
    asking = Acknowledged.heard_last()
    return 0.0 if asking is None or asking.asked_at is None else asking.asked_at + GRACE - time.monotonic()


def _leave(messages: list[_Message]) -> None:
    messages.sort(key=lambda message: message.acknowledges)  # the next event leaves when all is drawn
    # Best the widget whose event is acknowledged: its page is known to listen.
    carriers = [message.widget for message in messages if message.acknowledges]
    carrier = carriers[0] if carriers else Acknowledged.heard_last()
    if carrier is None or len(messages) < 2:
        for message in messages:
            _send(message.widget, message.data, message.buffers)
        return
    parts = [
        {"id": message.widget.model_id, "data": message.data, "buffers": len(message.buffers)} for message in messages
    ]
    carrier.carried.update(message.widget for message in messages)
    buffers = [buffer for message in messages for buffer in message.buffers]
    _send(carrier, {"method": "custom", "content": {"kind": "answer", "parts": parts}}, buffers)


_outbox = _Outbox()
_held = _Held()
_send = _Widget._send
_close = _Widget.close


def install() -> None:
    """Let ipywidgets send messages of a panel's widgets as this module says; once for the process."""
    if _Widget._send is not _sent:
        _Widget._send = _sent
        _Widget.close = _closed


def _sent(widget: Any, msg: dict[str, Any], buffers: list[Any] | None = None) -> None:
    if not (is_of_panel(widget) or isinstance(widget, BaseWidget)):
        _send(widget, msg, buffers)
        return
    message = _Message(widget, msg, list(buffers or []))
    # An echo names the message of the page that it answers: the one that is being handled.
    if not is_between_callbacks() or msg["method"] == "echo_update":
        _held.forget(message)
        _send(widget, msg, buffers)
        return
    if not _outbox.messages:
        at_end_of_turn(_outbox.send, last=True)
    _put(_outbox.messages, message)


def _closed(widget: Any) -> None:
    # What no longer shows the widget is told first.
    if is_between_callbacks() and getattr(widget, "comm", None) is not None:
        messages, _outbox.messages = _outbox.messages, []
        _held.send(messages, now=True)
    _close(widget)


def _put(messages: list[_Message], message: _Message) -> None:
    """Add `message`, or let the last one to its widget say it, too."""
    for earlier in reversed(messages):
        if earlier.widget is message.widget:
            if earlier.is_update and message.is_update:
                _drop(earlier, message.data["state"])
                earlier.data["state"].update(message.data["state"])
                earlier.data["buffer_paths"] += message.data["buffer_paths"]
                earlier.buffers += message.buffers
                return
            break
    messages.append(message)


def _drop(message: _Message, names: Collection[str]) -> None:
    """Leave the traits `names` out of `message`."""
    paths = message.data["buffer_paths"]
    kept = [(path, buffer) for path, buffer in zip(paths, message.buffers, strict=True) if path[0] not in names]
    state = {name: value for name, value in message.data["state"].items() if name not in names}
    message.data = {"method": "update", "state": state, "buffer_paths": [path for path, _ in kept]}
    message.buffers = [buffer for _, buffer in kept]
