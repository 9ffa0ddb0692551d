"""Frames of a camera as they come from a page, which may be any script."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import traitlets

from cnnviz_widgets.widgets.camera import Camera, FrameTaken


def test_an_event_carries_the_bytes_and_the_run_of_the_camera(browser_of: Any) -> None:
    browser = browser_of(Camera())
    browser.send({"run": 7, "final": False}, [memoryview(b"\xff\xd8rest")])
    browser.send({"run": 7, "final": True}, [memoryview(b"\xff\xd8last")])
    assert browser.events == [FrameTaken(b"\xff\xd8rest", 7), FrameTaken(b"\xff\xd8last", 7, True)]
    assert type(browser.events[0].data) is bytes
    assert "rest" not in repr(browser.events[0])


@pytest.mark.parametrize(
    ("content", "buffers"),
    [
        ({"run": 1}, []),
        ({"run": 1}, [b"one", b"two"]),
        ({"run": 1}, [b""]),
        ({"run": 1}, [bytes(4097)]),
        ({}, [b"data"]),
        ({"run": None}, [b"data"]),
        ({"run": 0}, [b"data"]),
        ({"run": -1}, [b"data"]),
        ({"run": 2**31 + 1}, [b"data"]),
        ({"run": 1.5}, [b"data"]),
        ({"run": True}, [b"data"]),
        ({"run": "1"}, [b"data"]),
        ({"run": [1]}, [b"data"]),
        ({"run": 1, "final": 1}, [b"data"]),
        ({"run": 1, "final": None}, [b"data"]),
    ],
)
def test_a_bad_message_is_refused_with_a_log_line(
    content: dict[str, Any], buffers: list[bytes], browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(Camera(max_bytes=4096))
    with caplog.at_level(logging.WARNING, "cnnviz_widgets"):
        assert browser.refused(content, [memoryview(data) for data in buffers])
    assert "Camera" in caplog.text


def test_limits_are_limited_and_a_page_cannot_raise_them(browser_of: Any) -> None:
    for name, value in (("max_side", 10**5), ("max_side", 0), ("max_bytes", 0)):
        with pytest.raises(traitlets.TraitError):
            Camera(**{name: value})
    camera = Camera(max_bytes=4096)
    state = {"max_bytes": 10**9, "max_side": 8000, "halted": 7}
    camera._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})
    assert (camera.max_bytes, camera.max_side, camera.halted) == (4096, 640, 0)
    assert browser_of(camera).refused({"run": 1}, [memoryview(bytes(5000))])
