"""CAM: its law on every kind of head it knows, torchcam where that is right, clear refusals elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torchcam.methods import CAM as TorchCAM

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError, TargetError
from cnnviz_widgets.explain import CAM
from cnnviz_widgets.explain.cam.tape import Tape
from tests.support import networks
from tests.support.networks import CLASSES, Counted, seeded


class Headed(nn.Module):
    """Convolutions of the input's size / 2, then the head under test."""

    def __init__(self, head: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(True),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(True),
        )
        self.fc = nn.Linear(8, CLASSES)
        self.hidden = nn.Linear(8, 8)
        self.conv = nn.Conv2d(8, CLASSES, 1)
        self.bn = nn.BatchNorm1d(8)
        nn.init.uniform_(self.bn.running_mean)
        self.norm = nn.LayerNorm(8)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.whole = nn.AvgPool2d((6, 8))
        self.part = nn.AvgPool2d((4, 8))
        self.gate = nn.Conv2d(8, 8, 1)
        self.dropout = nn.Dropout(inplace=True)
        self.head = head

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self, self.features(pixels))


HEADS: dict[str, Callable[..., Tensor]] = {
    "flatten": lambda net, a: net.fc(torch.flatten(net.gap(a), 1)),
    "view": lambda net, a: net.fc(net.gap(a).view(len(a), -1)),
    "squeeze": lambda net, a: net.fc(net.gap(a).squeeze(-1).squeeze(-1)),
    "mean": lambda net, a: net.fc(a.mean((2, 3))),
    "torch.mean": lambda net, a: net.fc(torch.mean(a, dim=(-1, -2))),
    "mean twice": lambda net, a: net.fc(a.mean(3).mean(2)),
    "mean of flattened": lambda net, a: net.fc(a.flatten(2).mean(-1)),
    "sum": lambda net, a: net.fc(a.sum((2, 3)) / a[0, 0].numel()),
    "adaptive": lambda net, a: net.fc(functional.adaptive_avg_pool2d(a, 1)[:, :, 0, 0]),
    "average pooling of the full extent": lambda net, a: net.fc(net.whole(a).flatten(1)),
    "functional relu": lambda net, a: net.fc(functional.relu(a - 0.1).mean((2, 3))),
    "functional relu in place": lambda net, a: net.fc(functional.relu(a - 0.1, inplace=True).mean((2, 3))),
    "dropout in place": lambda net, a: net.fc(net.dropout(a.mean((2, 3)))),
    "dropout": lambda net, a: net.fc(functional.dropout(a.mean((2, 3)), 0.5, net.training)),
    "in place behind the pooling": lambda net, a: net.fc(a.mean((2, 3)).mul_(2)),
    "1 x 1 convolution": lambda net, a: net.conv(net.gap(a)).flatten(1),
    "1 x 1 convolution before the pooling": lambda net, a: net.gap(net.conv(a)).flatten(1),
    "nothing": lambda net, a: functional.relu(net.conv(a)).mean((2, 3)),
    "batch norm": lambda net, a: net.fc(net.bn(a.mean((2, 3)))),
    "two linear layers": lambda net, a: net.fc(net.hidden(a.mean((2, 3)))),
    "squeeze and excitation": lambda net, a: net.fc((a * net.gate(net.gap(a)).sigmoid()).mean((2, 3))),
    "matmul": lambda net, a: a.mean((2, 3)) @ net.fc.weight.T,
}

NOT_APPLICABLE: dict[str, Callable[..., Tensor]] = {
    "hidden layer": lambda net, a: net.fc(net.hidden(a.mean((2, 3))).relu()),
    "hidden hard swish": lambda net, a: net.fc(functional.hardswish(net.hidden(a.mean((2, 3))))),
    "layer norm": lambda net, a: net.fc(net.norm(a.mean((2, 3)))),
    "unit length": lambda net, a: net.fc(functional.normalize(a.mean((2, 3)))),
    "max pooling": lambda net, a: net.fc(a.amax((2, 3))),
    "max beside mean": lambda net, a: net.fc(a.mean((2, 3))) + net.fc(a.amax((2, 3))),
    "pooling of a part": lambda net, a: net.fc(net.part(a).flatten(1)),
    "bilinear pooling": lambda net, a: net.fc(torch.einsum("nchw,ndhw->ncd", a, a).sum(2)),
    "second mean that the scores do not use": lambda net, a: (net.fc(a.amax((2, 3))), net.fc(a.mean((2, 3))))[0],
}


