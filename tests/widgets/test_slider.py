from __future__ import annotations

import logging
from typing import Any

import pytest
import traitlets

from cnnviz_widgets.widgets.slider import OptionSlider, SliderMoved

LAYERS = ["conv1", "layer1.0", "<script>"]


def test_an_event_is_delivered_and_index_follows_before_the_handlers_run(browser_of: Any) -> None:
    slider = OptionSlider(options=LAYERS, index=1)
    seen: list[int] = []
    slider.on_event(lambda event, done: (seen.append(slider.index), done()))
    browser = browser_of(slider)
    browser.send({"index": 2, "option": "<script>", "final": False})
    browser.send({"index": 0, "option": "conv1", "final": True})
    assert browser.events == [SliderMoved(2, False), SliderMoved(0, True)]
    assert seen == [2, 0] and slider.index == 0


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"index": 2},
        {"option": "conv1"},
        {"index": 3, "option": "conv1"},
        {"index": -1, "option": "<script>"},
        {"index": True, "option": "layer1.0"},
        {"index": 1.0, "option": "layer1.0"},
        {"index": float("nan"), "option": "conv1"},
        {"index": float("inf"), "option": "conv1"},
        {"index": 2**70, "option": "conv1"},
        {"index": "1", "option": "layer1.0"},
        {"index": None, "option": "conv1"},
        {"index": [1], "option": "layer1.0"},
        {"index": 1, "option": "conv1"},
        {"index": 1, "option": 7},
        {"index": 1, "option": ["layer1.0"]},
        {"index": 1, "option": "layer1.0", "final": 1},
        {"index": 1, "option": "layer1.0", "final": None},
    ],
)
def test_a_bad_message_is_refused_with_a_log_line(
    content: dict[str, Any], browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    browser = browser_of(OptionSlider(options=LAYERS))
    with caplog.at_level(logging.DEBUG, "cnnviz_widgets"):
        assert browser.refused(content)
    assert "OptionSlider" in caplog.text


def test_binary_data_is_refused(browser_of: Any) -> None:
    browser = browser_of(OptionSlider(options=LAYERS))
    assert browser.refused({"index": 1, "option": "layer1.0"}, [memoryview(b"x")])


def test_a_hand_on_a_replaced_list_is_not_taken_for_the_new_one(browser_of: Any) -> None:
    slider = OptionSlider(options=LAYERS, index=1)
    browser = browser_of(slider)
    slider.options = ["features.0", "features.1", "features.2"]
    assert browser.refused({"index": 2, "option": "<script>"})
    assert slider.index == 1


def test_every_message_is_refused_without_options(browser_of: Any) -> None:
    assert browser_of(OptionSlider()).refused({"index": 0, "option": ""})


def test_index_stays_within_the_options() -> None:
    slider = OptionSlider(options=LAYERS, index=2)
    with pytest.raises(traitlets.TraitError, match="outside the 3 options"):
        slider.index = 3
    with pytest.raises(traitlets.TraitError):
        slider.index = -1
    assert slider.index == 2
    slider.options = LAYERS[:2]
    assert slider.index == 1
    slider.options = []
    assert slider.index == 0


def test_an_index_outside_the_options_is_refused_at_construction() -> None:
    with pytest.raises(traitlets.TraitError):
        OptionSlider(options=LAYERS, index=3)
    with pytest.raises(TypeError, match="has no layer"):
        OptionSlider(layer="conv1")


def test_state_from_the_browser_is_dropped() -> None:
    slider = OptionSlider(options=LAYERS, index=1)
    slider._handle_msg(
        {
            "content": {"data": {"method": "update", "state": {"index": 2, "options": ["x"] * 9}}},
            "buffers": [],
        }
    )
    assert (slider.index, slider.options) == (1, LAYERS)
