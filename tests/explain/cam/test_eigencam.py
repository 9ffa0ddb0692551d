"""Eigen-CAM against a full singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.errors import TargetError
from cnnviz_widgets.explain import EigenCAM
from cnnviz_widgets.explain.cam.eigencam import first_component
from cnnviz_widgets.explain.cam.tape import Tape
from tests.support import networks
from tests.support.networks import Counted, seeded
from tests.support.techniques import on_tape


def decomposed(activations: Tensor, centred: bool) -> np.ndarray:
    """The first component by numpy's full decomposition, its sign chosen by the mean activation."""
    channels, rows, columns = activations.shape
    cells = activations.double().numpy().reshape(channels, rows * columns).T
    mean = cells.mean(axis=1)
    if centred:
        cells = cells - cells.mean(axis=0, keepdims=True)
    direction = np.linalg.svd(cells, full_matrices=True)[2][0]
    projection = cells @ direction
    return (projection * (1 if projection @ mean >= 0 else -1)).reshape(rows, columns)


@pytest.mark.parametrize("shape", [(3, 7, 9), (40, 4, 5), (20, 4, 5), (1, 3, 2), (5, 1, 2)])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("rectified", [False, True])
def test_equals_the_full_decomposition(shape: tuple[int, int, int], centred: bool, rectified: bool) -> None:
    activations = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    activations = activations.relu() if rectified else activations
    result = first_component(activations, centred=centred).numpy()
    np.testing.assert_allclose(result, decomposed(activations, centred), atol=1e-7)


def test_points_the_way_of_the_mean_activation() -> None:
    for seed in range(20):
        activations = torch.randn(6, 4, 5, generator=torch.Generator().manual_seed(seed))
        for centred in (False, True):
            cells = first_component(activations, centred=centred)
            assert float((cells * activations.mean(dim=0)).sum()) > 0
            torch.testing.assert_close(first_component(-activations, centred=centred), -cells)


def test_rectified_activations_have_no_negative_cell() -> None:
    activations = torch.randn(30, 6, 6, generator=torch.Generator().manual_seed(0)).relu()
    assert (first_component(activations, centred=False) >= 0).all()


def test_the_map_of_a_network() -> None:
    network = Counted(seeded(networks.InPlace))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    layer = "network.conv2"
    tape = Tape(classifier, pixels, [layer])
    expected = decomposed(tape.activations[layer][0], centred=False)
    network.calls = 0
    signed = on_tape(EigenCAM(layer, relu=False), tape, 0)
    assert network.calls == 0
    assert signed.signed and signed.cells.min() < 0
    np.testing.assert_allclose(signed.cells, expected, atol=1e-6)
    cut = EigenCAM(layer)(classifier, pixels, 0)
    assert network.calls == 1
    assert not cut.signed
    np.testing.assert_allclose(cut.cells, expected.clip(0), atol=1e-6)


def test_is_the_same_for_every_class_which_must_exist() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    tape = Tape(classifier, networks.picture(classifier))
    first = on_tape(EigenCAM(), tape, 0)
    for target in (4, Target(1, 2)):
        other = on_tape(EigenCAM(), tape, target)
        np.testing.assert_array_equal(other.values, first.values)
        assert other.target == classifier.target(target) and not other.signed
    with pytest.raises(TargetError):
        on_tape(EigenCAM(), tape, networks.CLASSES)


def test_zero_activations_are_a_zero_map() -> None:
    assert not first_component(torch.zeros(4, 3, 3), centred=False).any()
    assert not first_component(torch.ones(4, 3, 3), centred=True).any()
