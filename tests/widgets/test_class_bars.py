"""What the kernel makes of a press on a bar."""

from __future__ import annotations

from typing import Any

import pytest

from cnnviz_widgets.widgets.acknowledged import Outdated
from cnnviz_widgets.widgets.class_bars import ClassBars, ClassPressed


def test_a_press_is_on_a_row_that_is_there() -> None:
    bars = ClassBars(names=["cat", "dog"])
    assert bars.event({"index": 1, "option": "dog"}, []) == ClassPressed(1)
    with pytest.raises(Outdated):
        bars.event({"index": 1, "option": "cat"}, [])
    for content in ({"index": True, "option": "dog"}, {"index": -1, "option": "dog"}, {"index": 1.0, "option": "dog"}):
        with pytest.raises(ValueError, match="expected"):
            bars.event(content, [])


def test_what_is_no_press_is_refused() -> None:
    bars = ClassBars(names=["cat"])
    contents: list[dict[str, Any]] = [{}, {"index": 0}, {"index": 0, "option": 3}]
    for content in contents:
        with pytest.raises((ValueError, KeyError)):
            bars.event(content, [])
    with pytest.raises(ValueError, match="binary"):
        bars.event({"index": 0, "option": "cat"}, [memoryview(b"x")])
