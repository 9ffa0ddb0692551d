"""What the page shows for the texts of the program, in each language."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection import PROJECTIONS
from cnnviz_widgets.explain import TECHNIQUES, GradCAM
from cnnviz_widgets.parameters import Range
from cnnviz_widgets.study import ActivationMaximisation
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.parts.controls import parameters
from cnnviz_widgets.views.wording import LabelledButton, label, name_of, option
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.slider import OptionSlider

CHOSEN = (*TECHNIQUES, *PROJECTIONS, ActivationMaximisation)


def controls_of(value: Any) -> list[Any]:
    panel: Any = SimpleNamespace(on=lambda *_: None)
    return parameters(panel, value, lambda *_: None)


@pytest.mark.parametrize("kind", CHOSEN, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_parameter_and_its_options_are_in_both_catalogues(kind: type[Any], language: str) -> None:
    texts = words.catalogue(language)
    for control in controls_of(kind()):
        name = name_of(control.description)
        assert f"parameter.{name}" in texts or f"parameter.class_image.{name}" in texts, name
        if isinstance(control, Picker):
            for text in control.options:
                assert {f"option.{name}.{name_of(text)}", f"option.{name_of(text)}"} & texts.keys() or text == "PCA", (
                    text
                )
        control.close()


@dataclass(frozen=True)
class Own(GradCAM):
    """A technique with parameters that no catalogue knows."""

    label = "own"
    how_far: Annotated[int, Range(1, 3)] = 2
    way: Literal["mean", "inside out"] = "mean"


def test_parameters_that_are_unknown_keep_their_names() -> None:
    found = {control.description: control for control in controls_of(Own())}
    assert label("how far", "cam", "ko") == "how far" in found
    assert option("inside out", "way", "ko") == "inside out" in found["way"].options
    assert option("mean", "way", "ko") == "\N{HANGUL SYLLABLE PYEONG}\N{HANGUL SYLLABLE GYUN}"
    for control in found.values():
        control.close()


def test_names_of_classes_are_nobodys_words(network: Any, picture: np.ndarray, inline: None) -> None:
    names = ["yes", "no", "mean", "nothing"]
    view = CAMView(Classifier(network, class_names=names, input_size=(24, 32)), picture, language="ko")
    assert not {*names} & view.against_picker.texts["ko"].keys()
    assert view.against_picker.texts["ko"]["no other class"] == words.text("option.minus.no_other_class", "ko")
    view.close()


def test_what_a_program_reads_stays_english(classifier: Classifier, picture: np.ndarray, inline: None) -> None:
    view = CAMView(classifier, picture, techniques=[GradCAM()], language="ko")
    (relu,) = [control for control in view.choice.controls.children if control.description == "relu"]
    assert relu.options == ["no", "yes"]
    assert relu.texts == {
        "ko": {
            "relu": words.text("parameter.relu", "ko"),
            "no": words.text("option.relu.no", "ko"),
            "yes": words.text("option.relu.yes", "ko"),
        }
    }
    before = relu.texts
    relu.event({"index": 0, "option": "no", "final": True}, [])
    assert relu.index == 0 and relu.texts == before
    view.close()


def test_a_button_shows_its_text_and_keeps_its_description() -> None:
    button = LabelledButton("ko", description="Stop")
    assert button.description == "Stop"
    assert button.get_state(["description"]) == {"description": words.text("button.stop", "ko")}
    button.description = "a user's own"
    assert button.get_state(["description"]) == {"description": "a user's own"}
    button.close()
    button = LabelledButton(None, description="Stop")
    assert button.get_state(["description"]) == {"description": "Stop"}
    button.close()


def test_a_slider_over_layers_calls_them_in_the_language(
    classifier: Classifier, picture: np.ndarray, inline: None
) -> None:
    view = CAMView(classifier, picture, language="ko")
    slider: OptionSlider = view.layer_slider
    assert {*slider.options} <= slider.texts["ko"].keys()
    assert all(text.isascii() is False for text in slider.texts["ko"].values())
    view.close()


def test_the_test_of_a_view_speaks_its_language(classifier: Classifier, picture: np.ndarray, inline: None) -> None:
    view = CAMView(classifier, picture, language="ko")
    view.test()
    panel = view.tester.panel
    assert panel is not None and panel.language == "ko"
    assert panel.tabs.labels["ko"]["titles"][0] == words.text("title.reveal_and_cover", "ko")
    assert view.strip.texts["ko"] == {
        view.strip.description: words.text("title.all_layers_each_on_its_own_scale", "ko")
    }
    view.close()
