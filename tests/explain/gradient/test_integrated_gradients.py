"""Integrated gradients against a closed form, Captum, and the axiom of completeness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from torch import Tensor, nn

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import IntegratedGradients, baseline_pixels
from cnnviz_widgets.explain.gradient.integrated_gradients import path_points
from tests.support import networks
from tests.support.networks import Linear, seeded
from tests.support.oracles import SIZES, Recorded, torchvision_classifier


@pytest.mark.parametrize("points", [1, 2, 7])
def test_a_linear_network_needs_no_more_than_one_point(points: int) -> None:
    classifier = networks.classifier(seeded(Linear))
    pixels = networks.picture(classifier)
    weights = classifier.network.fc.weight.detach().reshape(networks.CLASSES, 3, *networks.SIZE)
    contrast = (pixels - baseline_pixels(classifier, pixels, "mean"))[0]
    found = IntegratedGradients("mean", points)(classifier, pixels, 2)
    np.testing.assert_allclose(found.values, (weights[2] * contrast).sum(dim=0), atol=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-5)
    assert abs(found.difference) > 0.1


@pytest.mark.parametrize("target", [2, Target(2, 4)])
def test_completeness(target: int | Target) -> None:
    classifier = networks.classifier(seeded(networks.VGGLike))
    pixels = networks.picture(classifier) * 20
    black = baseline_pixels(classifier, pixels, "black")
    with torch.no_grad():
        logits = classifier.network(torch.cat([pixels, black]))
    scores = logits[:, 2] if target == 2 else logits[:, 2] - logits[:, 4]
    coarse, fine = (IntegratedGradients(points=points)(classifier, pixels, target) for points in (1, 256))
    assert coarse.difference == fine.difference == pytest.approx(float(scores[0] - scores[1]), rel=1e-5)
    assert fine.gap == pytest.approx(fine.difference - fine.values.sum(), abs=1e-4)
    assert abs(fine.gap) < 0.01 * abs(fine.difference) < abs(coarse.gap)


@pytest.mark.parametrize("name", SIZES)
def test_equals_captum(name: str) -> None:
    classifier = torchvision_classifier(name)
    pixels = networks.picture(classifier)
    white = baseline_pixels(classifier, pixels, "white")
    captum = CaptumIntegratedGradients(classifier.network)
    expected = captum.attribute(pixels, white, 7, n_steps=6, method="gausslegendre")[0].sum(dim=0)
    found = IntegratedGradients("white", 6)(classifier, pixels, 7).values
    # In the mean, as a ReLU or a pooling on the brink may go the other way in the last bit of a path's point.
    assert np.abs(found - expected.detach().numpy()).mean() < 0.01 * np.abs(found).mean()


class Cubic(nn.Module):
    """Scores of the third power in the pixels: three points too few, two enough for Gauss and Legendre."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels**3).mean((2, 3)) + 0 * self.conv(pixels).mean((2, 3))


def test_polynomials_are_integrated_exactly() -> None:
    classifier = networks.classifier(Cubic())
    pixels = networks.picture(classifier)
    found = IntegratedGradients("black", points=2)(classifier, pixels, 1)
    expected = pixels[0, 1] ** 3 / (networks.SIZE[0] * networks.SIZE[1])
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-6)
    midpoint = IntegratedGradients("black", points=1)(classifier, pixels, 1)
    assert abs(midpoint.gap) > 0.1 * abs(found.difference) > 100 * abs(found.gap)


def test_a_beginning_of_the_path_is_weighed_by_its_own_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "batch", 5)
    classifier = networks.classifier(seeded(networks.VGGLike))
    pixels = networks.picture(classifier) * 20
    first, *_, last = IntegratedGradients(points=64).steps(classifier, pixels, 2)
    assert np.corrcoef(first.values.ravel(), last.values.ravel())[0, 1] > 0.9
    assert 0.5 < first.values.sum() / last.values.sum() < 2
    nodes, weights = path_points(64)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    assert np.diff(np.sort([0, *nodes[:7].tolist(), 1])).max() < 0.3


@pytest.mark.parametrize("points", [2, 64])
def test_the_gap_is_said_with_its_sign(points: int) -> None:
    classifier = networks.classifier(seeded(networks.VGGLike))
    found = IntegratedGradients(points=points)(classifier, networks.picture(classifier) * 20, 2)
    share = found.gap / found.difference
    said = f"{abs(share):.1%} {'is missing' if share >= 0 else 'too much'} with {points} points. More points change"
    assert said in found.note and f"of {found.difference:.3g}:" in found.note


def test_every_piece_of_the_path_is_seen_once_and_any_beginning_is_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = Recorded(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = torch.ones(1, 3, *networks.SIZE)
    network.seen.clear()
    monkeypatch.setattr(Batches, "batch", 3)
    steps = list(IntegratedGradients(points=10).steps(classifier, pixels, 1))
    assert [step.progress for step in steps] == pytest.approx([0.3, 0.6, 0.9, 1.0])
    ends, path = network.seen[:2], [float(seen.mean()) for seen in network.seen[2:]]
    assert [float(end.mean()) for end in ends] == [1, 0]
    assert all(seen.std() < 1e-6 for seen in network.seen)
    assert sorted(path) == pytest.approx((np.polynomial.legendre.leggauss(10)[0] + 1) / 2)
    assert min(path[:3]) < 0.35 and max(path[:3]) > 0.65


def test_a_picture_that_is_its_own_baseline() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = baseline_pixels(classifier, networks.picture(classifier), "grey")
    found = IntegratedGradients("grey", 4)(classifier, pixels, 1)
    assert found.gap == found.difference == 0
    assert not found.values.any()


@pytest.mark.parametrize("parameters", [{"points": 0}, {"points": 2.0}, {"baseline": "zero"}])
def test_parameters_out_of_range(parameters: dict[str, object]) -> None:
    with pytest.raises(MethodError, match=f"`{next(iter(parameters))}` is "):
        IntegratedGradients(**parameters)
