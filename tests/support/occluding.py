"""Networks for the incremental engine, and the slow way to the same logits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.graph.boxes import Box

CLASSES = 7


def slowly(classifier: Classifier, pixels: Tensor, filling: Tensor, boxes: Sequence[Box]) -> Tensor:
    """Logits (n, K), each window alone through the whole network."""
    found = []
    for top, left, height, width in boxes:
        covered = pixels.clone()
        area = (..., slice(top, top + height), slice(left, left + width))
        covered[area] = filling[area]
        with torch.no_grad():
            found.append(classifier.logits(covered))
    return torch.cat(found)


def spread(logits: Tensor) -> float:
    """The range of the scores."""
    return float(logits.max() - logits.min())


def inputs(classifier: Classifier, seed: int = 1) -> tuple[Tensor, Tensor]:
    """A picture and something to cover it with, neither of them plain."""
    generator = torch.Generator().manual_seed(seed)
    shape = (1, classifier.channels, *classifier.input_size)
    return torch.randn(shape, generator=generator), torch.rand(shape, generator=generator)


def lively(network: nn.Module, size: tuple[int, int]) -> nn.Module:
    """Weights and batch norms such that all layers tell inputs apart, in eval mode."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
        module.training = isinstance(module, nn.BatchNorm2d)
    for norm in norms:
        norm.momentum = 1.0
        norm.reset_parameters()
    with torch.no_grad():
        network(torch.randn(3, 3, *size))
        for norm in norms:
            norm.momentum = 0.1
            # Also scales below zero, at zero, and shifts.
            norm.weight.normal_(0.8, 0.4)
            norm.weight[0] = 0.0
            norm.bias.normal_(0, 0.3)
    return network.eval()


@cache
def of_torchvision(name: str, size: int) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        options = {"init_weights": False} if name == "googlenet" else {}
        # No weight is drawn at random only to be drawn again.
        with torch.device("meta"):
            network = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
            if name.startswith("vgg"):
                network.classifier = nn.Sequential(nn.Linear(512 * 49, 32), nn.ReLU(True), nn.Linear(32, CLASSES))
        return Classifier(lively(network.to_empty(device="cpu"), (size, size)), input_size=size, name=name)


class Odd(nn.Module):
    """Odd strides, dilation, ceil_mode, asymmetric padding, divisors that change at the border, shared modules."""

    size = (43, 38)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, (5, 3), stride=(3, 2), padding=(1, 2))
        self.norm = nn.BatchNorm2d(8)
        self.shared = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.average = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.rounded = nn.AvgPool2d((2, 3), (1, 2), ceil_mode=True)
        self.grouped = nn.Conv2d(8, 12, 3, groups=4, padding="same", bias=False)
        self.depthwise = nn.Conv2d(12, 12, 3, (1, 2), groups=12)
        self.fc = nn.Linear(12, CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        values = functional.leaky_relu(self.norm(self.stem(functional.pad(pixels, (1, 2, 0, 3)))), 0.2)
        values = self.shared(values) + self.shared(self.shared(values))
        values = functional.leaky_relu(self.pool(values - 3), 0.3, inplace=True) + 2
        values = self.rounded(self.average(values) * 2 - values)
        values = self.depthwise(functional.pad(functional.silu(self.grouped(values)), (0, 1, 2, 0)))
        return self.fc(functional.hardswish(values).mean((2, 3)))


class Branching(nn.Module):
    """Concatenations, a shuffle of channels, a plane of constants, a map shared by three branches, a wide head."""

    size = (40, 47)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2, bias=False), nn.BatchNorm2d(6), nn.PReLU(6))
        self.place = nn.Parameter(torch.randn(1, 6, 19, 23))
        self.wide = nn.Conv2d(6, 6, (7, 1), padding=(3, 0))
        self.small = nn.Conv2d(6, 6, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in (12, 18))
        self.squeeze = nn.ModuleList(nn.Conv2d(count, 6, 1) for count in (12, 18))
        self.pool = nn.MaxPool2d(2, 3, dilation=2)
        self.head = nn.Linear(6 * 2 * 3, CLASSES)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        values = self.stem(pixels) + self.place
        joined = torch.cat([self.wide(values), values], 1)
        joined = torch.cat([joined, self.squeeze[0](functional.relu(self.norms[0](joined)))], 1)
        shuffled = joined.view(len(joined), 3, 6, *joined.shape[2:]).transpose(1, 2).flatten(1, 2)
        values = self.squeeze[1](functional.relu(self.norms[1](shuffled)))
        first, second = (values * self.small(values).sigmoid()).chunk(2, 1)
        values = self.pool(torch.cat([torch.maximum(first, second), first - second], 1))
        values = functional.adaptive_avg_pool2d(functional.pad(values, (0, 0, 0, 1))[:, :, :6, :6], (2, 3))
        return self.head(functional.gelu(values.flatten(1))), values


@cache
def hand_made(kind: type[Odd] | type[Branching]) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Classifier(lively(kind(), kind.size), input_size=kind.size)
