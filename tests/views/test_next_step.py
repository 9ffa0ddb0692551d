"""The main button of each view: it proposes what to do next, and what it proposes is done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.filters import FilterView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.parts.hot_spot import hottest_box, second_box
from cnnviz_widgets.views.patches import PatchView
from cnnviz_widgets.views.saliency import SaliencyView


@pytest.fixture
def session(classifier: Classifier, picture: NDArray[np.uint8], inline: None) -> Session:
    return Session(classifier, picture)


def said(view: Any, language: str = "en") -> str:
    text: str = view.main_button.texts[language]["step"]
    return text


def press(view: Any, *, stop: bool = False) -> None:
    view.main_button._receive(None, {"kind": "event", "seq": 1, "final": True, "stop": stop}, [])


def test_the_hottest_box_lies_on_the_largest_value_and_inside() -> None:
    values = np.zeros((24, 32), np.float32)
    values[10, 20] = 1
    assert hottest_box(values, (8, 6)) == (6, 17, 8, 6)
    values[0, 31] = 2
    assert hottest_box(values, (8, 6)) == (0, 26, 8, 6)
    assert hottest_box(values, (24, 32)) == (0, 0, 24, 32)


def test_the_second_box_does_not_overlap_with_the_first() -> None:
    boxes = [Box(0, 0, 4, 4), Box(0, 2, 4, 4), Box(0, 4, 4, 4), Box(4, 0, 4, 4)]
    assert second_box(boxes[0], boxes, np.array([9.0, 8, 3, 5])) == boxes[3]
    assert second_box(boxes[0], boxes[:2], np.array([9.0, 8])) == boxes[0]


def test_occlusion_goes_from_spot_to_spot(session: Session) -> None:
    view = OcclusionView(session, technique=Occlusion(8, 8), run_ahead=False)
    assert said(view) == "Try every place"
    press(view)
    assert view.heatmap is not None and said(view) == "Go to the most important spot"
    press(view)
    measured = view.heatmap.run.measured[view.heatmap.run.source.ravel()]
    drops = (
        session.example.probabilities[view.heatmap.target.index]
        - session.classifier.readout.probabilities(measured)[:, view.heatmap.target.index]
    )
    assert view.window in (
        view.heatmap.windows.boxes[int(drops.argmax())],
        view.heatmap.windows.boxes[int(drops.argmin())],
    )
    first = view.window
    assert said(view) == "Go to the next important spot"
    press(view)
    assert view.window != first and said(view) == "Go to the most important spot"


@pytest.mark.parametrize("kind", [CAMView, SaliencyView])
def test_a_map_by_itself_covers_its_hot_spot_in_place(kind: type[Any], session: Session) -> None:
    view = kind(session)
    assert said(view) == "Cover the hot spot"
    box = hottest_box(view.heatmap.values)
    press(view)
    top, left, height, width = box
    assert view.canvas.box == (top, left, top + height, left + width)
    probe = OcclusionView(session, window=tuple(box), run_ahead=False).probe
    before, after = (
        100 * float(p[session.example.predicted])
        for p in (session.example.probabilities, session.classifier.readout.probabilities(probe.logits))
    )
    kinds = ("hot_spot",) if before - after >= 0.5 else ("occlusion_rises", "occlusion_same", "occlusion_flips")
    assert view.answer.name in kinds


def test_an_app_covers_the_hot_spot_under_occlusion(session: Session) -> None:
    app = Explorer(session, [session.picture])
    view = app.open_tab("CAM")
    box = hottest_box(view.heatmap.values)
    press(view)
    assert isinstance(app.view, OcclusionView) and app.view.window == box
    if app.view.answer.name == "hot_spot":
        assert str(app.view.answer).startswith(
            f"Covering the hottest {box[2]} \N{MULTIPLICATION SIGN} {box[3]} px takes"
        )
    app.view.window = (0, 0, *box[2:])
    assert app.view.answer.name != "hot_spot" or box[:2] == (0, 0)
    app.close()


def test_the_first_channels_are_switched_off_and_on_again(session: Session) -> None:
    view = ActivationView(session)
    count = min(10, len(view.activations.maps))
    assert said(view) == f"Switch the first {count} off"
    first = frozenset(map(int, view._order[:count]))
    press(view)
    assert view.off == first and said(view) == "Switch all on again"
    press(view)
    assert view.off == frozenset()


def test_an_app_goes_from_filter_to_patches_to_a_picture(session: Session, inline: None) -> None:
    source = np.random.default_rng(0).integers(0, 256, (6, 24, 32, 3), np.uint8)
    app = Explorer(session, [session.picture], source=list(source))
    press(app.open_tab("Filters"))
    assert isinstance(app.view, PatchView) and session.channel is not None
    sheet = app.view.sheet
    assert sheet is not None and said(app.view) == "Make a picture for this channel"
    assert sheet.channel == session.channel
    press(app.view)
    made = app.view
    assert type(made).__name__ == "MaximisationView" and made.of_channel and made.visual is not None
    assert (made.visual.target.layer, made.visual.target.channel) == (session.layer, session.channel)
    app.close()


def test_what_needs_other_tabs_is_not_offered_without_them(session: Session) -> None:
    view = FilterView(session)
    assert said(view) == "" and view.main_button.layout.display == "none"


def test_the_nearest_picture_is_the_next_question(session: Session) -> None:
    source = np.random.default_rng(0).integers(0, 256, (6, 24, 32, 3), np.uint8)
    view = NeighbourView(session, source=list(source))
    view.features.build_button.click()
    assert said(view) == "Ask with the nearest one"
    row = int(view.neighbours.features.rows[0])
    press(view)
    assert view.neighbours.row == row


def test_the_button_stops_what_is_under_way(classifier: Classifier, picture: NDArray[np.uint8]) -> None:
    view = CAMView(Session(classifier, picture), active=False)
    stopped: list[bool] = []
    view.main_button._halt = lambda: stopped.append(True)
    press(view, stop=True)
    assert stopped == [True]
    view.close()


@pytest.mark.parametrize("language", [*words.LANGUAGES, None])
def test_the_button_speaks_the_language_of_the_panel(language: str | None, session: Session) -> None:
    button = CAMView(session, language=language).main_button
    assert button.texts == {
        each: {"step": words.text("step.cover", each), "stop": words.text("step.stop", each)}
        for each in words.sent(language)
    }
