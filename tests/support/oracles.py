"""Shared by tests of several techniques: torchvision's networks, and one that logs what it sees."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from tests.support.tally import Tally

#: Input sizes at which the networks still have some space to see.
SIZES = {"resnet18": 96, "vgg11": 64, "densenet121": 64, "mobilenet_v2": 96}


@cache
def torchvision_classifier(name: str) -> Classifier:
    """A torchvision network with random weights and ten classes."""
    # torchvision's own initialisation of VGG only takes time.
    options = {"init_weights": False} if name == "vgg11" else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
    return Classifier(network, input_size=SIZES[name])


class Recorded(nn.Module):
    """Keeps a copy of every picture that the network inside was given, (C, H, W) each."""

    seen = Tally()

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen = []

    def forward(self, pixels: Tensor) -> Any:
        self.seen += pixels.detach().clone(memory_format=torch.contiguous_format)
        return self.network(pixels)
