"""Integrated gradients against a closed form, Captum, and the axiom of completeness."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from networks import Linear, seeded
from oracles import SIZES, Recorded, torchvision_classifier

from cnnviz_widgets.batching import Batches
from cnnviz_widgets.classifier import Contrast
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import IntegratedGradients, baseline_pixels


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


@pytest.mark.parametrize("target", [2, Contrast(2, 4)])
def test_completeness(target: int | Contrast) -> None:
    classifier = networks.classifier(seeded(networks.VGGLike))
    pixels = networks.picture(classifier) * 20
    black = baseline_pixels(classifier, pixels, "black")
    with torch.no_grad():
        logits = classifier.network(torch.cat([pixels, black]))
    scores = logits[:, 2] if target == 2 else logits[:, 2] - logits[:, 4]
    coarse, fine = (IntegratedGradients(points=points)(classifier, pixels, target) for points in (2, 256))
    assert coarse.difference == fine.difference == pytest.approx(float(scores[0] - scores[1]), rel=1e-5)
    assert fine.gap == pytest.approx(fine.difference - fine.values.sum(), abs=1e-4)
    assert abs(fine.gap) < 0.01 * abs(fine.difference) < abs(coarse.gap)


@pytest.mark.parametrize("name", SIZES)
def test_equals_captum(name: str) -> None:
    classifier = torchvision_classifier(name)
    pixels = networks.picture(classifier)
    white = baseline_pixels(classifier, pixels, "white")
    captum = CaptumIntegratedGradients(classifier.network)
    expected = captum.attribute(pixels, white, 7, n_steps=6, method="riemann_middle")[0].sum(dim=0)
    found = IntegratedGradients("white", 6)(classifier, pixels, 7).values
    # In the mean, as a ReLU or a pooling on the brink may go the other way in the last bit of a path's point.
    assert np.abs(found - expected.detach().numpy()).mean() < 0.01 * np.abs(found).mean()


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
    assert sorted(path) == pytest.approx([(point + 0.5) / 10 for point in range(10)])
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
