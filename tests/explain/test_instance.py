"""The door into the techniques: what it takes, checks, copies and shares."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import numpy as np
import pytest
import torch

from cnnviz_widgets import explain
from cnnviz_widgets.classifier import Classifier, Target, inputs
from cnnviz_widgets.errors import LayerError, MethodError, PictureError, TargetError
from cnnviz_widgets.explain import EigenCAM, Explainer, GradCAM, Instance, LayerCAM, LayerExplainer
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.explain.explainer import Family
from tests.support import networks
from tests.support.guest import guest
from tests.support.networks import Counted, seeded
from tests.support.techniques import TECHNIQUES, all_techniques, same

NAMES = ["ant", "bee", "cat", "dog", "elk"]


def named() -> Classifier:
    return Classifier(guest(), class_names=NAMES, input_size=networks.SIZE)


# -- pixels ------------------------------------------------------------------------------------------------


@all_techniques
def test_pixels_are_checked_and_copied_once_a_run(explainer: Explainer, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(guest())
    copied, original = [], inputs.input_copy

    def counting(*args: Any) -> torch.Tensor:
        copied.append(args)
        return original(*args)

    monkeypatch.setattr(inputs, "input_copy", counting)
    explainer(classifier, networks.picture(classifier), 1)
    assert len(copied) == 1


@all_techniques
def test_what_the_caller_does_to_the_pixels_meanwhile_changes_nothing(explainer: Explainer) -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(classifier)
    expected = explainer(classifier, pixels, 1)
    steps = []
    for step in explainer.steps(classifier, pixels, 1):
        steps.append(step)
        pixels.zero_()
    same(steps[-1], expected)


def test_the_copy_is_private_and_of_one_kind() -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(classifier).double().requires_grad_()
    with torch.inference_mode():
        instance = Instance.of(classifier, pixels, 1)
    assert instance.pixels.dtype == torch.float32 and not instance.pixels.requires_grad
    assert not instance.pixels.is_inference() and instance.pixels.data_ptr() != pixels.data_ptr()
    assert instance.size == networks.SIZE
    for wrong in (pixels[0], pixels[:, :1], pixels.int(), torch.cat([pixels, pixels])):
        with pytest.raises(PictureError, match="One network input"):
            Instance.of(classifier, wrong, 1)


# -- the target --------------------------------------------------------------------------------------------


@all_techniques
def test_a_class_may_be_named_or_left_out(explainer: Explainer) -> None:
    classifier = named()
    pixels = networks.picture(classifier)
    top = int(classifier.logits(pixels).argmax())
    expected = explainer(classifier, pixels, top)
    assert expected.target == Target(top)
    for target in (NAMES[top], Target(top), Target(NAMES[top]), np.int64(top), None):
        found = explainer(classifier, pixels, target)  # type: ignore[arg-type]
        assert found.target == Target(top) and type(found.target.index) is int
        np.testing.assert_array_equal(found.values, expected.values)
    assert explainer(classifier, pixels).target == Target(top)
    assert explainer(classifier, pixels, Target("dog", against="bee")).target == Target(3, 1)


def test_the_door_resolves_a_target_once() -> None:
    classifier = named()
    pixels = networks.picture(classifier)
    assert Instance.of(classifier, pixels, "cat").target == Target(2)
    assert Instance.of(classifier, pixels, Target("cat", "elk")).target == Target(2, 4)
    for wrong in ("fox", 5, -1, True, 1.5, Target(0, "fox"), Target(None), [1]):  # type: ignore[arg-type]
        with pytest.raises(TargetError):
            Instance.of(classifier, pixels, wrong)  # type: ignore[arg-type]


# -- the layer and its tape --------------------------------------------------------------------------------


def test_a_layer_is_the_technique_s_the_instance_s_or_that_to_begin_with() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    tape = Tape(classifier, pixels, [layer.name for layer in classifier.layers])
    free, at = (Instance.of(classifier, pixels, 1, layer, tape) for layer in (None, "features.0"))
    assert at.layer == "features.0" and "at features.0" in repr(at)
    assert Instance.of(classifier, pixels, 1, "features").layer == "features.4", "an alias"
    for technique in (GradCAM, LayerCAM):
        own = technique().layer_in(classifier)
        for instance, layer, expected in (
            (free, None, own),
            (at, None, "features.0"),
            (at, "features.3", "features.3"),
        ):
            (found,) = technique(layer).explain(instance)
            np.testing.assert_array_equal(found.cells, technique(expected)(classifier, pixels, 1).cells)
            np.testing.assert_array_equal(found.cells, technique(layer).visible_cells(instance.at(expected)))
    with pytest.raises(LayerError, match="no layer 'feature'"):
        Instance.of(classifier, pixels, 1, "feature")
    with pytest.raises(LayerError, match="no layer"):
        free.at("nothing")


@all_techniques
def test_a_shared_tape_saves_the_pass_that_records(explainer: Explainer) -> None:
    classifier = networks.classifier(Counted(guest()))
    pixels = networks.picture(classifier)
    if hasattr(explainer, "layer"):
        explainer = dataclasses.replace(explainer, layer="network.conv2")  # type: ignore[call-arg]
    expected = explainer(classifier, pixels, 1)
    tape = Tape(classifier, pixels, ["network.conv2"])
    for _ in range(2):  # the first time the best batch may still be measured
        classifier.network.calls = classifier.network.pictures = 0
        explainer(classifier, pixels, 1)
        alone = classifier.network.pictures
        classifier.network.calls = classifier.network.pictures = 0
        *_, found = explainer.explain(Instance.of(classifier, pixels, 1, tape=tape))
    assert alone - classifier.network.pictures == hasattr(explainer, "layer")
    same(found, expected)
    assert found.note == expected.note


@pytest.mark.parametrize("explainer", [GradCAM("features.3"), EigenCAM("features.3")])
def test_maps_from_a_tape_cost_no_pass(explainer: LayerExplainer) -> None:
    classifier = networks.classifier(Counted(seeded(networks.ConvGapLinear)))
    pixels = networks.picture(classifier)
    explainer = dataclasses.replace(explainer, layer="network.features.3")
    tape = Tape(classifier, pixels)
    classifier.network.calls = 0
    instance = Instance.of(classifier, pixels, tape=tape)
    assert instance.target.index == int(tape.logits.argmax())
    list(explainer.explain(instance))
    assert classifier.network.calls == 0


def test_a_tape_of_something_else_is_refused() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    other = networks.classifier(seeded(networks.ConvGapLinear))
    for tape in (Tape(classifier, -pixels), Tape(other, pixels)):
        with pytest.raises(MethodError, match="recorded of another picture or with another classifier"):
            Instance.of(classifier, pixels, 1, tape=tape)


# -- what techniques say of themselves -----------------------------------------------------------------------


def test_techniques_have_labels_and_families_in_the_order_of_the_panels() -> None:
    labels = [technique.label for technique in explain.TECHNIQUES]
    families = [technique.family for technique in explain.TECHNIQUES]
    assert len(set(labels)) == len(labels) and all(labels)
    assert list(dict.fromkeys(families)) == list(get_args(Family))
    assert families == sorted(families, key=get_args(Family).index)
    assert all(technique.quantity for technique in explain.TECHNIQUES)
    assert set(explain.TECHNIQUES) == set(TECHNIQUES)


@pytest.mark.parametrize(
    "name", ["Attribution", "Channel", "ClassMaps", "ClassVisual", "OcclusionMap", "Tape", "TapeExplainer", "Visual"]
)
def test_old_names_are_still_there_and_say_what_they_are_now(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"explain.{name} is now"):
        assert isinstance(getattr(explain, name), type)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoCAM"):
        explain.NoCAM  # noqa: B018
