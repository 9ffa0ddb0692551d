"""RISE against the exact expectation over all masks, and its masks, seed and batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import RISE, baseline_pixels
from tests.support import networks
from tests.support.networks import Linear, seeded
from tests.support.oracles import Recorded


def upsampled(grid: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    """A grid (s, s) as (s + 1) cells a side, bilinear with half-pixel centres, pixel by pixel."""
    side = len(grid)
    found = np.zeros(((side + 1) * cell[0], (side + 1) * cell[1]))

    def place(at: int, length: int) -> tuple[int, int, float]:
        where = min(max((at + 0.5) * side / length - 0.5, 0), side - 1)
        low = min(int(where), side - 2)
        return low, low + 1, where - low

    for i, j in np.ndindex(found.shape):
        top, bottom, down = place(i, found.shape[0])
        left, right, across = place(j, found.shape[1])
        found[i, j] = (1 - down) * ((1 - across) * grid[top, left] + across * grid[top, right]) + down * (
            (1 - across) * grid[bottom, left] + across * grid[bottom, right]
        )
    return found


def all_masks(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Every mask of 2 x 2 cells with every shift (n, H, W), and how many cells of each are 1."""
    cell = (-(-size[0] // 2), -(-size[1] // 2))
    masks, ones = [], []
    for bits in itertools.product([0, 1], repeat=4):
        whole = upsampled(np.array(bits, float).reshape(2, 2), cell)
        for top, left in itertools.product(range(cell[0]), range(cell[1])):
            masks.append(whole[top : top + size[0], left : left + size[1]])
            ones.append(sum(bits))
    return np.array(masks), np.array(ones)


def exact(classifier: Classifier, pixels: Tensor, target: int | Target, probability: float) -> np.ndarray:
    """E[score x mask] / E[mask] - E[score] over all masks, with black behind them."""
    masks, ones = all_masks((pixels.shape[2], pixels.shape[3]))
    weights = probability**ones * (1 - probability) ** (4 - ones)
    black = baseline_pixels(classifier, pixels, "black")
    seen = black + torch.from_numpy(masks)[:, None].float() * (pixels - black)
    with torch.no_grad():
        scores = classifier.score(classifier.logits(seen), target).double().numpy()
    weighted = np.einsum("n,n,nhw->hw", weights, scores, masks)
    return weighted / np.einsum("n,nhw->hw", weights, masks) - (weights * scores).sum() / weights.sum()


class Every(RISE):
    """Draws each of the masks once, in a shuffled order."""

    def drawing(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Callable[[], Tensor]:
        masks = all_masks(size)[0]
        order = torch.randperm(len(masks), generator=torch.Generator().manual_seed(0))
        start = len(self.drawn)
        self.drawn.extend(range(count))
        return lambda: torch.from_numpy(masks)[order[start : start + count]].float()

    drawn: ClassVar[list[int]] = []


@pytest.mark.parametrize("target", [2, Target(2, 0)])
def test_all_masks_give_the_exact_expectation(target: int | Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "batch", 7)
    monkeypatch.setattr(Every, "drawn", [])
    classifier = networks.classifier(seeded(lambda: Linear((5, 4))), (5, 4))
    pixels = networks.picture(classifier)
    count = len(all_masks((5, 4))[0])
    assert count == 16 * 3 * 2
    found = Every(count, cells=2, baseline="black", score="logit")(classifier, pixels, target)
    assert len(Every.drawn) == count
    np.testing.assert_allclose(found.values, exact(classifier, pixels, target, 0.5), rtol=1e-4, atol=1e-6)
    assert found.signed and found.quantity == "mean logit where the pixel is seen, minus the mean over all masks"


@pytest.mark.parametrize("probability", [0.5, 0.3])
def test_random_masks_approach_it(probability: float) -> None:
    classifier = networks.classifier(seeded(lambda: Linear((5, 4))), (5, 4))
    pixels = networks.picture(classifier)
    rise = RISE(6000, 2, probability, "black", "logit")
    expected = exact(classifier, pixels, 2, probability)
    found = rise(classifier, pixels, 2).values
    np.testing.assert_allclose(found, expected, atol=0.15 * (expected.max() - expected.min()))


def test_masks_are_all_those_there_are_and_no_others() -> None:
    known = {mask.round(4).tobytes() for mask in all_masks((5, 4))[0]}
    drawn = RISE(cells=2).draw(3000, (5, 4), torch.Generator().manual_seed(0)).double().numpy()
    assert {mask.round(4).tobytes() for mask in drawn} == known


@pytest.mark.parametrize("probability", [0.2, 0.5, 0.8])
def test_masks_have_the_probability_and_the_size(probability: float) -> None:
    masks = RISE(probability=probability).draw(400, (28, 37), torch.Generator().manual_seed(0))
    assert masks.shape == (400, 28, 37) and masks.dtype == torch.float32
    assert masks.min() >= 0 and masks.max() <= 1
    assert float(masks.mean()) == pytest.approx(probability, abs=0.01)
    assert float(masks.mean(dim=0).std()) < 0.03  # the same everywhere


def test_masks_do_not_depend_on_how_many_are_drawn_at_once() -> None:
    rise, size = RISE(cells=3), (12, 16)
    generator = torch.Generator().manual_seed(3)
    parts = torch.cat([rise.draw(count, size, generator) for count in (1, 4, 2)])
    assert torch.equal(parts, rise.draw(7, size, torch.Generator().manual_seed(3)))
    assert not torch.equal(parts, rise.draw(7, size, torch.Generator().manual_seed(4)))


class Constant(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.conv(pixels).mean((2, 3)) * 0 + torch.tensor([3.0, 1.0])


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_a_constant_score_is_a_map_of_zeros(score: Any) -> None:
    """Divided by the masks' own sum; by its expectation the map would show the masks."""
    classifier = networks.classifier(Constant())
    found = RISE(masks=10, score=score)(classifier, networks.picture(classifier), 0)
    np.testing.assert_allclose(found.values, 0, atol=1e-6)
    assert found.blank and "No mask changes the score" in found.note


def test_the_note_is_the_rank_correlation_of_the_two_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    pixels = networks.picture(classifier)
    rise = RISE(masks=41, cells=3, score="logit", baseline="black")
    masks = rise.draw(41, networks.SIZE, torch.Generator().manual_seed(0))
    black = baseline_pixels(classifier, pixels, "black")
    with torch.no_grad():
        scores = classifier.logits(black + masks[:, None] * (pixels - black))[:, 1].double().numpy()
    halves = [np.tensordot(scores[i::2], masks[i::2].double().numpy(), 1) / masks[i::2].sum(0).numpy() for i in (0, 1)]
    expected = spearmanr(halves[0].ravel(), halves[1].ravel()).statistic
    for size in (1, 7, 64):
        monkeypatch.setattr(Batches, "batch", size)
        assert f"half of the masks each correlate at {expected:.2f} (ranks)" in rise(classifier, pixels, 1).note


def test_the_network_sees_the_picture_through_the_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Recorded(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    white = baseline_pixels(classifier, pixels, "white")
    monkeypatch.setattr(Batches, "batch", 4)
    rise = RISE(masks=10, cells=3, baseline="white", seed=5)
    network.seen.clear()
    steps = list(rise.steps(classifier, pixels, 1))
    assert [step.progress for step in steps] == [0.4, 0.8, 1]
    masks = rise.draw(10, networks.SIZE, torch.Generator().manual_seed(5))[:, None]
    torch.testing.assert_close(torch.stack(network.seen), masks * pixels + (1 - masks) * white)


def test_seeds_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    pixels = networks.picture(classifier)

    def values(**parameters: Any) -> np.ndarray:
        return RISE(masks=20, cells=3, score="logit", **parameters)(classifier, pixels, 1).values

    expected = values(seed=4)
    np.testing.assert_array_equal(values(seed=4), expected)
    assert np.abs(values(seed=5) - expected).max() > 1e-3
    for size in (1, 7, 1000):
        monkeypatch.setattr(Batches, "batch", size)
        np.testing.assert_allclose(values(seed=4), expected, rtol=1e-4)


def test_finds_the_only_pixels_that_count() -> None:
    size = (28, 28)
    classifier: Classifier = networks.classifier(seeded(lambda: Linear(size)), size)
    with torch.no_grad():
        weight = classifier.network.fc.weight.zero_()
        weight.view(networks.CLASSES, 3, *size)[1, :, 6:10, 18:22] = 1
    found = RISE(masks=300, baseline="black", score="logit")(classifier, torch.ones(1, 3, *size), 1).values
    row, column = np.unravel_index(found.argmax(), size)
    assert 4 <= row <= 11 and 16 <= column <= 23


@pytest.mark.parametrize(
    "parameters",
    [
        {"masks": 0},
        {"cells": 1},
        {"probability": 0},
        {"probability": 1.5},
        {"seed": -1},
        {"score": "loss"},
        {"baseline": ""},
    ],
)
def test_parameters_out_of_range(parameters: dict[str, Any]) -> None:
    with pytest.raises(MethodError, match=f"`{next(iter(parameters))}` is "):
        RISE(**parameters)
