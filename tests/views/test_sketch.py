"""The sheet to draw on, driven by ipycanvas' messages without a browser."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.parts.drawing import Stroke, rasterize
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.sketch import SketchView
from tests.support.tally import Tally

from .test_filters import pick


class Grey(nn.Module):
    """Counts its forward passes, each of which waits for `gate`."""

    calls = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(4, 3)
        self.calls = 0
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def forward(self, pixels: Tensor) -> Tensor:
        self.calls += 1
        self.waiting.set()
        assert self.gate.wait(30)
        logits: Tensor = self.head(self.body(pixels).mean((2, 3)))
        return logits


@pytest.fixture
def network() -> Grey:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Grey()


@pytest.fixture
def session(network: Grey) -> Session:
    return Session(Classifier(network, class_names=["one", "two", "three"], input_size=(32, 32)))


def tell(view: SketchView, event: str, *places: Any, touch: bool = False) -> None:
    for x, y in places:
        content = {"event": event, "touches": [{"x": x, "y": y}]} if touch else {"event": event, "x": x, "y": y}
        view.sheet._handle_frontend_event(view.sheet, content, [])


def stroke(view: SketchView, *places: tuple[float, float], touch: bool = False) -> None:
    begin, move, end = ("touch_start", "touch_move", "touch_end") if touch else ("mouse_down", "mouse_move", "mouse_up")
    tell(view, begin, places[0], touch=touch)
    tell(view, move, *places[1:], touch=touch)
    tell(view, end, places[-1], touch=touch)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("touch", [False, True])
def test_a_stroke_becomes_the_picture_of_all_views(session: Session, touch: bool) -> None:
    view, other = SketchView(session), PredictionView(session)
    assert session.picture is None and "Draw something" in view.status.text
    stroke(view, (160, 40), (160, 280), touch=touch)
    seen = session.example.appearance[..., 0]
    assert seen[16, 16] > 200 and seen[16, 2] == 0 and seen[16, 29] == 0
    assert view.canvas.picture == session.example.appearance.tobytes()
    assert "takes this sketch for" in view.status.text and "sketch" in other.status.text
    assert view.bars.values[session.example.predicted] == pytest.approx(float(session.example.probabilities.max()))


@pytest.mark.usefixtures("inline")
def test_nothing_is_drawn_while_the_button_is_up(session: Session) -> None:
    view = SketchView(session)
    tell(view, "mouse_move", (10, 10), (100, 100))
    assert session.picture is None and view.strokes == ()
    stroke(view, (50, 50), (60, 60))
    tell(view, "mouse_move", (200, 200))
    assert [len(line.points) for line in view.strokes] == [2]
    tell(view, "mouse_down", (100, 100))
    tell(view, "mouse_out", (320, 100))
    tell(view, "mouse_move", (200, 200))
    assert [len(line.points) for line in view.strokes] == [2, 1]


@pytest.mark.usefixtures("inline")
def test_clear_undo_and_pen(session: Session) -> None:
    view = SketchView(session)
    view.undo()
    view.clear()
    assert session.picture is None, "an empty sheet takes nobody's picture away"
    stroke(view, (100, 100))
    pick(view.width_slider, 0)
    stroke(view, (200, 200))
    assert [line.width for line in view.strokes] == [32, 4]
    dots = session.example.appearance
    assert dots[10, 10, 0] > 250 and 0 < dots[20, 20, 0] < 255
    pick(view.ink_picker, 1)
    np.testing.assert_allclose(session.example.appearance.astype(int), 255 - dots.astype(int), atol=1)
    view.undo()
    assert len(view.strokes) == 1 and session.example.appearance[20, 20, 0] == 255
    view.clear()
    assert view.strokes == () and session.example.appearance.min() == 255


def test_strokes_are_drawn_where_the_hand_was() -> None:
    image = np.asarray(rasterize([Stroke(10, [(20, 30), (80, 30)])], (64, 100), "#ffffff", "#000000"))
    rows, columns = np.nonzero(image)
    assert image.shape == (64, 100)
    assert abs(rows.min() - 25) <= 1 and abs(rows.max() - 35) <= 1
    assert abs(columns.min() - 15) <= 1 and abs(columns.max() - 85) <= 1


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("place", [(float("nan"), 1), (None, 1), ("1", 1), (float("inf"), 0), ([], {})])
def test_a_place_that_is_none_is_ignored(session: Session, place: tuple[Any, Any]) -> None:
    view = SketchView(session)
    tell(view, "mouse_down", place)
    assert view.strokes == () and session.picture is None
    tell(view, "mouse_down", (10, 10))
    tell(view, "mouse_move", place, (-1e9, 1e9))
    assert view.strokes[0].points == [(10.0, 10.0), (0.0, 320.0)]


@pytest.mark.usefixtures("inline")
def test_a_picture_chosen_elsewhere_is_shown_until_the_next_stroke(session: Session) -> None:
    view = SketchView(session)
    session.picture = np.zeros((32, 32), np.uint8)
    assert "the picture" in view.status.text and view.strokes == ()
    stroke(view, (100, 100))
    assert "this sketch" in view.status.text


def test_while_the_network_is_slow_only_the_newest_strokes_are_looked_at(session: Session, network: Grey) -> None:
    view = SketchView(session)
    network.gate.clear()
    network.waiting.clear()
    calls = network.calls
    tell(view, "mouse_down", (10, 160))
    assert network.waiting.wait(30)
    tell(view, "mouse_move", *[(10 + 3 * step, 160) for step in range(1, 100)])
    tell(view, "mouse_up", (310, 160))
    assert network.calls == calls + 1
    network.gate.set()
    assert schedule.WORKER.drain(30)
    assert network.calls == calls + 2, "one for the first dot, one for all that came meanwhile"
    expected = rasterize(view.strokes, (320, 320), "#ffffff", "#000000")
    assert view.session.picture.image.tobytes() == expected.tobytes()
    assert view.canvas.picture == session.example.appearance.tobytes()
    view.close()


def test_colours_begin_as_the_network_knows_them(session: Session) -> None:
    large = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    with schedule.inline():
        assert SketchView(session).ink_picker.index == 0
        wide = SketchView(Classifier(large, input_size=(100, 200)))
    assert wide.ink_picker.index == 1 and (wide.sheet.height, wide.sheet.width) == (160, 320)
    assert SketchView(session, active=False).strokes == ()
