"""Hostile messages to every widget of every view: nothing of ours changes, and the log gets one line."""

from __future__ import annotations

import io
import json
import random
import struct
from typing import Any

import ipywidgets
import numpy as np
import PIL.Image
import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.errors import PictureError
from cnnviz_widgets.picture import read_picture
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.parts import picture_list
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.base import BaseWidget

from .hand import Hand, custom, png
from .stage import complaints, live_widgets, made_app

_DEEP: list[Any] = []
for _ in range(300):
    _DEEP = [_DEEP]
_NUMBERS = [0, 1, -1, 2, 3.5, float("nan"), float("inf"), 2**31, 2**53, 2**64, -(2**63), 10**400, 1e308]
_TEXTS = ["", "0", "constructor", "__proto__", "\0", "\ud800", "\u202e", "<img src=x onerror=alert(1)>", "é" * 999]
_LISTS = [[], [0], [0] * 4, [0] * 4096, [None] * 4, [1.0] * 4, [True] * 4, ["0"] * 4, [-1, 0, 1, 1], [[0], [1]], _DEEP]
_DICTS = [{}, {"__proto__": {"x": 1}}, {"index": 0}, {"value": None, "dtype": "O", "shape": [1]}]
VALUES: list[Any] = [None, True, False, b"x", *_NUMBERS, *_TEXTS, *_LISTS, *_DICTS]
_KEYS = ["name", "index", "option", "revision", "modifiers", "window", "point", "frame", "__proto__", "data", "event"]
_NAMES = ["moved", "picked", "entered", "here", "event", "ack", "anywidget-command", "click", "touch_start", ""]


class Attacker:
    """Makes messages of any form."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self) -> Any:
        return self.random.choice(VALUES)

    def content(self) -> Any:
        if self.random.random() < 0.1:
            return self.value()
        made: dict[str, Any] = {"kind": "event" if self.random.random() < 0.8 else self.value()}
        made["seq"] = self.random.randrange(10**6) if self.random.random() < 0.8 else self.value()
        made["final"] = self.random.choice([True, False, self.value()])
        for key in self.random.sample(_KEYS, self.random.randint(0, 6)):
            made[key] = self.random.choice(_NAMES) if key in ("name", "event") else self.value()
        return made

    def buffers(self) -> list[memoryview]:
        return self.random.choice([[], [], [memoryview(b"")], [memoryview(self.random.randbytes(50))] * 2])

    def state(self, widget: ipywidgets.Widget) -> Any:
        if self.random.random() < 0.1:
            return self.value()
        names = [*sorted(widget.keys), "__class__", "comm", "nope", "\0"]
        return {self.random.choice(names): self.value() for _ in range(self.random.randint(1, 4))}

    def message(self, widget: ipywidgets.Widget) -> dict[str, Any]:
        kind = self.random.random()
        data: Any = self.value()
        if kind < 0.65:
            data = {"method": "custom", "content": self.content()}
        elif kind < 0.95:
            data = {"method": "update", "state": self.state(widget)}
            if self.random.random() < 0.3:
                data["buffer_paths"] = self.random.choice(
                    [[], [["x"]], [["sheet"]], [[0, 1, 2]], [[], []], self.value()]
                )
        elif kind < 0.98:
            data = {"method": self.random.choice(["request_state", "nope", "", None, "__init__"])}
        return {"content": {"data": data}, "buffers": self.buffers()}


@pytest.fixture(scope="module")
def app() -> Any:
    from .stage import made_classifier

    opened = made_app(made_classifier())
    for title in opened.tabs.titles:
        opened.open_tab(title)
        assert schedule.WORKER.drain(120)
    opened.draw()
    opened.open_tab("Occlusion")
    assert schedule.WORKER.drain(120)
    yield opened
    opened.close()


def state_of(widget: BaseWidget) -> dict[str, str]:
    """Its traits as text; `view_state` is the page's own."""
    return {name: repr(getattr(widget, name)) for name in widget.keys if name not in widget.written_by_page}


def is_event(widget: Acknowledged, content: Any, buffers: list[memoryview]) -> bool:
    """Whether a message is well-formed by chance, such as one for the first tab."""
    if not isinstance(content, dict):
        return False
    index = getattr(widget, "index", None)
    try:
        widget.event(content, buffers)
    except (ValueError, TypeError, KeyError, OverflowError):
        return False
    if index is not None:
        widget.index = index
    return True


def looked_at(app: Explorer) -> tuple[Any, ...]:
    session = app.session
    return session.picture, session.target, session.layer, session.channel, session.selection, len(app.pictures)


@pytest.mark.timeout(0)
def test_no_malformed_message_changes_anything_of_ours(app: Explorer, interactions: int, seed: int) -> None:
    attacker = Attacker(seed)
    widgets = sorted(
        (widget for widget in live_widgets() if isinstance(widget, BaseWidget)), key=lambda w: type(w).__name__
    )
    before = looked_at(app)
    for _ in range(4 * interactions):
        widget = attacker.random.choice(widgets)
        message = attacker.message(widget)
        content = message["content"]["data"]
        content = content.get("content") if isinstance(content, dict) else None
        if isinstance(widget, Acknowledged) and is_event(widget, content, message["buffers"]):
            continue
        state, acks = state_of(widget), []
        widget.send = lambda content, buffers=None, acks=acks: acks.append(content)
        with complaints() as said:
            widget._handle_msg(message)
        assert state_of(widget) == state, message
        assert len(said) <= 1 and not any(" | " in line or len(line) > 500 for line in said), (message, said)
        if isinstance(widget, Acknowledged) and isinstance(content, dict) and content.get("kind") == "event":
            numbered = type(content["seq"]) is int and 0 <= content["seq"] < 2**53
            assert numbered is bool(acks)
            assert not numbered or [ack["seq"] for ack in acks if ack.get("kind") == "ack"] == [content["seq"]], message
        del widget.__dict__["send"]
    assert schedule.WORKER.drain(60)
    assert looked_at(app) == before


