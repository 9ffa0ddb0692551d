"""SmoothGrad against plain saliency and a slow version; its noise, its seed and its batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import Saliency, SmoothGrad
from tests.support import networks
from tests.support.networks import seeded
from tests.support.oracles import Recorded


@pytest.fixture
def classifier() -> Classifier:
    return networks.classifier(seeded(networks.InPlace))


def test_without_noise_it_is_saliency(classifier: Classifier) -> None:
    pixels = networks.picture(classifier)
    expected = Saliency()(classifier, pixels, 1).values
    for samples in (1, 5):
        found = SmoothGrad(noise=0, samples=samples)(classifier, pixels, 1)
        np.testing.assert_allclose(found.values, expected, rtol=1e-5)
    assert (SmoothGrad(samples=1)(classifier, pixels, 1).values != expected).any()


def test_equals_the_equation_sample_by_sample(classifier: Classifier) -> None:
    """The channels' maximum is taken of the mean gradient, not the mean of maxima."""
    pixels = networks.picture(classifier)
    generator = torch.Generator().manual_seed(7)
    deviation = 0.2 * (pixels.max() - pixels.min())
    total = np.zeros((3, *networks.SIZE))
    for _ in range(9):
        noisy = pixels + deviation * torch.randn(pixels.shape[1:], generator=generator)
        noisy.requires_grad_()
        score = classifier.network(noisy)[0, 3]
        total += torch.autograd.grad(score, noisy)[0][0].numpy()
    found = SmoothGrad(noise=0.2, samples=9, seed=7)(classifier, pixels, 3)
    np.testing.assert_allclose(found.values, np.abs(total / 9).max(axis=0), rtol=1e-4, atol=1e-6)


def test_the_noise_is_normal_and_a_share_of_the_range() -> None:
    network = Recorded(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier) * 3 + 1
    assert classifier.layers  # found by a pass of their own
    network.seen.clear()
    SmoothGrad(noise=0.15, samples=100)(classifier, pixels, 1)
    assert len(network.seen) == 100
    noise = (torch.stack(network.seen) - pixels) / (pixels.max() - pixels.min())
    assert noise.mean().item() == pytest.approx(0, abs=0.002)
    assert noise.std().item() == pytest.approx(0.15, rel=0.02)
    # Kurtosis tells a normal from a uniform distribution (3 and 1.8).
    assert (noise**4).mean().item() / noise.var().item() ** 2 == pytest.approx(3, abs=0.1)


def test_it_is_drawn_as_means_of_pixels_whose_agreement_is_said() -> None:
    """Of two halves of the samples, by the equation sample by sample."""
    size = (112, 170)
    classifier = networks.classifier(seeded(networks.ConvGapLinear), size)
    pixels = networks.picture(classifier)
    generator = torch.Generator().manual_seed(0)
    halves = [torch.zeros(3, *size), torch.zeros(3, *size)]
    for sample in range(7):
        deviation = 0.15 * (pixels.max() - pixels.min())
        noisy = (pixels + deviation * torch.randn(pixels.shape[1:], generator=generator)).requires_grad_()
        halves[sample % 2] += torch.autograd.grad(classifier.network(noisy)[0, 1], noisy)[0][0]
    maps = [half.abs().amax(dim=0) for half in halves]
    means = [half.reshape(56, 2, 85, 2).mean((1, 3)) for half in maps]
    apart, together = (spearmanr(*[half.numpy().ravel() for half in pair]).statistic for pair in (maps, means))
    found = SmoothGrad(samples=7)(classifier, pixels, 1)
    np.testing.assert_allclose(found.cells, found.values.reshape(56, 2, 85, 2).mean((1, 3)), rtol=1e-5)
    assert f"correlate at {apart:.2f} (ranks), means of 2 x 2 pixels at {together:.2f}" in found.note
    assert SmoothGrad(samples=1)(classifier, pixels, 1).note == ""


def test_small_pictures_are_drawn_pixel_by_pixel(classifier: Classifier) -> None:
    found = SmoothGrad(samples=6)(classifier, networks.picture(classifier), 1)
    np.testing.assert_array_equal(found.cells, found.values)
    assert "differences smaller than that noise mean nothing" in found.note


def test_seeds(classifier: Classifier) -> None:
    pixels = networks.picture(classifier)
    first, again, other = (SmoothGrad(samples=5, seed=seed)(classifier, pixels, 1).values for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3 * first.max()


def test_does_not_depend_on_the_batches(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = networks.picture(classifier)
    expected = SmoothGrad(samples=10)(classifier, pixels, 1).values
    for size in (1, 3, 10):
        monkeypatch.setattr(Batches, "batch", size)
        steps = list(SmoothGrad(samples=10).steps(classifier, pixels, 1))
        np.testing.assert_allclose(steps[-1].values, expected, rtol=1e-4, atol=1e-7)
        assert [step.progress for step in steps] == pytest.approx(
            [min(done, 10) / 10 for done in range(size, 10 + size, size)]
        )


@pytest.mark.parametrize(
    "parameters", [{"noise": -0.1}, {"noise": "a lot"}, {"noise": float("nan")}, {"samples": 0}, {"seed": -1}]
)
def test_parameters_out_of_range(parameters: dict[str, object]) -> None:
    with pytest.raises(MethodError, match=f"`{next(iter(parameters))}` is a"):
        SmoothGrad(**parameters)
