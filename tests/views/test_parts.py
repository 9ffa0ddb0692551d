"""Scales, bars and controls."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import ipywidgets
import numpy as np
import pytest

from cnnviz_widgets.schedule import LatestWins, Worker
from cnnviz_widgets.views import panel
from cnnviz_widgets.views.parts.controls import percent
from cnnviz_widgets.views.parts.scales import scales_of, short
from cnnviz_widgets.views.parts.scores import ScoreBars, entropy, unique


def test_scales_keep_zero_in_place() -> None:
    values = np.array([[-1, 4], [2, 0]], np.float32)
    assert scales_of(values, signed=True) == [("this map", -4.0, 4.0)]
    assert scales_of(np.abs(values), signed=False) == [("this map", 0.0, 4.0)]
    assert scales_of(values, signed=False, others=[values * 2])[-1] == ("all layers", 0.0, 8.0)


def test_a_map_of_zeros_or_nan_is_not_stretched() -> None:
    assert scales_of(np.zeros((2, 2), np.float32), signed=False) == [("this map", 0.0, 1.0)]
    assert scales_of(np.full((2, 2), np.nan, np.float32), signed=True) == [("this map", -1.0, 1.0)]


def test_a_tailed_map_gets_its_99th_percentile_first() -> None:
    values = np.arange(101, dtype=np.float32).reshape(1, 101)
    assert scales_of(values, signed=False, tailed=True) == [("99 % of this map", 0.0, 99.0), ("this map", 0.0, 100.0)]


def test_entropy_in_bits() -> None:
    assert entropy(np.array([1, 0, 0], np.float32)) == 0
    assert entropy(np.full(8, 1 / 8, np.float32)) == pytest.approx(3)


def test_numbers_and_names_for_people() -> None:
    assert short(-0.12345) == "\N{MINUS SIGN}0.123"
    assert [percent(share) for share in (0.434, 0.012, 0.0)] == ["43%", "1.2%", "0%"]
    assert unique(["cat", "dog", "cat", " a\nb", ""]) == ["cat", "dog", "cat (2)", "a b", "(no name)"]


def test_bars_show_now_and_keep_the_whole_picture() -> None:
    bars = ScoreBars(now="classes.patch")
    whole, now = np.array([0.5, 0.3, 0.2], np.float32), np.array([0.1, 0.8, 0.1], np.float32)
    bars.show_whole(["a", "b", "a"], [0, 1, 2], whole)
    bars.show_now(now)
    assert bars.values == pytest.approx({0: 0.1, 1: 0.8, 2: 0.1})
    np.testing.assert_allclose(bars.before, whole)
    assert bars.names == ["a", "b", "a (2)"] and bars.texts == ["10%", "80%", "10%"] and bars.chosen is None
    assert [*bars.words] == ["en"] and bars.words["en"]["now"] == "patch on"


def test_a_page_that_loads_is_told_of_all_widgets_between_two_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    class Channel:
        def send(self, content: dict[str, Any], buffers: object = None) -> None:
            told.append(content["states"])

    assert ipywidgets.Widget._handle_control_comm_msg is panel._tell_whole_states
    monkeypatch.setattr(ipywidgets.Widget, "_control_comm", Channel())
    box = ipywidgets.VBox()
    drawing, go_on = threading.Event(), threading.Event()

    def draw(_: object) -> None:
        child = ipywidgets.Label("new")
        drawing.set()
        assert go_on.wait(10)
        box.children = (child,)

    def work() -> Generator[None, None, None]:
        yield

    worker = Worker(linger=0)
    LatestWins(worker).submit(work(), draw, pytest.fail)
    assert drawing.wait(10)
    ask = {"content": {"data": {"method": "request_states"}}}
    asking = threading.Thread(target=lambda: ipywidgets.Widget._handle_control_comm_msg(ask))
    asking.start()
    asking.join(0.2)
    assert not told, "the drawing is under way"
    go_on.set()
    asking.join(10)
    worker.drain(10)
    (states,) = told
    children = [child.removeprefix("IPY_MODEL_") for child in states[box.model_id]["state"]["children"]]
    assert len(children) == 1 and children[0] in states
