"""KernelSHAP against Captum's regression on the same sets, exact values, error bars, and the segments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import KernelShap
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import KernelSHAP, baseline_pixels
from cnnviz_widgets.explain.occlusion import superpixels as module
from cnnviz_widgets.explain.occlusion.kernelshap import SegmentHeatmap
from cnnviz_widgets.explain.occlusion.superpixels import superpixels
from tests.support import networks
from tests.support.networks import ConvGapLinear, seeded


def small() -> tuple[Classifier, Tensor]:
    classifier = networks.classifier(seeded(ConvGapLinear))
    return classifier, networks.picture(classifier)


def explained(technique: KernelSHAP, target: Any = 3) -> SegmentHeatmap:
    found = technique(*small(), target)
    assert isinstance(found, SegmentHeatmap)
    return found


class SameSets(KernelShap):
    """Captum's, on the sets of ours."""

    def __init__(self, network: Any, shown: Tensor) -> None:
        super().__init__(network)
        self.sets = shown

    def kernel_shap_perturb_generator(self, *_: Any, **__: Any) -> Iterator[Tensor]:
        # All of the segments first, as Captum has it.
        yield from self.sets[[1, 0, *range(2, len(self.sets))]].long().split(1)


def test_equals_captum_on_the_same_sets() -> None:
    classifier, pixels = small()
    technique = KernelSHAP(segments=12, samples=300, regions="squares")
    found = explained(technique)
    sets = technique.draw(12)
    captum = SameSets(classifier.network, sets.shown).attribute(
        pixels,
        baselines=baseline_pixels(classifier, pixels, "mean"),
        target=3,
        feature_mask=torch.from_numpy(found.segments)[None, None],
        n_samples=len(sets.shown),
        return_input_shape=False,
    )
    expected = captum[0].numpy()
    # Captum only comes near the condition that they add up to the difference, by a large weight.
    np.testing.assert_allclose(found.shares, expected, atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize("target", [3, Target(1, 4)])
@pytest.mark.parametrize("samples", [20, 200])
def test_segments_add_up_to_the_difference_of_the_scores(target: Any, samples: int) -> None:
    classifier, pixels = small()
    found = explained(KernelSHAP(segments=9, samples=samples, baseline="black"), target)
    with torch.no_grad():
        logits = classifier.logits(torch.cat([pixels, baseline_pixels(classifier, pixels, "black")]))
    first, second = classifier.target(target).of(logits).tolist()
    assert found.shares.sum() == pytest.approx(first - second, abs=1e-5)
    np.testing.assert_array_equal(found.values, found.shares[found.segments])


def test_error_bars_hold_the_exact_values() -> None:
    exact = explained(KernelSHAP(segments=9, samples=600, regions="squares"))
    assert "exact, of all 512 sets" in exact.note and not exact.errors.any()
    off, errors = [], []
    for seed in range(8):
        drawn = explained(KernelSHAP(segments=9, samples=150, regions="squares", seed=seed))
        assert "of 152 sets, standard error up to" in drawn.note
        off.append(drawn.shares - exact.shares)
        errors.append(drawn.errors)
    # Of so many within two standard errors 95 of 100 are expected.
    assert np.mean(np.abs(off) <= 2 * np.array(errors)) > 0.85
    assert 0.5 < np.sqrt(np.mean(np.square(off))) / np.sqrt(np.mean(np.square(errors))) < 2


def test_the_seed_draws_the_sets() -> None:
    technique = KernelSHAP(segments=12, samples=100)
    same, other = technique.draw(12), KernelSHAP(segments=12, samples=100, seed=1).draw(12)
    assert torch.equal(technique.draw(12).shown, same.shown) and not torch.equal(other.shown, same.shown)
    assert torch.equal(same.shown[2::2], ~same.shown[3::2])


def test_superpixels_follow_edges() -> None:
    classifier = Classifier(seeded(ConvGapLinear), input_size=32)
    pixels = torch.zeros(1, 3, 32, 32)
    pixels[..., :11, :] = 1
    found = superpixels(classifier, pixels, 9)
    above, below = found[:11].unique(), found[11:].unique()
    assert len(found.unique()) > 4 and not set(above.tolist()) & set(below.tolist())
    assert found.unique().tolist() == list(range(int(found.max()) + 1))


@pytest.mark.parametrize("count", [2, 5, 24, 100])
@pytest.mark.parametrize("size", [(1, 7), (12, 16), (40, 3)])
def test_squares_cover_a_picture_of_any_size(size: tuple[int, int], count: int) -> None:
    classifier, _ = small()
    found = superpixels(classifier, torch.zeros(1, 3, *size), count, "squares")
    assert found.shape == size and 2 <= len(found.unique()) == int(found.max()) + 1 <= max(count, 2) * 1.5


def test_without_scikit_image_they_are_squares_and_the_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = explained(KernelSHAP(segments=9, samples=600, regions="squares"))
    monkeypatch.setattr(module, "has_superpixels", lambda: False)
    monkeypatch.setattr("cnnviz_widgets.explain.occlusion.kernelshap.has_superpixels", lambda: False)
    found = explained(KernelSHAP(segments=9, samples=600))
    np.testing.assert_array_equal(found.values, expected.values)
    assert "squares, as scikit-image is not installed" in found.note


@pytest.mark.parametrize(
    "parameters", [{"segments": 1}, {"samples": 0}, {"regions": "circles"}, {"baseline": "red"}, {"score": "x"}]
)
def test_parameters_that_are_none(parameters: dict[str, Any]) -> None:
    with pytest.raises(MethodError, match=f"`{next(iter(parameters))}`"):
        KernelSHAP(**parameters)
