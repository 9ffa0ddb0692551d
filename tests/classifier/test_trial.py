"""What a few passes tell: pictures that see each other, random networks, and what a network cannot be given."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets import explain
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.randomness import GeneratorStates, OwnRandomness, same_draws
from cnnviz_widgets.errors import ClassifierError, MethodError
from cnnviz_widgets.session import as_classifier

SIZE = (12, 16)


class Net(nn.Module):
    """A small network whose forward is `run(itself, pixels)`; `vector` and `scores` are its parts."""

    def __init__(self, run: Callable[[Any, Any], object] | None = None, channels: int = 3) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.body = nn.Sequential(nn.Conv2d(channels, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
            self.head = nn.Linear(8, 5)
            self.lstm = nn.LSTM(8, 8)
        self.run = run or Net.scores

    def vector(self, pixels: Tensor) -> Tensor:
        return self.body(pixels).mean((2, 3))

    def scores(self, pixels: Tensor) -> Tensor:
        return self.head(self.vector(pixels))

    def forward(self, pixels: Any) -> Any:
        return self.run(self, pixels)


def statistics(network: Net, pixels: Tensor) -> Tensor:
    values = functional.batch_norm(network.body[0](pixels), None, None, training=True)
    return network.head(values.relu().mean((2, 3)))


def attention(network: Net, pixels: Tensor) -> Tensor:
    vector = network.vector(pixels)
    return network.head(torch.softmax(vector @ vector.T, dim=1) @ vector)


MIXING: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "batch statistics": statistics,
    "attention over the batch": attention,
    "recurrence over the batch": lambda net, x: net.head(net.lstm(net.vector(x))[0]),
    "softmax over the batch": lambda net, x: net.scores(x).softmax(0),
    "divided by the largest": lambda net, x: net.scores(x / x.abs().max()),
    "less the smallest": lambda net, x: net.scores(x - x.min()),
    "less the mean": lambda net, x: net.scores(x - x.mean()),
    "less a little of the mean": lambda net, x: net.scores(x - 0.05 * x.mean()),
    "divided by the deviation": lambda net, x: net.scores(x / x.std()),
    "less the mean of the scores": lambda net, x: (lambda y: y - y.mean(0))(net.scores(x)),
    "divided by the number": lambda net, x: net.scores(x) / len(x),
    "in another order": lambda net, x: net.scores(x).flip(0),
    "the neighbour's": lambda net, x: net.scores(x + 0.1 * x.roll(1, 0)),
    "the one before": lambda net, x: net.scores(x + torch.cat([0 * x[:1], x[:-1]])),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", MIXING)
def test_pictures_that_see_each_other_are_run_by_themselves(name: str, dtype: torch.dtype) -> None:
    network = Net(MIXING[name]).to(dtype).eval()
    classifier = Classifier(network, input_size=SIZE)
    assert classifier.one_at_a_time
    (note,) = classifier.notes
    assert "change with those that Net runs beside it" in note
    pixels = torch.rand(3, 3, *SIZE)
    with torch.no_grad():
        expected = torch.cat([network(one.to(dtype)) for one in pixels.split(1)]).float()
        torch.testing.assert_close(classifier.logits(pixels), expected)


def quantised() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(Net().eval(), {nn.Linear}, dtype=torch.qint8)


def observed() -> nn.Module:
    """Calibrated; its observers go on moving."""
    network = nn.Sequential(Net())
    network.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    prepared = torch.ao.quantization.prepare(network.eval())
    prepared(torch.rand(4, 3, *SIZE))
    return prepared


def statically_quantised() -> nn.Module:
    network = nn.Sequential(torch.ao.quantization.QuantStub(), *Net().body, torch.ao.quantization.DeQuantStub())
    network = nn.Sequential(network, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)).eval()
    network[0].qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    torch.ao.quantization.prepare(network, inplace=True)(torch.rand(4, 3, *SIZE))
    return torch.ao.quantization.convert(network, inplace=True)


def untrained(name: str) -> Callable[[], nn.Module]:
    return lambda: torchvision.models.get_model(name, weights=None, num_classes=10)


HONEST: dict[str, Callable[[], nn.Module]] = {
    "float32": Net,
    "float64": lambda: Net().double(),
    "bfloat16": lambda: Net().bfloat16(),
    "float16": lambda: Net().half(),
    "int8": quantised,
    "static int8": statically_quantised,
    "observers": observed,
    "batch norm in train mode": lambda: Net().train(),
    "scores that hardly move": lambda: Net(lambda net, x: 1e-4 * net.scores(x) + 10),
    "scores that do not move": lambda: Net(lambda net, x: 0 * net.scores(x) + 3),
    "squeezed": lambda: Net(lambda net, x: net.scores(x).squeeze()),
    "one score": lambda: Net(lambda net, x: net.scores(x)[:, 0]),
    "mnasnet": untrained("mnasnet0_5"),
    "bfloat16 shufflenet": lambda: untrained("shufflenet_v2_x0_5")().bfloat16(),
}


@pytest.mark.filterwarnings("ignore:.*torch.ao.quantization is deprecated", "ignore:.*quantize", "ignore:.*observer")
@pytest.mark.parametrize("name", HONEST)
def test_rounding_is_not_taken_for_it(name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = HONEST[name]()
    classifier = Classifier(network, input_size=64)
    assert not classifier.one_at_a_time and not any("by itself" in note for note in classifier.notes)


@pytest.mark.parametrize(
    "run",
    [
        lambda net, x: net.head(net.vector(x).view(1, -1)),
        lambda net, x: net.scores(x)[0],
        lambda net, x: net.scores(x)[:1],
        lambda net, x: net.scores(x).mean(0),
        lambda net, x: net.scores(x.view(1, 3, *SIZE)),
        lambda net, x: net.scores(x) if len(x) == 1 else 1 / 0,
    ],
)
def test_a_network_that_takes_one_picture(run: Any) -> None:
    network = Net(run).eval()
    classifier = Classifier(network, input_size=SIZE)
    assert classifier.one_at_a_time and classifier.notes[0].startswith("Net cannot run two pictures together (")
    pixels = torch.rand(3, 3, *SIZE)
    expected = torch.stack([network(one).flatten() for one in pixels.split(1)])
    torch.testing.assert_close(classifier.logits(pixels), expected)


# -- random networks -----------------------------------------------------------------------------------------------

RANDOM: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "dropout": lambda net, x: net.head(functional.dropout(net.vector(x), 0.5, training=True)),
    "a little dropout": lambda net, x: functional.dropout(net.scores(x), 0.1, training=True),
    "noise": lambda net, x: net.scores(x + torch.rand_like(x)),
    "numpy": lambda net, x: net.scores(x) + float(np.random.rand()),
    "python": lambda net, x: net.scores(x) + random.random(),
    "dropout and batch statistics": lambda net, x: functional.dropout(statistics(net, x), 0.3, training=True),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", RANDOM)
def test_a_random_network_is_given_the_same_numbers(name: str, seed: int) -> None:
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    before = GeneratorStates(torch.device("cpu"), OwnRandomness())
    classifier = Classifier(Net(RANDOM[name]).eval(), input_size=SIZE)
    (note,) = classifier.notes
    assert note.startswith("Net is random in eval mode") and "% of their range" in note and "other maps" in note
    pixels = torch.rand(3, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    logits = classifier.logits(pixels)
    assert torch.equal(classifier.logits(pixels), logits)
    assert torch.equal(classifier.logits(pixels[1:2]), logits[1:2])
    assert not before.moved


@pytest.mark.parametrize("mixing", [False, True])
def test_a_network_with_random_numbers_of_its_own(mixing: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    run = statistics if mixing else Net.scores
    network = Net(lambda net, x: run(net, x) + 0.01 * torch.randn(len(x), 5, generator=generator)).eval()
    classifier = Classifier(network, input_size=SIZE)
    assert "so that a part of each map is noise" in classifier.notes[0]
    assert classifier.one_at_a_time is mixing and len(classifier.notes) == 1 + mixing


def test_numbers_that_do_not_matter() -> None:
    classifier = Classifier(Net(lambda net, x: net.scores(x) + 0 * torch.rand(1)).eval(), input_size=SIZE)
    assert not classifier.one_at_a_time and classifier.notes == ()


def test_the_same_draws() -> None:
    def drawn() -> list[float]:
        return [float(torch.rand(1)), float(np.random.rand()), random.random()]

    own = OwnRandomness()
    with own, same_draws(own):
        first = drawn()
    between = drawn()
    before = GeneratorStates(torch.device("cpu"), OwnRandomness())
    with own, same_draws(own):
        assert drawn() == first != between
        assert before.moved
    assert not before.moved and own.used
    following = drawn()
    assert before.moved
    before.restore()
    assert drawn() == following


# -- what a network checks, changes and wants ----------------------------------------------------------------------


def checked(low: float, high: float) -> nn.Module:
    def run(network: Net, pixels: Tensor) -> Tensor:
        if pixels.min() < low or pixels.max() > high:
            raise AssertionError("values out of range")
        return network.scores(pixels)

    return Net(run)


def normalised(image: Any) -> Tensor:
    return torchvision.transforms.functional.to_tensor(image) * 2 - 1


def test_a_network_that_checks_its_input() -> None:
    assert Classifier(checked(0, 1), input_size=SIZE).notes == ()
    with pytest.raises(ClassifierError, match=r"values out of range\); check its forward, and `preprocess`"):
        Classifier(checked(2, 3))

    def negative(network: Net, pixels: Tensor) -> Tensor:
        if not pixels.min() < 0:
            raise ValueError("normalise it")
        return network.scores(pixels)

    assert Classifier(Net(negative), normalised, input_size=SIZE).notes == ()
    with pytest.raises(ClassifierError, match="normalise it"):
        Classifier(Net(negative), input_size=SIZE)


@pytest.mark.parametrize("limit", [0.5, 0.9])
def test_a_network_that_refuses_some_pictures(limit: float) -> None:
    def run(network: Net, pixels: Tensor) -> Tensor:
        if pixels.flatten(1).amax(1).min() < limit:
            raise RuntimeError("too dark")
        return statistics(network, pixels)

    assert Classifier(Net(run), input_size=SIZE).one_at_a_time


def test_the_input_is_left_as_it_is() -> None:
    classifier = Classifier(Net(lambda net, x: net.scores(x.mul_(0).add_(1))), input_size=SIZE)
    pixels = torch.rand(2, 3, *SIZE)
    for given in (pixels, pixels.clone().requires_grad_(), pixels.double(), pixels[:1].expand(4, -1, -1, -1)):
        before = given.detach().clone()
        classifier.logits(given)
        assert torch.equal(given, before)
    with torch.inference_mode():
        classifier.logits(inside := torch.ones(1, 3, *SIZE) / 2)
        assert bool((inside == 0.5).all())


def hooking(network: Net, pixels: Tensor) -> Tensor:
    maps = network.body(pixels)
    maps.register_hook(lambda gradient: None)
    return network.head(maps.mean((2, 3)))


def differentiating(network: Net, pixels: Tensor) -> Tensor:
    maps = network.body(pixels)
    scores = network.head(maps.mean((2, 3)))
    return network.head((maps * torch.autograd.grad(scores.sum(), maps)[0]).mean((2, 3)))


@pytest.mark.parametrize("run", [hooking, differentiating])
@pytest.mark.parametrize("caller", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_a_network_that_needs_gradients_in_its_forward(run: Any, caller: Callable[[], Any]) -> None:
    network = Net(run)
    with caller():
        classifier = Classifier(network, input_size=SIZE)
        pixels = torch.rand(2, 3, *SIZE)
        logits = classifier.logits(pixels)
        assert classifier.layers and classifier.default_layer.startswith(("body", "pooled"))
    expected = network.eval()(pixels.clone().requires_grad_()).detach()
    torch.testing.assert_close(logits.detach().clone(), expected)
    assert logits.requires_grad is (caller is torch.enable_grad)
    assert classifier.notes == () and all(weight.grad is None for weight in network.parameters())


def unpacking(network: Net, batch: Any) -> Tensor:
    pixels, _ = batch
    return network.scores(pixels)


def with_forward(forward: Callable[..., object]) -> nn.Module:
    return type("Net", (Net,), {"forward": forward})()


def hidden_hook(network: Net, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        return hooking(network, pixels)


#: Networks, and words of the mend; that of another size is none of them.
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "two inputs": (lambda: with_forward(lambda self, x, meta: self.scores(x)), "wrap it .* fills in its other arg"),
    "three": (lambda: with_forward(lambda self, x, a, b: self.scores(x)), "'a' and 'b'.*wrap it"),
    "by keyword": (lambda: with_forward(lambda self, *, image: self.scores(image)), "wrap it .* fills in its other"),
    "a dict": (lambda: Net(lambda net, x: net.scores(x["image"])), "wrap it .* the dict, list or tensors"),
    "an attribute": (lambda: Net(lambda net, x: net.scores(x.image)), "wrap it .* the dict, list or tensors"),
    "items": (lambda: Net(lambda net, x: net.scores(dict(**x)["image"])), "wrap it .* the dict, list or tensors"),
    "a pair": (lambda: Net(unpacking), "wrap it .* the dict, list or tensors"),
    "a list": (lambda: Net(lambda net, x: net.scores(x[0]) + net.scores(x[1])), "wrap it .* the dict, list or tensors"),
    "tokens": (lambda: nn.Sequential(nn.Embedding(9, 3), nn.Conv2d(3, 4, 3)), "wrap it .* makes of them what it takes"),
    "a hook without gradients": (lambda: Net(hidden_hook), "remove `register_hook`"),
    "mixed types": (lambda: nn.Sequential(Net().body, nn.Flatten(), nn.Linear(8 * 48, 3).half()), r"its `\.float\(\)`"),
    "a bug": (lambda: Net(lambda net, x: net.fc(x)), "has no attribute 'fc'.; mend its forward"),
    "a name": (lambda: Net(lambda net, x: undefined(x)), "not defined.; mend its forward"),  # type: ignore[name-defined]  # noqa: F821
    "batch statistics of one": (
        lambda: nn.Sequential(Net(Net.vector), nn.BatchNorm1d(8, track_running_stats=False)),
        "`track_running_stats=True`",
    ),
    "two at least": (
        lambda: Net(lambda net, x: net.head((v := net.body(x).mean((2, 3), True).squeeze()).view(v.shape[0], -1))),
        r"takes two pictures but not a single one.*as `flatten\(1\)` does",
    ),
    "an own complaint": (lambda: Net(lambda net, x: 1 // 0), "check its forward, and `preprocess`"),
    "a detector": (lambda: torchvision.models.detection.ssdlite320_mobilenet_v3_large(None, weights_backbone=None),
                   "it is a detector"),
    "nothing": (lambda: Net(lambda net, x: None), "end its forward with `return`"),
    "words": (lambda: Net(lambda net, x: ["cat"] * len(x)), "not a list; wrap it"),
    "arrays": (lambda: Net(lambda net, x: net.scores(x).detach().numpy()), r"without `\.numpy\(\)`"),
    "signals": (lambda: nn.Sequential(nn.Conv1d(3, 4, 3)), "no 2-D convolution"),
    "volumes": (lambda: nn.Sequential(nn.Conv3d(3, 4, 3)), "no 2-D convolution"),
    "a state": (lambda: Net().state_dict(), "these are weights: make the network, call its `load_state_dict`"),
    "a checkpoint": (lambda: {"epoch": 3, "state_dict": Net().state_dict()}, "its item 'state_dict' holds weights"),
    "a saved network": (lambda: {"epoch": 3, "net": Net()}, "pass its item 'net'"),
    "an estimator": (LogisticRegression, "not LogisticRegression; only the layers of a torch network"),
    "a class": (lambda: Net, "not type; call it"),
    "a trainer": (lambda: type("Trainer", (), {"model": Net()})(), r"not Trainer; pass its `\.model`"),
    "a program": (lambda: torch.export.export(Net().eval(), (torch.rand(1, 3, 64, 64),)), "that it was exported from"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [Classifier, as_classifier])
@pytest.mark.parametrize("name", WRONG)
def test_the_sentence_names_what_helps(name: str, make: Callable[[Any], Classifier]) -> None:
    build, mend = WRONG[name]
    with pytest.raises(ClassifierError, match=mend) as caught:
        make(build())
    text = str(caught.value)
    assert "input_size" not in text and "usual input sizes" not in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("size", [40, (24, 40)])
def test_the_size_is_named_where_it_helps(size: Any) -> None:
    def run(network: Net, pixels: Tensor) -> Tensor:
        assert pixels.shape[-1] == 40
        return network.scores(pixels)

    with pytest.raises(ClassifierError, match=r"none of the usual input sizes; give `input_size`"):
        Classifier(Net(run))
    assert Classifier(Net(run), input_size=size).input_size[1] == 40


def test_networks_inside_others() -> None:
    learner = type("Learner", (), {"model": Net(), "dls": object()})()
    assert Classifier(learner).network is learner.model
    assert as_classifier(learner).network is learner.model
    traced = torch.fx.symbolic_trace(nn.Sequential(*Net().body, nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    assert Classifier(traced, input_size=SIZE).layers


@pytest.mark.filterwarnings("ignore")
def test_a_quantised_network() -> None:
    classifier = Classifier(statically_quantised(), input_size=64)
    pixels = torch.rand(1, 3, 64, 64)
    assert explain.Occlusion(window=16, stride=16)(classifier, pixels, 1).values.std() > 0
    # The last layer is what comes out of integer arithmetic; behind it there are gradients, before it none.
    assert explain.GradCAM(relu=False)(classifier, pixels, 1).values.any()
    with pytest.raises(MethodError, match="use Occlusion or RISE"):
        explain.Saliency()(classifier, pixels, 1)


def test_a_convolution_may_be_a_function() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(4, 1, 3, 3))

        def forward(self, pixels: Tensor) -> Tensor:
            return functional.conv2d(pixels, self.weight).mean((2, 3))

    classifier = Classifier(Functional(), input_size=SIZE)
    assert classifier.channels == 1
    assert [layer.name for layer in classifier.layers] == ["pooled"]


def test_hugging_face() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(
        depths=[1, 1], hidden_sizes=[8, 16], embedding_size=8, num_labels=5, output_hidden_states=True
    )
    network = transformers.ResNetForImageClassification(config)
    classifier = Classifier(network, input_size=64)
    pixels = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(classifier.logits(pixels), network.eval()(pixel_values=pixels).logits)
    assert not any("by itself" in note for note in classifier.notes) and classifier.output == ("logits",)
    with pytest.raises(ClassifierError, match="returns features, output='pooler_output'"):
        Classifier(transformers.ResNetModel(config), input_size=64)


def test_it_costs_one_pass_of_two_pictures() -> None:
    calls: list[int] = []

    def counted(network: Net, pixels: Tensor) -> Tensor:
        calls.append(len(pixels))
        return network.scores(pixels)

    Classifier(Net(counted), input_size=SIZE)
    # The second is the network itself, with which its shadow is compared, and shows that it answers the same again.
    assert calls == [1, 1, 1, 2]


def test_buffers_and_weights_are_left_as_they_are() -> None:
    network = copy.deepcopy(Net()).train()
    before: Mapping[str, Tensor] = {name: value.clone() for name, value in network.state_dict().items()}
    Classifier(network, input_size=SIZE)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training
