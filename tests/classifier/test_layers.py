"""Which layers a network has: their names, order, shapes and strides, and what is no layer."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models
from torchvision.models.convnext import CNBlockConfig

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import LayerError


def hollow(build: Callable[..., nn.Module], **options: Any) -> nn.Module:
    """A network without the seconds that random weights of a large one take: all weights are small constants."""
    try:
        with torch.device("meta"):
            network = build(**options)
    except NotImplementedError:  # it computes with values while it is built
        network = build(**options)
    network = network.to_empty(device="cpu").eval()
    with torch.no_grad():
        for value in (*network.parameters(), *network.buffers()):
            value.fill_(0.01 if value.is_floating_point() else 1)
    return network


def picture(classifier: Classifier, count: int = 1) -> Tensor:
    return torch.randn(count, classifier.channels, *classifier.input_size, generator=torch.Generator().manual_seed(1))


#: build, options, input size, number of layers, some of them as (name, kind, shape, stride, role), default layer.
ARCHITECTURES: dict[str, tuple[Callable[..., nn.Module], dict[str, Any], int, int, list[tuple[Any, ...]], str]] = {
    "resnet18": (
        models.resnet18, {}, 64, 58,
        [
            ("conv1", "Conv2d", (64, 32, 32), (2, 2), "convolution"),
            ("maxpool", "MaxPool2d", (64, 16, 16), (4, 4), "other"),
            ("layer1.0.relu#1", "ReLU", (64, 16, 16), (4, 4), "other"),
            ("layer3.0", "BasicBlock", (256, 4, 4), (16, 16), "block"),
            ("layer4.1.conv2", "Conv2d", (512, 2, 2), (32, 32), "convolution"),
            ("layer4.1", "BasicBlock", (512, 2, 2), (32, 32), "block"),
        ],
        "layer4.1",
    ),
    "vgg11": (
        models.vgg11, {}, 64, 22,
        [
            ("features.0", "Conv2d", (64, 64, 64), (1, 1), "convolution"),
            ("features.19", "ReLU", (512, 4, 4), (16, 16), "other"),
        ],
        "features.19",
    ),
    "densenet121": (
        models.densenet121, {}, 64, 370,
        [
            ("features.denseblock1.denselayer2", "_DenseLayer", (32, 16, 16), (4, 4), "block"),
            ("features.norm5", "BatchNorm2d", (1024, 2, 2), (32, 32), "other"),
            # `forward` itself calls the last ReLU.
            ("pooled", "relu", (1024, 2, 2), (32, 32), "other"),
        ],
        "pooled",
    ),
    "mobilenet_v2": (
        models.mobilenet_v2, {}, 64, 149,
        [("features.18", "Conv2dNormActivation", (1280, 2, 2), (32, 32), "block")],
        "features.18",
    ),
    "squeezenet1_1": (
        models.squeezenet1_1, {}, 64, 63,
        [("features.12", "Fire", (512, 3, 3), (64 / 3, 64 / 3), "block")],
        "classifier.2",
    ),
    "googlenet": (
        models.googlenet, {"init_weights": False}, 64, 193,
        [("inception5b", "Inception", (1024, 2, 2), (32, 32), "block")],
        "inception5b",
    ),
    "efficientnet_b0": (
        models.efficientnet_b0, {}, 64, 156,
        [("features.2.1", "MBConv", (24, 16, 16), (4, 4), "block")],
        "features.8",
    ),
    "shufflenet": (
        models.shufflenet_v2_x0_5, {}, 64, 166,
        [("stage2.0", "InvertedResidual", (48, 8, 8), (8, 8), "block")],
        "conv5.2",
    ),
    "regnet": (
        models.regnet_y_400mf, {}, 64, 171,
        [("trunk_output.block1.block1-0", "ResBottleneckBlock", (48, 16, 16), (4, 4), "block")],
        "trunk_output.block4.block4-5",
    ),
}  # fmt: skip


#: With weights drawn from a seed, as what moves decides which outputs are maps: build, options, input size, how many
#: layers hold their maps in which order, some of them, default layer.
TOKENS: dict[str, tuple[Callable[..., nn.Module], dict[str, Any], int, dict[str, int], list[tuple[Any, ...]], str]] = {
    # In its first stage there are as many channels as columns, and rows.
    "convnext": (
        models.ConvNeXt, {"block_setting": [CNBlockConfig(8, 16, 2), CNBlockConfig(16, None, 1)]}, 32, {"first": 16},
        [("features.1.0", (8, 8, 8), "first"), ("features.3.0", (16, 4, 4), "first")],
        "features.3.0",
    ),
    "swin": (
        models.SwinTransformer,
        {"patch_size": [4, 4], "embed_dim": 12, "depths": [1, 1], "num_heads": [1, 2], "window_size": [2, 2]},
        32, {"first": 2, "last": 8},
        [("features.1.0", (12, 8, 8), "last"), ("features.3.0", (24, 4, 4), "last"), ("permute", (24, 4, 4), "first")],
        "permute",
    ),
    "vit": (
        models.VisionTransformer,
        {"image_size": 32, "patch_size": 4, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 8},
        32, {"first": 1, "tokens": 5},
        [("conv_proj", (8, 8, 8), "first"), ("encoder.layers.encoder_layer_0", (8, 8, 8), "tokens")],
        # Of the last block's output the head is given the class token alone.
        "encoder.layers.encoder_layer_0",
    ),
}  # fmt: skip


def with_a_head(network: nn.Module) -> nn.Module:
    """Some networks of torchvision begin with a head of zeros."""
    for weight in network.parameters():
        if not weight.any() and weight.ndim == 2:
            nn.init.normal_(weight)
    return network.eval()


@pytest.mark.parametrize("name", TOKENS)
def test_maps_in_another_order_are_found_by_how_they_move(name: str) -> None:
    build, options, size, orders, some, default = TOKENS[name]
    torch.manual_seed(0)
    network = with_a_head(build(**options))
    classifier = Classifier(network, input_size=size)
    described = [(layer.name, layer.shape, layer.arrangement.axes) for layer in classifier.layers]
    assert Counter(axes for _, _, axes in described) == orders
    assert [entry for entry in described if entry in some] == some
    assert classifier.default_layer == default
    assert any("transformer" in note for note in classifier.notes) is (name != "convnext")
    # A kernel of 7 x 7 mixes all of a grid of 4 x 4.
    blob_moves(classifier, [layer.name for layer in classifier.layers if not layer.name.startswith("features.3.0.")])


def blob_moves(classifier: Classifier, layers: list[str]) -> None:
    """Whether what is recorded of each layer answers most to a square there where the square is."""
    height, width = classifier.input_size
    base = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(5))
    with torch.no_grad(), classifier.recording(*layers) as outputs:
        classifier.logits(base)
        before = {name: outputs[name].clone() for name in layers}
        for top, left in [(0, 0), (0, width // 2), (height // 2, 0), (height // 2, width // 2)]:
            changed = base.clone()
            changed[..., top : top + height // 2, left : left + width // 2] += 2
            classifier.logits(changed)
            for name in layers:
                rows, columns = before[name].shape[2:]
                change = (outputs[name] - before[name])[0].square().sum(0)
                quarters = {(r, c): float(change[r : r + rows // 2, c : c + columns // 2].mean())
                            for r in (0, rows // 2) for c in (0, columns // 2)}  # fmt: skip
                expected = (rows // 2 * (top > 0), columns // 2 * (left > 0))
                assert max(quarters, key=lambda place: quarters[place]) == expected, name


@pytest.mark.parametrize("architecture", ["swin_v2_t", "maxvit"])
def test_tables_of_positions_are_no_layers(architecture: str) -> None:
    torch.manual_seed(0)
    network = models.swin_v2_t(weights=None) if architecture == "swin_v2_t" else models.MaxVit(
        (64, 64), 8, 2, [8, 16], [1, 1], 4, 0.0
    )  # fmt: skip
    classifier = Classifier(network.eval(), input_size=64)
    assert not [layer.name for layer in classifier.layers if "cpb_mlp" in layer.name]
    assert any("transformer" in note for note in classifier.notes)


class Reordered(nn.Module):
    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, values: Tensor) -> Tensor:
        return self.change(values)


SHUFFLED = torch.randperm(64, generator=torch.Generator().manual_seed(0))
NO_MAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "channels last": lambda values: values.permute(0, 2, 3, 1),
    "rows last": lambda values: values.permute(0, 1, 3, 2),
    "rows first": lambda values: values.permute(0, 3, 1, 2),
    "upside down": lambda values: values.flip(2),
    "turned round": lambda values: values.rot90(2, (2, 3)),
    "shuffled": lambda values: values.flatten(2)[..., SHUFFLED].view_as(values),
    "mean spread out": lambda values: values.mean((2, 3), keepdim=True).expand_as(values) + values * 0,
    "a table": lambda values: torch.linspace(0, 1, 512).reshape(1, 8, 8, 8).expand_as(values),
    "attention": lambda values: (values.mean(1).flatten(1)[:, :, None] * values.mean(1).flatten(1)[:, None])[:, None],
}


@pytest.mark.parametrize("kind", NO_MAPS)
@pytest.mark.parametrize("seed", range(3))
def test_what_does_not_move_with_the_picture_is_no_layer(kind: str, seed: int) -> None:
    """Also where there are as many channels as rows and as columns."""
    torch.manual_seed(seed)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.GELU(), nn.Conv2d(8, 8, 3, padding=1))
            self.odd = Reordered(NO_MAPS[kind])
            self.head = nn.Linear(8, 4)

        def forward(self, pixels: Tensor) -> Tensor:
            values = self.body(pixels)
            return self.head(values.mean((2, 3))) + self.odd(values).mean()

    classifier = Classifier(Net().eval(), input_size=32)
    assert [layer.name for layer in classifier.layers] == ["body.0", "body.1", "body.2"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_of_known_architectures(name: str) -> None:
    build, options, size, count, some, default = ARCHITECTURES[name]
    classifier = Classifier(hollow(build, **options), input_size=size)
    layers = classifier.layers
    assert classifier.default_layer == default
    assert len(layers) == count
    described = [(layer.name, layer.kind, layer.shape, layer.stride, layer.role) for layer in layers]
    # Those listed come in the order in which they run.
    assert [entry for entry in described if entry in some] == some


def test_the_forward_pass_gives_the_order_the_names_and_the_shapes() -> None:
    """Against hooks that write down what comes by."""
    network = hollow(models.resnet18)
    classifier = Classifier(network, input_size=64)
    _ = classifier.layers
    seen: list[tuple[str, tuple[int, ...]]] = []
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _, __, output, name=name: seen.append((name, tuple(output.shape[1:]))))
    network(picture(classifier))
    known = {alias: layer for layer in classifier.layers for alias in (layer.name, *layer.aliases)}
    named = []
    for index, (name, shape) in enumerate(seen):
        if len(shape) == 3 and shape[1] > 1:
            earlier, later = ([other for other, _ in part].count(name) for part in (seen[:index], seen[index + 1 :]))
            named.append((f"{name}#{earlier + 1}" if later else name, shape))
    assert {name for name, _ in named} == set(known)
    assert all(known[name].shape == shape for name, shape in named)
    places = [classifier.layers.index(known[name]) for name, _ in named]
    assert places == sorted(places)


class Flattening(nn.Module):
    """Things with four axes that are no maps: attention, channels last, whole numbers, tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, stride=8)
        self.attention = nn.Softmax(dim=-1)
        self.last = nn.LayerNorm(4)
        self.linear = nn.Linear(4, 4)
        self.tokens = nn.Tanh()
        self.index = nn.MaxUnpool2d(2)
        self.levels = Levels()

    def forward(self, pixels: Tensor) -> Tensor:
        maps = self.conv(pixels)
        tokens = maps.flatten(2).transpose(1, 2)[:, None]
        weights = self.attention(tokens @ tokens.transpose(2, 3))
        attended = self.tokens(weights @ tokens)
        channels_last = self.linear(self.last(maps.permute(0, 2, 3, 1)))
        return attended.mean(dim=(1, 2)) + channels_last.mean(dim=(1, 2)) + self.levels(maps).sum(dim=(2, 3))


