"""The functions of `study`, and the old names that still work."""

from __future__ import annotations

import dataclasses
import typing

import numpy as np
import pytest
import torch

from cnnviz_widgets import explain, study
from tests.support import networks
from tests.support.guest import guest

OLD_NAMES = {"ClassVisual": study.ActivationMaximisation, "Visual": study.AscentState, "Channel": study.Channel}


def test_what_the_functions_return() -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(classifier)
    assert isinstance(study.activations(classifier, pixels, "conv"), study.Activations)
    assert isinstance(study.receptive_field(classifier, "conv"), study.ReceptiveField)
    assert isinstance(study.filters(classifier, "conv"), study.Filters)
    assert study.initial_filters(classifier, "conv").drawn
    assert study.ablate(classifier, pixels, "conv", [0]).shape == (len(classifier.class_names),)
    state = study.maximise(classifier, study.Channel("conv", 1), iterations=2, seed=3)
    expected = study.ActivationMaximisation(iterations=2, seed=3)(classifier, study.Channel("conv", 1))
    assert torch.equal(state.parameters, expected.parameters) and state.step == 2


@pytest.mark.parametrize("name", study.__all__)
def test_public_names_say_what_they_are(name: str) -> None:
    value = getattr(study, name)
    assert callable(value) and value.__name__ == name and value.__doc__


def test_functions_stay_functions_when_modules_of_their_name_are_imported() -> None:
    from cnnviz_widgets.study.activations import Strength
    from cnnviz_widgets.study.filters import Order

    assert Strength and Order and callable(study.activations) and callable(study.filters)


@pytest.mark.parametrize("name", ["ClassVisual", "Visual"])
def test_old_names_warn(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"study.{name} is now study.{OLD_NAMES[name].__name__}"):
        assert getattr(study, name) is OLD_NAMES[name]


@pytest.mark.parametrize("name", OLD_NAMES)
def test_old_places_warn(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{name} is now study"):
        assert getattr(explain, name) is OLD_NAMES[name]


def test_an_unknown_name_is_missing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = study.nope


def test_the_ascent_is_a_labelled_technique_with_ranges_for_its_controls() -> None:
    hints = typing.get_type_hints(study.ActivationMaximisation, include_extras=True)
    fields = dataclasses.fields(study.ActivationMaximisation)
    assert study.ActivationMaximisation.label == "Activation maximisation"
    assert "label" not in {field.name for field in fields}
    numbers = [field.name for field in fields if not isinstance(field.default, str)]
    assert all(hasattr(hints[name].__metadata__[0], "step") for name in numbers)
    assert np.isfinite([field.default for field in fields if field.name in numbers]).all()
