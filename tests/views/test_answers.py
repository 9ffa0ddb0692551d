"""The sentences: every figure in them against one worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.views.parts import answers
from cnnviz_widgets.views.parts.answers import Answer

NAMES = ["espresso", "cup", "{odd} **name**"]


def classifier_of(scores: str) -> Classifier:
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Classifier(network, class_names=NAMES, input_size=(16, 16), scores=scores)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def softmax() -> Classifier:
    return classifier_of("softmax")


def logits(*probabilities: float) -> np.ndarray:
    return np.log(np.array(probabilities, np.float32))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (
            (0.52, 0.4, 0.08),
            "Covering this spot takes 42 points from espresso: 94 → 52 %. cup gains most, 3.5 → 40 %.",
        ),
        ((0.3, 0.5, 0.2), "Covering this spot changes the answer: espresso 94 → 30 %, now cup, 50 %."),
        ((0.97, 0.02, 0.01), "Covering this spot helps espresso: 94 → 97 %. What lies here speaks against it."),
        ((0.937, 0.038, 0.025), "Covering this spot changes next to nothing: espresso stays at 94 %."),
        (
            (0.9, 0.037, 0.063),
            "Covering this spot takes 4.0 points from espresso: 94 → 90 %. {odd} **name** gains most, 2.5 → 6.3 %.",
        ),
    ],
)
def test_occlusion(softmax: Classifier, after: tuple[float, ...], said: str) -> None:
    assert str(answers.occluded(softmax, 0, logits(0.94, 0.035, 0.025), logits(*after))) == said


def test_the_answer_changes_only_where_it_was_the_answer(softmax: Classifier) -> None:
    said = answers.occluded(softmax, 1, logits(0.6, 0.3, 0.1), logits(0.35, 0.25, 0.4))
    assert str(said) == "Covering this spot takes 5.0 points from cup: 30 → 25 %. {odd} **name** gains most, 10 → 40 %."


def test_of_probabilities_by_themselves_none_need_gain() -> None:
    before, after = np.array([2.0, -1.0, 0.0], np.float32), np.array([0.0, -1.0, 0.0], np.float32)
    said = answers.occluded(classifier_of("sigmoid"), 0, before, after)
    assert str(said) == "Covering this spot takes 38 points from espresso: 88 → 50 %."


def test_scores_that_are_no_probabilities_are_not_called_so() -> None:
    regression = classifier_of("none")
    before = np.array([2.0, -1.0, 0.5], np.float32)
    for change, said in (
        (-0.5, "Covering this spot lowers the score of espresso: 2 → 1.5."),
        (0.5, "Covering this spot raises the score of espresso: 2 → 2.5."),
        (0.01, "Covering this spot changes next to nothing: the score of espresso stays at 2."),
    ):
        after = before + np.array([change, 0, 0], np.float32)
        assert str(answers.occluded(regression, 0, before, after)) == said


def test_half_of_the_evidence_is_held_by_the_fewest_pixels() -> None:
    values = np.zeros((6, 9), np.float32)
    values[0, 0], values[0, 1], values[5, 8], values[3, 3] = 5, 1, 3, 1
    values[2] = -7
    # Of 10 the 5 is half: one pixel of 54, at the upper left.
    assert answers.half_of(values).nonzero() == (np.array([0]), np.array([0]))
    said = answers.class_map(values, (2, 3), "espresso")
    assert str(said) == (
        "Half of the evidence for espresso lies in 1.9 % of the picture, mostly at the upper left. "
        "The layer has only 2 \N{MULTIPLICATION SIGN} 3 cells: the edge of the colour is not the object's edge."
    )
    # Two thirds of what is named lie in no one ninth: nothing is said of a place.
    even = np.ones((6, 9), np.float32)
    assert str(answers.class_map(even, (6, 9), "cup")).startswith(
        "Half of the evidence for cup lies in 50 % of the picture. The"
    )
    assert "whatever the class" in str(answers.class_map(values, (2, 3), "espresso", of_class=False))


@pytest.mark.parametrize("place", range(9))
def test_each_ninth_of_the_picture_has_its_name(place: int) -> None:
    values = np.zeros((9, 9), np.float32)
    values[place // 3 * 3 + 1, place % 3 * 3 + 1] = 2
    names = ["upper left", "top", "upper right", "left", "middle", "right", "lower left", "bottom", "lower right"]
    assert f", mostly {'in' if place == 4 else 'on' if place in (3, 5) else 'at'} the {names[place]}." in str(
        answers.class_map(values, (9, 9), "cup")
    )


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), -1.0)])
def test_without_evidence_it_says_so(values: np.ndarray) -> None:
    assert str(answers.class_map(values, (3, 3), "cup")) == (
        "Nothing here speaks for cup. Show negative values to see what speaks against it."
    )
    assert str(answers.class_map(values, (3, 3), "cup", negative_shown=True)) == "Nothing here speaks for cup."


def test_saliency_counts_pixels_by_their_absolute_values() -> None:
    values = np.array([[-6, 2, 1, 1], [0, 1, 1, 0]], np.float32)
    assert str(answers.pixel_map(values, sensitivity=True)).startswith(
        "Half of the sensitivity lies in 12 % of the pixels. Sensitive is not the same as important"
    )
    assert str(answers.pixel_map(values, sensitivity=False)).startswith("Half of this map lies in 12 % of the pixels.")
    assert answers.pixel_map(np.zeros((2, 2)), sensitivity=True) is None
    assert str(answers.attribution_sum(9.5, 10.0, "cup", "black")) == (
        "All values add up to 9.5: the score of cup minus that of a black picture, but for 5.0 %."
    )
    assert answers.attribution_sum(0.1, 0.0, "cup", "black") is None


def test_channels() -> None:
    shares = np.array([0.5, -1, 3, 2, 0.25], np.float32)
    assert str(answers.contributions(2, shares, 3, "cup", 8.125, exact=True)) == (
        "Channel 2 adds 3 to cup's score of 8.12. The 3 channels shown first add 5.5; all 5 and the bias add up to it."
    )
    assert str(answers.contributions(2, shares, 3, "cup", 8, exact=False)) == (
        "Channel 2 matters most for cup here: its activations times their gradients add up to 3."
    )


def test_channels_that_are_off(softmax: Classifier) -> None:
    before, after = logits(0.94, 0.05, 0.01), logits(0.64, 0.3, 0.06)
    assert str(answers.switched_off(softmax, 0, 10, before, after)) == "With 10 channels off espresso falls: 94 → 64 %."
    assert str(answers.switched_off(softmax, 0, 1, after, before)) == "With 1 channels off espresso rises: 64 → 94 %."


def test_filters() -> None:
    norms, response = np.array([1.0, 3, 2, 3]), np.array([[4.0, 2.1, 2], [1, -5, 0]])
    assert str(answers.filter_strength(2, norms, 1, 0, response)) == (
        "Filter 2 is number 3 of 4 by strength; here it responds strongly (above half its peak) over 33 % of the "
        "picture. 1 are dead, 0 are copies."
    )
    for none in (None, -(response[:, :1] ** 2)):
        assert str(answers.filter_strength(1, norms, 0, 2, none)) == (
            "Filter 1 is number 1 of 4 by strength. 0 are dead, 2 are copies."
        )


def test_patches() -> None:
    labels = ["coffee"] * 2 + ["coins"] * 5 + ["grass", "brick"]
    assert str(answers.top_patches(7, "cup", labels)) == (
        "Channel 7 gives most to cup. Of its 9 strongest pictures 5 show coins, 2 show coffee."
    )
    assert str(answers.top_patches(7, None, labels)) == (
        "Of channel 7's 9 strongest pictures 5 show coins, 2 show coffee."
    )
    assert str(answers.top_patches(7, "cup", [])) == "Channel 7 gives most to cup."
    assert answers.top_patches(7, None, []) is None


def test_a_picture_that_was_made() -> None:
    assert str(answers.made_picture("cup", 0.9996, 12)).startswith(
        "The network is 100 % sure that this is cup, and was 99 % sure at step 12 already."
    )
    assert str(answers.made_picture("cup", 0.031, None)).startswith("The network is 3.1 % sure that this is cup. It")


def test_neighbours_maps_and_selections() -> None:
    assert str(answers.near_labels("coffee", 12, 3, 12)) == (
        "12 of 12 nearest in features are coffee; in pixels 3 of 12. Pixels match light and colour, features match "
        "things."
    )
    assert str(answers.near_labels("coffee", 5, 5, 12)) == "5 of 12 nearest in features are coffee; in pixels 5 of 12."
    assert "here are true neighbours (trustworthiness 0.97)" in str(answers.feature_map(240, "stage 5", 0.97))
    assert "Not all neighbours here are true neighbours (trustworthiness 0.71)" in str(
        answers.feature_map(240, "stage 5", 0.71)
    )
    said = answers.selection(3, ["coins", "grass", "grass"], ["cup", "cup", "nail"])
    assert str(said) == "3 pictures: grass 2, coins 1. The network calls them cup (2), nail (1)."
    assert str(answers.selection(3, [], ["cup"] * 3)) == "3 pictures. The network calls them cup (3)."
    assert str(answers.selection(3, ["a"] * 3, [])) == "3 pictures: a 3." and str(answers.selection(3, [], [])) == (
        "3 pictures."
    )


def test_what_is_put_in_is_never_taken_for_bold_or_for_a_place_holder() -> None:
    answer = Answer("cam_nothing", {"class": NAMES[2]})
    assert answer.parts() == [("Nothing here speaks for {odd} **name**.", True)]
    flips = Answer("occlusion_flips", {"class": "**a**", "p0": "1", "p1": "0", "other": "{p0}", "q1": "9"})
    assert flips.parts() == [
        ("Covering this spot ", False),
        ("changes the answer", True),
        (": **a** 1 → 0 %, now {p0}, 9 %.", False),
    ]


def test_an_answer_is_said_in_each_language() -> None:
    said = {"class": "cup", "a": "9", "h": "7", "w": "7", "place": Answer("top", {})}
    assert Answer("cam_at", said).text("ko").startswith("cup의 근거 절반이 그림의 9%에 모여 있습니다(주로 위쪽).")
    assert Answer("cam_at", said).text(None) == str(Answer("cam_at", said))


def test_percentages_have_a_decimal_below_ten() -> None:
    assert [answers.number(value) for value in (0, 0.04, 3.14, 9.94, 9.96, 42.4, -3.1)] == [
        "0",
        "0.0",
        "3.1",
        "9.9",
        "10",
        "42",
        "\N{MINUS SIGN}3.1",
    ]