class Levels(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return maps.round().int()


def test_what_is_no_map_is_no_layer() -> None:
    classifier = Classifier(Flattening(), input_size=32)
    assert [layer.name for layer in classifier.layers] == ["conv"]
    with pytest.raises(LayerError, match=r"'attention' of Flattening has no spatial extent.*such as 'conv'"):
        classifier.layer("attention")


def test_maps_of_unpadded_networks_on_pictures_that_are_not_square() -> None:
    steps = [step for _ in range(4) for step in (nn.Conv2d(3, 3, 5), nn.ReLU(inplace=True))]
    classifier = Classifier(nn.Sequential(*steps, nn.AdaptiveAvgPool2d(1)), input_size=(18, 56))
    assert [layer.shape for layer in classifier.layers][::2] == [(3, 14, 52), (3, 10, 48), (3, 6, 44), (3, 2, 40)]
    assert classifier.default_layer == "7"
    assert classifier.layer("7").stride == (9, 1.4)


class PoolFormerBlock(nn.Module):
    """A block with pooling in its name, that pools with a function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        return functional.max_pool2d(self.conv(values), 2)


def test_the_default_layer_sets_poolings_aside_but_no_blocks() -> None:
    network = nn.Sequential(PoolFormerBlock(), PoolFormerBlock(), nn.Dropout2d(), nn.AvgPool2d(2), nn.Flatten())
    classifier = Classifier(network, input_size=16)
    assert [layer.name for layer in classifier.layers] == ["0.conv", "0", "1.conv", "1", "3"]
    assert classifier.default_layer == "1"
    only_pooled = Classifier(nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 3, 8), nn.Flatten()), input_size=16)
    assert only_pooled.default_layer == "0"


def test_a_network_without_spatial_layers_is_told_so() -> None:
    classifier = Classifier(nn.Sequential(nn.Conv2d(3, 4, 8), nn.Flatten()), input_size=8)
    assert classifier.layers == ()
    with pytest.raises(LayerError, match="give a larger `input_size`"):
        _ = classifier.default_layer


def test_layers_inside_torchscript_are_left_out_and_do_no_harm() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        scripted = torch.jit.script(nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU()))
    classifier = Classifier(nn.Sequential(scripted, nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)), input_size=12)
    assert [layer.name for layer in classifier.layers] == ["1"]
    with classifier.recording("1") as outputs:
        classifier.logits(picture(classifier))
    assert outputs["1"].shape == (1, 4, 8, 8)
