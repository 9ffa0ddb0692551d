"""Guided backpropagation: hand-computed values, Captum where it is right, and every spelling of ReLU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop as CaptumGuidedBackprop
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain import GuidedBackprop, Instance, Saliency
from cnnviz_widgets.explain.gradient.guided_backprop import guided_gradients
from cnnviz_widgets.explain.gradient.input_gradients import input_gradients
from tests.support import networks
from tests.support.networks import CLASSES, Golden, seeded
from tests.support.oracles import torchvision_classifier


@pytest.mark.parametrize("inplace", [False, True])
def test_values_worked_out_by_hand(inplace: bool) -> None:
    """The numbers are those of Captum's test suite."""
    classifier = networks.classifier(Golden(inplace).eval(), Golden.size)
    expected = [[0, 1, 1, 1], [1, 3, 3, 2], [1, 3, 3, 2], [1, 2, 2, 1]]
    np.testing.assert_array_equal(GuidedBackprop()(classifier, Golden.pixels(), 0).values, expected)
    np.testing.assert_array_equal(guided_gradients(Instance.of(classifier, Golden.pixels(), 0))[0, 0], expected)


class OtherUser(nn.Module):
    """relu(h) - 2 h, h the pixel: the ReLU's input has a second user."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False)
        self.relu = nn.ReLU()
        nn.init.ones_(self.conv.weight)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.conv(pixels)
        return (self.relu(values) - 2 * values).sum((2, 3)).expand(-1, 2)


def test_only_what_comes_back_through_the_relu_is_guided() -> None:
    classifier = networks.classifier(OtherUser(), (2, 2))
    pixels = torch.tensor([[[[1.0, -1.0], [2.0, -2.0]]]])
    np.testing.assert_array_equal(guided_gradients(Instance.of(classifier, pixels, 0))[0, 0], [[-1, -2], [-1, -2]])


class Copy(nn.Module):
    """Keeps the in-place function behind it off the tensor before it."""

    def forward(self, values: Tensor) -> Tensor:
        return values.clone()


def captum(network: nn.Module, pixels: Tensor, target: int) -> Tensor:
    with pytest.warns(UserWarning, match="Setting backward hooks on ReLU"):
        gradients = CaptumGuidedBackprop(network).attribute(pixels.clone().requires_grad_(), target)
    return gradients.detach()


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "densenet121"])
def test_equals_captum_where_every_relu_is_a_module(name: str) -> None:
    classifier = torchvision_classifier(name)
    pixels = networks.picture(classifier)
    found = guided_gradients(Instance.of(classifier, pixels, 7))
    if name == "densenet121":
        # Its last ReLU is a function, which Captum does not see; one more before it is all that this changes.
        classifier.network.features.add_module("end", nn.Sequential(nn.ReLU(), Copy()))
    try:
        expected = captum(classifier.network, pixels, 7)
    finally:
        if name == "densenet121":
            del classifier.network.features.end
    scale = float(expected.abs().max())
    assert scale > 0
    np.testing.assert_allclose(found / scale, expected / scale, atol=2e-6)
    plain = input_gradients(classifier, pixels, Target(7))
    assert float((found - plain).abs().max()) > 0.1 * scale


def test_relu6_is_guided_where_captum_silently_gives_the_plain_gradient() -> None:
    classifier = torchvision_classifier("mobilenet_v2")
    pixels = networks.picture(classifier)
    plain = input_gradients(classifier, pixels, Target(7))
    assert torch.equal(captum(classifier.network, pixels, 7), plain)
    found = guided_gradients(Instance.of(classifier, pixels, 7))
    assert float((found - plain).abs().max()) > 0.5 * float(plain.abs().max())


class Guided(torch.autograd.Function):
    """min(max(x, 0), top), its backward pass as the paper draws it."""

    @staticmethod
    def forward(ctx: object, values: Tensor, top: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.top = top
        return values.clamp(0, top)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:
        (values,) = ctx.saved_tensors
        return torch.where((values > 0) & (values < ctx.top) & (gradient > 0), gradient, 0), None


class Activated(nn.Module):
    """Three activations, the second behind a sum and with a user of its input beside it."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.hidden = nn.Linear(6, 12)
        self.fc = nn.Linear(12, CLASSES)
        self.activation = activation

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.activation(4 * self.conv1(pixels))
        before = self.conv2(values) + values
        values = self.activation(before.clone()) - before
        return self.fc(self.activation(self.hidden(values.mean((2, 3)))))


