"""ipywidgets keeps every widget, with a comm, until it is closed: a closed view leaves none, nor does its use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

from cnnviz_widgets import compare, explore, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.explorer import _OF_A_DATA_SET
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.views.sketch import SketchView
from cnnviz_widgets.widgets.picker import Picker

from .hand import Hand
from .stage import BRIEF_TABS, inside, live_widgets, made_app, made_classifier, pictures

VIEWS: list[type[Panel]] = [*BRIEF_TABS.values(), PredictionView, SketchView]


@pytest.fixture(autouse=True)
def _one_canvas_for_all() -> None:
    import ipycanvas  # noqa: F401  # it makes a widget when it is imported


def kinds(widgets: set[Any]) -> Counter[str]:
    return Counter(type(widget).__name__ for widget in widgets)


def opened(kind: type[Panel], classifier: Classifier) -> Panel:
    options = {"source": pictures(12, seed=1)} if issubclass(kind, _OF_A_DATA_SET) else {}
    view = kind(Session(classifier, pictures(1)[0]), **options)
    assert schedule.WORKER.drain(120)
    return view


@pytest.mark.parametrize("kind", VIEWS)
def test_a_closed_comparison_leaves_no_widget_behind(kind: type[Panel], classifier: Classifier) -> None:
    before = live_widgets()
    found = compare(opened(kind, classifier), opened(kind, made_classifier()))
    found.sessions[1].target = 2
    assert schedule.WORKER.drain(120)
    found.close()
    assert schedule.WORKER.drain(60)
    assert kinds(live_widgets() - before) == {}


def test_a_closed_app_of_several_networks_leaves_no_widget_behind(classifier: Classifier) -> None:
    before = live_widgets()
    networks = {"first": classifier, "second": made_classifier(), "third": made_classifier()}
    app = explore(networks, pictures(2), source=pictures(12, seed=1))
    for title in ("CAM", "Saliency", "Filters", "Occlusion"):
        app.open_tab(title)
        app.companion.show(app.tabs.index % 2)
        assert schedule.WORKER.drain(120)
    app.close()
    assert schedule.WORKER.drain(60)
    assert kinds(live_widgets() - before) == {}


def choices(view: Panel) -> list[Picker]:
    """Its pickers of methods and parameters, not those of classes."""
    return [one for one in inside(view) if isinstance(one, Picker) and 1 < len(one.options) < 9]


@pytest.mark.parametrize("kind", VIEWS)
def test_a_closed_view_leaves_no_widget_behind(kind: type[Panel], classifier: Classifier) -> None:
    before = live_widgets()
    view = opened(kind, classifier)
    assert len(live_widgets() - before) > 5
    view.close()
    assert schedule.WORKER.drain(60)
    assert kinds(live_widgets() - before) == {}


@pytest.mark.parametrize("kind", VIEWS)
def test_no_change_of_method_or_parameters_leaves_a_widget_behind(kind: type[Panel], classifier: Classifier) -> None:
    before = live_widgets()
    view = opened(kind, classifier)
    counts: list[int] = []
    for _ in range(3):
        for place in range(len(choices(view))):
            for index in (1, 0):
                if place < len(controls := choices(view)):  # another method has other parameters
                    choose(controls[place], index)
        counts.append(len(live_widgets()))
    # The first round may make what stays; the lasso of a map is replaced twice before the first is closed.
    assert counts[2] <= counts[1]
    view.close()
    assert schedule.WORKER.drain(60)
    assert kinds(live_widgets() - before) == {}


def choose(picker: Picker, index: int) -> None:
    content = {"kind": "event", "seq": 1, "final": True, "index": index, "option": picker.options[index]}
    picker._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    assert schedule.WORKER.drain(120)


def test_a_closed_app_leaves_no_widget_behind_whatever_was_done_with_it(
    classifier: Classifier, interactions: int, seed: int
) -> None:
    before = live_widgets()
    app = made_app(classifier)
    hand = Hand(app, seed + 1)
    for title in app.tabs.titles:
        app.open_tab(title)
        for _ in range(interactions // 30):
            hand.act()
    app.close()
    assert schedule.WORKER.drain(120)
    assert kinds(live_widgets() - before) == {}


def test_a_layout_that_was_passed_in_stays(classifier: Classifier) -> None:
    layout = ipywidgets.Layout(width="300px")
    views: list[Callable[[], Panel]] = [lambda: OcclusionView(classifier, pictures(1)[0], layout=layout)] * 2
    first, second = (make() for make in views)
    first.close()
    assert layout.comm is not None and second.layout is layout
    second.close()
    layout.close()
    assert schedule.WORKER.drain(60)
