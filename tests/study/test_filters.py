"""Kernels: against numpy on the weights themselves, and filters planted in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from cnnviz_widgets import study
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import LayerError
from cnnviz_widgets.study.filters import Filters, convolution_of, convolutions, initial_filters
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import seeded


def planted() -> Filters:
    """Eight random filters: 2 is dead, 5 is twice 1, 6 is minus 0, 7 has two weights in eighteen."""
    weights = np.random.default_rng(0).normal(size=(8, 2, 3, 3)).astype(np.float32)
    weights[2] *= 1e-4
    weights[5] = 2 * weights[1]
    weights[6] = -weights[0]
    weights[7].flat[2:] = 0
    return Filters("planted", weights, groups=1, first=False)


def test_dead_and_duplicate_filters_are_found() -> None:
    filters = planted()
    assert filters.dead.tolist() == [False, False, True, False, False, False, False, False]
    assert filters.duplicates.tolist() == [-1, -1, -1, -1, -1, 1, -1, -1]
    assert filters.sparsity[7] == pytest.approx(16 / 18) and filters.sparsity[2] == 1 > filters.sparsity[0]
    assert filters.extent == np.abs(filters.weights).max()
    np.testing.assert_allclose(filters.norms, [np.sqrt((kernel**2).sum()) for kernel in filters.weights], rtol=1e-6)


def test_a_layer_of_zeros_is_all_dead_and_has_no_duplicates() -> None:
    filters = Filters("zeros", np.zeros((3, 1, 2, 2), np.float32), 1, True)
    assert filters.dead.all() and (filters.duplicates == -1).all() and (filters.sparsity == 1).all()
    assert sorted(filters.order("similarity")) == [0, 1, 2]


def test_orders() -> None:
    filters = planted()
    assert filters.order("index").tolist() == list(range(8))
    assert np.diff(filters.norms[filters.order("norm")]).max() <= 0
    angles = np.random.default_rng(1).permutation(12) * np.pi / 40
    turned = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    turned[angles == 0] *= 3  # the strongest, where the chain begins
    chain = Filters("circle", turned[..., None, None], 1, False).order("similarity")
    assert angles[chain].tolist() == sorted(angles)


def test_grouped_filters_are_compared_within_their_group() -> None:
    weights = np.ones((4, 1, 3, 3), np.float32)
    filters = Filters("depthwise", weights, groups=2, first=False)
    assert filters.duplicates.tolist() == [-1, 0, -1, 2]
    assert [list(filters.inputs_of(index)) for index in range(4)] == [[0], [0], [1], [1]]


def test_the_weights_are_the_network_s_and_a_copy() -> None:
    network = guest()
    classifier = networks.classifier(network)
    before, modes = state(network), mode()
    filters = study.filters(classifier, "conv")
    np.testing.assert_array_equal(filters.weights, network.conv.weight.detach().numpy())
    filters.weights[:] = 0
    assert filters.first and not study.filters(classifier, "conv2").first
    initial_filters(classifier, "conv")
    assert (state(network), mode()) == (before, modes)


@pytest.mark.parametrize("seed", [0, 7])
def test_untrained_weights_are_those_that_torch_would_draw(seed: int) -> None:
    network = seeded(lambda: networks.ConvGapLinear())
    classifier = networks.classifier(network)
    expected = seeded(lambda: nn.Conv2d(6, 8, 3), seed).weight.detach().numpy()
    np.testing.assert_array_equal(initial_filters(classifier, "features.3", seed).weights, expected)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: torchvision.models.resnet18(weights=None, num_classes=7), "torchvision's resnet18"),
        (lambda: torchvision.models.mobilenet_v2(weights=None), "torchvision's mobilenet_v2"),
        (lambda: torchvision.models.vgg11(weights=None), "torchvision's vgg11"),
        (lambda: timm.create_model("resnet18", pretrained=False), "timm's resnet18"),
        (lambda: timm.create_model("mobilenetv3_small_050", pretrained=False), "timm's mobilenetv3_small_050"),
    ],
)
def test_an_untrained_network_of_a_library_shows_no_effect_of_training(
    build: Callable[[], nn.Module], named: str
) -> None:
    classifier = Classifier(seeded(build, 3), input_size=64)
    state = torch.get_rng_state()
    large = [
        layer.name for layer in convolutions(classifier) if study.filters(classifier, layer.name).weights.size > 4000
    ]
    for layer in [large[0], large[len(large) // 2], large[-1]]:
        filters, twin = study.filters(classifier, layer), initial_filters(classifier, layer)
        assert twin.drawn == f"as {named} begins"
        assert twin.norms.mean() == pytest.approx(filters.norms.mean(), rel=0.06)
        assert np.abs(np.corrcoef(twin.weights.ravel(), filters.weights.ravel())[0, 1]) < 0.1
        np.testing.assert_array_equal(initial_filters(classifier, layer).weights, twin.weights)
    assert torch.equal(torch.get_rng_state(), state)
    assert (initial_filters(classifier, large[-1], seed=1).weights != twin.weights).any()


def test_of_another_network_nothing_is_claimed() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    assert "torch's default draw" in initial_filters(classifier, "features.3").drawn
    changed = seeded(lambda: torchvision.models.resnet18(weights=None))
    changed.layer4 = changed.layer3 = nn.Identity()
    changed.fc = nn.Linear(128, 3)
    assert "torch's default draw" in initial_filters(Classifier(changed, input_size=64), "layer2.1.conv2").drawn
    assert study.filters(classifier, "features.3").drawn == ""


def test_convolutions_in_execution_order_each_once() -> None:
    classifier = networks.classifier(seeded(networks.UsedTwice))
    assert [layer.name for layer in convolutions(classifier)] == ["stem", "conv#1"]
    assert convolution_of(classifier, "relu").name == "conv#1"
    assert convolution_of(classifier, "stem").name == "stem"
    np.testing.assert_array_equal(
        study.filters(classifier, "conv").weights, study.filters(classifier, "conv#1").weights
    )


def test_a_layer_without_kernels_is_refused_with_the_nearest_that_has() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    with pytest.raises(LayerError, match=r"'features\.4' is a ReLU .* such as 'features\.3'"):
        study.filters(classifier, "features.4")
    with pytest.raises(LayerError, match="has no layer 'nope'"):
        study.filters(classifier, "nope")


def test_greyscale_and_half_precision() -> None:
    classifier = networks.classifier(seeded(lambda: networks.ConvGapLinear(channels=1)))
    assert study.filters(classifier, "features.0").first
    half = Classifier(seeded(networks.ConvGapLinear).to(torch.bfloat16), input_size=networks.SIZE)
    assert study.filters(half, "features.0").weights.dtype == np.float32
