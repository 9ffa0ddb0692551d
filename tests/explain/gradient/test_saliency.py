"""Saliency and gradient x input against closed forms and Captum; networks that cannot be differentiated."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import Saliency as CaptumSaliency
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import ClassifierError, MethodError, PictureError
from cnnviz_widgets.explain import GradientXInput, Saliency
from cnnviz_widgets.explain.gradient.input_gradients import input_gradients
from tests.support import networks
from tests.support.networks import Linear, seeded
from tests.support.oracles import SIZES, torchvision_classifier

MEAN, STD = (0.5, 0.4, 0.3), (0.1, 0.2, 0.5)


@pytest.fixture
def linear() -> Classifier:
    return Classifier(seeded(Linear), input_size=networks.SIZE, mean=MEAN, std=STD)


def weights(classifier: Classifier) -> Tensor:
    """(K, C, H, W)"""
    return classifier.network.fc.weight.detach().reshape(networks.CLASSES, 3, *networks.SIZE)


def test_saliency_of_a_linear_network_is_the_largest_weight(linear: Classifier) -> None:
    pixels = networks.picture(linear)
    for target in range(networks.CLASSES):
        expected = weights(linear)[target].abs().amax(dim=0)
        np.testing.assert_allclose(Saliency()(linear, pixels, target).values, expected, rtol=1e-6)


def test_saliency_of_a_contrast_is_that_of_the_difference(linear: Classifier) -> None:
    expected = (weights(linear)[3] - weights(linear)[1]).abs().amax(dim=0)
    found = Saliency()(linear, networks.picture(linear), Target(3, 1))
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)


def test_saliency_per_step_from_black_to_white_undoes_the_normalisation(linear: Classifier) -> None:
    in_picture_values = weights(linear)[2] / torch.tensor(STD)[:, None, None]
    found = Saliency(unit="picture")(linear, networks.picture(linear), 2)
    np.testing.assert_allclose(found.values, in_picture_values.abs().amax(dim=0), rtol=1e-5)
    assert found.quantity != Saliency()(linear, networks.picture(linear), 2).quantity


@pytest.mark.parametrize(("baseline", "level"), [("black", 0), ("grey", 0.5), ("white", 1)])
def test_gradient_x_input_of_a_linear_network_is_the_whole_difference(
    linear: Classifier, baseline: str, level: float
) -> None:
    pixels = networks.picture(linear)
    colour = ((level - torch.tensor(MEAN)) / torch.tensor(STD))[:, None, None]
    expected = (weights(linear)[2] * (pixels[0] - colour)).sum(dim=0)
    found = GradientXInput(baseline=baseline)(linear, pixels, 2)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert found.signed and found.values.min() < 0
    with torch.no_grad():
        scores = linear.logits(torch.cat([pixels, colour.expand_as(pixels)]))[:, 2]
    assert found.values.sum() == pytest.approx(float(scores[0] - scores[1]), abs=1e-4)


@pytest.mark.parametrize("name", SIZES)
def test_equals_captum(name: str) -> None:
    classifier = torchvision_classifier(name)
    pixels = networks.picture(classifier)
    captum = CaptumSaliency(classifier.network)
    # Captum needs a leaf that requires gradients, and leaves it so.
    signed = captum.attribute(pixels.clone().requires_grad_(), 7, abs=False)
    scale = float(signed.abs().max())
    assert scale > 0
    np.testing.assert_allclose(input_gradients(classifier, pixels, Target(7)) / scale, signed / scale, atol=2e-6)
    expected = signed[0].abs().amax(dim=0)
    np.testing.assert_allclose(Saliency()(classifier, pixels, 7).values / scale, expected / scale, atol=2e-6)


class Altered(nn.Module):
    """A network that does something to its input first."""

    def __init__(self, alter: str) -> None:
        super().__init__()
        self.alter = alter
        self.inner = seeded(networks.ConvGapLinear)

    def forward(self, pixels: Tensor) -> Tensor:
        if self.alter == "in place":
            pixels.mul_(2).sub_(1)
        elif self.alter == "out of place":
            pixels = pixels * 2 - 1
        elif self.alter == "no_grad":
            with torch.no_grad():
                return self.inner(pixels)
        elif self.alter == "in place too late":
            values = pixels.exp()
            result = self.inner(values)
            values.zero_()
            return result
        elif self.alter == "steep":
            pixels = (pixels - pixels).sqrt() + pixels
        return self.inner(pixels)


def test_a_network_may_change_its_input_in_place() -> None:
    found = []
    for alter in ("in place", "out of place"):
        classifier = networks.classifier(Altered(alter))
        found.append(Saliency()(classifier, networks.picture(classifier), 1).values)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        ("no_grad", "cut off from its input"),
        ("in place too late", "could not be differentiated (RuntimeError"),
        ("steep", "NaN or infinite"),
    ],
)
def test_a_network_without_gradients_is_told_what_needs_none(alter: str, words: str) -> None:
    classifier = networks.classifier(Altered(alter))
    with pytest.raises((ClassifierError, MethodError), match="use Occlusion or RISE") as raised:
        Saliency()(classifier, networks.picture(classifier), 1)
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_half_precision() -> None:
    classifier = networks.classifier(seeded(Linear))
    pixels = networks.picture(classifier)
    expected = Saliency()(classifier, pixels, 1).values
    half = networks.classifier(seeded(Linear).to(torch.bfloat16))
    np.testing.assert_allclose(Saliency()(half, pixels, 1).values, expected, rtol=0.01)


@pytest.mark.parametrize(
    "pixels",
    [
        torch.zeros(3, *networks.SIZE),
        torch.zeros(2, 3, *networks.SIZE),
        torch.zeros(1, 1, *networks.SIZE),
        torch.zeros(1, 3, *networks.SIZE, dtype=torch.uint8),
    ],
    ids=["no batch axis", "two pictures", "greyscale", "bytes"],
)
def test_not_a_network_input(linear: Classifier, pixels: Tensor) -> None:
    with pytest.raises(PictureError, match=r"a float tensor \(1, 3, H, W\)"):
        Saliency()(linear, pixels, 1)


def test_parameters_out_of_range() -> None:
    with pytest.raises(MethodError, match="`unit` is one of 'network', 'picture', not 'pixel'"):
        Saliency(unit="pixel")
    with pytest.raises(MethodError, match="`baseline` is one of 'mean', 'black'"):
        GradientXInput(baseline=None)
