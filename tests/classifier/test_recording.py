"""What is recorded of a layer is what it computed, part of the graph, and nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from cnnviz_widgets.classifier import Classifier, Layer
from cnnviz_widgets.errors import ClassifierError, LayerError

PATIENCE = 20.0


def picture(classifier: Classifier, count: int = 1) -> Tensor:
    return torch.randn(count, classifier.channels, *classifier.input_size, generator=torch.Generator().manual_seed(1))


class Odd(nn.Module):
    """In-place steps, a module called three times, one with two names, and functions in between."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.same = nn.Identity()
        self.other_name = self.again
        self.never = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.relu(self.conv(pixels))
        for _ in range(3):
            values = self.again(values)
            values += 1
        values = self.same(self.relu(values))
        return self.head(values.mul_(2).mean(dim=(2, 3)))


@pytest.fixture
def odd() -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Classifier(Odd(), input_size=(9, 12))


def test_names_of_repeated_calls_and_aliases(odd: Classifier) -> None:
    names = [layer.name for layer in odd.layers]
    assert names == ["conv", "relu#1", "again#1", "again#2", "again", "relu", "pooled"]
    assert [layer.aliases for layer in odd.layers] == [
        (), (), ("other_name#1",), ("other_name#2",), ("other_name",), ("same",), ()
    ]  # fmt: skip
    assert odd.layer("same") is odd.layer("relu") is odd.layers[-2]
    assert odd.layer("other_name#2").name == "again#2"
    assert odd.default_layer == "pooled"
    assert odd.layers[0] == Layer("conv", "Conv2d", (4, 9, 12), (1, 1), "convolution", (), (("conv", "conv", 0),))


def step_by_step(network: Odd, pixels: Tensor) -> dict[str, Tensor]:
    """The textbook version of the forward pass of `Odd`, nothing in place."""
    outputs = {"conv": network.conv(pixels)}
    values = outputs["relu#1"] = functional.relu(outputs["conv"])
    for name in ("again#1", "again#2", "again"):
        outputs[name] = network.again(values)
        values = outputs[name] + 1
    outputs["relu"] = functional.relu(values)
    outputs["logits"] = network.head((outputs["relu"] * 2).mean(dim=(2, 3)))
    return outputs


@pytest.mark.parametrize("early", [True, False], ids=["pixels with gradient", "pixels without"])
def test_records_and_their_gradients_equal_those_of_the_textbook(odd: Classifier, early: bool) -> None:
    pixels = picture(odd).requires_grad_(early)
    names = ["conv", "relu#1", "other_name#1", "again#2", "again", "relu", "same"]
    with odd.recording(*names) as outputs:
        logits = odd.logits(pixels)
    expected = step_by_step(odd.network, picture(odd).requires_grad_())
    expected["other_name#1"], expected["same"] = expected["again#1"], expected["relu"]
    assert list(outputs) == names
    for name in names:
        assert torch.equal(outputs[name], expected[name]), name
    assert torch.equal(logits, expected["logits"])
    gradients = torch.autograd.grad(logits[0, 1], [outputs[name] for name in names])
    textbook = torch.autograd.grad(expected["logits"][0, 1], [expected[name] for name in names])
    for name, ours, theirs in zip(names, gradients, textbook, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-7), name


def vgg() -> nn.Module:
    return nn.Sequential(*models.vgg.make_layers([8, "M", 8, 8, "M"], batch_norm=True), nn.AdaptiveAvgPool2d(1))


def densenet() -> nn.Module:
    return models.DenseNet(4, (2, 2), 8, num_classes=5)


def resnet() -> nn.Module:
    return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=5)


@pytest.mark.parametrize("build", [vgg, densenet, resnet])
def test_records_equal_clones_of_a_naive_hook(build: Callable[[], nn.Module]) -> None:
    """Also where the next layer works in place."""
    torch.manual_seed(0)
    network = build().eval()
    classifier = Classifier(network, input_size=32)
    pixels = picture(classifier)
    naive: dict[str, list[Tensor]] = {}
    handles = [
        module.register_forward_hook(lambda _, __, output, n=n: naive.setdefault(n, []).append(output.clone()))
        for n, module in network.named_modules()
    ]
    logits = classifier.logits(pixels)
    for handle in handles:
        handle.remove()
    layers = [layer.name for layer in classifier.layers if layer.function is None]
    with torch.no_grad(), classifier.recording(*layers) as outputs:
        assert torch.equal(classifier.logits(pixels), logits)
    assert len(outputs) == len(layers)
    for key, output in outputs.items():
        module, _, call = key.partition("#")
        assert torch.equal(output, naive[module][int(call or 0) - 1]), key


def test_records_without_gradients_and_in_inference_mode(odd: Classifier) -> None:
    pixels = picture(odd)
    expected = step_by_step(odd.network, pixels)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode(), odd.recording("conv", "again") as outputs:
            odd.logits(pixels)
        assert not outputs["conv"].requires_grad
        assert torch.equal(outputs["conv"], expected["conv"])
        assert torch.equal(outputs["again"], expected["again"])


def test_layers_are_found_in_inference_mode() -> None:
    with torch.inference_mode():
        classifier = Classifier(Odd(), input_size=(9, 12))
        assert [layer.name for layer in classifier.layers][-2:] == ["relu", "pooled"]
    assert classifier.layer("relu").aliases == ("same",)


