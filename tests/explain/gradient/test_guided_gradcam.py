"""Guided Grad-CAM is a product; hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import GradCAM, GuidedBackprop, GuidedGradCAM
from tests.explain.gradient.test_guided_backprop import activated
from tests.support import networks
from tests.support.networks import Golden, seeded


@pytest.mark.parametrize("inplace", [False, True])
def test_values_worked_out_by_hand(inplace: bool) -> None:
    """The numbers are those of Captum's test suite, where Grad-CAM's cells are repeated, not interpolated."""
    classifier = networks.classifier(Golden(inplace).eval(), Golden.size)
    guided = GuidedBackprop()(classifier, Golden.pixels(), 0).values
    repeated = GradCAM("relu")(classifier, Golden.pixels(), 0).cells.repeat(2, axis=0).repeat(2, axis=1)
    expected = [[0, 0, 4, 4], [0, 0, 12, 8], [28, 84, 97.5, 65], [28, 56, 65, 32.5]]
    np.testing.assert_array_equal(guided * repeated, expected)
    # Ours interpolates: the corners of the picture are the cells themselves.
    found = GuidedGradCAM("relu")(classifier, Golden.pixels(), 0).values
    corners = np.ix_([0, 3], [0, 3])
    np.testing.assert_array_equal(found[corners], np.array(expected)[corners])


@pytest.mark.parametrize("target", [1, Target(1, 4)])
@pytest.mark.parametrize("layer", [None, "conv1"])
def test_is_the_product_of_the_two(layer: str | None, target: int | Target) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    pixels = networks.picture(classifier)
    cam = GradCAM(layer)(classifier, pixels, target)
    guided = GuidedBackprop()(classifier, pixels, target)
    found = GuidedGradCAM(layer)(classifier, pixels, target)
    np.testing.assert_allclose(found.values, guided.values * cam.values, rtol=1e-6)
    assert found.values.any()
    assert found.signed is cam.signed is isinstance(target, Target)
    assert (found.values < 0).any() == isinstance(target, Target)


def test_is_refused_where_guided_backpropagation_is() -> None:
    classifier = activated(nn.GELU())
    with pytest.raises(MethodError, match="uses GELU"):
        GuidedGradCAM()(classifier, networks.picture(classifier), 1)
