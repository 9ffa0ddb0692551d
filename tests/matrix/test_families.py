"""Every family of torchvision's classifiers and CNNs of timm, with random weights, against slow references.

The references run copies of the network without hooks: a layer is read off by replacing its `forward`. Scores are
compared with float64; gradients with float32, as rounding decides which of two nearly equal values a maximum takes.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.runtime import activation_name, gradient_name, maximum_name, onnx_model
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import EngineError, ExplanationError, MethodError
from cnnviz_widgets.explain import CAM, GradCAM, GuidedBackprop, Occlusion, baseline_pixels
from cnnviz_widgets.study.receptive_field import receptive_field

timm = pytest.importorskip("timm")

#: A small member of each family of torchvision, with an input size that it bears.
TORCHVISION = {
    "alexnet": 64,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "googlenet": 64,
    "inception_v3": 96,
    "maxvit_t": 224,
    "mnasnet0_5": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "resnet18": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_1": 64,
    "swin_t": 64,
    "swin_v2_t": 64,
    "vgg11_bn": 64,
    "vit_b_16": 224,
    "wide_resnet50_2": 64,
}
TIMM = {
    "convnext_atto": 64,
    "dla46_c": 64,
    "edgenext_xx_small": 64,
    "efficientnet_lite0": 64,
    "ese_vovnet19b_dw": 64,
    "ghostnet_050": 64,
    "hrnet_w18_small": 64,
    "lcnet_050": 64,
    "mixnet_s": 64,
    "mobilenetv3_small_050": 64,
    "mobileone_s0": 64,
    "regnetx_002": 64,
    "repvgg_a0": 64,
    "resnet10t": 64,
    "resnetv2_50": 64,
    "rexnet_100": 64,
    "semnasnet_050": 64,
    "tinynet_e": 64,
}
#: No convolutional networks: they say so, and their maps are not compared.
TRANSFORMERS = {"maxvit_t", "swin_t", "swin_v2_t", "vit_b_16"}
CLASSES = 7
TARGET = 2

Guest = tuple[dict[str, Tensor], list[tuple[bool, int]], list[tuple[bool, bool]]]


@dataclass(frozen=True, eq=False)
class Case:
    """A network, its classifier, a picture, and the network's copies in float32 and float64."""

    name: str
    network: nn.Module
    classifier: Classifier
    pixels: Tensor
    plain: nn.Module
    exact: nn.Module
    found: Guest

    @property
    def layer(self) -> str:
        """The last convolution that the network runs, or else its default layer."""
        convolutions = [layer.name for layer in self.classifier.layers if layer.role == "convolution"]
        return convolutions[-1] if convolutions else self.classifier.default_layer


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in TIMM:
            network: nn.Module = timm.create_model(name, pretrained=False, num_classes=CLASSES)
        else:
            # Their further heads, for training only, want larger pictures.
            options = {"init_weights": True, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
            network = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    for module in network.modules():
        if isinstance(module, nn.Linear) and not module.weight.any():  # a head that has not begun to learn
            nn.init.normal_(module.weight, std=0.1)
    return network


def pictures(count: int, size: int) -> Tensor:
    """Smooth random pictures (count, 3, size, size) in 0..1."""
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)


