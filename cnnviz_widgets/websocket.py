"""The websocket between a page and its kernel: frames are read within their bounds, and answers leave at once."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

#: Websocket's status for data that is not what its type says.
MALFORMED = 1007

NEWER = "v1.kernel.websocket.jupyter.org"

#: More than any widget sends in one message, and few enough to look through.
MOST_PARTS = 10_000


def newer_offsets(frame: bytes) -> tuple[int, ...] | None:
    """Where the parts of a frame of the protocol `NEWER` begin; None if it is no such frame."""
    return _offsets(frame, "<Q", least=3)


def older_offsets(frame: bytes) -> tuple[int, ...] | None:
    """Where the parts of a binary frame of the protocol without a name begin; None if it is no such frame."""
    return _offsets(frame, ">I", least=1)


def message_type(message: bytes | str | dict[str, Any]) -> str | None:
    """The type of a kernel's message in any of the forms in which a server writes it; None where it has none."""
    if isinstance(message, bytes):
        header: Any = _header_of(message)
    elif isinstance(message, str):
        header = _field(_decoded(message), "header")
    else:
        header = _field(message, "header")
    found = _field(header, "msg_type")
    return found if isinstance(found, str) else None


class Connection(ZMQChannelsWebsocketConnection):
    """A page's connection, which closes at a frame that lies about its length and holds no answer back.

    jupyter_server makes a list of as many items as a frame claims to have parts. Without TCP_NODELAY the second of
    two small messages waits for the browser to confirm the first: 40 ms (Nagle's algorithm).
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
        except Exception as error:  # whatever a visitor sends, one line in the log
            self.log.warning("A malformed message closed a websocket: %s", error)
            self.websocket_handler.close(MALFORMED, "malformed message")


def _offsets(frame: bytes, word: str, least: int) -> tuple[int, ...] | None:
    """The offsets at the head of `frame`: their number, then each, as words of one size; None if they do not fit."""
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
    if (newer := newer_offsets(frame)) is not None:
        return _decoded(frame[newer[1] : newer[2]])
    if (older := older_offsets(frame)) is not None:
        return _field(_decoded(frame[older[0] : (*older, len(frame))[1]]), "header")
    return None


def _decoded(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
