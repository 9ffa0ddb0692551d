"""A small network and a small data set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier


class Small(nn.Module):
    """Two convolutions, pooling, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.body(pixels)).flatten(1))
        return logits


@pytest.fixture
def classifier() -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Classifier(Small(), class_names=["a", "b", "c", "d"], input_size=16)


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (23, 16, 16, 3), dtype=np.uint8)