class Guarded(nn.Module):
    """A frozen backbone under `no_grad` or `inference_mode`, and a head that learns."""

    def __init__(self, guard: Callable[[], Any]) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))
        self.last = nn.Conv2d(4, 3, 3)
        self.guard = guard

    def forward(self, pixels: Tensor) -> Tensor:
        with self.guard():
            values = self.body(pixels)
        return self.last(values.clone()).mean(dim=(2, 3))


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_a_network_that_turns_gradients_off_itself(guard: Callable[[], Any]) -> None:
    classifier = Classifier(Guarded(guard), input_size=9)
    assert [layer.name for layer in classifier.layers] == (
        ["body.0", "body.1", "last"] if guard is torch.no_grad else ["body.0", "body.1", "body", "last"]
    )
    pixels = picture(classifier)
    with classifier.recording("body.0", "body.1", "last") as outputs:
        logits = classifier.logits(pixels)
    assert torch.equal(outputs["body.0"].relu(), outputs["body.1"])
    assert outputs["body.0"].min() < 0
    assert not outputs["body.1"].requires_grad
    (gradient,) = torch.autograd.grad(logits[0, 0], outputs["last"])
    assert gradient[0, 0].allclose(torch.full((5, 5), 1 / 25))


def test_nested_recordings_do_not_disturb_each_other(odd: Classifier) -> None:
    pixels = picture(odd)
    with odd.recording("conv", "again") as outer:
        with odd.recording("conv", "relu") as inner:
            logits = odd.logits(pixels)
        assert torch.equal(outer["conv"], inner["conv"])
        gradients = torch.autograd.grad(logits[0, 0], [outer["conv"], inner["conv"]])
        assert torch.equal(*gradients)
        outer.clear()
        inner.clear()
        odd.logits(pixels)
    assert set(outer) == {"conv", "again"}
    assert not inner


def test_each_pass_inside_the_block_is_recorded_anew(odd: Classifier) -> None:
    with torch.no_grad(), odd.recording("again#1", "again") as outputs:
        odd.logits(picture(odd, 2))
        first = dict(outputs)
        odd.logits(picture(odd, 3))
        assert outputs["again"].shape[0] == outputs["again#1"].shape[0] == 3
    odd.logits(picture(odd, 4))
    assert outputs["again"].shape[0] == 3
    assert first["again"].shape[0] == 2


def test_a_pass_that_broke_off_does_not_shift_the_calls_of_the_next(odd: Classifier) -> None:
    left = iter(["again#1", "again#2"])

    def stumble(*_: object) -> None:
        if next(left, None) == "again#2":
            raise RuntimeError("stumbled")

    _ = odd.layers

    handle = odd.network.again.register_forward_pre_hook(stumble)
    with torch.no_grad(), odd.recording("again#1", "again#2") as outputs:
        with pytest.raises(ClassifierError, match="stumbled"):
            odd.logits(picture(odd))
        odd.logits(picture(odd))
    handle.remove()
    expected = step_by_step(odd.network, picture(odd))
    assert torch.equal(outputs["again#1"], expected["again#1"])
    assert torch.equal(outputs["again#2"], expected["again#2"])


def test_passes_of_other_threads_are_not_recorded(odd: Classifier) -> None:
    odd.network.eval()
    failures: list[BaseException] = []
    pixels = picture(odd)
    fresh = Classifier(odd.network, input_size=(9, 12))

    def elsewhere() -> None:
        try:
            # Not through a classifier: as a training loop of the user's does it.
            odd.network(picture(odd, 5) * 100)
        except BaseException as error:
            failures.append(error)

    def interfere(*_: object) -> None:
        thread = threading.Thread(target=elsewhere)
        if threading.current_thread() is threading.main_thread():
            thread.start()
            thread.join(PATIENCE)
            assert not thread.is_alive()

    handle = odd.network.again.register_forward_pre_hook(interfere)
    with torch.no_grad(), odd.recording("conv", "again#2") as outputs:
        odd.logits(pixels)
    found = fresh.layers
    handle.remove()
    assert not failures
    assert [layer.name for layer in found] == [layer.name for layer in odd.layers]
    expected = step_by_step(odd.network, pixels)
    assert torch.equal(outputs["conv"], expected["conv"])
    assert torch.equal(outputs["again#2"], expected["again#2"])


class Lists(nn.Module):
    """Picks one of a list of tensors, which the network changes in place later."""

    def forward(self, items: list[Tensor], *, also: Tensor) -> Tensor:
        return items[-1] if also is not items[0] else also


def test_a_record_that_is_also_an_input_is_a_copy() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.pick = Lists()
            self.keyword = Lists()

        def forward(self, pixels: Tensor) -> Tensor:
            values = self.conv(pixels)
            picked = self.pick([values], also=pixels) + self.keyword([values], also=values)
            values *= 0
            return (picked + values).mean(dim=(2, 3))

    classifier = Classifier(Network(), input_size=8)
    with torch.no_grad(), classifier.recording("conv", "pick", "keyword") as outputs:
        classifier.logits(picture(classifier))
    for name in ("conv", "pick", "keyword"):
        assert torch.equal(outputs[name], classifier.network.conv(picture(classifier))), name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("again#9", "did you mean 'again#2'"),
        ("agian", "did you mean 'again"),
        ("xyz", "it has 'conv', 'relu#1', 'again#1'"),
        ("never", "has no layer 'never'"),
        ("head", "'head' of Odd has no spatial extent"),
        ("", "has no spatial extent"),
        (3, "has no layer 3"),
        (["conv"], "has no layer"),
    ],
)
def test_unknown_layers_are_refused(odd: Classifier, name: Any, sentence: str) -> None:
    with pytest.raises(LayerError, match=sentence):
        odd.layer(name)
    with pytest.raises(LayerError), odd.recording("conv", name):
        pass
