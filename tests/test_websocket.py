"""Frames of the kernel's websocket: both protocols are told apart, and no frame is believed about its length."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)

from cnnviz_widgets.websocket import MOST_PARTS, message_type, newer_offsets, older_offsets


def message(kind: str = "comm_msg", buffers: tuple[bytes, ...] = (b"\x00" * 40, b"", b"xyz")) -> dict[str, Any]:
    header = {"msg_id": "1", "msg_type": kind, "version": "5.3"}
    content = {"comm_id": "a", "data": {"text": "ä" * 50}}
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": list(buffers)}


def newer(kind: str = "comm_msg", buffers: tuple[bytes, ...] = (b"\x00" * 40, b"", b"xyz")) -> bytes:
    full = message(kind, buffers)
    parts = [json.dumps(full[name]).encode() for name in ("header", "parent_header", "metadata", "content")]
    return bytes(serialize_msg_to_ws_v1([*parts, *buffers], "iopub"))


def older(kind: str = "comm_msg", buffers: tuple[bytes, ...] = (b"\x00" * 40, b"", b"xyz")) -> bytes:
    return bytes(serialize_binary_message(message(kind, buffers)))


MANY = tuple(b"" for _ in range(300))


@pytest.mark.parametrize("buffers", [(), (b"x",), MANY])
def test_frames_of_both_protocols_are_read_as_jupyter_reads_them(buffers: tuple[bytes, ...]) -> None:
    channel, parts = deserialize_msg_from_ws_v1(newer("status", buffers))
    assert (channel, json.loads(parts[0])["msg_type"]) == ("iopub", message_type(newer("status", buffers)))
    read = deserialize_binary_message(older("status", buffers))
    assert read["header"]["msg_type"] == message_type(older("status", buffers)) == "status"
    assert newer_offsets(older("status", buffers)) is None
    assert older_offsets(newer("status", buffers)) is None


def test_a_text_and_an_unpacked_message_have_a_type() -> None:
    full = message("execute_input")
    del full["buffers"]
    assert message_type(full) == message_type(json.dumps(full)) == "execute_input"


@pytest.mark.parametrize("frame", [newer(), older()], ids=["newer", "older"])
def test_a_frame_that_is_cut_off_is_no_frame_or_has_its_type(frame: bytes) -> None:
    assert message_type(frame) == "comm_msg"
    for length in range(len(frame)):
        assert message_type(frame[:length]) in (None, "comm_msg")
        assert (newer_offsets(frame[:length]) or older_offsets(frame[:length]) or (0,))[-1] <= length


HUGE = [2**63 - 1, 2**64 - 1, 2**40, 864_691_128_488_689_664, MOST_PARTS + 1, 0, 1, 2]


@pytest.mark.parametrize("number", HUGE)
def test_a_number_of_parts_that_cannot_be_is_not_counted_to(number: int) -> None:
    frame = struct.pack("<Q", number) + newer()[8:]
    assert newer_offsets(frame) is None
    assert message_type(frame) is None


@pytest.mark.parametrize("number", [0, -1, -(2**31), 2**31 - 1, MOST_PARTS + 1])
def test_neither_is_one_of_the_older_protocol(number: int) -> None:
    frame = struct.pack(">i", number) + older()[4:]
    assert older_offsets(frame) is None
    assert message_type(frame) is None


@pytest.mark.parametrize("offset", [0, 8, 63, 2**32, 2**64 - 1])
def test_an_offset_that_lies_outside_or_goes_back_is_refused(offset: int) -> None:
    for place in range(1, 4):
        frame = bytearray(newer())
        frame[8 * place : 8 * (place + 1)] = struct.pack("<Q", offset)
        assert newer_offsets(bytes(frame)) is None


@pytest.mark.parametrize(
    "nothing", [b"", b"\x00", b"\x00" * 8, b"{}", "", "{", "[]", '"text"', "[" * 100_000, {}, {"header": None}]
)
def test_what_is_no_message_has_no_type(nothing: Any) -> None:
    assert message_type(nothing) is None


@given(st.binary(max_size=200), st.integers(0, 200), st.sampled_from([newer(), older()]))
def test_any_bytes_are_read_within_their_bounds(noise: bytes, at: int, frame: bytes) -> None:
    for candidate in (noise, frame[:at] + noise + frame[at + len(noise) :]):
        assert message_type(candidate) is None or isinstance(message_type(candidate), str)
        for offsets in (newer_offsets(candidate), older_offsets(candidate)):
            assert offsets is None or 0 < offsets[0] <= offsets[-1] <= len(candidate)
