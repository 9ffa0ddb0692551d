"""Activation maps, regions and ablated channels."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError, LayerError, PictureError, TargetError
from cnnviz_widgets.study.ablation import ablate, ablating
from cnnviz_widgets.study.activations import Activations, activations
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import SIZE, seeded
from tests.support.oracles import torchvision_classifier


def test_the_maps_are_what_the_layer_puts_out() -> None:
    network = seeded(lambda: networks.ConvGapLinear(inplace=True))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    for layer, depth in (("features.0", 1), ("features.1", 2), ("features.3", 4)):
        found = activations(classifier, pixels, layer)
        with torch.no_grad():
            expected = network.features[:depth](pixels.clone())[0]
        np.testing.assert_allclose(found.maps, expected.clamp_min(0) if depth == 2 else expected, atol=1e-6)
        assert found.size == SIZE and found.signed is (depth != 2)


def test_strengths_orders_and_cells() -> None:
    maps = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    found = Activations("x", maps, (12, 16))
    np.testing.assert_allclose(found.strengths("mean"), maps.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(found.strengths("max"), maps.max(axis=(1, 2)))
    assert maps.max(axis=(1, 2))[found.order("max")].tolist() == sorted(maps.max(axis=(1, 2)), reverse=True)
    assert found.cell_at(0, 0) == (0, 0) and found.cell_at(11, 15) == (2, 3) and found.cell_at(4, 3) == (1, 0)


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.9, 0.995])
def test_the_region_is_where_the_upsampled_map_exceeds_its_quantile(quantile: float) -> None:
    maps = np.random.default_rng(0).normal(size=(2, 4, 4)).astype(np.float32)
    region, threshold = Activations("x", maps, (40, 60)).region(1, quantile)
    values = torch.nn.functional.interpolate(torch.from_numpy(maps)[None], (40, 60), mode="bilinear")[0, 1].numpy()
    np.testing.assert_array_equal(region, values > threshold)
    assert np.sort(values.ravel())[round(quantile * (values.size - 1))] == pytest.approx(threshold, abs=0.01)
    constant, level = Activations("x", np.ones((1, 4, 4), np.float32), (8, 8)).region(0, quantile)
    assert not constant.any() and level == 1


@pytest.mark.parametrize("shape", [(2048, 7, 7), (64, 112, 112), (2048, 56, 56), (3, 500, 20), (1, 1, 2)])
def test_thumbnails_are_few_bytes_and_keep_the_mean(shape: tuple[int, int, int]) -> None:
    maps = np.random.default_rng(0).random(shape, np.float32)
    small = Activations("x", maps, (224, 224)).thumbnails
    assert small.size <= 1 << 19 and max(small.shape[1:]) <= 64
    assert small.shape[0] == shape[0]
    if all(side % other == 0 for side, other in zip(shape[1:], small.shape[1:], strict=True)):
        np.testing.assert_allclose(small.mean(axis=(1, 2)), maps.mean(axis=(1, 2)), rtol=1e-4)


def test_ablation_equals_a_network_with_the_channels_cut_out() -> None:
    network = seeded(networks.ConvGapLinear)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    cut = seeded(networks.ConvGapLinear)
    with torch.no_grad():
        cut.fc.weight[:, [1, 4]] = 0
        expected = cut(pixels)[0]
    np.testing.assert_allclose(ablate(classifier, pixels, "features.4", [4, 1, 4]), expected, atol=1e-6)
    whole = classifier.logits(pixels)[0].detach()
    np.testing.assert_allclose(ablate(classifier, pixels, "features.4", []), whole, atol=1e-6)
    gone = ablate(classifier, pixels, "features.4", range(8))
    np.testing.assert_allclose(gone, network.fc.bias.detach(), atol=1e-6)


@pytest.mark.parametrize("layer", ["conv", "conv#1"])
def test_only_the_named_call_of_a_module_is_silenced(layer: str) -> None:
    network = seeded(networks.UsedTwice)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    with torch.no_grad():
        first = network.conv(network.stem(pixels))
        if layer == "conv#1":
            first = first.index_fill(1, torch.tensor([2]), 0)
        second = network.conv(first.relu())
        if layer == "conv":
            second = second.index_fill(1, torch.tensor([2]), 0)
        expected = network.fc(second.relu().mean((2, 3)))[0]
    for _ in range(2):
        np.testing.assert_allclose(ablate(classifier, pixels, layer, [2]), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "layer"), [("densenet121", "features.denseblock1.denselayer1.conv1"), ("resnet18", "layer2.0.relu")]
)
def test_ablation_in_networks_with_in_place_operations(name: str, layer: str) -> None:
    classifier = torchvision_classifier(name)
    pixels = networks.picture(classifier)
    whole = classifier.logits(pixels)[0].detach().numpy()
    depth = classifier.layer(layer).shape[0]
    assert np.abs(ablate(classifier, pixels, layer, range(depth)) - whole).max() > 1e-5
    np.testing.assert_allclose(classifier.logits(pixels)[0].detach(), whole, atol=1e-6)


def test_the_network_is_left_as_found() -> None:
    network = guest()
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier).requires_grad_()
    before, modes, copy = state(network), mode(), pixels.detach().clone()
    for run in (
        lambda: activations(classifier, pixels, "conv2"),
        lambda: ablate(classifier, pixels, "conv2", [0, 3]),
    ):
        first = run()
        with torch.inference_mode():
            again = run()
        assert (state(network), mode()) == (before, modes)
        assert torch.equal(pixels, copy) and pixels.grad is None
        first, again = (getattr(found, "maps", found) for found in (first, again))
        np.testing.assert_array_equal(first, again)
        network.failing.left = 0
        with pytest.raises(ClassifierError, match="the failing module was called"):
            run()
        network.failing.left = float("inf")
        assert (state(network), mode()) == (before, modes)


def test_another_thread_s_pass_is_not_silenced() -> None:
    network = seeded(networks.ConvGapLinear)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    with torch.no_grad():
        whole = network(pixels)
    found: list[torch.Tensor] = []

    def elsewhere() -> None:
        with torch.no_grad():
            found.append(network(pixels))

    with ablating(classifier, "features.4", [0, 1, 2]):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    torch.testing.assert_close(found[0], whole)


def test_what_does_not_exist_is_refused() -> None:
    classifier = networks.classifier(guest())
    pixels = networks.picture(classifier)
    for channels in ([6], [0, -1]):
        with pytest.raises(TargetError, match="conv2 has channels 0 to 5"):
            ablate(classifier, pixels, "conv2", channels)
    for ask in (activations, lambda *of: ablate(*of, [0])):
        with pytest.raises(LayerError, match="has no layer 'nope'"):
            ask(classifier, pixels, "nope")
        with pytest.raises(PictureError, match="One network input"):
            ask(classifier, pixels.expand(2, -1, -1, -1), "conv2")


class Sometimes(nn.Module):
    """A layer that dark pictures do not reach."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.fc(self.conv(pixels).mean((2, 3)) if pixels.max() > 0.5 else pixels.new_zeros(len(pixels), 4))


def test_a_layer_that_the_picture_does_not_reach_is_named() -> None:
    classifier = Classifier(seeded(Sometimes), input_size=8)
    with pytest.raises(LayerError, match="skipped the layer 'conv'"):
        activations(classifier, torch.zeros(1, 3, 8, 8), "conv")
