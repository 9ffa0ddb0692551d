"""Ablation-CAM against the paper's formula, one channel at a time, and against grad-cam's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_grad_cam import AblationCAM as TheirAblationCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.explain import AblationCAM
from cnnviz_widgets.explain.cam.tape import Tape
from tests.support import networks
from tests.support.networks import seeded


class Silenced(nn.Module):
    """The network with channel `off` of the layer number `at` of its features set to zero."""

    def __init__(self, network: nn.Module, at: int, off: int) -> None:
        super().__init__()
        self.network, self.at, self.off = network, at, off

    def forward(self, pixels: Tensor) -> Tensor:
        values = pixels
        for number, layer in enumerate(self.network.features):
            values = layer(values)
            if number == self.at:
                values = values.clone()
                values[:, self.off] = 0
        return self.network.fc(torch.flatten(self.network.pool(values), 1))


@torch.no_grad()
def textbook(classifier: Classifier, pixels: Tensor, at: int, target: int, limit: int | None = None) -> np.ndarray:
    """Equation 4 of the paper; channels that are the same everywhere are left out, as a map shows where."""
    network = classifier.network.eval()
    maps = network.features[: at + 1](pixels)[0]
    whole = float(network(pixels)[0, target])
    strongest = sorted(range(len(maps)), key=lambda k: -float(maps[k].square().sum()))
    used = [k for k in strongest if maps[k].max() > maps[k].min()][:limit]
    lost = [(whole - float(Silenced(network, at, k)(pixels)[0, target])) / whole for k in used]
    return np.sum([share * maps[k].double().numpy() for share, k in zip(lost, used, strict=True)], axis=0)


@pytest.mark.parametrize("at", [0, 4, 2])
@pytest.mark.parametrize("limit", [None, 4])
def test_equals_the_formula_of_the_paper(at: int, limit: int | None) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    expected = textbook(classifier, pixels, at, 3, limit)
    signed = AblationCAM(f"features.{at}", relu=False, channels=limit)(classifier, pixels, 3)
    np.testing.assert_allclose(signed.cells, expected, atol=1e-5)
    cut = AblationCAM(f"features.{at}", channels=limit)(classifier, pixels, 3)
    np.testing.assert_allclose(cut.cells, expected.clip(0), atol=1e-5)
    assert ("the 4 strongest of" in signed.quantity) == (limit == 4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", [0, 3])
def test_equals_that_of_grad_cam(target: int) -> None:
    """At a layer of the picture's size, where theirs is not resized; theirs is scaled to 0..1."""
    network = seeded(networks.ConvGapLinear).eval()
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    theirs = TheirAblationCAM(network, [network.features[0]])(pixels, [ClassifierOutputTarget(target)])[0]
    ours = AblationCAM("features.0")(classifier, pixels, target).cells
    scaled = (ours - ours.min()) / (1e-7 + (ours - ours.min()).max())
    np.testing.assert_allclose(scaled, theirs, atol=1e-4)


def test_a_contrast_is_the_difference_of_two_maps() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    first, second = (AblationCAM(relu=False)(classifier, pixels, target).cells for target in (0, 2))
    np.testing.assert_allclose(AblationCAM()(classifier, pixels, Target(0, 2)).cells, first - second, atol=1e-6)


def test_pictures_that_are_run_one_by_one_lose_the_same_channels() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    together = AblationCAM(relu=False)(classifier, pixels, 1).cells
    classifier._passes.one_at_a_time = True
    np.testing.assert_allclose(AblationCAM(relu=False)(classifier, pixels, 1).cells, together, atol=1e-6)
    assert set(Tape(classifier, pixels).activations)  # and nothing is left on the layers
