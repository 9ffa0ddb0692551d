"""What is said of a layer's map: methods that are one, classes that have the same, and where two methods begin."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from scipy.stats import spearmanr
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.explain import (
    CAM,
    EigenCAM,
    GradCAM,
    GradCAMPlusPlus,
    GuidedBackprop,
    HiResCAM,
    LayerCAM,
    LayerExplainer,
    ScoreCAM,
    XGradCAM,
)
from cnnviz_widgets.explain.cam.tape import Tape, layer_before
from cnnviz_widgets.explain.notes import rank_correlation, unrelated_class
from tests.support import networks
from tests.support.networks import seeded
from tests.support.techniques import on_tape

SAME = (GradCAM, HiResCAM, XGradCAM)


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_is_spearman_s_with_ties(seed: int) -> None:
    draw = np.random.default_rng(seed)
    first, second = draw.integers(0, 6, (2, 7, 9)).astype(np.float32)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first.ravel(), second.ravel()).statistic)
    assert rank_correlation(first, np.exp(first)) == pytest.approx(1)
    assert rank_correlation(first, -first) == pytest.approx(-1)
    assert np.isnan(rank_correlation(first, np.ones_like(first)))


def test_the_unrelated_class_has_the_middle_logit_of_the_others() -> None:
    logits = torch.tensor([3.0, -1.0, 9.0, 0.5, 2.0])
    assert unrelated_class(logits, Target(2)) == 3 and unrelated_class(logits, Target(3)) == 4
    assert unrelated_class(logits[:2], Target(0)) == 1 and unrelated_class(logits[:2], Target(1)) == 0
    assert unrelated_class(logits[:1], Target(0)) is None and unrelated_class(logits, Target(0, 1)) is None


# -- several methods, one map ------------------------------------------------------------------------------


class TwoLayerHead(networks.ConvGapLinear):
    """Pooled, but not linear behind: CAM does not apply, and Grad-CAM is still HiResCAM."""

    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Linear(8, 8)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(torch.tanh(self.middle(self.features(pixels).mean((2, 3)))))


class Scaled(networks.ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.features(pixels).mean((2, 3)) * 5 / torch.tensor(3.0))


class Squared(networks.ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        pooled = self.features(pixels).mean((2, 3))
        return self.fc(pooled * pooled)


class Inverse(networks.ConvGapLinear):
    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(1 / (1 + self.features(pixels).mean((2, 3))))


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (networks.ConvGapLinear, "HiResCAM, XGrad-CAM and CAM"),
        (Scaled, "HiResCAM, XGrad-CAM and CAM"),
        (Squared, "HiResCAM and XGrad-CAM"),
        (Inverse, "HiResCAM and XGrad-CAM"),
        (networks.SqueezeNetLike, "HiResCAM, XGrad-CAM and CAM"),
        (TwoLayerHead, "HiResCAM and XGrad-CAM"),
        (networks.VGGLike, ""),
        (networks.InPlace, ""),
    ],
)
def test_methods_that_are_one_map_are_named_as_one(build: type[nn.Module], named: str) -> None:
    classifier = networks.classifier(seeded(build))
    pixels = networks.picture(classifier)
    found = [explainer(relu=False)(classifier, pixels, 2) for explainer in SAME]
    scale = np.abs(found[0].cells).max()
    assert all(np.allclose(other.cells, found[0].cells, atol=1e-5 * scale) for other in found) == bool(named)
    for heatmap in found:
        assert (f"Grad-CAM, {named} are the same map" in heatmap.note) == bool(named)
    if "and CAM" in named and build is networks.ConvGapLinear:
        cam = CAM()(classifier, pixels, 2)
        np.testing.assert_allclose(cam.cells / cam.cells.size, found[0].cells, atol=1e-5 * scale)
        assert "are this same map" in cam.note


def test_an_earlier_layer_has_maps_of_its_own() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    for explainer in SAME:
        assert "same map" not in explainer("features.0", relu=False)(classifier, networks.picture(classifier), 2).note


# -- maps that do not depend on the class ------------------------------------------------------------------


def planted(blind: bool) -> Classifier:
    """Two channels; a class looks at one of them, or all classes at both alike."""
    network = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.Linear(2, 3)
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])[:, :, None, None])
        rows = [[1.0, 0.9], [1.0, 0.8], [1.0, 0.7]] if blind else [[1.0, -1.0], [-1.0, 1.0], [-0.5, 1.0]]
        head.weight.copy_(torch.tensor(rows))
        head.bias.zero_()
    return networks.classifier(network.append(head))


@pytest.mark.parametrize("explainer", [*SAME, LayerCAM, GradCAMPlusPlus])
def test_a_map_that_hardly_depends_on_the_class_says_so(explainer: type[LayerExplainer]) -> None:
    for blind in (True, False):
        classifier = planted(blind)
        pixels = networks.picture(classifier)
        found = explainer("1")(classifier, pixels, 0)
        other = unrelated_class(classifier.logits(pixels)[0], Target(0))
        assert other is not None
        signed = [explainer("1", relu=False)(classifier, pixels, target).cells.ravel() for target in (0, other)]
        expected = spearmanr(*signed).statistic
        said = f"unrelated class, {classifier.class_names[other]}, is nearly the same (rank correlation {expected:.2f})"
        assert (said in found.note) == (expected >= 0.6) == blind
        assert "unrelated class" not in explainer("1")(classifier, pixels, Target(0, 1)).note


def test_cam_score_cam_and_guided_backprop_are_compared_too() -> None:
    blind, seeing = planted(True), planted(False)
    pixels = networks.picture(blind)
    for explainer in (CAM(), GuidedBackprop()):
        assert "unrelated class" in explainer(blind, pixels, 0).note
        assert "unrelated class" not in explainer(seeing, pixels, 0).note
    assert "unrelated class" in ScoreCAM("1")(blind, pixels, 0).note
    assert "every class" in EigenCAM()(seeing, pixels, 0).note


def test_a_tape_compares_too() -> None:
    classifier = planted(True)
    tape = Tape(classifier, networks.picture(classifier), ["1"])
    heatmap = on_tape(GradCAM("1"), tape, 0)
    assert "unrelated class" in heatmap.note


# -- one block earlier -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", "layer4.0"),
        ("vgg11", "features.17"),
        ("densenet121", "features.transition3"),
        ("mobilenet_v2", "features.17"),
        ("squeezenet1_0", "features.12"),
        ("convnext_tiny", "features.7.1"),
    ],
)
def test_the_layer_that_the_last_block_starts_from(name: str, expected: str) -> None:
    options = {"init_weights": False} if name == "vgg11" else {}
    network = seeded(lambda: torchvision.models.get_model(name, weights=None, num_classes=5, **options))
    classifier = Classifier(network, input_size=96)
    assert layer_before(classifier) == expected
    assert LayerCAM().layer_in(classifier) == GradCAMPlusPlus().layer_in(classifier) == expected
    assert GradCAM().layer_in(classifier) == classifier.default_layer
    assert LayerCAM(classifier.default_layer).layer_in(classifier) == classifier.default_layer


class Wrapped(nn.Module):
    """A stem, then all the rest in one module."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 3, 3, padding=1)
        self.backbone = Body()
        self.fc = nn.Linear(8, networks.CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.backbone(self.stem(pixels)).mean((2, 3)))


class Body(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3 if i == 0 else 8, 8, 3, 2, 1) for i in range(3))

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.layers:
            values = layer(values).relu()
        return values


def test_a_backbone_in_one_module_and_a_single_convolution() -> None:
    assert layer_before(networks.classifier(seeded(Wrapped), (32, 32))) == "backbone.layers.1"
    single = nn.Sequential(nn.Conv2d(3, networks.CLASSES, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    classifier = networks.classifier(single)
    assert layer_before(classifier) == classifier.default_layer
