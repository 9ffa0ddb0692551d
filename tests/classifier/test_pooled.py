"""The default layer is one that all evidence passes through: where no module puts it out, and in wrapped networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.collection.extraction import features_and_logits
from cnnviz_widgets.collection.patches import scan
from cnnviz_widgets.collection.source import source_of
from cnnviz_widgets.errors import LayerError
from cnnviz_widgets.explain import CAM, EigenCAM, GradCAM, GuidedBackprop, HiResCAM, Occlusion, ScoreCAM
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.session import Session
from cnnviz_widgets.study.ablation import ablate
from cnnviz_widgets.study.activations import activations
from cnnviz_widgets.study.receptive_field import receptive_field


class Parts(nn.Module):
    """A stem and two branches, joined by `join`, which gives what the head sees."""

    def __init__(self, join: Callable[..., Tensor]) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU())
        self.a, self.b = nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 1, 2)
        self.up, self.norm = nn.Upsample(scale_factor=2), nn.BatchNorm2d(8)
        self.head = nn.LazyLinear(4)
        self.join = join

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.join(self, self.stem(pixels)))


def in_place(net: Any, h: Tensor) -> Tensor:
    values = net.a(h)
    values += net.b(h)
    functional.relu_(values)
    return values.mean((2, 3))


def in_place_statements(net: Any, h: Tensor) -> Tensor:
    values = net.a(h)
    values.add_(net.b(h))
    values.relu_()
    return values.flatten(2).mean(-1)


def joined(net: Any, h: Tensor) -> Tensor:
    return torch.cat([net.a(h), net.b(h)], 1)


def added(net: Any, h: Tensor) -> Tensor:
    values: Tensor = net.a(h) + net.b(h)
    return values


def gated(net: Any, h: Tensor) -> Tensor:
    values: Tensor = net.a(h) * net.b(h).sigmoid()
    return values


#: What `forward` does with the stem's output, and what the pooling is given, (N, C, h, w).
JOINS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "concatenated": (
        lambda net, h: torch.cat([net.a(h), net.b(h)], 1).mean((2, 3)),
        joined,
    ),
    "added": (
        lambda net, h: functional.adaptive_avg_pool2d(net.a(h) + net.b(h), 1).flatten(1), added
    ),
    "added, then a ReLU": (
        lambda net, h: functional.relu(net.a(h) + net.b(h)).mean([2, 3]), lambda net, h: (net.a(h) + net.b(h)).relu()
    ),
    "in place": (in_place, lambda net, h: (net.a(h) + net.b(h)).relu()),
    "in place, as statements": (in_place_statements, lambda net, h: (net.a(h) + net.b(h)).relu()),
    "largest values": (lambda net, h: (net.a(h) + net.b(h)).amax((2, 3)), added),
    "two poolings": (
        lambda net, h: (lambda y: torch.cat([y.amax((2, 3)), y.mean((2, 3))], 1))(net.a(h) + net.b(h)),
        added,
    ),
    "flattened": (lambda net, h: (net.a(h) + net.b(h)).flatten(1), added),
    "viewed": (
        lambda net, h: (net.a(h) + net.b(h)).view(len(h), 8, -1).mean(-1), added
    ),
    "pooled, then flattened": (
        lambda net, h: functional.avg_pool2d((net.a(h) + net.b(h)).relu(), 2).flatten(1),
        lambda net, h: (net.a(h) + net.b(h)).relu(),
    ),
    "u-shaped": (lambda net, h: (net.up(net.a(h)) + h).mean((2, 3)), lambda net, h: net.up(net.a(h)) + h),
    "gated": (lambda net, h: (net.a(h) * net.b(h).sigmoid()).mean((2, 3)), gated),
    "tokens": (
        lambda net, h: (net.a(h) + net.b(h)).flatten(2).transpose(1, 2).mean(1), added
    ),
    "stacked": (
        lambda net, h: torch.stack([net.a(h), net.b(h)]).sum(0).mean((2, 3)), added
    ),
}  # fmt: skip


def made(join: Callable[..., Tensor], seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lazy modules say that they are new
        network = Parts(join)
        network(torch.zeros(1, 3, 32, 32))
    return Classifier(network.eval(), input_size=32)


def pixels(seed: int = 1) -> Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", JOINS)
def test_what_is_pooled_is_a_layer_and_the_default(name: str) -> None:
    join, pooled = JOINS[name]
    classifier = made(join)
    assert classifier.default_layer == "pooled" == classifier.layers[-1].name
    assert classifier.notes == ()
    network, picture = classifier.network, pixels()
    tape = Tape(classifier, picture)
    expected = pooled(network, network.stem(picture)).detach()
    torch.testing.assert_close(tape.activations["pooled"], expected)
    assert classifier.layer("pooled").shape == expected.shape[1:]
    assert tape.gradient("pooled", 2).any()
    passes_on_everything(classifier)
    if name in ("concatenated", "added", "added, then a ReLU", "in place", "u-shaped"):
        cam = CAM()(classifier, picture, 1).cells
        np.testing.assert_allclose(HiResCAM(relu=False)(classifier, picture, 1).cells * cam.size, cam, atol=1e-5)


def passes_on_everything(classifier: Classifier) -> None:
    """With what the default layer is for one picture, every picture has that one's scores."""
    layer, (first, second) = classifier.default_layer, (pixels(1), pixels(2))
    with torch.no_grad(), classifier.recording(layer) as outputs:
        expected = classifier.logits(first)
    kept = outputs[layer].clone()
    with torch.no_grad():
        assert (classifier.logits(second) - expected).abs().max() > 1e-4
        with classifier.watching([layer], lambda *_: kept):
            torch.testing.assert_close(classifier.logits(second), expected)