def classifier_with(head: Callable[..., Tensor]) -> Classifier:
    return networks.classifier(seeded(lambda: Headed(head)))


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_mean_of_the_map_plus_bias_is_the_logit(head: Callable[..., Tensor]) -> None:
    classifier = classifier_with(head)
    for seed in (1, 2):
        pixels = networks.picture(classifier, seed)
        maps = CAM().maps(classifier, pixels)
        logits = classifier.logits(pixels)[0].detach()
        assert maps.cells.shape == (CLASSES, 6, 8)
        torch.testing.assert_close(maps.cells.mean(dim=(1, 2)) + maps.bias, logits, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(maps.logits, logits, rtol=1e-4, atol=1e-5)
        assert maps.cells.std() > 0


@pytest.mark.parametrize("head", ["mean", "functional relu in place", "1 x 1 convolution", "squeeze and excitation"])
def test_the_bias_is_that_of_the_network_and_the_maps_its_weighted_activations(head: str) -> None:
    classifier = classifier_with(HEADS[head])
    network = classifier.network
    pixels = networks.picture(classifier)
    maps = CAM().maps(classifier, pixels)
    last = network.conv if head == "1 x 1 convolution" else network.fc
    torch.testing.assert_close(maps.bias, last.bias.detach(), atol=1e-5, rtol=1e-5)
    activations = network.features(pixels).detach()
    if head == "functional relu in place":
        activations = functional.relu(activations - 0.1)
    if head == "squeeze and excitation":
        activations = activations * network.gate(network.gap(activations)).sigmoid().detach()
    expected = functional.conv2d(activations, last.weight.detach().reshape(CLASSES, 8, 1, 1))[0]
    torch.testing.assert_close(maps.cells, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("head", NOT_APPLICABLE.values(), ids=NOT_APPLICABLE.keys())
def test_other_heads_are_refused(head: Callable[..., Tensor]) -> None:
    classifier = classifier_with(head)
    with pytest.raises(MethodError, match=r"^CAM needs a network .* unlike Headed; use Grad-CAM\.$"):
        CAM()(classifier, networks.picture(classifier), 0)


@pytest.mark.parametrize("build", [networks.Linear, networks.VGGLike, networks.InPlace])
def test_flattening_heads_are_refused(build: type[nn.Module]) -> None:
    classifier = networks.classifier(seeded(build))
    with pytest.raises(MethodError, match=r"use Grad-CAM\.$"):
        CAM()(classifier, networks.picture(classifier), 0)


@pytest.mark.parametrize(
    "build", [networks.DenseNetLike, networks.SqueezeNetLike, networks.Regularised, networks.TupleOutput]
)
def test_kinds_of_networks(build: type[nn.Module]) -> None:
    classifier = networks.classifier(seeded(build))
    pixels = networks.picture(classifier)
    maps = CAM().maps(classifier, pixels)
    logits = classifier.logits(pixels)[0].detach()
    torch.testing.assert_close(maps.cells.mean(dim=(1, 2)) + maps.bias, logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["densenet121", "efficientnet_b0", "mobilenet_v2", "resnet18", "squeezenet1_1"])
def test_torchvision(name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.get_model(name, weights=None, num_classes=10)
    classifier = networks.classifier(network, (64, 64))
    pixels = networks.picture(classifier)
    maps = CAM().maps(classifier, pixels)
    logits = classifier.logits(pixels)[0].detach()
    torch.testing.assert_close(maps.cells.mean(dim=(1, 2)) + maps.bias, logits, rtol=1e-3, atol=1e-5)


def test_torchvision_with_a_two_layer_head() -> None:
    network = seeded(lambda: torchvision.models.mobilenet_v3_small(weights=None, num_classes=10))
    classifier = networks.classifier(network, (96, 96))
    with pytest.raises(MethodError):
        CAM()(classifier, networks.picture(classifier), 0)


def test_equals_torchcam_where_a_module_emits_what_the_pooling_sees() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    pixels = networks.picture(classifier)
    with TorchCAM(classifier.network, target_layer="features", fc_layer="fc") as extractor:
        classifier.network(pixels)
        for target in range(CLASSES):
            expected = extractor(target, normalized=False)[0][0].numpy()
            np.testing.assert_allclose(CAM()(classifier, pixels, target).cells, expected, atol=1e-6)


@pytest.mark.parametrize("end", [nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.Sigmoid()])
def test_a_softmax_or_sigmoid_at_the_end_changes_nothing(end: nn.Module) -> None:
    plain = networks.classifier(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(nn.Sequential(plain.network, end))
    pixels = networks.picture(classifier)
    maps, expected = CAM().maps(classifier, pixels), CAM().maps(plain, pixels)
    assert torch.equal(maps.cells, expected.cells) and torch.equal(maps.logits, expected.logits)
    assert torch.equal(maps.bias, expected.bias)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_logits_that_only_a_script_has_seen_are_centred() -> None:
    plain = networks.classifier(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(nn.Sequential(plain.network, torch.jit.script(nn.Softmax(dim=1))))
    pixels = networks.picture(classifier)
    maps, expected = CAM().maps(classifier, pixels), CAM().maps(plain, pixels)
    torch.testing.assert_close(maps.cells, expected.cells - expected.cells.mean(dim=0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(maps.cells.mean(dim=(1, 2)) + maps.bias, maps.logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(maps.logits, expected.logits - expected.logits.mean(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types(dtype: torch.dtype) -> None:
    network = seeded(networks.ConvGapLinear)
    expected = CAM().maps(networks.classifier(network), networks.picture(networks.classifier(network))).cells
    classifier = networks.classifier(network.to(dtype))
    maps = CAM().maps(classifier, networks.picture(classifier))
    assert maps.cells.dtype == torch.float32
    assert (maps.cells - expected).abs().max() < 0.02 * expected.abs().max()


def test_the_maps_of_all_classes_cost_one_call() -> None:
    network = Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    network.calls = 0
    maps = CAM().maps(classifier, pixels)
    assert network.calls == 1
    for target in range(CLASSES):
        heatmap = maps.heatmap(target)
        assert heatmap.signed
        np.testing.assert_array_equal(heatmap.cells, maps.cells[target].numpy())
    contrast = maps.heatmap(Target(0, 3))
    np.testing.assert_allclose(contrast.cells, (maps.cells[0] - maps.cells[3]).numpy())
    with pytest.raises(TargetError):
        maps.heatmap(CLASSES)
    assert network.calls == 1


def test_no_gradient_is_needed_before_the_pooling() -> None:
    class FrozenFeatures(networks.ConvGapLinear):
        def forward(self, pixels: Tensor) -> Tensor:
            with torch.no_grad():
                values = self.features(pixels)
            return self.fc(values.mean((2, 3)))

    plain = networks.classifier(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(seeded(FrozenFeatures))
    pixels = networks.picture(classifier)
    np.testing.assert_allclose(CAM()(classifier, pixels, 1).cells, CAM()(plain, pixels, 1).cells, atol=1e-6)


def test_weights_are_read_anew_each_time() -> None:
    network = seeded(networks.ConvGapLinear)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    before = CAM()(classifier, pixels, 0).cells
    with torch.no_grad():
        network.fc.weight.mul_(3)
    np.testing.assert_allclose(CAM()(classifier, pixels, 0).cells, 3 * before, rtol=1e-4, atol=1e-6)


def test_a_tape_holds_what_the_pooling_sees_only_where_a_module_emits_it() -> None:
    """Why CAM finds its maps by itself: behind a functional ReLU no layer has them."""
    classifier = networks.classifier(seeded(networks.DenseNetLike))
    pixels = networks.picture(classifier)
    recorded = Tape(classifier, pixels, ["features"]).activations["features.1"]
    assert (recorded < 0).any()
    weights = classifier.network.classifier.weight.detach()
    expected = torch.einsum("kc,chw->khw", weights, recorded[0].relu())
    torch.testing.assert_close(CAM().maps(classifier, pixels).cells, expected, atol=1e-5, rtol=1e-4)
