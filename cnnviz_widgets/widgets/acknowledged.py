"""The kernel's half of the one-message-in-flight protocol (the browser's half is js/src/core/event_queue.ts)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from weakref import ReferenceType, ref

from cnnviz_widgets.widgets.base import BaseWidget

STATIC = Path(__file__).parent.parent / "static"
_log = logging.getLogger("cnnviz_widgets")

#: Called with the validated event and with `done`, to be called once the event's work is finished.
Handler = Callable[[Any, Callable[[], None]], None]


class Outdated(ValueError):
    """A well-formed message about something that the kernel has replaced meanwhile: a race, nobody's fault."""


class Acknowledged(BaseWidget):
    """A widget whose browser events wait for each other.

    The browser sends `{kind: "event", seq, final, ...}` and holds back the next event until `{kind: "ack", seq}`
    arrives. Acknowledge when the work is done, not when the message came: that is the flow control.
    """

    #: Grows when a page is loaded.
    _pages: ClassVar[int] = 0
    _newest: ClassVar[ReferenceType[Acknowledged] | None] = None

    def __init__(self, **traits: Any) -> None:
        self._handlers: list[Handler] = []
        self._heard_with: int | None = None
        self._asked: tuple[int, float] | None = None
        self._reading = False
        #: Traits that an event has set as the page that it came from has them: told with the acknowledgement.
        self._mirrored: set[str] = set()
        super().__init__(**traits)
        self.on_msg(self._receive)

    def on_event(self, handler: Handler) -> None:
        """Call `handler(event, done)` for each event; the browser sends no further one until `done()` is called."""
        self._handlers.append(handler)

    @classmethod
    def await_pages(cls) -> None:
        """A page is being loaded: no widget can answer for others there before an event of that page has come."""
        Acknowledged._pages += 1

    @property
    def page_takes_answers(self) -> bool:
        """Whether the page of the last event hands what is sent to this widget on to others (js/src/core/answer.ts)."""
        return self._heard_with == Acknowledged._pages

    @property
    def asked_at(self) -> float | None:
        """When the last event came (time.monotonic()); None if it is acknowledged."""
        return None if self._asked is None else self._asked[1]

    @staticmethod
    def heard_last() -> Acknowledged | None:
        """The widget that the last event came from, if its page takes answers."""
        widget = None if Acknowledged._newest is None else Acknowledged._newest()
        return widget if widget is not None and widget.comm is not None and widget.page_takes_answers else None

    def close(self) -> None:
        """Let go of who listens, too: anywidget keeps widgets of an editable install for its reloading."""
        if "_handlers" in self.__dict__:  # it may have raised while it was made
            self._handlers.clear()
        super().close()

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> Any:
        """Turn a browser message into an event, or raise ValueError: everything from the browser is untrusted."""
        raise NotImplementedError

    def _should_send_property(self, key: str, value: Any) -> bool:
        if self._reading:
            self._mirrored.add(key)
            return False
        send: bool = super()._should_send_property(key, value)
        return send

    def _receive(self, _: object, content: object, buffers: list[memoryview]) -> None:
        if not isinstance(content, dict) or content.get("kind") != "event":
            return
        seq = content.get("seq")
        if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < 2**53:
            return
        self._heard_with = Acknowledged._pages if content.get("takes_answers") is True else None
        Acknowledged._newest = ref(self)
        self._asked = seq, time.monotonic()
        with self._turn:
            self._handle_event(seq, content, buffers)

    def _handle_event(self, seq: int, content: dict[str, Any], buffers: list[memoryview]) -> None:  # noqa: C901  one exchange, told in order
        waiting = [object() for _ in self._handlers]

        def acknowledge() -> None:
            self._acknowledge(seq)

        def done_of(token: object) -> Callable[[], None]:
            def done() -> None:
                if token in waiting:
                    waiting.remove(token)
                    if not waiting:
                        acknowledge()

            return done

        try:
            self._reading = True
            event = self.event(content, buffers)
        except Outdated as error:
            _log.debug("%s: %s", type(self).__name__, error)
            acknowledge()
            return
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            _log.warning("%s: refused a browser message: %s", type(self).__name__, error)
            acknowledge()
            return
        finally:
            self._reading = False
        if not waiting:
            acknowledge()
        for handler, token in list(zip(self._handlers, list(waiting), strict=True)):
            done = done_of(token)
            try:
                handler(event, done)
            except Exception:
                done()
                raise

    def _acknowledge(self, seq: int) -> None:
        mirrored, self._mirrored = self._mirrored, set()
        if mirrored:
            self.send_state(mirrored)
        self.send({"kind": "ack", "seq": seq})
        if self._asked is not None and self._asked[0] == seq:
            self._asked = None


def integers(value: object, count: int, low: int, high: int) -> tuple[int, ...]:
    """`value` as `count` integers in low..high; ValueError otherwise (floats, booleans and NaN included)."""
    if not isinstance(value, list | tuple) or len(value) != count:
        raise ValueError(f"expected {count} integers")
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int) or not low <= item <= high:
            raise ValueError(f"expected integers in {low}..{high}")
    return tuple(value)
