"""The network of a page: that it is tried, and that what cannot be taken along is refused or left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnxruntime")

from cnnviz_widgets import Classifier, demo, schedule
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.take.page.network import as_input, input_form, network_for


@pytest.fixture
def session() -> Session:
    return Session(demo.shapes_classifier(), demo.pictures()[0])


@pytest.mark.parametrize(("weights", "most"), [("float32", 5e-3), ("float16", 2e-2)])
def test_the_error_is_that_of_the_scores_in_the_page(session: Session, weights: str, most: float) -> None:
    network = network_for(session.classifier, [session.example], "network", weights)  # type: ignore[arg-type]
    assert network is not None and 0 < network.share < most
    assert network.own and network.note("en").endswith("% of their range.")
    assert weights in network.note("en")


def test_bytes_of_a_picture_become_the_input(session: Session) -> None:
    example = session.example
    form = input_form([example])
    assert form is not None
    restored = as_input(example.appearance, form)
    level = np.array(form["scale"], np.float32)[:, None, None]
    assert np.all(np.abs(restored[0] - example.pixels[0].numpy()) <= level)


def test_a_preprocessing_that_does_more_takes_no_picture_of_ones_own(session: Session) -> None:
    plain = session.classifier

    def flipped(picture: object) -> torch.Tensor:
        return plain.pixels(picture)[0].flip(-1)

    classifier = Classifier(plain.network, preprocess=flipped, class_names=plain.class_names)
    for one, own in ((plain, True), (classifier, False)):
        network = network_for(one, [Session(one, demo.pictures()[0]).example], "network", "float32")
        assert network is not None and network.own == own
        assert ("picture of your own" in network.note("en")) == own


def test_a_view_that_has_no_use_for_it_takes_no_network(session: Session, tmp_path: Path) -> None:
    with schedule.inline():
        cam, patch = CAMView(session), OcclusionView(session)
        sizes = [view.to_html(tmp_path / "a.html", live=live, tell=None).size for view, live in
                 ((cam, "network"), (patch, "tables"), (patch, "auto"))]  # fmt: skip
    assert sizes[0] < 1 and sizes[1] < 1 and 4 < sizes[2] < 6


@pytest.mark.parametrize("options", [{"live": "yes"}, {"weights": "int8"}, {"classes": 0}, {"layers": ["none"]}])
def test_options_that_are_none_are_refused(session: Session, tmp_path: Path, options: dict[str, object]) -> None:
    with schedule.inline():
        view = CAMView(session)
        before = view.state
        with pytest.raises(ExportError):
            view.to_html(tmp_path / "a.html", tell=None, **options)  # type: ignore[arg-type]
    assert view.state == before and list(tmp_path.iterdir()) == []
