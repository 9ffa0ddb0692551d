"""What a saved notebook shows of a view where nobody draws widgets."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from cnnviz_widgets import demo, schedule
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.saliency import SaliencyView

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize("kind", [CAMView, OcclusionView, SaliencyView])
def test_a_view_has_a_picture_and_a_sentence(kind: type[Panel]) -> None:
    with schedule.inline():
        view = kind(demo.shapes_classifier(), demo.pictures()[0])
        bundle = view._repr_mimebundle_()
    assert bundle is not None and bundle[WIDGET]["model_id"] == view.model_id
    assert bundle["text/plain"] == f"{view.title}: {view.answer}"
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert image.format == "PNG" and max(image.size) <= 800 and len(image.getcolors(256) or ()) > 10
    assert len(bundle["image/png"]) < 150_000
    view.close()


def test_displaying_waits_for_the_first_result_that_is_under_way() -> None:
    view = CAMView(demo.shapes_classifier(), demo.pictures()[0])
    bundle = view._repr_mimebundle_()
    assert bundle is not None and "image/png" in bundle and view.heatmap is not None
    view.close()


def test_a_view_without_a_result_is_a_sentence_alone() -> None:
    with schedule.inline():
        view = CAMView(demo.shapes_classifier())
        bundle = view._repr_mimebundle_()
    assert bundle is not None and set(bundle) == {"text/plain", WIDGET}
    assert "There is no picture yet" in bundle["text/plain"]
    view.close()


def test_a_closed_view_is_displayed_as_ipywidgets_does() -> None:
    with schedule.inline():
        view = CAMView(demo.shapes_classifier(), demo.pictures()[0])
    view.close()
    assert view._repr_mimebundle_ is None