@torch.no_grad()
def calibrated(network: nn.Module, size: int) -> nn.Module:
    """The network with batch statistics of random pictures: with those of its constructor many die or explode."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        if not norm.weight.any():  # the last of a block often begins with zeros, and nothing gets through
            norm.weight.fill_(1)
    network.train()
    if norms:
        network(pictures(8, size))
    return network.eval()


def state_of(network: nn.Module) -> Guest:
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    modules = [
        (module.training, sum(len(getattr(module, hooks)) for hooks in vars(module) if hooks.endswith("_hooks")))
        for module in network.modules()
    ]
    return weights, modules, [(weight.requires_grad, weight.grad is None) for weight in network.parameters()]


@pytest.fixture(scope="module", params=[*TORCHVISION, *TIMM])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    name: str = request.param
    size = (TORCHVISION | TIMM)[name]
    network = calibrated(made(name), size)
    network.train()  # as it is in the middle of somebody's work
    found = state_of(network)
    classifier = Classifier(network, input_size=size, mean=[0] * 3, std=[1] * 3)
    plain = copy.deepcopy(network).eval().requires_grad_(False)
    yield Case(name, network, classifier, pictures(1, size), plain, copy.deepcopy(plain).double(), found)


def test_layers_are_found_and_have_the_shapes_they_say(case: Case) -> None:
    names = [layer.name for layer in case.classifier.layers]
    assert len(names) == len(set(names)) >= 4
    assert case.classifier.default_layer in names
    with torch.no_grad(), case.classifier.recording(*names) as outputs:
        case.classifier.logits(case.pixels)
    for layer in case.classifier.layers:
        assert tuple(outputs[layer.name].shape) == (1, *layer.shape), layer.name
        assert layer.shape[1] * layer.shape[2] > 1


#: What has no ONNX form yet, and what the message says.
NO_FORM = {
    "swin_t": "changed in place",
    "swin_v2_t": "changed in place",
    "vit_b_16": "native_multi_head_attention",
}


@torch.no_grad()
def test_the_onnx_model_gives_logits_and_layers_for_any_batch(case: Case) -> None:
    if case.name in NO_FORM:
        with pytest.raises(EngineError, match=NO_FORM[case.name]):
            onnx_model(case.classifier)
        return
    if case.classifier.one_at_a_time:
        with pytest.raises(EngineError, match="pictures of a batch change"):
            onnx_model(case.classifier)
        return
    layers = [case.layer, case.classifier.layers[0].name]
    model = onnx_model(case.classifier, layers, layers[:1])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    pixels = pictures(3, case.classifier.input_size[0])
    outputs = [output.name for output in session.get_outputs()]
    found = dict(zip(outputs, session.run(None, {"pixels": pixels.numpy()}), strict=True))
    expected: dict[str, Tensor] = {}
    exactly: dict[str, Tensor] = {}
    for values, of in ((pixels, expected), (pixels.double(), exactly)):
        for layer in layers:
            of["logits"], of[activation_name(layer)] = logits_and_activations(case, layer, values)
        of[maximum_name(layers[0])] = of[activation_name(layers[0])].amax((2, 3))
    assert found.keys() == expected.keys()
    for name, values in exactly.items():
        # What torch loses in float32 another engine may lose too.
        rounding = float((expected[name] - values).abs().max())
        close(found[name], values, 1e-4, 3 * rounding)


#: Of whose kinds of operations all have a gradient as ONNX.
GRADIENTS = {"convnext_tiny", "densenet121", "efficientnet_b0", "mobilenet_v3_small", "resnet18", "shufflenet_v2_x0_5"}


def test_the_gradients_of_the_onnx_model_are_those_of_autograd(case: Case) -> None:
    """Up to rounding, which decides on which side of a ReLU's kink a few values lie."""
    if case.name not in GRADIENTS:
        return
    model = onnx_model(case.classifier, gradients=[case.layer, None])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    pixels = pictures(2, case.classifier.input_size[0])
    target = functional.one_hot(torch.tensor([TARGET, 0]), CLASSES).float()
    names = [gradient_name(case.layer), gradient_name(None)]
    found = session.run(names, {"pixels": pixels.numpy(), "target": target.numpy()})
    expected = pixels.double().requires_grad_()
    logits, activations = logits_and_activations(case, case.layer, expected)
    for values, exact in zip(found, torch.autograd.grad((logits * target).sum(), [activations, expected]), strict=True):
        assert np.linalg.norm(values - exact.numpy()) <= 0.02 * np.linalg.norm(exact.numpy()) > 0


def test_what_is_no_convolutional_network_says_so(case: Case) -> None:
    assert any("transformer" in note.lower() for note in case.classifier.notes) == (case.name in TRANSFORMERS)


