"""Pictures covered by masks of any shape, and masks as text."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import Occlusion, baseline_pixels
from cnnviz_widgets.explain.occlusion.mask import checked_mask, mask_text
from tests.support.networks import seeded

SIZE = (24, 32)


@pytest.fixture
def classifier() -> Classifier:
    network = seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(384, 5)
        )
    )
    return Classifier(network, input_size=SIZE)


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def blob(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(SIZE) < 0.3


@pytest.mark.parametrize("baseline", ["mean", "black", "grey", "white", "blur"])
def test_a_rectangular_mask_is_the_patch(classifier: Classifier, pixels: torch.Tensor, baseline: str) -> None:
    technique = Occlusion(baseline=baseline)  # type: ignore[arg-type]
    boxes = [(2, 3, 8, 8), (0, 0, 24, 32), (23, 31, 1, 1)]
    masks = []
    for top, left, height, width in boxes:
        masks.append(np.zeros(SIZE, bool))
        masks[-1][top : top + height, left : left + width] = True
    expected = technique.occluded(classifier, pixels, boxes)
    torch.testing.assert_close(technique.masked(classifier, pixels, masks), expected, rtol=1e-4, atol=1e-5)


def test_what_is_covered_is_the_baseline_and_nothing_else(classifier: Classifier, pixels: torch.Tensor) -> None:
    masks = [blob(seed) for seed in range(20)]  # more than a batch
    baseline = baseline_pixels(classifier, pixels, "blur")
    by_hand = torch.cat([torch.where(torch.from_numpy(mask), baseline, pixels) for mask in masks])
    found = Occlusion(baseline="blur").masked(classifier, pixels, masks)
    torch.testing.assert_close(found, classifier.logits(by_hand), rtol=1e-4, atol=1e-5)


def test_on_a_linear_network_each_pixel_has_its_share() -> None:
    """z = w · x + b: covering with black takes w · x of what is covered."""
    network = nn.Sequential(nn.Conv2d(3, 5, (6, 8)), nn.Flatten())
    classifier = Classifier(network, input_size=(6, 8), class_names=list("abcde"))
    pixels = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    mask = np.random.default_rng(0).random((6, 8)) < 0.5
    weight = network[0].weight.detach()
    share = (weight * pixels * torch.from_numpy(mask)).sum((1, 2, 3))
    found = Occlusion(baseline="black").masked(classifier, pixels, [mask])[0]
    black = (weight * baseline_pixels(classifier, pixels, "black") * torch.from_numpy(mask)).sum((1, 2, 3))
    torch.testing.assert_close(found, classifier.logits(pixels)[0] - share + black, rtol=1e-4, atol=1e-5)


def test_nothing_covered_is_the_picture_itself(classifier: Classifier, pixels: torch.Tensor) -> None:
    found = Occlusion().masked(classifier, pixels, [np.zeros(SIZE, bool)])
    torch.testing.assert_close(found, classifier.logits(pixels), rtol=1e-4, atol=1e-5)
    assert Occlusion().masked(classifier, pixels, []).shape == (0, len(classifier.class_names))


@pytest.mark.parametrize(
    "mask",
    [np.zeros(SIZE), np.zeros(SIZE, np.uint8), np.zeros((32, 24), bool), np.zeros((1, *SIZE), bool), None, 5, "x"],
    ids=["float", "uint8", "turned", "3-d", "None", "number", "text"],
)
def test_what_is_no_mask_is_refused(classifier: Classifier, pixels: torch.Tensor, mask: object) -> None:
    with pytest.raises(MethodError, match="mask"):
        Occlusion().masked(classifier, pixels, [mask])  # type: ignore[list-item]


@pytest.mark.parametrize("size", [(1, 1), (7, 9), SIZE])
def test_a_mask_as_text_is_the_same_mask(size: tuple[int, int]) -> None:
    mask = np.random.default_rng(2).random(size) < 0.5
    text = mask_text(mask)
    assert text.isascii() and "\n" not in text
    found = checked_mask(text, size)
    np.testing.assert_array_equal(found, mask)
    assert checked_mask(found, size) is found  # nobody can change it


def test_an_own_mask_is_copied() -> None:
    mask = np.zeros(SIZE, bool)
    found = checked_mask(mask, SIZE)
    mask[:] = True
    assert not found.any() and not found.flags.writeable


def packed(size: str, content: bytes) -> str:
    return f"{size}:{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24x32",
        "24x32:",
        "24x32:%%%",
        packed("24x32", b"no zlib"),
        packed("24x32", zlib.compress(bytes(95))),
        packed("24x32", zlib.compress(bytes(97))),
        packed("24x32", zlib.compress(bytes(10**8))),
        packed("99999x99999", zlib.compress(bytes(96))),
        packed("32x24", zlib.compress(bytes(96))),
        packed("0x32", zlib.compress(b"")),
    ],
)
def test_text_that_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(MethodError, match="mask"):
        checked_mask(text, SIZE)
