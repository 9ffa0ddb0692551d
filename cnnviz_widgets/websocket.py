"""The websocket between a page and its kernel, with checks of what frames claim and without delay of answers."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

#: Close code for data that does not match its type (RFC 6455, section 7.4.1).
MALFORMED = 1007

#: Name of the newer message protocol. The older one has no name.
NEWER = "v1.kernel.websocket.jupyter.org"

#: Most parts of a message, more than any widget sends. With a larger limit a hostile frame takes longer to check.
MOST_PARTS = 10_000


def newer_offsets(frame: bytes) -> tuple[int, ...] | None:
    """The offsets of the parts of a frame of the protocol `NEWER`, or None if it is malformed."""
    return _offsets(frame, "<Q", least=3)


def older_offsets(frame: bytes) -> tuple[int, ...] | None:
    """The offsets of the parts of a binary frame of the older protocol, or None if it is malformed."""
    return _offsets(frame, ">I", least=1)


def message_type(message: bytes | str | dict[str, Any]) -> str | None:
    """The type of a kernel's message, in any of the forms in which a server sends it; None if it has none."""
    if isinstance(message, bytes):
        header: Any = _header_of(message)
    elif isinstance(message, str):
        header = _field(_parse(message), "header")
    else:
        header = _field(message, "header")
    found = _field(header, "msg_type")
    return found if isinstance(found, str) else None


class Connection(ZMQChannelsWebsocketConnection):
    """A page's connection to its kernel, which closes at a malformed frame and sends answers without delay.

    jupyter_server builds a list with as many items as a frame claims to have parts, whatever its length. Without
    TCP_NODELAY the second of two small messages waits until the first is acknowledged, 40 ms (Nagle's algorithm).
    """

    def connect(self) -> Any:
        if self.websocket_handler.ws_connection is not None:
            self.websocket_handler.set_nodelay(True)
        return super().connect()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        try:
            offsets = newer_offsets if self.subprotocol == NEWER else older_offsets
            if isinstance(incoming_msg, bytes) and offsets(incoming_msg) is None:
                raise ValueError("its parts are not where it says")
            super().handle_incoming_message(incoming_msg)
        except Exception as error:  # whatever was sent, one line in the log is enough
            self.log.warning("A malformed message closed a websocket: %s", error)
            self.websocket_handler.close(MALFORMED, "malformed message")


def _offsets(frame: bytes, word: str, least: int) -> tuple[int, ...] | None:
    """The offsets at the head of `frame`, at least `least`, or None if they are not ascending within the frame.

    Their number comes first, then each of them, all in the `struct` format `word`.
    """
    size = struct.calcsize(word)
    if len(frame) < size:
        return None
    (number,) = struct.unpack_from(word, frame)
    if not least <= number <= MOST_PARTS or size * (number + 1) > len(frame):
        return None
    offsets = struct.unpack_from(f"{word[0]}{number}{word[1]}", frame, size)
    bounds = (size * (number + 1), *offsets, len(frame))
    return offsets if all(a <= b for a, b in pairwise(bounds)) else None


def _header_of(frame: bytes) -> Any:
    """The header of a message in a frame of either protocol, or None."""
    if (newer := newer_offsets(frame)) is not None:
        return _parse(frame[newer[1] : newer[2]])
    if (older := older_offsets(frame)) is not None:
        return _field(_parse(frame[older[0] : (*older, len(frame))[1]]), "header")
    return None


def _parse(text: bytes | str) -> Any:
    """The value of a JSON text, or None if it is malformed."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
