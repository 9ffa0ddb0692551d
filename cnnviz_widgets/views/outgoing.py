"""What a panel's widgets say to pages: all that one turn changes leaves together, at its end.

It is one message, to a widget that an event has come from, and js/src/core/answer.ts hands the parts on. So a page has
drawn the whole answer before it sends the next event, and no part of it waits on the wire until another has arrived
(Nagle's algorithm, 40 ms). Where no event has come yet, or from a page that has no such script, each widget gets its
own message.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import ipywidgets

from cnnviz_widgets.schedule import at_end_of_turn, is_between_callbacks
from cnnviz_widgets.views.incoming import is_of_panel
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.base import BaseWidget

_Widget = ipywidgets.Widget


@dataclass
class _Message:
    widget: Any
    data: dict[str, Any]
    buffers: list[Any]

    @property
    def is_update(self) -> bool:
        return bool(self.data["method"] == "update")

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

    def put(self, message: _Message) -> None:
        for earlier in reversed(self.messages):
            if earlier.widget is message.widget:
                if earlier.is_update and message.is_update:
                    _merge(earlier, message)
                    return
                break
        self.messages.append(message)

    def send(self) -> None:
        messages, self.messages = self.messages, []
        messages = [message for message in messages if message.widget.comm is not None]
        messages.sort(key=lambda message: message.acknowledges)  # the next event leaves when all is drawn
        # Best the widget whose event is acknowledged: its page is known to listen.
        carriers = [message.widget for message in messages if message.acknowledges]
        carrier = carriers[0] if carriers else Acknowledged.heard_last()
        if carrier is None or len(messages) < 2:
            for message in messages:
                _send(message.widget, message.data, message.buffers)
            return
        parts = [
            {"id": message.widget.model_id, "data": message.data, "buffers": len(message.buffers)}
            for message in messages
        ]
        carrier.carried.update(message.widget for message in messages)
        buffers = [buffer for message in messages for buffer in message.buffers]
        _send(carrier, {"method": "custom", "content": {"kind": "answer", "parts": parts}}, buffers)


_outbox = _Outbox()
_send = _Widget._send
_close = _Widget.close


def install() -> None:
    """Let ipywidgets send messages of a panel's widgets as this module says; once for the process."""
    if _Widget._send is not _sent:
        _Widget._send = _sent
        _Widget.close = _closed


def _sent(widget: Any, msg: dict[str, Any], buffers: list[Any] | None = None) -> None:
    # An echo names the message of the page that it answers: the one that is being handled.
    held = is_between_callbacks() and msg["method"] != "echo_update"
    if not held or not (is_of_panel(widget) or isinstance(widget, BaseWidget)):
        _send(widget, msg, buffers)
        return
    if not _outbox.messages:
        at_end_of_turn(_outbox.send, last=True)
    _outbox.put(_Message(widget, msg, list(buffers or [])))


def _closed(widget: Any) -> None:
    # What no longer shows the widget is told first.
    if _outbox.messages and getattr(widget, "comm", None) is not None:
        _outbox.send()
    _close(widget)


def _merge(earlier: _Message, later: _Message) -> None:
    """Let `earlier` say what `later` says, too."""
    state = later.data["state"]
    kept = [
        (path, buffer)
        for path, buffer in zip(earlier.data["buffer_paths"], earlier.buffers, strict=True)
        if path[0] not in state
    ]
    earlier.data = {
        "method": "update",
        "state": {**earlier.data["state"], **state},
        "buffer_paths": [*(path for path, _ in kept), *later.data["buffer_paths"]],
    }
    earlier.buffers = [*(buffer for _, buffer in kept), *later.buffers]
