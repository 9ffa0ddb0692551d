"""Baselines: what stands behind an occlusion window."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import baseline_pixels
from tests.support import networks
from tests.support.networks import seeded


@pytest.fixture
def classifier() -> Classifier:
    network = seeded(networks.ConvGapLinear)
    return Classifier(network, input_size=networks.SIZE, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.5))


@pytest.mark.parametrize(("name", "level"), [("black", 0), ("grey", 128), ("white", 255)])
def test_plain_colours_as_a_person_sees_them(classifier: Classifier, name: str, level: int) -> None:
    pixels = networks.picture(classifier)
    found = baseline_pixels(classifier, pixels, name)
    assert found.shape == pixels.shape and found.dtype == torch.float32
    assert (classifier.appearance(found) == level).all()


def test_mean_is_the_picture_s_own_colour(classifier: Classifier) -> None:
    pixels = networks.picture(classifier) + torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    found = baseline_pixels(classifier, pixels, "mean")
    for channel in range(3):
        np.testing.assert_allclose(found[0, channel], pixels[0, channel].double().mean(), rtol=1e-6)
    found.zero_()  # not a view of one colour
    assert pixels.abs().min() > 0


def test_blur_is_a_gaussian_blur_that_ends_at_the_border(classifier: Classifier) -> None:
    pixels = networks.picture(classifier)
    found = baseline_pixels(classifier, pixels, "blur")
    height, width = networks.SIZE
    sigma = height / 10
    for row, column in ((0, 0), (5, 7), (11, 3)):
        total = weight = 0.0
        for i in range(height):
            for j in range(width):
                bell = math.exp(-((i - row) ** 2 + (j - column) ** 2) / (2 * sigma**2))
                total += bell * float(pixels[0, 1, i, j])
                weight += bell
        assert float(found[0, 1, row, column]) == pytest.approx(total / weight, abs=1e-5)


def test_blur_keeps_a_plain_picture(classifier: Classifier) -> None:
    pixels = torch.full((1, 3, *networks.SIZE), 0.7)
    np.testing.assert_allclose(baseline_pixels(classifier, pixels, "blur"), pixels, rtol=1e-6)


@pytest.mark.parametrize("name", ["gray", "", None, 3, ["mean"]])
def test_a_baseline_that_does_not_exist(classifier: Classifier, name: object) -> None:
    with pytest.raises(MethodError, match="`baseline` is one of 'mean', 'black', 'grey', 'white', 'blur'"):
        baseline_pixels(classifier, networks.picture(classifier), name)
