"""What a cell answers to: closed forms, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.errors import ClassifierError, LayerError
from cnnviz_widgets.study.effective_field import effective_field
from cnnviz_widgets.study.receptive_field import receptive_field
from tests.support import networks
from tests.support.networks import seeded


@pytest.mark.parametrize("cell", [(3, 5), (0, 0), (11, 15), (0, 9)])
def test_of_one_convolution_it_is_the_kernel(cell: tuple[int, int]) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    kernel = classifier.network.features[0].weight[4].detach().abs().sum(0)
    padded = torch.zeros(14, 18)
    padded[cell[0] : cell[0] + 3, cell[1] : cell[1] + 3] = kernel
    expected = padded[1:-1, 1:-1] / padded[1:-1, 1:-1].max()
    found = effective_field(classifier, networks.picture(classifier), "features.0", cell, 4)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_lies_in_what_the_cell_can_see_and_is_that_of_finite_differences() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    layer, cell = "features.3", (2, 5)
    found = effective_field(classifier, pixels, layer, cell, 2)
    top, left, height, width = receptive_field(classifier, layer).box(*cell)
    outside = found.copy()
    outside[top : top + height, left : left + width] = 0
    assert found.max() == 1 and not outside.any()

    def activation(values: Tensor) -> float:
        with torch.no_grad(), classifier.recording(layer) as outputs:
            classifier.logits(values)
        return float(outputs[layer][0, 2, cell[0], cell[1]])

    slow = np.zeros((3, *found.shape))
    for channel, row, column in np.argwhere(np.broadcast_to(found > 0, slow.shape)):
        ends = []
        for step in (1e-3, -1e-3):
            changed = pixels.clone()
            changed[0, channel, row, column] += step
            ends.append(activation(changed))
        slow[channel, row, column] = abs(ends[0] - ends[1])
    slow = slow.sum(0) / slow.sum(0).max()
    np.testing.assert_allclose(found, slow, atol=2e-2)


def test_a_relu_that_is_off_answers_to_nothing() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with torch.no_grad():
        classifier.network.features[0].bias.fill_(-100)
    assert not effective_field(classifier, networks.picture(classifier), "features.1", (1, 1), 0).any()


def test_what_cannot_be_answered_is_said() -> None:
    class Frozen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, pixels: Tensor) -> Tensor:
            with torch.no_grad():
                values = self.conv(pixels)
            return self.head(values.mean((2, 3)))

    classifier = networks.classifier(seeded(Frozen))
    pixels = networks.picture(classifier)
    with pytest.raises(ClassifierError, match="runs the layer 'conv' without gradients"):
        effective_field(classifier, pixels, "conv", (0, 0), 0)
    with pytest.raises(LayerError, match=r"no cell \(99, 0\) in channel 0"):
        effective_field(classifier, pixels, "conv", (99, 0), 0)
