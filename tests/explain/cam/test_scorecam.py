"""Score-CAM against the paper's algorithm, one channel at a time, and its price."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import MethodError, TargetError
from cnnviz_widgets.explain import ScoreCAM
from cnnviz_widgets.explain.cam.tape import Tape
from tests.support import networks
from tests.support.networks import Counted, seeded
from tests.support.tally import Tally


def textbook(classifier: Classifier, pixels: Tensor, layer: str, target: int, limit: int | None = None) -> np.ndarray:
    """Algorithm 1 of the paper in double precision; the base score cancels in its softmax."""
    activations = Tape(classifier, pixels, [layer]).activations[layer][0]
    strongest = sorted(range(len(activations)), key=lambda k: -float(activations[k].square().sum()))
    used = [k for k in strongest if activations[k].max() > activations[k].min()][:limit]
    scores = []
    for k in used:
        mask = functional.interpolate(activations[None, None, k], size=pixels.shape[2:], mode="bilinear")[0, 0]
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        with torch.no_grad():
            scores.append(float(classifier.network(pixels * mask)[0, target]))
    weights = np.exp(np.array(scores)) / np.exp(np.array(scores)).sum()
    return np.sum([weight * activations[k].double().numpy() for weight, k in zip(weights, used, strict=True)], axis=0)


@pytest.mark.parametrize("layer", ["features.0", "features.4", "features.2"])
@pytest.mark.parametrize("limit", [None, 4])
def test_equals_the_algorithm_of_the_paper(layer: str, limit: int | None) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    expected = textbook(classifier, pixels, layer, 3, limit)
    signed = ScoreCAM(layer, relu=False, channels=limit)(classifier, pixels, 3)
    assert signed.signed
    np.testing.assert_allclose(signed.cells, expected, atol=1e-6)
    np.testing.assert_allclose(
        ScoreCAM(layer, channels=limit)(classifier, pixels, 3).cells, expected.clip(0), atol=1e-6
    )
    assert ("the 4 strongest of" in signed.quantity) == (limit == 4)


def test_a_contrast_is_the_difference_of_two_maps_of_the_same_passes() -> None:
    network = Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    explainer = ScoreCAM("network.features.0")
    assert classifier.layers
    network.pictures = 0
    contrast = explainer(classifier, pixels, Target(0, 2))
    assert network.pictures == 1 + 6
    first, second = (ScoreCAM(explainer.layer, relu=False)(classifier, pixels, target).cells for target in (0, 2))
    assert contrast.signed
    np.testing.assert_allclose(contrast.cells, first - second, atol=1e-6)


class DeadChannels(networks.ConvGapLinear):
    """Channels 1 and 3 of the default layer are the same everywhere."""

    def __init__(self) -> None:
        super().__init__()
        with torch.no_grad():
            self.features[3].weight[[1, 3]] = 0
            self.features[3].bias[1], self.features[3].bias[3] = -1, 2


def test_flat_channels_are_left_out() -> None:
    network = Counted(seeded(DeadChannels))
    classifier = networks.classifier(network)
    assert classifier.layers
    network.pictures = 0
    heatmap = ScoreCAM(relu=False)(classifier, networks.picture(classifier), 1)
    assert network.pictures == 1 + 6
    assert np.isfinite(heatmap.values).all()
    expected = textbook(classifier, networks.picture(classifier), "network.features.4", 1)
    np.testing.assert_allclose(heatmap.cells, expected, atol=1e-6)


def test_without_any_channel_to_look_through_the_map_is_zero() -> None:
    network = seeded(networks.ConvGapLinear)
    with torch.no_grad():
        network.features[3].weight.zero_()
    classifier = networks.classifier(network)
    steps = list(ScoreCAM().steps(classifier, networks.picture(classifier), 1))
    assert [step.progress for step in steps] == [1.0]
    assert not steps[0].values.any()


class LargestBatch(nn.Module):
    """Remembers the largest batch it was given."""

    largest = Tally()

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.largest = 0

    def forward(self, pixels: Tensor) -> Tensor:
        self.largest = max(self.largest, len(pixels))
        return self.network(pixels)


def test_streams_batches_and_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    network = LargestBatch(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    monkeypatch.setattr(Batches, "batch", 3)
    steps = list(ScoreCAM().steps(classifier, pixels, 0))
    assert network.largest == 3
    assert [step.progress for step in steps] == [3 / 8, 6 / 8, 1.0]
    # Each preview is the map of the strongest channels so far.
    for step, limit in zip(steps, (3, 6, None), strict=True):
        np.testing.assert_allclose(
            step.cells, textbook(classifier, pixels, "network.features.4", 0, limit).clip(0), atol=1e-6
        )


def test_a_class_that_does_not_exist_costs_no_pass() -> None:
    network = Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    assert classifier.layers
    network.pictures = 0
    with pytest.raises(TargetError):
        ScoreCAM()(classifier, networks.picture(classifier), networks.CLASSES)
    assert network.pictures == 0


@pytest.mark.parametrize("channels", [0, -1, 2.5, "64", True])
def test_a_number_of_channels_that_makes_no_sense(channels: object) -> None:
    with pytest.raises(MethodError, match="`channels` is a whole number"):
        ScoreCAM(channels=channels)  # type: ignore[arg-type]


def test_a_network_that_cannot_be_differentiated_has_a_map() -> None:
    class NoGradients(networks.ConvGapLinear):
        @torch.no_grad()
        def forward(self, pixels: Tensor) -> Tensor:
            return super().forward(pixels)

    classifier = networks.classifier(seeded(NoGradients))
    plain = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    np.testing.assert_array_equal(ScoreCAM()(classifier, pixels, 1).values, ScoreCAM()(plain, pixels, 1).values)
