"""Each technique against itself the slow way: a new one gets one line here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnviz_widgets import explain
from cnnviz_widgets.explain import Explainer
from tests.support import networks, oracles
from tests.support.networks import ConvGapLinear, seeded

#: A technique -> what its cells are. Those that can are asked for all of them, negative ones too.
ORACLES: list[tuple[Explainer, Any]] = [
    (explain.Occlusion(window=4, stride=2), oracles.occlusion),
    (explain.RISE(masks=40, cells=3), oracles.rise),
    (explain.KernelSHAP(segments=6, regions="squares"), oracles.shapley_values),
    (explain.GradCAM(relu=False), oracles.grad_cam),
    (explain.FinerCAM(relu=False), oracles.finer_cam),
    (explain.HiResCAM(relu=False), oracles.hires_cam),
    (explain.GradCAMPlusPlus(relu=False), oracles.grad_cam_plus_plus),
    (explain.LayerCAM(relu=False), oracles.layer_cam),
    (explain.XGradCAM(relu=False), oracles.x_grad_cam),
    (explain.EigenCAM(relu=False), oracles.eigen_cam),
    (explain.ScoreCAM(relu=False), oracles.score_cam),
    (explain.AblationCAM(relu=False), oracles.ablation_cam),
    (explain.CAM(), oracles.cam),
    (explain.Saliency(), oracles.saliency),
    (explain.GradientXInput(), oracles.gradient_x_input),
    (explain.SmoothGrad(samples=3), oracles.smooth_grad),
    (explain.IntegratedGradients(points=150), oracles.integrated_gradients),
    (explain.GuidedBackprop(), oracles.guided_backprop),
    (explain.GuidedGradCAM(), oracles.guided_grad_cam),
    (explain.LRP(), oracles.lrp),
]


def test_every_technique_has_an_oracle() -> None:
    assert {type(technique) for technique, _ in ORACLES} == set(explain.TECHNIQUES), "add a line to ORACLES"


@pytest.mark.parametrize(("technique", "oracle"), ORACLES, ids=[type(technique).__name__ for technique, _ in ORACLES])
def test_equals_its_oracle(technique: Any, oracle: Any) -> None:
    classifier = networks.classifier(seeded(ConvGapLinear))
    pixels = networks.picture(classifier)
    layer = technique.layer_in(classifier) if hasattr(technique, "layer_in") else classifier.default_layer
    book = oracles.Textbook(classifier.network, pixels, 3, int(layer.removeprefix("features.")))
    with torch.no_grad():
        expected = oracle(technique, book).numpy()
    found = technique(classifier, pixels, 3).cells
    assert found.shape == expected.shape and expected.std() > 0
    # The path of integrated gradients has kinks, of which each way of summing finds others.
    loose = 2e-2 if technique.label == "integrated gradients" else 2e-5
    np.testing.assert_allclose(found, expected, atol=loose * np.abs(expected).max())