def logits_and_activations(case: Case, layer: str, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and what the layer gave (N, C, h, w), in one graph, in the type of `pixels`."""
    network = case.exact if pixels.dtype == torch.float64 else case.plain
    module_name, call = case.classifier.layer(layer).call_of(layer)
    module = network.get_submodule(module_name)
    kept: list[Tensor] = []
    forward: Callable[..., Tensor] = module.forward

    def keeping(*inputs: Any, **named: Any) -> Tensor:
        output = forward(*inputs, **named)
        kept.append(output if output.requires_grad else output.requires_grad_())
        return kept[-1].clone()  # what is done to it in place is done to the copy

    module.forward = keeping
    try:
        logits = network(pixels)
    finally:
        del module.forward
    return (logits if isinstance(logits, Tensor) else logits[0]), kept[call]


def close(found: np.ndarray | Tensor, expected: np.ndarray | Tensor, share: float, floor: float = 0) -> None:
    """Equal up to `share` of the largest expected value, or up to `floor`."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= max(share * np.abs(expected).max(), floor)


def test_grad_cam_is_that_of_the_reference(case: Case) -> None:
    found = GradCAM(layer=case.layer, relu=False)(case.classifier, case.pixels, TARGET)
    logits, activations = logits_and_activations(case, case.layer, case.pixels)
    (gradients,) = torch.autograd.grad(logits[0, TARGET], activations)
    expected = (gradients.mean((2, 3), keepdim=True) * activations).sum(1)[0].detach()
    close(found.cells, expected, 1e-4)
    assert np.abs(found.cells).max() > 0


@torch.no_grad()
def test_occlusion_is_that_of_one_window_after_the_other(case: Case) -> None:
    side = case.classifier.input_size[0]
    found = Occlusion(window=side // 2, stride=side // 4, baseline="mean")(case.classifier, case.pixels, TARGET)
    filling = baseline_pixels(case.classifier, case.pixels, "mean")
    whole = case.exact(case.pixels.double())[0, TARGET]
    drops = []
    for top, left, height, width in found.windows.boxes:
        covered = case.pixels.clone()
        area = (..., slice(top, top + height), slice(left, left + width))
        covered[area] = filling[area]
        drops.append(float(whole - case.exact(covered.double())[0, TARGET]))
    rounding = 2e-5 * max(1, abs(float(whole)))
    close(found.cells, np.reshape(drops, found.cells.shape), 1e-3, rounding)


def test_cam_adds_up_to_the_logit_or_is_refused(case: Case) -> None:
    try:
        maps = CAM().maps(case.classifier, case.pixels)
    except MethodError as error:
        assert "Grad-CAM" in str(error)
        return
    expected = case.exact(case.pixels.double())[0].detach()
    close(maps.cells.mean((1, 2)) + maps.bias, expected, 1e-3)


class _Guided(nn.Module):
    """ReLU, or ReLU6, that lets only positive gradients of active units through."""

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        return guided(x, self.most)


def guided(x: Tensor, most: float = float("inf")) -> Tensor:
    gate = ((x > 0) & (x < most)).to(x.dtype)
    value = x.clamp(0, most)
    through = (x * gate.detach()).clone()
    if through.requires_grad:
        through.register_hook(lambda gradient: gradient.clamp_min(0))
    return value.detach() + through - through.detach()


def with_guided(network: nn.Module) -> bool:
    """Replace all ReLUs and say whether no other activation is left."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU | nn.ReLU6):
                setattr(parent, name, _Guided(6 if isinstance(child, nn.ReLU6) else float("inf")))
    smooth = ("SiLU", "Swish", "GELU", "Sigmoid", "PReLU", "LeakyReLU", "Tanh", "HardMish")
    kinds = {type(module).__name__.lower() for module in network.modules()}
    return not any(word.lower() in kind for word in smooth for kind in kinds)


def test_guided_backprop_is_that_of_the_reference_or_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = copy.deepcopy(case.plain)
    only_rectified = with_guided(plain)
    try:
        found = GuidedBackprop()(case.classifier, case.pixels, TARGET).values
    except MethodError:
        assert not only_rectified or case.name in ("ghostnet_050",)  # gates of its own
        return
    if not only_rectified:
        return
    monkeypatch.setattr(functional, "relu", lambda x, inplace=False: guided(x))
    monkeypatch.setattr(torch, "relu", guided)
    pixels = case.pixels.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(plain(pixels)[0, TARGET], pixels)
    close(np.abs(found), gradient[0].abs().amax(0), 1e-3)


def test_receptive_fields_hold_whatever_a_cell_depends_on(case: Case) -> None:
    if case.name in TRANSFORMERS:
        pytest.skip("every cell sees the whole picture")
    field = receptive_field(case.classifier, case.layer)
    pixels = case.pixels.double().requires_grad_()
    _, activations = logits_and_activations(case, case.layer, pixels)
    for row, column in {(0, 0), tuple(side // 2 for side in activations.shape[2:])}:
        (gradient,) = torch.autograd.grad(activations[0, :, row, column].sum(), pixels, retain_graph=True)
        seen = gradient[0].abs().amax(0) > 0
        top, left, height, width = field.box(row, column)
        inside = torch.zeros_like(seen)
        inside[top : top + height, left : left + width] = True
        assert not bool((seen & ~inside).any())


@torch.no_grad()
def test_top_patches_are_the_largest_activations(case: Case) -> None:
    size = case.classifier.input_size[0]
    arrays = (pictures(5, size).permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)
    *_, patches = scan(case.classifier, source_of(arrays), [case.layer], k=3)
    batch = torch.cat([case.classifier.pixels(array) for array in arrays])
    maxima = torch.stack([
        logits_and_activations(case, case.layer, picture[None].double())[1].amax((2, 3))[0] for picture in batch
    ])  # fmt: skip
    expected, _ = maxima.topk(3, dim=0)
    for channel in range(0, maxima.shape[1], max(1, maxima.shape[1] // 5)):
        spots = patches.top(case.layer, channel)
        close(np.array([spot.value for spot in spots]), expected[:, channel], 1e-3, 1e-4)


def test_the_network_is_left_as_it_was_found(case: Case) -> None:
    """Runs last: after all that the other tests did with it."""
    weights, modules, gradients = state_of(case.network)
    before, modules_before, gradients_before = case.found
    assert (modules, gradients) == (modules_before, gradients_before)
    assert all(torch.equal(value, before[name]) for name, value in weights.items())
    try:
        GradCAM()(case.classifier, case.pixels, TARGET)
    except ExplanationError as error:
        assert str(error)
