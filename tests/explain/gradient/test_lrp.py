"""LRP against zennit, conserved relevance, and sentences where there is no rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from zennit.attribution import Gradient
from zennit.canonizers import Canonizer, SequentialMergeBatchNorm
from zennit.composites import EpsilonPlus
from zennit.core import Stabilizer
from zennit.torchvision import ResNetCanonizer

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import LRP
from tests.support import networks
from tests.support.guest import state
from tests.support.networks import CLASSES, seeded


class Plain(nn.Sequential):
    """Convolutions with batch norms, max pooling, a flattened head of two layers with a batch norm."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 9, 3, stride=2, bias=False), nn.BatchNorm2d(9), nn.ReLU(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(225, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(), nn.Linear(12, CLASSES),
        )  # fmt: skip


class Concatenated(nn.Module):
    """Two branches side by side, average pooling, a flattened head of two layers, no batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 5, 5, padding=2)
        self.relu, self.pool = nn.ReLU(), nn.AdaptiveAvgPool2d((3, 2))
        self.hidden, self.fc = nn.Linear(54, 12), nn.Linear(12, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        maps = torch.cat([self.relu(self.first(pixels)), self.relu(self.second(pixels))], dim=1)
        return self.fc(self.relu(self.hidden(self.pool(maps).flatten(1))))


def with_norms(network: nn.Module) -> nn.Module:
    """The network with statistics of its own, in double precision."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            # zennit's merged batch norms still divide by the square root of 1 + eps.
            module.eps = 1e-14
            for values, (low, high) in (
                (module.running_mean, (-0.2, 0.2)),
                (module.running_var, (0.5, 2)),
                (module.weight, (0.5, 1.5)),
                (module.bias, (-0.2, 0.2)),
            ):
                nn.init.uniform_(values, low, high)
    return network.double()


CASES: dict[str, tuple[Callable[[], nn.Module], Canonizer]] = {
    "skips": (lambda: with_norms(torchvision.models.resnet18(num_classes=CLASSES)), ResNetCanonizer()),
    "batch norms in a row": (lambda: with_norms(Plain()), SequentialMergeBatchNorm()),
    "concatenation": (lambda: Concatenated().double(), SequentialMergeBatchNorm()),
}


@pytest.mark.parametrize(("build", "canonizer"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("target", [Target(1), Target(0, 3)])
def test_equals_zennit(build: Callable[[], nn.Module], canonizer: Canonizer, target: Target) -> None:
    network = seeded(build)
    classifier = Classifier(network, input_size=48)
    pixels = networks.picture(classifier)
    found = LRP()(classifier, pixels, target)
    relative = Stabilizer(epsilon=1e-6, norm_scale=True)
    composite = EpsilonPlus(epsilon=relative, stabilizer=relative, canonizers=[canonizer])
    weights = torch.zeros(1, CLASSES, dtype=torch.float64)
    weights[0, target.index] = 1
    if target.against is not None:
        weights[0, target.against] = -1
    with Gradient(model=network, composite=composite) as attributor:
        _, relevance = attributor(pixels.double(), lambda scores: scores * weights)
    expected = relevance[0].sum(dim=0).numpy()
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found.values, expected, atol=2e-6 * np.abs(expected).max())


def without_biases(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
    return network


@pytest.mark.parametrize("build", [networks.ConvGapLinear, networks.VGGLike, networks.InPlace, Concatenated])
def test_without_biases_all_of_the_logit_arrives(build: Callable[[], nn.Module]) -> None:
    classifier = networks.classifier(without_biases(seeded(build)))
    pixels = networks.picture(classifier)
    for target in (Target(2), Target(2, 0)):
        found = LRP(epsilon=1e-9)(classifier, pixels, target)
        logit = float(target.of(classifier.logits(pixels)))
        assert found.values.sum() == pytest.approx(logit, rel=1e-3)
        assert f"adds up to {logit:.3g} of {logit:.3g}" in found.note


class InUnits(nn.Module):
    """Normalises the pixels itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = networks.ConvGapLinear()

    def forward(self, pixels: Tensor) -> Tensor:
        return self.inner((pixels - 0.5) / 0.25)


def test_a_change_of_units_takes_no_share() -> None:
    network = seeded(InUnits)
    pixels = networks.picture(networks.classifier(network))
    found = LRP()(networks.classifier(network), pixels, 1)
    expected = LRP()(networks.classifier(network.inner), (pixels - 0.5) / 0.25, 1)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5 * np.abs(expected.values).max())


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.gate = Gate()
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.gate(self.conv(pixels)).mean((2, 3)))


class Gate(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values * values.mean((2, 3), keepdim=True).sigmoid()


class Normalised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.conv(pixels).mean((2, 3))
        return self.fc(functional.layer_norm(values, [6]))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Gated, "no rule for `mul` of several values of the picture, which Gated uses in the layer 'gate'"),
        (Normalised, "no rule for `native_layer_norm`, which Normalised uses in its forward"),
    ],
)
def test_an_operation_without_a_rule_is_named_with_its_layer(build: Callable[[], nn.Module], said: str) -> None:
    network = seeded(build)
    classifier, before = networks.classifier(network), state(network)
    with pytest.raises(MethodError, match=said):
        LRP()(classifier, networks.picture(classifier), 1)
    assert state(network) == before


@pytest.mark.parametrize("epsilon", [0, -1, "much", True])
def test_an_epsilon_that_is_none(epsilon: object) -> None:
    with pytest.raises(MethodError, match="`epsilon`"):
        LRP(epsilon=epsilon)  # type: ignore[arg-type]
