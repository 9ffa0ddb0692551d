"""Grad-CAM and its siblings against Captum, hand-computed values, slow textbook versions and identities."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import LayerGradCam
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.explain import CAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, LayerExplainer, XGradCAM
from cnnviz_widgets.explain.cam.tape import Tape, layer_before
from tests.support import networks
from tests.support.networks import Counted, Golden, seeded
from tests.support.techniques import on_tape

FAMILY = [GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM]

# Behind the layers are in-place ReLUs (vgg11 features.18, mobilenet_v2 features.0.1, resnet18 bn1), a
# functional one (densenet121 features.norm5), an in-place sum (resnet18 layer4.1.bn2), or none of these.
TORCHVISION = {
    "resnet18": ["conv1", "bn1", "layer2.0.conv2", "layer4.1.bn2", "layer4.1", "layer4"],
    "vgg11": ["features.0", "features.18", "features.19", "features.20"],
    "densenet121": [
        "features.conv0",
        "features.denseblock2.denselayer3.conv2",
        "features.denseblock4",
        "features.norm5",
    ],
    "mobilenet_v2": ["features.0.1", "features.4.conv.1.0", "features.17", "features.18.0", "features.18"],
}


@cache
def torchvision_tape(name: str) -> tuple[Tape, Tensor]:
    """A tape of the layers above, and the pixels it was made from."""
    size = 64 if name == "vgg11" else 96
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        # torchvision's own initialisation of VGG only takes time.
        options = {"init_weights": False} if name == "vgg11" else {}
        network = torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
        pixels = torch.randn(1, 3, size, size)
    return Tape(Classifier(network, input_size=size), pixels, TORCHVISION[name]), pixels


@pytest.mark.parametrize(("name", "layer"), [(name, layer) for name in TORCHVISION for layer in TORCHVISION[name]])
def test_equals_captum(name: str, layer: str) -> None:
    tape, pixels = torchvision_tape(name)
    network = tape.classifier.network
    captum = LayerGradCam(network, network.get_submodule(layer))
    expected = captum.attribute(pixels, 7)[0, 0].detach().numpy()
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(on_tape(GradCAM(layer, relu=False), tape, 7).cells / scale, expected / scale, atol=2e-6)
    # `relu_attributions=True` is the same map with its negative values cut off.
    np.testing.assert_allclose(on_tape(GradCAM(layer), tape, 7).cells / scale, expected.clip(0) / scale, atol=2e-6)


@pytest.mark.parametrize("layer", ["conv1", "bn1", "conv2"])
def test_equals_captum_with_in_place_operations_behind_the_layer(layer: str) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    pixels = networks.picture(classifier)
    captum = LayerGradCam(classifier.network, classifier.network.get_submodule(layer))
    for target in range(networks.CLASSES):
        expected = captum.attribute(pixels, target, relu_attributions=True)[0, 0].detach().numpy()
        np.testing.assert_allclose(GradCAM(layer)(classifier, pixels, target).cells, expected, atol=1e-8)


@pytest.mark.parametrize("inplace", [False, True])
def test_values_worked_out_by_hand(inplace: bool) -> None:
    """The numbers are those of Captum's test suite."""
    classifier = networks.classifier(Golden(inplace).eval(), Golden.size)
    tape = Tape(classifier, Golden.pixels(), ["conv", "relu"])
    np.testing.assert_array_equal(on_tape(GradCAM("conv"), tape, 0).cells, [[11.25, 13.5], [20.25, 22.5]])
    np.testing.assert_array_equal(on_tape(GradCAM("relu"), tape, 0).cells, [[0, 4], [28, 32.5]])


# -- the equations, slowly ---------------------------------------------------------------------------------


