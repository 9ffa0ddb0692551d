from __future__ import annotations

import logging
from typing import Any

import pytest
import traitlets

from cnnviz_widgets.widgets.upload import Upload, Uploaded, file_name


def test_an_event_carries_the_bytes_and_a_showable_name(browser_of: Any) -> None:
    browser = browser_of(Upload())
    browser.send({"name": "cat.jpg"}, [memoryview(b"\xff\xd8rest")])
    assert browser.events == [Uploaded(b"\xff\xd8rest", "cat.jpg")]
    assert type(browser.events[0].data) is bytes
    assert "rest" not in repr(browser.events[0])


@pytest.mark.parametrize(
    ("content", "buffers"),
    [
        ({"name": "a.png"}, []),
        ({"name": "a.png"}, [b"one", b"two"]),
        ({"name": "a.png"}, [b""]),
        ({"name": "a.png"}, [bytes(4097)]),
        ({}, [b"data"]),
        ({"name": None}, [b"data"]),
        ({"name": 7}, [b"data"]),
        ({"name": ["a.png"]}, [b"data"]),
    ],
)
def test_a_bad_message_is_refused_with_a_log_line(
    content: dict[str, Any], buffers: list[bytes], browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(Upload(max_bytes=4096))
    with caplog.at_level(logging.WARNING, "cnnviz_widgets"):
        assert browser.refused(content, [memoryview(data) for data in buffers])
    assert "Upload" in caplog.text


def test_the_size_is_counted_in_bytes_not_items(browser_of: Any) -> None:
    browser = browser_of(Upload(max_bytes=4096))
    assert browser.refused({"name": "a"}, [memoryview(bytes(8192)).cast("I")])
    browser.send({"name": "a"}, [memoryview(bytes(4096))])
    assert len(browser.events) == 1


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\cat.jpg", "cat.jpg"),
        ("a\x00b\r\nc\x1b[31m.png", "abc[31m.png"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("line\u2028break\u00a0.png", "linebreak.png"),
        ("lone\ud800.png", "lone.png"),
        ("<script>alert(1)</script>.png", "script>.png"),
        ("Größe 猫.png", "Größe 猫.png"),
        ("", "picture"),
        (" / ", "picture"),
        ("x" * 5000, "x" * 100),
    ],
)
def test_file_names_lose_folders_control_characters_and_excess(sent: str, shown: str) -> None:
    assert file_name(sent) == shown


def test_limits_are_limited() -> None:
    with pytest.raises(traitlets.TraitError):
        Upload(max_side=0)
    with pytest.raises(traitlets.TraitError):
        Upload(max_bytes=0)


def test_state_from_the_browser_cannot_raise_the_limit(browser_of: Any) -> None:
    upload = Upload(max_bytes=4096)
    upload._handle_msg({"content": {"data": {"method": "update", "state": {"max_bytes": 10**9}}}, "buffers": []})
    assert browser_of(upload).refused({"name": "a"}, [memoryview(bytes(5000))])


def test_say_sets_both_traits_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload()
    states: list[Any] = []
    monkeypatch.setattr(upload, "send_state", lambda key=None: states.append(set(key)))
    upload.say("This is not a picture.", failed=True)
    assert states == [{"message", "failed"}]
    assert (upload.message, upload.failed) == ("This is not a picture.", True)
