"""What a cell sees, against the support of the gradient on a network in which nothing cancels."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets import demo
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import LayerError
from cnnviz_widgets.study.receptive_field import Box, receptive_field
from tests.support import networks
from tests.support.guest import guest, mode, state
from tests.support.networks import seeded

receptive_field_file = importlib.import_module("cnnviz_widgets.study.receptive_field")


def positive(network: nn.Module) -> nn.Module:
    """Absolute weights, no biases, batch norms that only scale, mean poolings: no zero but that of no connection."""
    network = copy.deepcopy(network).double().eval()
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.MaxPool2d):
                pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
                setattr(parent, name, pool)
            elif isinstance(child, nn.ReLU6):  # cuts off what is large
                setattr(parent, name, nn.ReLU())
            elif isinstance(child, nn.BatchNorm2d):
                child.reset_running_stats()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(weight.abs() + 1e-3 if name.endswith("weight") else torch.zeros_like(weight))
    return network


class Seen:
    """The box around the support of the gradient of any cell of any layer of a network that `positive` made."""

    def __init__(self, network: nn.Module, size: tuple[int, int], channels: int, layers: list[str]) -> None:
        self.outputs: dict[str, Tensor] = {}
        for layer in layers:
            network.get_submodule(layer).register_forward_hook(
                lambda _, __, output, layer=layer: self.outputs.update({layer: output})
            )
        self.pixels = torch.ones(1, channels, *size, dtype=torch.float64, requires_grad=True)
        network(self.pixels)

    def box(self, layer: str, row: int, column: int) -> Box:
        value = self.outputs[layer][0, :, row, column].sum()
        (gradient,) = torch.autograd.grad(value, self.pixels, retain_graph=True)
        rows, columns = (gradient[0].ne(0).any(0).any(dim).nonzero()[:, 0].tolist() for dim in (1, 0))
        if not rows:
            return 0, 0, 0, 0
        return rows[0], columns[0], rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def agree(classifier: Classifier, layers: list[str], source: str = "graph") -> None:
    """Corners, edges, the middle and cells near them see what the gradient says."""
    expected = Seen(positive(classifier.network), classifier.input_size, classifier.channels, layers)
    for layer in layers:
        field = receptive_field(classifier, layer)
        assert field.source == source
        rows, columns = field.grid
        places = {(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2), (1, columns - 2), (rows - 2, 0)}
        for row, column in sorted(places):
            assert field.box(row, column) == expected.box(layer, row, column), (layer, row, column)


def torchvision_network(name: str) -> nn.Module:
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None, num_classes=3)
    if name == "vgg11":  # its head has a hundred million weights
        network.classifier = nn.Linear(512 * 7 * 7, 3, device="meta")
    network = network.to_empty(device="cpu").eval()
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(std=max(1, weight[0].numel()) ** -0.5, generator=random)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
    return network


@pytest.mark.parametrize(
    ("name", "size", "layers"),
    [
        ("resnet18", (97, 130), ["conv1", "maxpool", "layer1.0", "layer2.0.downsample.0", "layer2", "layer3.1.conv1"]),
        ("vgg11", (65, 70), ["features.0", "features.5", "features.12", "features.20"]),
        ("mobilenet_v2", (96, 75), ["features.1", "features.3.conv.1", "features.7", "features.14"]),
    ],
)
def test_torchvision_s_networks(name: str, size: tuple[int, int], layers: list[str]) -> None:
    classifier = Classifier(torchvision_network(name), input_size=size)
    agree(classifier, layers)


@pytest.mark.parametrize(("name", "size"), [("resnet18", 435), ("mobilenet_v2", 491)])
def test_the_last_layer_s_field_is_larger_than_the_picture(name: str, size: int) -> None:
    classifier = Classifier(torchvision_network(name), input_size=64)
    field = receptive_field(classifier, classifier.default_layer)
    assert field.regular and (field.size, field.stride) == ((size, size), (32, 32))
    assert field.box(0, 1)[:2] == (0, 0) and field.unclipped(0, 1)[2:] == (size, size)
    assert field.unclipped(0, 1)[1] == field.unclipped(0, 0)[1] + 32


def test_the_demo_s_networks() -> None:
    classifiers = [demo.shapes_classifier(), demo.digits_classifier()]
    for classifier in classifiers:
        agree(classifier, ["stages.stage1.conv", "stages.stage3", "stages.stage5"])


def test_the_demo_s_large_network() -> None:
    """Paddings that differ from side to side, depthwise convolutions, functional activations."""
    classifier = demo.classifier()
    agree(classifier, ["_conv_stem", "_blocks.1", "_blocks.4", "_blocks.8"])


class Odd(nn.Module):
    """`body` on three channels, a point-wise convolution that sees what it sees, then classes."""

    def __init__(self, body: nn.Module, channels: int) -> None:
        super().__init__()
        self.body = body
        self.end = nn.Conv2d(channels, 4, 1)
        self.fc = nn.Linear(4, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(self.end(self.body(pixels)).mean((2, 3)))


class Branches(nn.Module):
    """A shortcut, a concatenation and a shuffle between branches that see differently."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(3, 4, (1, 7), padding=(0, 3))
        self.tall = nn.Conv2d(3, 4, (5, 1), padding=(2, 0))
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.point = nn.Conv2d(3, 8, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        both = torch.cat([self.wide(pixels), self.tall(pixels)], 1)
        shuffled = both.view(1, 2, 4, *both.shape[2:]).transpose(1, 2).reshape(both.shape)
        first, second = self.grouped(shuffled).chunk(2, 1)
        return torch.cat([first, functional.relu(second)], 1) + self.point(pixels)


class Grouped(nn.Module):
    """Of two groups that see differently, the first alone goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(3, 2, (1, 7), padding=(0, 3))
        self.tall = nn.Conv2d(3, 2, (5, 1), padding=(2, 0))
        self.grouped = nn.Conv2d(4, 6, 3, padding=1, groups=2)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.grouped(torch.cat([self.wide(pixels), self.tall(pixels)], 1))[:, :3]


class Forked(nn.Module):
    """Control flow that no symbolic tracer follows."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 7, padding=3)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.near(pixels) if pixels.mean() < 1e9 else self.far(pixels)


class Gated(nn.Module):
    """Squeeze-and-excite: a gate that has seen everything."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.conv(pixels)
        return values * self.gate(functional.adaptive_avg_pool2d(values, 1)).sigmoid()


class ChannelsLast(nn.Module):
    """As in ConvNeXt: a norm and a linear layer over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.linear = nn.Conv2d(3, 8, 3, 2), nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        values: Tensor = self.linear(self.norm(self.conv(pixels).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return values


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values)


def resized(**options: Any) -> nn.Module:
    return Apply(lambda values: functional.interpolate(values, **options))


BODIES: dict[str, Callable[[], nn.Module]] = {
    "dilation beyond the border": lambda: nn.Conv2d(3, 4, 3, padding=4, dilation=4),
    "a stride that leaves a rest, then padding": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 2, 2), nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)
    ),
    "padding only": lambda: nn.Sequential(nn.Conv2d(3, 4, 1, padding=2), nn.Conv2d(4, 4, 3)),
    "asymmetric padding": lambda: nn.Sequential(nn.ZeroPad2d((2, 0, 0, 1)), nn.Conv2d(3, 4, 3)),
    "ceil mode": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(3, 2, ceil_mode=True), nn.Conv2d(4, 4, 3)),
    "max pooling with ceil mode": lambda: nn.Sequential(
        nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.MaxPool2d(2, 2), nn.Conv2d(3, 4, 1)
    ),
    "adaptive pooling": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d((3, 5))),
    "transposed convolution": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, 2), nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1), nn.ConvTranspose2d(4, 4, 2, 3)
    ),
    "nearest": lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2), resized(scale_factor=2)),
    "bilinear": lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2), resized(size=(9, 20), mode="bilinear")),
    "reflection": lambda: nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(3, 4, 3)),
    "circular": lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
    "branches": Branches,
    "groups": Grouped,
    "control flow": Forked,
    "squeeze-and-excite": Gated,
    "channels last": ChannelsLast,
    "group norm": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4)),
    "pixel shuffle": lambda: nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.PixelShuffle(2)),
    "shifted": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), Apply(lambda values: torch.roll(values, (2, -3), (2, 3)))),
    "turned": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), Apply(lambda values: values.flip(2)[:, :, 1:].flip(2))),
}
#: Where a grid that advances evenly, with one size, describes all cells.
REGULAR = {
    "dilation beyond the border", "a stride that leaves a rest, then padding", "padding only", "asymmetric padding",
    "ceil mode", "max pooling with ceil mode", "branches", "control flow", "channels last", "turned",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_every_operation(body: str) -> None:
    network = seeded(lambda: Odd(made := BODIES[body](), made(torch.ones(1, 3, 15, 18)).shape[1]))
    classifier = Classifier(network, input_size=(15, 18))
    field = receptive_field(classifier, "end")
    # Circular padding writes into slices of a new tensor.
    assert field.source == ("gradient" if body == "circular" else "graph")
    expected = Seen(sized(network), (15, 18), 3, ["end"])
    for row in range(field.grid[0]):
        for column in range(field.grid[1]):
            assert field.box(row, column) == expected.box("end", row, column), (row, column)
    assert field.regular is (body in REGULAR)


def sized(network: nn.Module) -> nn.Module:
    """As `positive`, but a norm over the picture keeps its gradients by not being flat."""
    made = positive(network)
    for norm in made.modules():
        if isinstance(norm, nn.GroupNorm | nn.LayerNorm):
            norm.register_forward_pre_hook(lambda _, inputs: (inputs[0] * ramp(inputs[0]),))
    return made


def ramp(values: Tensor) -> Tensor:
    return torch.linspace(1, 2, values.numel(), dtype=values.dtype).reshape(values.shape) ** 3


def test_a_cell_that_sees_only_padding_has_no_box() -> None:
    classifier = Classifier(seeded(lambda: Odd(nn.Conv2d(3, 4, 1, padding=2), 4)), input_size=(6, 6))
    field = receptive_field(classifier, "body")
    assert field.box(0, 3) == (0, 0, 0, 0)
    assert field.unclipped(0, 3) == (-2, 1, 1, 1)
    assert field.box(2, 3) == (0, 1, 1, 1)


def test_an_unknown_operation_is_answered_by_the_gradient() -> None:
    network = seeded(
        lambda: Odd(nn.Sequential(nn.Conv2d(3, 4, 3, 2), Apply(lambda v: v.cumsum(1)), nn.Conv2d(4, 4, 3, 1, 1)), 4)
    )
    classifier = Classifier(network, input_size=(15, 18))
    before, modes = state(network), mode()
    agree(classifier, ["body"], source="gradient")
    assert receptive_field(classifier, "body.0").source == "graph"
    assert (state(network), mode()) == (before, modes)


def test_where_the_gradient_fails_the_whole_picture_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = seeded(lambda: Odd(nn.Sequential(nn.Conv2d(3, 4, 3, 2), Apply(lambda v: v.cumsum(1))), 4))
    network.lock = open(__file__)  # noqa: SIM115 - a thing that cannot be copied
    field = receptive_field(Classifier(network, input_size=(15, 18)), "body.1")
    network.lock.close()
    assert field.source == "assumed" and field.box(3, 3) == (0, 0, 15, 18)


def test_one_pass_answers_for_all_layers() -> None:
    network = networks.Counted(seeded(networks.ConvGapLinear))
    classifier = networks.classifier(network)
    layers = [layer.name for layer in classifier.layers]
    calls = network.calls
    for layer in layers * 2:
        receptive_field(classifier, layer)
    assert network.calls == calls + 1
    alias = next(layer for layer in classifier.layers if layer.aliases)
    assert receptive_field(classifier, alias.aliases[0]) is receptive_field(classifier, alias.name)


def test_the_network_is_a_guest() -> None:
    network = guest()
    classifier = networks.classifier(network)
    before, modes = state(network), mode()
    with torch.inference_mode():
        assert receptive_field(classifier, "conv2").box(0, 0) == (0, 0, 3, 3)
    assert (state(network), mode()) == (before, modes)
    network.failing.left = 0
    del receptive_field_file._KNOWN[classifier]
    with pytest.raises(Exception, match="the failing module was called"):
        receptive_field(classifier, "conv2")
    network.failing.left = 0
    network.failing.left = float("inf")
    assert (state(network), mode()) == (before, modes)


@pytest.mark.parametrize("cell", [(-1, 0), (0, 16), (12, 0)])
def test_cells_and_layers_that_are_none(cell: tuple[int, int]) -> None:
    classifier = networks.classifier(guest())
    field = receptive_field(classifier, "conv")
    with pytest.raises(LayerError, match=r"12 x 16 cells; .* is none of them"):
        field.box(*cell)
    with pytest.raises(LayerError, match="has no layer 'nope'"):
        receptive_field(classifier, "nope")
