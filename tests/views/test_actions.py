"""What the buttons at the head of a view do: a way back, a test, a comparison, and everything that can be saved."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.picture import read_picture
from cnnviz_widgets.session import Session
from cnnviz_widgets.views import actions
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.compare import compare
from cnnviz_widgets.views.explorer import Explorer
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.saliency import SaliencyView


@pytest.fixture
def session(classifier: Classifier, picture: NDArray[np.uint8], inline: None) -> Session:
    return Session(classifier, picture)


def press(view: Panel, name: str) -> list[tuple[dict[str, Any], Any]]:
    """Press a button of the head; what the page is sent, but for acknowledgements and traits."""
    sent: list[tuple[dict[str, Any], Any]] = []
    view.head.send = lambda content, buffers=None: sent.append((content, buffers))
    view.head._receive(None, {"kind": "event", "seq": 1, "final": True, "id": name, "view": "page"}, [])
    return [(content, buffers) for content, buffers in sent if content["kind"] in ("download", "copy")]


def offered(view: Panel) -> list[str]:
    return [action["id"] for action in view.head.actions]


def is_disabled(view: Panel, name: str) -> bool:
    return any(action["id"] == name and action.get("disabled", False) for action in view.head.actions)


def test_the_buttons_stand_in_one_order_and_only_where_they_do_something(session: Session) -> None:
    assert offered(CAMView(session)) == ["back", "reset", "guess", "test", "compare", "save"]
    assert offered(PredictionView(session)) == ["back", "reset", "guess", "save"]


def test_back_and_reset_can_be_pressed_where_there_is_a_way_back(session: Session) -> None:
    view = CAMView(session)
    assert is_disabled(view, "back") and is_disabled(view, "reset")
    session.target = 2
    assert not is_disabled(view, "back") and not is_disabled(view, "reset")
    press(view, "back")
    assert session.target is None and is_disabled(view, "back")


def test_a_view_of_an_app_goes_back_beyond_its_opening(session: Session) -> None:
    app = Explorer(session, [session.picture])
    session.target = 1
    view = app.open_tab("CAM")
    assert not is_disabled(view, "back")
    view.back()
    assert session.target is None
    app.close()


@pytest.mark.parametrize("kind", [CAMView, OcclusionView, PredictionView])
def test_everything_can_be_saved_from_the_page(kind: type[Panel], session: Session, tmp_path: Any) -> None:
    view = kind(session)
    if isinstance(view, OcclusionView):
        view.compute_map()
    for name in ("png", "svg", "csv", "html"):
        ((content, (data,)),) = press(view, name)
        assert content["view"] == "page" and content["name"].endswith(f".{name}") and "/" not in content["name"]
        if name != "html":
            assert data == view.save(tmp_path / f"x.{name}").read_bytes()
    ((content, (data,)),) = press(view, "json")
    assert json.loads(data) == json.loads(json.dumps(view.state))
    assert press(view, "code") == [({"kind": "copy", "view": "page", "text": view.code()}, None)]


def test_what_cannot_be_saved_is_said(
    classifier: Classifier, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = CAMView(Session(classifier))
    assert press(empty, "png") == [] and empty.status.kind == "error"
    view = CAMView(session)
    monkeypatch.setattr(actions, "MOST", 10)
    assert press(view, "csv") == [] and "save(path)" in view.status.text


@pytest.mark.parametrize("kind", [CAMView, SaliencyView, OcclusionView])
@pytest.mark.parametrize("differs", ["method", "class", "picture"])
def test_a_comparison_takes_the_place_of_the_view(kind: type[Any], differs: str, session: Session) -> None:
    view = kind(session)
    other = read_picture(np.full((24, 32, 3), 90, np.uint8), "grey")
    view.comparer.choose_from(lambda: [session.picture, other])
    body = view.children[2]
    before = view.state
    press(view, differs)
    shown = view.comparer.shown
    assert view.children[2] is shown and shown.differs == ({"class": "classes"}.get(differs, f"{differs}s"),)
    assert [each.busy for each in shown.panels] == [False, False] and all(each.active for each in shown.panels)
    assert "compare" not in offered(shown.panels[0])
    if kind is not OcclusionView:
        assert shown.difference is not None and shown.panels[0].technique == view.technique
    assert is_disabled(view, "guess") and is_disabled(view, "save")
    view.active = False
    assert not any(each.active for each in shown.panels)
    view.active = True
    press(view, "compare")
    assert view.comparer.shown is None and view.children[2] is body and view.state == before
    assert not is_disabled(view, "save") and shown.panels[1].comm is None


def test_the_view_rests_while_it_is_compared(session: Session) -> None:
    view = CAMView(session)
    heatmap = view.heatmap
    view.comparer.open("method")
    session.target = 3
    assert view.heatmap is heatmap and view.comparer.shown.panels[0].heatmap.target.index == 3
    view.comparer.close()
    assert view.heatmap.target.index == 3


def test_the_picture_of_b_is_chosen_above_the_comparison(session: Session) -> None:
    view = CAMView(session)
    others = [read_picture(np.full((24, 32, 3), grey, np.uint8), str(grey)) for grey in (50, 90)]
    view.comparer.choose_from(lambda: [session.picture, *others])
    shown = view.comparer.open("picture")
    picker = view.comparer.picture_picker
    assert picker is shown.children[0] and picker.options[1:] == ["50", "90"]
    message = {"kind": "event", "seq": 1, "final": True, "index": 2, "option": "90"}
    picker._receive(None, message, [])
    assert shown.sessions[1].picture is others[1] and shown.sessions[0] is session
    with pytest.raises(ValueError, match="no other"):
        CAMView(session).comparer.open("picture")


def test_a_view_that_is_compared_already_offers_no_comparison(session: Session, classifier: Classifier) -> None:
    found = compare(CAMView(session), SaliencyView(session))
    assert not any("compare" in offered(panel) for panel in found.panels)
    found.close()
