"""Dissection against itself written out pixel by pixel, and a channel that is a concept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import MethodError, PictureError
from cnnviz_widgets.study import activations, dissect
from tests.support import networks
from tests.support.networks import ConvGapLinear, seeded


def examples(classifier: Classifier, count: int = 5) -> list[tuple[Tensor, np.ndarray]]:
    random = np.random.default_rng(0)
    pictures = networks.picture(classifier, count=count)
    return [(pixels, random.integers(-1, 3, networks.SIZE)) for pixels in pictures]


def test_equals_the_textbook() -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    data = examples(classifier)
    found = dissect(classifier, data, "features.4", ["sky", "water", "sand"], share=0.1)
    maps = [activations(classifier, pixels[None], "features.4").maps for pixels, _ in data]
    for channel in range(8):
        threshold = np.quantile(np.concatenate([one[channel].ravel() for one in maps]), 0.9)
        assert found.thresholds[channel] == pytest.approx(threshold, rel=1e-6)
        for concept in range(3):
            both = either = 0
            for one, (_, mask) in zip(maps, data, strict=True):
                grid = torch.from_numpy(one[channel])[None, None]
                values = functional.interpolate(grid, networks.SIZE, mode="bilinear")[0, 0].numpy()
                for row in range(networks.SIZE[0]):
                    for column in range(networks.SIZE[1]):
                        fires, shows = values[row, column] > found.thresholds[channel], mask[row, column] == concept
                        both, either = both + (fires and shows), either + (fires or shows)
            assert found.iou[channel, concept] == pytest.approx(both / either, abs=1e-6)


class Red(nn.Module):
    """Its first channel is the red of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.fc = nn.Linear(2, 2)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])[:, :, None, None])

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.conv(pixels).mean((2, 3)))


def test_a_channel_that_is_a_concept() -> None:
    classifier = networks.classifier(seeded(Red))
    pixels, mask = torch.zeros(3, *networks.SIZE), np.full(networks.SIZE, -1)
    pixels[0, :3], mask[:3] = 1, 1
    found = dissect(classifier, [(pixels, mask)], "conv", ["grass", "fire"], share=0.26)
    assert found.detectors() == [(0, "fire", 1.0)] and found.best[0] == 1
    table = found.table()
    assert (
        table["concept"] == ["grass", "fire"] * 2 and table["iou"] == [0, 1, 0, 0] and table["channel"] == [0, 0, 1, 1]
    )


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((3, 3), int), "one whole number for each pixel"),
        (np.zeros(networks.SIZE), "one whole number for each pixel"),
        (np.full(networks.SIZE, 2), "concept 2, and there are 2"),
    ],
)
def test_masks_that_are_none(mask: Any, said: str) -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    with pytest.raises(PictureError, match=said):
        dissect(classifier, [(networks.picture(classifier)[0], mask)], "features.4", ["a", "b"])


@pytest.mark.parametrize(("count", "names", "share"), [(0, ["a"], 0.1), (1, [], 0.1), (1, ["a", "b", "c"], 0)])
def test_nothing_to_compare(count: int, names: list[str], share: float) -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    with pytest.raises(MethodError):
        dissect(classifier, examples(classifier, count), "features.4", names, share=share)