@pytest.mark.timeout(0)
def test_no_malformed_message_to_a_stock_widget_reaches_the_session(
    app: Explorer, interactions: int, seed: int
) -> None:
    attacker = Attacker(seed + 1)
    widgets = sorted((w for w in live_widgets() if not isinstance(w, BaseWidget)), key=lambda w: type(w).__name__)
    before = looked_at(app)
    with complaints() as said:
        for _ in range(2 * interactions):
            widget = attacker.random.choice(widgets)
            widget._handle_msg(attacker.message(widget))
            if isinstance(widget, ipywidgets.Button):
                assert schedule.WORKER.drain(60)
    assert schedule.WORKER.drain(60)
    assert looked_at(app)[1:] == before[1:]
    assert not [line for line in said if "cnnviz" in line and " | " in line]


def test_a_drag_is_answered_afterwards(app: Explorer) -> None:
    app.open_tab("Occlusion")
    assert schedule.WORKER.drain(60)
    hand = Hand(app, 0)
    hand.send(app.view.canvas, name="moved", window=list(app.view.canvas.window))
    assert schedule.WORKER.drain(60)
    assert not hand.unanswered and not hand.wrongly_answered


# -- pictures ----------------------------------------------------------------------------------------------------


def files() -> list[bytes]:
    """Small pictures in several formats and modes."""
    image = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    made = []
    for kind, options in (
        ("PNG", {}),
        ("JPEG", {"progressive": True}),
        ("GIF", {}),
        ("TIFF", {}),
        ("WEBP", {}),
        ("BMP", {}),
    ):
        for mode in ("RGB", "L", "P", "RGBA", "1"):
            if kind == "JPEG" and mode in ("P", "RGBA", "1"):
                continue
            file = io.BytesIO()
            image.convert(mode).save(file, kind, **options)
            made.append(file.getvalue())
    return made


def damaged(data: bytes, hazard: random.Random) -> bytes:
    """The file with some bytes changed, lost or added."""
    altered = bytearray(data)
    for _ in range(hazard.choice([1, 1, 2, 5, 30])):
        at, kind = hazard.randrange(len(altered)), hazard.random()
        if kind < 0.5:
            altered[at] = hazard.randrange(256)
        elif kind < 0.7:
            altered[at : at + 4] = struct.pack(">I", hazard.choice([0, 2**31 - 1, 2**32 - 1, 65536]))
        elif kind < 0.85:
            altered[at:at] = hazard.randbytes(hazard.randint(1, 40))
        elif at > 4:
            del altered[at:]
    return bytes(altered)


def test_a_damaged_file_is_a_picture_or_is_refused_in_words(interactions: int, seed: int) -> None:
    hazard = random.Random(seed)
    sound = files()
    for _ in range(interactions):
        try:
            picture = read_picture(damaged(hazard.choice(sound), hazard))
        except PictureError as error:
            assert len(str(error)) < 300
        else:
            assert picture.image is not None and picture.image.mode in ("L", "RGB")


def test_of_a_giant_upload_only_what_the_page_would_have_sent_is_kept(
    app: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = len(app.pictures)
    giant = png(np.zeros((3000, 5000), np.uint8))
    hand = Hand(app, 0)
    hand.send(app.upload, [giant], name="giant.png")
    assert schedule.WORKER.drain(60)
    assert app.session.picture is app.pictures[-1] and app.session.picture.name == "giant.png"
    assert app.session.picture.image.size == (1024, 614)
    # The whole strip is weighed, too.
    monkeypatch.setattr(picture_list, "MAX_PIXELS", 2 * 1024 * 614)
    hand.send(app.upload, [giant], name="next.png")
    assert len(app.pictures) == count + 1 and app.upload.failed and "million pixels" in app.upload.message
    hand.send(app.upload, [png(np.zeros((9, 9), np.uint8))], name="small.png")
    assert len(app.pictures) == count + 2 and not app.upload.failed
    assert not hand.unanswered
    assert schedule.WORKER.drain(60)


def test_a_stock_widget_of_a_panel_takes_no_state_of_a_wrong_type() -> None:
    with schedule.between_callbacks():
        button = ipywidgets.Button(description="Stop")
    with complaints() as said:
        button._handle_msg({"content": {"data": {"method": "update", "state": {"description": [1]}}}, "buffers": []})
        custom(button, "click")
        custom(button, ["click"])
    assert button.description == "Stop" and len(said) == 3
    assert all(line.startswith("Button: refused a browser message: ") for line in said)
    assert json.dumps(said)
    button.layout.close()
    button.style.close()
    button.close()