def test_gradients_of_what_is_pooled_are_those_of_the_textbook() -> None:
    classifier = made(JOINS["in place"][0])
    network, picture = classifier.network, pixels()
    values = JOINS["in place"][1](network, network.stem(picture)).detach().requires_grad_()
    (expected,) = torch.autograd.grad(network.head(values.mean((2, 3)))[0, 3], values)
    torch.testing.assert_close(Tape(classifier, picture).gradient("pooled", 3), expected)


def test_what_is_pooled_is_a_layer_like_any_other() -> None:
    classifier = made(JOINS["added, then a ReLU"][0])
    picture = pixels()
    expected = JOINS["added, then a ReLU"][1](classifier.network, classifier.network.stem(picture)).detach()
    np.testing.assert_allclose(activations(classifier, picture, "pooled").maps, expected[0], atol=1e-6)
    without = classifier.network.head(expected.index_fill(1, torch.tensor([3]), 0).mean((2, 3)))[0].detach()
    np.testing.assert_allclose(ablate(classifier, picture, "pooled", [3]), without, atol=1e-6)
    assert receptive_field(classifier, "pooled").size == (7, 7)
    assert np.isfinite(EigenCAM()(classifier, picture, 0).values).all()
    assert np.isfinite(ScoreCAM()(classifier, picture, 0).values).all()
    *_, patches = scan(classifier, source_of([np.zeros((32, 32, 3), np.uint8)] * 3), k=2)
    assert "pooled" in patches.layers
    session = Session(classifier)
    session.layer = "stem.0"
    session.layer = "pooled"
    assert session.layer == "pooled"
    with pytest.raises(LayerError, match="did you mean 'pooled'"):
        session.layer = "poled"
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in classifier.network.modules())


def test_several_pictures_and_passes_are_recorded() -> None:
    classifier = made(JOINS["concatenated"][0])
    batch = torch.cat([pixels(1), pixels(2), pixels(3)])
    expected = JOINS["concatenated"][1](classifier.network, classifier.network.stem(batch))
    with torch.no_grad(), classifier.recording("pooled", "a") as outputs:
        for part in (batch[:1], batch):
            classifier.logits(part)
    torch.testing.assert_close(outputs["pooled"], expected.detach())
    assert outputs["a"].shape == (3, 8, 8, 8)


def test_another_name_where_there_is_a_module_of_that_name() -> None:
    class Net(Parts):
        def __init__(self) -> None:
            super().__init__(JOINS["added"][0])
            self.pooled = nn.Linear(4, 4)

        def forward(self, values: Tensor) -> Tensor:
            return self.pooled(super().forward(values))

    network = Net()
    network.head = nn.Linear(8, 4)
    classifier = Classifier(network.eval(), input_size=32)
    assert classifier.default_layer == "pooled_1"


def test_two_branches_that_are_pooled_apart_begin_with_what_both_see() -> None:
    classifier = made(lambda net, h: net.a(h).mean((2, 3)) + net.b(h).mean((2, 3)))
    assert classifier.default_layer == "stem.1"
    passes_on_everything(classifier)


def test_where_no_layer_has_all_the_evidence_that_is_said() -> None:
    class TwoStems(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.head = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(3, 8, 5, 2), nn.Linear(16, 4)

        def forward(self, values: Tensor) -> Tensor:
            return self.head(torch.cat([self.one(values).mean((2, 3)), self.two(values).amax((2, 3))], 1))

    torch.manual_seed(0)
    classifier = Classifier(TwoStems(), input_size=32)
    assert classifier.default_layer == "two"
    assert ["No layer of this network has all the evidence" in note for note in classifier.notes] == [True]


def test_a_side_branch_behind_is_not_the_default() -> None:
    class Aside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.aside = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU()), nn.Conv2d(8, 8, 3)
            self.head = nn.Linear(8, 4)

        def forward(self, values: Tensor) -> Tensor:
            values = self.body(values)
            self.aside(values)
            return self.head(values.mean((2, 3)))

    classifier = Classifier(Aside(), input_size=32)
    assert classifier.default_layer == "body.1"
    assert classifier.layers[-1].name == "aside"