def textbook(explainer: type[LayerExplainer], activations: Tensor, gradients: Tensor) -> np.ndarray:
    """The equation of the paper in double precision, element by element."""
    a, g = activations[0].double().numpy(), gradients[0].double().numpy()
    channels, rows, columns = a.shape
    cells = np.zeros((rows, columns))
    for k in range(channels):
        weight = 0.0
        for i in range(rows):
            for j in range(columns):
                if explainer is GradCAM:
                    weight += g[k, i, j] / (rows * columns)
                elif explainer is GradCAMPlusPlus and g[k, i, j] != 0:
                    share = g[k, i, j] ** 2 / (2 * g[k, i, j] ** 2 + a[k].sum() * g[k, i, j] ** 3)
                    weight += share * max(g[k, i, j], 0)
                elif explainer is XGradCAM:
                    weight += g[k, i, j] * a[k, i, j] / a[k].sum()
        for i in range(rows):
            for j in range(columns):
                factor = {HiResCAM: g[k, i, j], LayerCAM: max(g[k, i, j], 0)}.get(explainer, weight)
                cells[i, j] += factor * a[k, i, j]
    return cells


@pytest.mark.parametrize("explainer", FAMILY)
@pytest.mark.parametrize("build", [networks.InPlace, networks.VGGLike, networks.DenseNetLike])
def test_equals_its_equation(explainer: type[LayerExplainer], build: type[nn.Module]) -> None:
    classifier = networks.classifier(seeded(build))
    tape = Tape(classifier, networks.picture(classifier))
    for layer in tape.activations:
        expected = textbook(explainer, tape.activations[layer], tape.gradients(2)[layer])
        cells = on_tape(explainer(layer, relu=False), tape, 2).cells
        scale = np.abs(expected).max()
        np.testing.assert_allclose(cells / scale, expected / scale, atol=1e-4)
        np.testing.assert_array_equal(on_tape(explainer(layer), tape, 2).cells, cells.clip(0))


def test_dead_channels_and_tiny_gradients_stay_finite() -> None:
    activations = torch.zeros(1, 3, 2, 2)
    activations[0, 1] = 1
    gradients = torch.full((1, 3, 2, 2), 1e-30)
    gradients[0, 2] = 0
    for explainer in FAMILY:
        cells = explainer().weighted(activations[0], gradients[0])  # type: ignore[attr-defined]
        assert torch.isfinite(cells).all(), explainer
        assert (cells > 0).all(), f"{explainer.__name__} lost gradients whose square underflows"


def test_values_are_cells_between_their_centres() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    heatmap = GradCAM(relu=False)(classifier, networks.picture(classifier), 1)
    (height, width), (rows, columns) = heatmap.values.shape, heatmap.cells.shape
    assert (height, width, rows, columns) == (12, 16, 6, 8)
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            upper = heatmap.cells[top, left] * (1 - u + left) + heatmap.cells[top, right] * (u - left)
            lower = heatmap.cells[bottom, left] * (1 - u + left) + heatmap.cells[bottom, right] * (u - left)
            assert heatmap.values[y, x] == pytest.approx(upper * (1 - v + top) + lower * (v - top), abs=1e-7)


# -- identities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [networks.ConvGapLinear, networks.UsedTwice, networks.TupleOutput])
def test_grad_cam_before_pooling_is_cam_divided_by_the_number_of_cells(build: type[nn.Module]) -> None:
    classifier = networks.classifier(seeded(build))
    pixels = networks.picture(classifier)
    for target in (0, 4, Target(1, 2)):
        grad_cam = GradCAM(relu=False)(classifier, pixels, target).cells
        np.testing.assert_allclose(grad_cam * grad_cam.size, CAM()(classifier, pixels, target).cells, atol=1e-6)


@pytest.mark.parametrize(
    ("build", "layer", "head"),
    [
        (networks.Linear, "conv", "fc"),
        (networks.ConvGapLinear, "features", "fc"),
        (networks.InPlace, "pool", "fc"),
    ],
)
def test_hires_cam_adds_up_to_the_logit_without_bias(build: type[nn.Module], layer: str, head: str) -> None:
    classifier = networks.classifier(seeded(build))
    tape = Tape(classifier, networks.picture(classifier), [layer])
    expected = tape.logits[0] - classifier.network.get_submodule(head).bias.detach()
    for target in range(networks.CLASSES):
        cells = on_tape(HiResCAM(layer, relu=False), tape, target).cells
        assert cells.sum() == pytest.approx(float(expected[target]), abs=1e-5)


