"""A law for every widget of the package: the kernel writes its traits, and a page none but those named."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from cnnviz_widgets.views.parts.controls import ClassPicker
from cnnviz_widgets.widgets.base import BaseWidget
from cnnviz_widgets.widgets.camera import Camera
from cnnviz_widgets.widgets.class_bars import ClassBars
from cnnviz_widgets.widgets.head import Head
from cnnviz_widgets.widgets.matrix import Matrix
from cnnviz_widgets.widgets.pace import FrameAcknowledger
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.step import StepButton
from cnnviz_widgets.widgets.tabs import Tabs
from cnnviz_widgets.widgets.tiles import Tiles
from cnnviz_widgets.widgets.upload import Upload

WIDGETS = [
    Camera,
    ClassBars,
    FrameAcknowledger,
    Head,
    Matrix,
    Picker,
    PictureCanvas,
    OptionSlider,
    Status,
    StepButton,
    Tabs,
    Tiles,
    Upload,
]


def all_kinds(kind: type[BaseWidget]) -> set[type[BaseWidget]]:
    return {kind} | {found for below in kind.__subclasses__() for found in all_kinds(below)}


def test_the_law_is_for_all_of_them() -> None:
    ours = {kind for kind in all_kinds(BaseWidget) if kind.__module__.startswith("cnnviz_widgets.widgets")}
    assert {kind.__name__ for kind in ours if hasattr(kind, "_esm")} - {"Acknowledged"} == {w.__name__ for w in WIDGETS}
    assert issubclass(ClassPicker, Picker)


@pytest.mark.parametrize("kind", WIDGETS)
@pytest.mark.parametrize("way", ["message", "set_state"])
def test_what_a_page_sends_for_a_trait_is_dropped(kind: type[BaseWidget], way: str) -> None:
    widget: Any = kind()
    before = {name: getattr(widget, name) for name in widget.keys}
    assert "_esm" in before and "layout" in before
    for name in before:
        for value in ("other", 1, -1, True, None, [1], {"a": 1}, "IPY_MODEL_x"):
            if way == "set_state":
                widget.set_state({name: value})
            else:
                widget._handle_msg({"content": {"data": {"method": "update", "state": {name: value}}}, "buffers": []})
    after = {name: getattr(widget, name) for name in widget.keys}
    changed = {name for name in before if after[name] is not before[name] and after[name] != before[name]}
    assert changed <= kind.written_by_page
    widget.layout.close()
    widget.close()


def test_only_the_toolbar_s_settings_are_the_page_s_and_only_small_ones() -> None:
    assert {kind: kind.written_by_page for kind in WIDGETS if kind.written_by_page} == {PictureCanvas: {"view_state"}}
    canvas = PictureCanvas()
    canvas.set_state({"view_state": {"opacity": 0.5}, "label": "mine"})
    assert canvas.view_state == {"opacity": 0.5} and canvas.label == "picture"
    for wrong in ({"x": "a" * 3000}, [1], "text", None):
        canvas.set_state({"view_state": wrong})
    assert canvas.view_state == {"opacity": 0.5}


@pytest.mark.parametrize("kind", WIDGETS)
def test_a_closed_widget_is_let_go(kind: type[BaseWidget]) -> None:
    widget: Any = kind()
    widget.layout.close()
    widget.close()
    gone = weakref.ref(widget)
    del widget
    gc.collect()
    assert gone() is None