# -- compiled, parallel, traced and exported ---------------------------------------------------------------------


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU()

    def forward(self, values: Tensor) -> Tensor:
        return self.act(values + self.conv(values))


class Blocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU())
        self.body = nn.Sequential(Block(), nn.MaxPool2d(2), Block())
        self.head = nn.Linear(8, 4)

    def forward(self, values: Tensor) -> Tensor:
        return self.head(self.body(self.stem(values)).mean((2, 3)))


def blocks() -> Blocks:
    torch.manual_seed(0)
    return Blocks().eval()


def compile_body(network: Any) -> None:
    network.body = torch.compile(network.body, backend="eager")


def compile_inside(network: Any) -> None:
    network.body[2].conv = torch.compile(network.body[2].conv, backend="eager")
    network.body[0] = torch.compile(network.body[0], backend="eager")


def compile_in_place(network: Any) -> None:
    network.body.compile(backend="eager")


def compile_forward(network: Any) -> None:
    network.body.forward = torch.compile(network.body.forward, backend="eager")


def several_devices(network: Any) -> None:
    network.body = nn.DataParallel(network.body)


@pytest.fixture(scope="module")
def plain() -> Iterator[tuple[Classifier, np.ndarray, np.ndarray]]:
    classifier = Classifier(blocks(), input_size=32)
    yield (
        classifier,
        GradCAM(relu=False)(classifier, pixels(), 0).values,
        Occlusion(8, 8)(classifier, pixels(), 0).values,
    )


@pytest.mark.parametrize(
    "wrap",
    [compile_body, compile_inside, compile_in_place, compile_forward, several_devices],
    ids=lambda wrap: wrap.__name__,
)
def test_wrapped_parts_have_their_layers_and_are_left_as_they_are(
    wrap: Callable[[Any], None], plain: tuple[Classifier, np.ndarray, np.ndarray]
) -> None:
    network: Any = blocks()
    wrap(network)
    with torch.no_grad():
        network(pixels())
    before = {name: dict(vars(module)) for name, module in network.named_modules()}
    known, cam, occluded = plain
    classifier = Classifier(network, input_size=32)
    np.testing.assert_allclose(GradCAM(relu=False)(classifier, pixels(), 0).values, cam, atol=1e-6)
    np.testing.assert_allclose(Occlusion(8, 8)(classifier, pixels(), 0).values, occluded, atol=1e-6)
    if wrap is not several_devices:
        assert [layer.name for layer in classifier.layers] == [layer.name for layer in known.layers]
        assert classifier.default_layer == "body.2"
    for name, attributes in before.items():
        module = network.get_submodule(name)
        assert set(vars(module)) == set(attributes)
        assert all(vars(module)[key] is value for key, value in attributes.items())


def test_a_compiled_layer_has_the_name_of_its_state_too() -> None:
    network: Any = blocks()
    compile_body(network)
    classifier = Classifier(network, input_size=32)
    assert classifier.layer("body._orig_mod.0.conv") is classifier.layer("body.0.conv")
    assert classifier.layer("body._orig_mod") is classifier.layer("body") is classifier.layer("body.2")


def test_traced_networks(plain: tuple[Classifier, np.ndarray, np.ndarray]) -> None:
    classifier = Classifier(torch.fx.symbolic_trace(blocks()), input_size=32)
    assert classifier.default_layer == "body.2.act"
    np.testing.assert_allclose(GradCAM(relu=False)(classifier, pixels(), 0).values, plain[1], atol=1e-6)


def test_exported_networks_have_what_is_pooled(plain: tuple[Classifier, np.ndarray, np.ndarray]) -> None:
    known, cam, occluded = plain
    shapes = ({0: torch.export.Dim("n")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own making
        network = torch.export.export(blocks(), (torch.rand(2, 3, 32, 32),), dynamic_shapes=shapes).module()
        classifier = Classifier(network, input_size=32)
        assert [layer.name for layer in classifier.layers] == ["pooled"]
        np.testing.assert_allclose(GradCAM(relu=False)(classifier, pixels(), 0).values, cam, atol=1e-6)
        np.testing.assert_allclose(Occlusion(8, 8)(classifier, pixels(), 0).values, occluded, atol=1e-6)
        np.testing.assert_allclose(
            GuidedBackprop()(classifier, pixels(), 0).values, GuidedBackprop()(known, pixels(), 0).values, atol=1e-6
        )


def test_features_of_what_is_pooled() -> None:
    classifier = made(JOINS["concatenated"][0])
    batch = torch.cat([pixels(1), pixels(2)])
    features, _ = features_and_logits(classifier, batch, "pooled")
    expected = JOINS["concatenated"][1](classifier.network, classifier.network.stem(batch)).mean((2, 3))
    np.testing.assert_allclose(features, expected.detach(), atol=1e-6)
