"""Tiny networks, one for each thing that has broken an explainer before. All are built from a fixed seed.

`classifier(network)` wraps one; its input is `SIZE` unless the network needs another.
`picture(classifier)` is a network input to explain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from tests.support.tally import Tally

#: Not square, so that swapped rows and columns show.
SIZE = (12, 16)
CLASSES = 5


def seeded(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A network with weights from `seed`, in eval mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().eval()


def classifier(network: nn.Module, size: tuple[int, int] = SIZE) -> Classifier:
    return Classifier(network, input_size=size)


def picture(classifier: Classifier, seed: int = 1, count: int = 1) -> Tensor:
    """Normally distributed pixels (count, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, classifier.channels, *classifier.input_size, generator=generator)


class Counted(nn.Module):
    """Counts the calls of the network inside, and the pictures it was given."""

    calls = Tally()
    pictures = Tally()

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.calls = 0
        self.pictures = 0

    def forward(self, pixels: Tensor) -> Any:
        self.calls += 1
        self.pictures += len(pixels)
        return self.network(pixels)


class Failing(nn.Module):
    """Passes on what it is given, until `left` calls have been made; then it raises. Belongs in a network."""

    left = Tally()

    def __init__(self, left: float = float("inf")) -> None:
        super().__init__()
        self.left = left

    def forward(self, values: Tensor) -> Tensor:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the failing module was called")
        return values


class Crowded(nn.Module):
    """Has room for `most` pictures at once, each of which the network inside may change; `failed` are the others."""

    failed = Tally()

    def __init__(self, network: nn.Module, most: int, error: type[Exception] = MemoryError) -> None:
        super().__init__()
        self.network = network
        self.most = most
        self.error = error
        self.failed = []

    def forward(self, pixels: Tensor) -> Any:
        if len(pixels) > self.most:
            self.failed.append(len(pixels))
            pixels.zero_()
            raise self.error("not enough memory")
        return self.network(pixels)


class Poison(nn.Module):
    """Passes on what it is given, or NaN once `on` is set."""

    on = False

    def forward(self, values: Tensor) -> Tensor:
        return values * float("nan") if self.on else values


class Linear(nn.Module):
    """logits = weight . pixels + bias; `conv` passes the pixels on unchanged."""

    def __init__(self, size: tuple[int, int] = SIZE) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3)[:, :, None, None])
        self.fc = nn.Linear(3 * size[0] * size[1], CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.conv(pixels).flatten(1))


class ConvGapLinear(nn.Module):
    """Convolutions, global average pooling, one linear layer: CAM applies."""

    def __init__(self, channels: int = 3, inplace: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1),
            nn.ReLU(inplace),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.pool(self.features(pixels)), 1))


class InPlace(nn.Module):
    """In-place ReLUs behind a batch norm and behind an in-place sum, as in a residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.pool = nn.AvgPool2d(2)
        self.fc = nn.Linear(6 * SIZE[0] * SIZE[1] // 4, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        shortcut = self.relu(self.bn1(self.conv1(pixels)))
        values = self.conv2(shortcut)
        values += shortcut
        return self.fc(self.pool(self.relu(values)).flatten(1))


class FunctionalReLU(nn.Module):
    """ReLUs that no module emits: one plain, one in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        values = functional.relu(self.conv1(pixels))
        return self.fc(functional.relu(self.conv2(values), inplace=True).mean((2, 3)))


class UsedTwice(nn.Module):
    """One convolution and one ReLU, each called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.conv = nn.Conv2d(6, 6, 3, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.relu(self.conv(self.stem(pixels)))
        values = self.relu(self.conv(values))
        return self.fc(values.mean((2, 3)))


class TupleOutput(nn.Module):
    """Returns (logits, features)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = ConvGapLinear()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.inner.features(pixels)
        return self.inner.fc(features.mean((2, 3))), features


class Regularised(nn.Module):
    """Batch norm and dropout; `seeded` apart, it may be in train mode."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.dropout = nn.Dropout2d(0.5)
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        values = functional.relu(self.bn(self.conv(pixels)))
        return self.fc(functional.dropout(self.dropout(values).mean((2, 3)), 0.5, self.training))


class VGGLike(nn.Module):
    """A flattened two-layer head behind an adaptive pooling that keeps space: CAM does not apply."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(True),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(32, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, CLASSES)
        )  # fmt: skip

    def forward(self, pixels: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(pixels)), 1))


class DenseNetLike(nn.Module):
    """Ends in batch norm, functional in-place ReLU, pooling: no module emits what the pooling sees."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.classifier = nn.Linear(8, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        values = functional.relu(self.features(pixels), inplace=True)
        return self.classifier(torch.flatten(functional.adaptive_avg_pool2d(values, (1, 1)), 1))


class SqueezeNetLike(nn.Module):
    """The pooling is the last step: the classes are the channels of a 1 x 1 convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(True))
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(8, CLASSES, 1), nn.ReLU(True), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.flatten(self.classifier(self.features(pixels)), 1)


class SideBranch(nn.Module):
    """`aside` is computed and recorded, but the logits do not depend on it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = ConvGapLinear()
        self.aside = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        self.aside(pixels)
        return self.inner(pixels)


class Golden(nn.Module):
    """A 4 x 4 network whose explanations can be worked out by hand.

    A 3 x 3 convolution of ones with biases -50 and -75, a ReLU, a linear layer with weights +1 (the first
    five of the eight inputs) and -1 (the rest), a ReLU.
    """

    size = (4, 4)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.relu = nn.ReLU(inplace)
        self.fc = nn.Linear(8, 4)
        self.end = nn.ReLU(inplace)
        with torch.no_grad():
            self.conv.weight.fill_(1)
            self.conv.bias.copy_(torch.tensor([-50.0, -75.0]))
            self.fc.weight.copy_(torch.tensor([1.0] * 5 + [-1.0] * 3).expand(4, 8))
            self.fc.bias.zero_()

    @staticmethod
    def pixels() -> Tensor:
        return torch.arange(16.0).view(1, 1, 4, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.end(self.fc(self.relu(self.conv(pixels)).flatten(1)))