INFINITE = float("inf")
SPELLINGS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "nn.ReLU": (nn.ReLU(), INFINITE),
    "nn.ReLU(inplace)": (nn.ReLU(inplace=True), INFINITE),
    "nn.ReLU6": (nn.ReLU6(), 6),
    "nn.Threshold(0, 0)": (nn.Threshold(0, 0), INFINITE),
    "F.relu": (functional.relu, INFINITE),
    "F.relu(inplace)": (lambda x: functional.relu(x, inplace=True), INFINITE),
    "F.relu6": (functional.relu6, 6),
    "F.relu6(inplace)": (lambda x: functional.relu6(x, inplace=True), 6),
    "F.hardtanh(0, 6)": (lambda x: functional.hardtanh(x, 0.0, 6.0), 6),
    "torch.relu": (torch.relu, INFINITE),
    "torch.relu_": (torch.relu_, INFINITE),
    "Tensor.relu": (Tensor.relu, INFINITE),
    "Tensor.relu_": (Tensor.relu_, INFINITE),
    "clamp(min=0)": (lambda x: x.clamp(min=0), INFINITE),
    "clamp_(0, 6)": (lambda x: x.clamp_(0, 6), 6),
    "clamp_min(0)": (lambda x: x.clamp_min(0.0), INFINITE),
    "torch.clip": (lambda x: torch.clip(x, 0), INFINITE),
    "torch.ops": (torch.ops.aten.relu, INFINITE),
}


def set_to_zero(values: Tensor) -> Tensor:
    values = values.clone()
    values[values < 0] = 0
    return values


#: Spellings that no operation of autograd's is named after.
WRITTEN_OUT: dict[str, Callable[[Tensor], Tensor]] = {
    "maximum(x, 0)": lambda x: torch.maximum(x, torch.zeros(())),
    "maximum(0, x)": lambda x: torch.maximum(torch.zeros(()), x),
    "max(x, zeros)": lambda x: torch.max(x, torch.zeros_like(x)),
    "fmax": lambda x: torch.fmax(x, torch.zeros(())),
    "clamp(min=tensor)": lambda x: torch.clamp(x, min=torch.zeros(())),
    "x * (x > 0)": lambda x: x * (x > 0),
    "x * (x > 0).float()": lambda x: x * (x > 0).float(),
    "mul_": lambda x: x.clone().mul_(x > 0),
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "where with zeros": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
    "masked_fill": lambda x: x.masked_fill(x < 0, 0.0),
    "x[x < 0] = 0": set_to_zero,
    "leaky_relu(x, 0)": lambda x: functional.leaky_relu(x, 0.0),
}
SPELLINGS |= {name: (function, INFINITE) for name, function in WRITTEN_OUT.items()}


def activated(activation: Callable[[Tensor], Tensor]) -> Classifier:
    return networks.classifier(seeded(lambda: Activated(activation)))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_relu(spelling: str) -> None:
    activation, top = SPELLINGS[spelling]
    classifier = activated(activation)
    pixels = networks.picture(classifier)
    slow = input_gradients(activated(lambda values: Guided.apply(values, top)), pixels, Target(1))
    found = guided_gradients(Instance.of(classifier, pixels, 1))
    np.testing.assert_allclose(found, slow, atol=1e-6)
    plain = input_gradients(classifier, pixels, Target(1))
    assert float((found - plain).abs().max()) > 0.1 * float(plain.abs().max())
    # The map is the channels' largest, and the network is not guided any longer.
    np.testing.assert_allclose(GuidedBackprop()(classifier, pixels, 1).values, slow[0].abs().amax(dim=0), atol=1e-6)
    np.testing.assert_array_equal(Saliency()(classifier, pixels, 1).values, plain[0].abs().amax(dim=0).numpy())


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (nn.SiLU(), "SiLU"),
        (nn.GELU(), "GELU"),
        (nn.LeakyReLU(), "LeakyReLU"),
        (nn.PReLU(), "PReLU"),
        (nn.ELU(), "ELU"),
        (nn.SELU(), "ELU"),
        (nn.CELU(), "CELU"),
        (nn.Hardswish(), "Hardswish"),
        (nn.Mish(), "Mish"),
        (nn.Softplus(), "Softplus"),
        (nn.RReLU(), "RReLU"),
        (nn.Sequential(nn.ReLU(), nn.GELU()), "GELU"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_other_activations_are_refused_by_name(activation: nn.Module, name: str) -> None:
    classifier = activated(activation)
    with pytest.raises(MethodError, match=rf"uses {name}; use Saliency, SmoothGrad or Integr") as raised:
        GuidedBackprop()(classifier, networks.picture(classifier), 1)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "activation",
    [torch.tanh, nn.Hardtanh(-1, 1), nn.Threshold(0.5, 0), lambda x: x * x.sigmoid(), nn.Identity()],
    ids=["tanh", "hardtanh", "threshold", "x sigmoid(x)", "none"],
)
def test_a_network_without_relu_is_refused(activation: Callable[[Tensor], Tensor]) -> None:
    classifier = activated(activation)
    with pytest.raises(MethodError, match="finds no ReLU in Activated; use Saliency"):
        GuidedBackprop()(classifier, networks.picture(classifier), 1)


OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "hard-swish": lambda x: x * functional.relu6(x + 3) / 6,
    "hard-swish, divided first": lambda x: functional.hardtanh(x + 3, 0, 6) / 6 * x,
    "hard-swish of a clamp": lambda x: x * torch.clamp(x / 6 + 0.5, 0, 1),
    "hard-swish of a ReLU": lambda x: x * (x + 3).relu().clamp(max=6) / 6,
    "swish": lambda x: x.relu() + x * x.sigmoid(),
    "swish of an exponential": lambda x: x.relu() + x / (1 + (-x).exp()),
    "quick GELU": lambda x: x.relu() + x * torch.sigmoid(1.702 * x),
    "GELU": lambda x: x.relu() + 0.5 * x * (1 + torch.erf(x / 2**0.5)),
    "GELU of a tanh": lambda x: x.relu() + 0.5 * x * (1 + torch.tanh(0.79788 * (x + 0.044715 * x**3))),
    "Mish": lambda x: x.relu() + x * torch.tanh(functional.softplus(x)),
    "leaky ReLU of a maximum": lambda x: x.relu() + torch.maximum(x, 0.1 * x),
    "leaky ReLU of two ReLUs": lambda x: x.relu() - 0.1 * (-x).relu(),
    "ELU": lambda x: x.relu() + torch.where(x > 0, x, x.exp() - 1),
    "a threshold": lambda x: x.relu() + torch.where(x > 0.5, x, torch.zeros_like(x)),
    "ReLU of an absolute value": lambda x: x.relu() + (x + x.abs()) / 2,
    "tanh": lambda x: torch.tanh(x).relu(),
    "sigmoid": lambda x: x.relu().sigmoid(),
    "x relu(x)": lambda x: x * x.relu(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_activations_that_are_written_out_are_refused(name: str) -> None:
    classifier = activated(OTHERS[name])
    with pytest.raises(MethodError, match=r"defined for ReLUs only.*use Saliency, SmoothGrad or Integr"):
        GuidedBackprop()(classifier, networks.picture(classifier), 1)


class Excited(nn.Module):
    """ReLUs, or ReLU6s, and a squeeze-and-excite gate between them."""

    def __init__(self, activation: Callable[[Tensor], Tensor], gate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.squeeze, self.fc = nn.Conv2d(6, 6, 1), nn.Linear(6, CLASSES)
        self.activation = activation
        self.gate = gate

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.activation(4 * self.conv1(pixels))
        values = values * self.gate(self.squeeze(values.mean((2, 3), keepdim=True)))
        return self.fc(self.activation(self.conv2(values)).mean((2, 3)))


@pytest.mark.parametrize("top", [INFINITE, 6.0], ids=["ReLU", "ReLU6"])
@pytest.mark.parametrize(
    "gate",
    [torch.sigmoid, functional.hardsigmoid, lambda x: functional.relu6(x + 3) / 6, lambda x: (x / 6 + 0.5).clamp(0, 1)],
    ids=["sigmoid", "hardsigmoid", "relu6", "clamp"],
)
def test_gates_of_other_values_are_no_relus(gate: Callable[[Tensor], Tensor], top: float) -> None:
    """The textbook's ReLUs are guided, its gate is not."""
    activation = functional.relu if top == INFINITE else functional.relu6
    classifier = networks.classifier(seeded(lambda: Excited(activation, gate)))
    textbook = networks.classifier(
        seeded(lambda: Excited(lambda values: Guided.apply(values, top), lambda x: functional.hardsigmoid(x)))
        if gate is not torch.sigmoid
        else seeded(lambda: Excited(lambda values: Guided.apply(values, top), torch.sigmoid))
    )
    pixels = networks.picture(classifier)
    found = guided_gradients(Instance.of(classifier, pixels, 1))
    np.testing.assert_allclose(found, input_gradients(textbook, pixels, Target(1)), atol=1e-6)
    assert found.abs().max() > 1e-3


class OnAView(nn.Module):
    """Works in place on a view of a tensor: a sum, or a ReLU, which autograd then hides."""

    def __init__(self, relu: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.fc = nn.Linear(6, CLASSES)
        self.relu = relu

    def forward(self, pixels: Tensor) -> Tensor:
        values = functional.relu(self.conv(pixels)) + 0
        if self.relu:
            values.flatten(1).relu_()
        else:
            values[:, :3] += values[:, 3:].clone()
        return self.fc(values.mean((2, 3)))


def test_a_relu_that_may_be_hidden_is_not_overlooked() -> None:
    classifier = networks.classifier(seeded(lambda: OnAView(relu=True)))
    with pytest.raises(MethodError, match="a view of a tensor in place"):
        GuidedBackprop()(classifier, networks.picture(classifier), 1)
    classifier = networks.classifier(seeded(lambda: OnAView(relu=False)))
    assert GuidedBackprop()(classifier, networks.picture(classifier), 1).values.any()