def test_x_grad_cam_adds_up_to_hires_cam() -> None:
    classifier = networks.classifier(seeded(networks.VGGLike))
    tape = Tape(classifier, networks.picture(classifier))
    for target in range(networks.CLASSES):
        expected = on_tape(HiResCAM(relu=False), tape, target).cells.sum()
        assert on_tape(XGradCAM(relu=False), tape, target).cells.sum() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("explainer", FAMILY)
def test_a_contrast_is_the_map_of_one_class_minus_that_of_the_other(explainer: type[LayerExplainer]) -> None:
    classifier = networks.classifier(seeded(networks.InPlace))
    tape = Tape(classifier, networks.picture(classifier))
    contrast = on_tape(explainer("conv2"), tape, Target(1, 3))
    first, second = (on_tape(explainer("conv2", relu=False), tape, target).cells for target in (1, 3))
    assert contrast.signed
    assert contrast.cells.min() < 0 < contrast.cells.max()
    np.testing.assert_allclose(contrast.cells, first - second, atol=1e-7)
    np.testing.assert_array_equal(contrast.cells, -on_tape(explainer("conv2"), tape, Target(3, 1)).cells)


def test_grad_cam_of_a_contrast_is_grad_cam_of_the_difference_of_logits() -> None:
    classifier = networks.classifier(seeded(networks.VGGLike))
    tape = Tape(classifier, networks.picture(classifier))
    layer = tape.layer()
    expected = textbook(GradCAM, tape.activations[layer], tape.gradients(Target(4, 0))[layer])
    np.testing.assert_allclose(on_tape(GradCAM(), tape, Target(4, 0)).cells, expected, atol=1e-7)


# -- scale and price ---------------------------------------------------------------------------------------


def test_maps_are_not_rescaled() -> None:
    """Twice the weights of the last layer are twice the map: nothing is divided by a maximum or a range."""
    network = seeded(networks.ConvGapLinear)
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    before = GradCAM()(classifier, pixels, 1)
    with torch.no_grad():
        network.fc.weight.mul_(2)
    np.testing.assert_allclose(GradCAM()(classifier, pixels, 1).values, 2 * before.values)
    with torch.no_grad():
        network.fc.weight.fill_(-1)
    assert not GradCAM()(classifier, pixels, 1).values.any()
    assert (GradCAM(relu=False)(classifier, pixels, 1).values <= 0).all()


@pytest.mark.parametrize("explainer", FAMILY)
def test_a_tape_gives_what_a_call_gives_at_no_network_call(explainer: type[LayerExplainer]) -> None:
    network = Counted(seeded(networks.UsedTwice))
    classifier = networks.classifier(network)
    pixels = networks.picture(classifier)
    layers = [layer.name for layer in classifier.layers]
    tape = Tape(classifier, pixels, layers)
    network.calls = 0
    from_tape = {layer: on_tape(explainer(layer), tape, 2).values for layer in layers}
    assert network.calls == 0
    for layer in layers:
        np.testing.assert_allclose(explainer(layer)(classifier, pixels, 2).values, from_tape[layer], atol=1e-7)
    assert network.calls == len(layers)
    first = layer_before(classifier) if explainer in (GradCAMPlusPlus, LayerCAM) else classifier.default_layer
    np.testing.assert_array_equal(on_tape(explainer(), tape, 2).values, from_tape[first])


@pytest.mark.parametrize("technique", [GradCAM, HiResCAM, XGradCAM])
@pytest.mark.parametrize("crumb", [0.0, 1e-12])
def test_a_layer_that_speaks_against_the_class_is_not_called_silent(
    technique: type[LayerExplainer], crumb: float
) -> None:
    """Whatever little is left above zero, down to the rounding of zeros."""

    class Against(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1)
            self.head = nn.Linear(1, 2)
            with torch.no_grad():
                self.conv.weight.fill_(1), self.conv.bias.zero_()
                self.head.weight.copy_(torch.tensor([[-1.0], [1.0]])), self.head.bias.zero_()

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.conv(x).mean((2, 3)))

    pixels = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)) + 1
    pixels[..., 0, 0] = -crumb
    classifier = Classifier(Against(), input_size=8)
    found = technique("conv")(classifier, pixels, 0)
    assert found.note == "No cell speaks for the class; what speaks against it is cut off."
    assert found.blank == bool(found.cells.any())
    assert not technique("conv", relu=False)(classifier, pixels, 0).blank
