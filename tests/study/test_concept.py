"""Concepts of groups against means, a plane, finite differences and random groups."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.errors import LayerError, MethodError
from cnnviz_widgets.study import Concept
from tests.support import networks
from tests.support.guest import guest, state
from tests.support.networks import ConvGapLinear, seeded


def features(count: int = 60, width: int = 8) -> np.ndarray:
    """The first ten are shifted along the third channel."""
    values = np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)
    values[:10, 2] += 4
    return values


@pytest.mark.parametrize("by", ["means", "plane"])
def test_the_direction_leads_to_the_group(by: str) -> None:
    values = features()
    concept = Concept.of_group("features.4", values, range(10), by)  # type: ignore[arg-type]
    assert np.linalg.norm(concept.direction) == pytest.approx(1, abs=1e-6)
    assert concept.direction.argmax() == 2 and concept.direction[2] > 0.8
    assert concept.floor.shape == (40, 8) and np.abs(concept.floor[:, 2]).mean() < 0.8
    if by == "means":
        expected = values[:10].mean(axis=0) - values[10:].mean(axis=0)
        np.testing.assert_allclose(concept.direction, expected / np.linalg.norm(expected), atol=1e-6)


@pytest.mark.parametrize("target", [2, Target(0, 3)])
def test_sensitivity_is_the_slope_of_the_score(target: int | Target) -> None:
    """Of a layer that a mean and one linear layer follow it is the class's weights along the direction."""
    classifier = networks.classifier(seeded(ConvGapLinear))
    concept = Concept.of_group("features.4", features(), range(10))
    weights = classifier.target(target).combine(lambda index: classifier.network.fc.weight[index].detach())
    found = concept.sensitivity(classifier, networks.picture(classifier), target)
    assert found.value == pytest.approx(float(weights @ torch.from_numpy(concept.direction)), abs=1e-6)
    np.testing.assert_allclose(found.floor, concept.floor @ weights.numpy(), atol=1e-6)
    assert found.low <= np.median(found.floor) <= found.high
    assert found.stands_out == (not found.low <= found.value <= found.high)


def test_the_slope_in_the_middle_of_a_network_by_a_difference() -> None:
    classifier = networks.classifier(seeded(ConvGapLinear).double())
    pixels = networks.picture(classifier)
    concept = Concept.of_group("features.0", features(width=6), range(10))
    step = torch.from_numpy(concept.direction).double()[None, :, None, None]

    network = classifier.network

    @torch.no_grad()
    def score(length: float) -> float:
        maps = network.features[0](pixels.double()) + length * step
        return float(network.fc(network.features[1:](maps).mean((2, 3)))[0, 1])

    expected = (score(1e-7) - score(-1e-7)) / 2e-7
    assert concept.sensitivity(classifier, pixels, 1).value == pytest.approx(expected, rel=1e-5)


def test_the_network_is_left_as_it_was() -> None:
    network = guest()
    classifier, before = networks.classifier(network), state(network)
    concept = Concept.of_group("conv2", features(width=6), [3, 4])
    concept.sensitivity(classifier, networks.picture(classifier), 1)
    assert state(network) == before


@pytest.mark.parametrize("rows", [[], list(range(60))])
def test_a_group_of_none_or_all(rows: list[int]) -> None:
    with pytest.raises(MethodError, match="select some of them"):
        Concept.of_group("conv", features(), rows)


def test_features_of_another_layer() -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    with pytest.raises(LayerError, match="has 6 channels, the concept 8"):
        Concept.of_group("features.0", features(), [1]).sensitivity(classifier, networks.picture(classifier), 1)
