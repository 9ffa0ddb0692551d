"""The list of classes: the same in every panel that shows what the network says of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.activation import ActivationView
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.camera import CameraView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.occlusion import OcclusionView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.parts.scores import best_classes
from cnnviz_widgets.views.saliency import SaliencyView
from cnnviz_widgets.views.sketch import SketchView

WITH_LIST = [ActivationView, CAMView, CameraView, MaximisationView, OcclusionView, SaliencyView, SketchView]


@pytest.fixture
def session(classifier: Classifier, picture: NDArray[np.uint8], inline: None) -> Session:
    return Session(classifier, picture)


@pytest.mark.parametrize("kind", WITH_LIST)
def test_a_press_explains_the_class(kind: type[Panel], session: Session) -> None:
    view = kind(session)
    classes = view.class_list  # type: ignore[attr-defined]
    best = best_classes(session.example.logits, session.example.predicted)
    names = session.classifier.class_names
    assert classes.bars.names == [names[index] for index in best] and classes.bars.chosen == 0
    row = len(best) - 1
    message = {"kind": "event", "seq": 1, "final": True, "index": row, "option": classes.bars.names[row]}
    classes.bars._receive(None, message, [])
    assert session.target == best[row] and classes.bars.names[classes.bars.chosen] == names[best[row]]
    assert classes.picker.index == best[row] + 1
    view.close()


def test_a_class_that_is_none_of_the_best_takes_the_last_row() -> None:
    logits = np.arange(9, dtype=np.float32)
    assert best_classes(logits, 8) == [8, 7, 6, 5, 4]
    assert best_classes(logits, 0) == [8, 7, 6, 5, 0]


@pytest.mark.parametrize("language", [*words.LANGUAGES, None])
def test_the_list_is_in_the_language_of_the_panel(language: str | None, session: Session) -> None:
    bars = OcclusionView(session, language=language).class_list.bars
    assert bars.language == language and tuple(bars.words) == words.sent(language)
    for each, texts in bars.words.items():
        assert texts["title"] == words.text("classes.softmax", each)
        assert texts["now"] == words.text("classes.patch", each)
