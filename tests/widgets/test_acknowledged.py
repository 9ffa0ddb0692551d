"""The flow control itself: who is answered, when, and how loudly a message is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.tiles import Tiles


def deliver(widget: Acknowledged, **content: Any) -> list[int]:
    acks: list[int] = []
    widget.send = lambda message, buffers=None: acks.append(message["seq"])  # type: ignore[method-assign]
    widget._receive(None, {"kind": "event", "seq": 5, "final": True, **content}, [])
    return acks


def test_the_answer_waits_for_every_handler_and_is_given_once() -> None:
    slider = OptionSlider(options=["a", "b"])
    waiting: list[Callable[[], None]] = []
    for _ in range(2):
        slider.on_event(lambda event, done: waiting.append(done))
    acks = deliver(slider, index=1, option="b")
    first, second = waiting
    first()
    first()
    assert acks == []
    second()
    second()
    assert acks == [5]


def test_a_handler_that_raises_is_answered_for_and_the_error_is_not_hidden() -> None:
    slider = OptionSlider(options=["a", "b"])

    def broken(event: object, done: Callable[[], None]) -> None:
        raise RuntimeError("broken")

    slider.on_event(broken)
    acks: list[int] = []
    slider.send = lambda message, buffers=None: acks.append(message["seq"])  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="broken"):
        slider._receive(None, {"kind": "event", "seq": 5, "final": True, "index": 1, "option": "b"}, [])
    assert acks == [5]


def test_without_a_handler_the_answer_comes_at_once() -> None:
    assert deliver(OptionSlider(options=["a", "b"]), index=1, option="b") == [5]


@pytest.mark.parametrize("widget", [OptionSlider(options=["a", "b"]), Picker(options=["a", "b"])])
def test_an_option_of_a_replaced_list_is_refused_without_alarm(
    widget: Acknowledged, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cnnviz_widgets"):
        assert deliver(widget, index=1, option="layer1") == [5]
        assert deliver(widget, index=7, option="layer7") == [5]
    assert caplog.text == ""
    assert widget.index != 1  # type: ignore[attr-defined]


def test_a_tile_of_a_replaced_sheet_is_refused_without_alarm(caplog: pytest.LogCaptureFixture) -> None:
    tiles = Tiles()
    tiles.show(np.zeros((3, 2, 2, 3), np.uint8))
    old = tiles.revision
    tiles.show(np.zeros((3, 2, 2, 3), np.uint8))
    with caplog.at_level(logging.INFO, "cnnviz_widgets"):
        assert deliver(tiles, name="picked", index=1, modifiers=[], revision=old) == [5]
    assert tiles.selected is None and caplog.text == ""


def test_an_unknown_trait_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="OptionSlider has no colour"):
        OptionSlider(colour="red")
