from __future__ import annotations

import logging
from typing import Any

import pytest
import traitlets

from cnnviz_widgets.widgets.picker import Picked, Picker

CLASSES = ["tench", "goldfish", "Café"]


def test_an_event_is_delivered_and_index_follows(browser_of: Any) -> None:
    picker = Picker(options=CLASSES)
    browser = browser_of(picker)
    assert picker.index is None
    browser.send({"index": 2, "option": "Café"})
    assert browser.events == [Picked(2)]
    assert picker.index == 2


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"index": 1},
        {"index": None, "option": "tench"},
        {"index": 3, "option": "tench"},
        {"index": -3, "option": "tench"},
        {"index": False, "option": "tench"},
        {"index": 0.0, "option": "tench"},
        {"index": float("nan"), "option": "tench"},
        {"index": 10**30, "option": "tench"},
        {"index": 0, "option": "goldfish"},
        {"index": 0, "option": None},
        {"index": 0, "option": "tench", "final": "yes"},
    ],
)
def test_a_bad_message_is_refused_with_a_log_line(
    content: dict[str, Any], browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(Picker(options=CLASSES, index=1))
    with caplog.at_level(logging.DEBUG, "cnnviz_widgets"):
        assert browser.refused(content)
    assert "Picker" in caplog.text


def test_binary_data_is_refused(browser_of: Any) -> None:
    assert browser_of(Picker(options=CLASSES)).refused({"index": 0, "option": "tench"}, [memoryview(b"x")])


def test_index_is_none_or_within_the_options() -> None:
    picker = Picker(options=CLASSES, index=2)
    with pytest.raises(traitlets.TraitError, match="outside the 3 options"):
        picker.index = 3
    picker.options = CLASSES[:2]
    assert picker.index is None
    picker.index = 1
    picker.options = ["other", "names"]
    assert picker.index == 1


def test_state_from_the_browser_is_dropped() -> None:
    picker = Picker(options=CLASSES)
    picker._handle_msg({"content": {"data": {"method": "update", "state": {"index": 7}}}, "buffers": []})
    assert picker.index is None
