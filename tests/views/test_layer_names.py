"""What a layer is called: by stage and place, and still by the network's own name where a program needs it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from torch import nn
from torchvision import models

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.views.parts.layer_names import slidable, staged_name, staged_names
from cnnviz_widgets.views.parts.layers import LayerSlider

STAGED = re.compile(r"stage (\d+), (first|last|\d+) · (\d+) × (\d+)")


def of_torchvision(name: str, side: int) -> Classifier:
    return Classifier(models.get_model(name, weights=None).eval(), input_size=side)


CLASSIFIERS = {
    "demo": demo.classifier,
    "resnet18": lambda: of_torchvision("resnet18", 64),
    "vgg11": lambda: of_torchvision("vgg11", 64),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_stops_are_named_by_stage_place_and_resolution_and_found_by_their_own_name(name: str) -> None:
    classifier = CLASSIFIERS[name]()
    session = Session(classifier)
    slider = LayerSlider(session)
    assert slider.names == [layer.name for layer in slidable(classifier)]
    assert len(set(slider.options)) == len(slider.options)
    found = [STAGED.fullmatch(option) for option in slider.options]
    assert all(found), [option for option, match in zip(slider.options, found, strict=True) if not match]
    parts = [match.groups() for match in found if match]
    for layer, (_, _, height, width), detail in zip(slider.layers, parts, slider.details, strict=True):
        assert layer.shape[1:] == (int(height), int(width))
        assert detail.startswith(f"{layer.name} · {layer.kind}, {layer.shape[0]} × ")
    # A stage is a run of one resolution: it ends where that changes, and nowhere else.
    assert parts[0][:2] == ("1", "first")
    for before, after in pairwise(parts):
        same = before[2:] == after[2:]
        assert int(after[0]) == int(before[0]) + (not same) and (after[1] == "first") == (not same)
        if not same:
            assert before[1] in ("last", "first")
    # The session takes the network's own name.
    session.layer = slider.names[0]
    slider.follow()
    assert slider.index == 0 and session.layer == slider.names[0]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_layer_has_a_name_that_tells_its_resolution(name: str) -> None:
    classifier = CLASSIFIERS[name]()
    names = staged_names(classifier)
    assert names.keys() == {layer.name for layer in classifier.layers}
    for layer in classifier.layers:
        assert names[layer.name].endswith(f" · {layer.shape[1]} × {layer.shape[2]}")
        assert "None" not in names[layer.name]
    assert staged_name(classifier, "nothing") == "nothing"


def test_what_is_no_stop_is_named_after_its_neighbour() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip
    names = staged_names(Classifier(network.eval(), input_size=16))
    assert names["0"] == "stage 1, first · 16 × 16" and names["1"] == names["2"] == "stage 1, after first · 16 × 16"
    assert names["3"] == "between stages 1 and 2 · 8 × 8"
    assert names["4"] == "stage 2, first · 6 × 6" and names["5"] == "stage 2, last · 6 × 6"
