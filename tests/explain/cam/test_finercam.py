"""Finer-CAM against the grad-cam package, and which classes it compares with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_grad_cam import FinerCAM as PackageFinerCAM
from pytorch_grad_cam import GradCAM as PackageGradCAM
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import FinerCAM, GradCAM
from tests.support import networks
from tests.support.networks import ConvGapLinear, seeded
from tests.support.oracles import SIZES, torchvision_classifier


def scaled(cells: np.ndarray) -> np.ndarray:
    """As the package gives its maps."""
    positive = cells.clip(min=0)
    return (positive - positive.min()) / (positive.max() - positive.min())


@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_equals_the_package_with_one_similar_class(strength: float) -> None:
    """With several the package weights them by their probabilities, whose gradients it adds."""
    classifier = torchvision_classifier("resnet18")
    pixels = torch.randn(1, 3, *[SIZES["resnet18"]] * 2, generator=torch.Generator().manual_seed(0))
    network = classifier.network
    with PackageFinerCAM(network, [network.layer3], base_method=PackageGradCAM) as package:
        expected = package(pixels, target_idx=4, comparison_categories=[1], alpha=strength)[0]
    found = FinerCAM("layer3", similar=1, strength=strength)(classifier, pixels, 4)
    np.testing.assert_allclose(scaled(found.values), expected, atol=2e-3)


class Given(nn.Module):
    """A class's logit is the mean of the pixels plus its own constant."""

    def __init__(self, constants: list[float]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4, len(constants))
        with torch.no_grad():
            self.fc.bias.copy_(torch.tensor(constants))
            self.fc.weight.mul_(1e-3)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.conv(pixels).mean((2, 3)))


def test_similar_are_those_whose_logits_differ_least() -> None:
    logits = torch.tensor([0.0, 5.0, 4.5, -9.0, 7.0])
    assert FinerCAM(similar=2).neighbours(logits, 1) == [2, 4]
    assert FinerCAM(similar=10).neighbours(logits, 3) == [0, 2, 1, 4]


def test_of_a_difference_it_is_the_difference() -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    pixels = networks.picture(classifier)
    first, second = (FinerCAM(relu=False)(classifier, pixels, index).cells for index in (1, 3))
    np.testing.assert_allclose(FinerCAM()(classifier, pixels, Target(1, 3)).cells, first - second, atol=1e-6)


def test_without_strength_it_is_grad_cam() -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    pixels = networks.picture(classifier)
    found, expected = FinerCAM(strength=0.0)(classifier, pixels, 1), GradCAM()(classifier, pixels, 1)
    np.testing.assert_allclose(found.cells, expected.cells, atol=1e-7)


def test_of_a_single_score_it_says_what_to_use() -> None:
    classifier = Classifier(seeded(lambda: Given([1.0])), input_size=networks.SIZE)
    with pytest.raises(MethodError, match="has one; use Grad-CAM"):
        FinerCAM()(classifier, networks.picture(classifier), 0)


@pytest.mark.parametrize("parameters", [{"similar": 0}, {"similar": 1.5}, {"strength": -1}, {"strength": "all"}])
def test_parameters_that_are_none(parameters: dict[str, object]) -> None:
    with pytest.raises(MethodError, match=f"`{next(iter(parameters))}`"):
        FinerCAM(**parameters)  # type: ignore[arg-type]
