"""Any network that classifies pictures is taken as it is; anything else gets one clear sentence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision import models

from cnnviz_widgets.classifier import Classifier, Target
from cnnviz_widgets.errors import ClassifierError, TargetError


class Net(nn.Module):
    """A small network whose answer is `wrap` of its five logits."""

    def __init__(self, wrap: Callable[[Tensor], object] = lambda logits: logits, channels: int = 3) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(channels, 8, 3)
            self.head = nn.Linear(8, 5)
        self.wrap = wrap

    def forward(self, pixels: Tensor) -> Any:
        return self.wrap(self.head(self.conv(pixels).relu().mean(dim=(2, 3))))


def picture(count: int = 1, channels: int = 3) -> Tensor:
    return torch.randn(count, channels, 12, 16, generator=torch.Generator().manual_seed(1))


class Output(NamedTuple):
    hidden: Tensor
    logits: Tensor


class Answer(OrderedDict[str, Any]):
    """As those of Hugging Face: a dict and attributes in one."""

    def __getattr__(self, name: str) -> Any:
        return self[name] if name in self else super().__getattribute__(name)


def hidden(logits: Tensor) -> Tensor:
    return logits.new_ones(len(logits), 7)


ANSWERS: dict[str, Callable[[Tensor], object]] = {
    "tensor": lambda y: y,
    "tuple": lambda y: (y, None),
    "list": lambda y: [y],
    "tuple with other things": lambda y: (None, 3, y.sum(), y, {}),
    "nested": lambda y: ([{"x": y}], 1),
    "dict": lambda y: {"scores of mine": y, "maps": y[:, :, None, None].expand(-1, -1, 4, 4)},
    "dict with features": lambda y: {"features": hidden(y), "logits": y},
    "dict with out": lambda y: {"aux": hidden(y), "out": y},
    "named tuple": lambda y: Output(hidden(y), y),
    "object": lambda y: SimpleNamespace(hidden=hidden(y), logits=y),
    "object with a tuple": lambda y: SimpleNamespace(logits=(y,)),
    "Hugging Face": lambda y: Answer(loss=None, hidden=hidden(y), logits=y),
    "trailing ones": lambda y: y[:, :, None, None],
    "squeezed": lambda y: y.squeeze(),
    "half": lambda y: y.half().float(),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_scores_are_found_in_the_answer(name: str) -> None:
    classifier = Classifier(Net(ANSWERS[name]), input_size=(12, 16))
    expected = Net()(picture(4))
    for count in (1, 4):
        logits = classifier.logits(picture(4)[:count])
        assert logits.dtype == torch.float32
        assert torch.allclose(logits, expected[:count], atol=1e-2 if name == "half" else 1e-6)
    assert classifier.logits(picture(4)[:0]).shape == (0, 5) or name == "squeezed"
    assert classifier.class_names == tuple(f"class {index}" for index in range(5))


@pytest.mark.parametrize("wrap", [lambda y: y[:, :1], lambda y: y[:, 0], lambda y: y[:, :1].squeeze()])
def test_a_single_score(wrap: Callable[[Tensor], Tensor]) -> None:
    classifier = Classifier(Net(wrap), input_size=(12, 16))
    expected = Net()(picture(3))[:, :1]
    for count in (1, 3):
        assert torch.allclose(classifier.logits(picture(3)[:count]), expected[:count])
    assert torch.allclose(classifier.probabilities(picture(3)), expected.sigmoid())
    assert classifier.score(expected, 0).shape == (3,)


@pytest.mark.parametrize(
    ("wrap", "sentence"),
    [
        (lambda y: y[:, :, None, None].expand(-1, -1, 6, 8), r"not a tensor of shape \(1, 5, 6, 8\)"),
        (lambda y: {"out": y[:, :, None, None].expand(-1, -1, 6, 8)}, "not a dict"),
        (lambda y: y.argmax(dim=1), r"not a torch.int64 tensor of shape \(1,\)"),
        (lambda y: y.to(torch.complex64), "not a torch.complex64 tensor"),
        (lambda y: y[:, :0], r"not a tensor of shape \(1, 0\)"),
        (lambda y: torch.cat([y, y]), r"not a tensor of shape \(2, 5\)"),
        (lambda y: None, "not a NoneType"),
        (lambda y: "cat", "not a str"),
        (lambda y: y.detach().numpy(), "not a ndarray"),
        (lambda y: (), "not a tuple"),
        (lambda y: {"features": hidden(y), "head": y}, r"'features' \(1, 7\) or output='head' \(1, 5\); say which"),
        (lambda y: y * float("nan"), "NaN or infinite scores"),
        (lambda y: y / 0, "NaN or infinite scores"),
        (lambda y: 1 // 0, r"ZeroDivisionError: integer division.*\)"),
    ],
)
@pytest.mark.parametrize("size", [(12, 16), None])
def test_other_answers_are_refused(wrap: Any, sentence: str, size: Any) -> None:
    calls = []

    def counted(logits: Tensor) -> object:
        calls.append(logits)
        return wrap(logits)

    with pytest.raises(ClassifierError, match=sentence) as caught:
        Classifier(Net(counted), input_size=size)
    assert len(str(caught.value).splitlines()) == 1
    # What is wrong with the answer is not mended by other sizes; what the network raises may be.
    assert len(calls) == (1 if "Zero" not in sentence else 12 if size is None else 2)


def test_the_reason_that_the_network_gives_is_passed_on() -> None:
    with pytest.raises(ClassifierError, match=r"none of the usual input sizes.*224 x 224: RuntimeError: mat1 and mat2"):
        Classifier(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(7, 5)))
    with pytest.raises(ClassifierError, match=r"an input of shape \(1, 3, 12, 16\) \(RuntimeError: mat1 and mat2"):
        Classifier(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(7, 5)), input_size=(12, 16))


def test_running_out_of_memory_is_told_apart() -> None:
    classifier = Classifier(Net(), input_size=(12, 16))
    classifier.network.wrap = lambda _: torch.empty(2**60)
    with pytest.raises(ClassifierError, match="give it fewer or smaller pictures at once"):
        classifier.logits(picture())


def test_a_network_that_changes_its_mind() -> None:
    classifier = Classifier(Net(), input_size=(12, 16))
    classifier.network.head = nn.Linear(8, 6)
    with pytest.raises(ClassifierError, match="gave 6 scores, but 5 before; make a new Classifier"):
        classifier.logits(picture())


@pytest.mark.parametrize("shape", [(3, 12, 16), (12, 16), (1, 1, 3, 12, 16)])
def test_pixels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ClassifierError, match=r"takes pixels \(N, C, H, W\)"):
        Classifier(Net(), input_size=(12, 16)).logits(torch.zeros(shape))


# -- probabilities -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_softmax_at_the_end_is_recognised(dtype: torch.dtype) -> None:
    classifier = Classifier(Net(lambda y: y.repeat(1, 100).softmax(dim=1)).to(dtype), input_size=(12, 16))
    assert classifier.outputs_probabilities
    with torch.no_grad():
        expected = classifier.network(picture(2).to(dtype)).float()
    assert torch.allclose(classifier.probabilities(picture(2)), expected, rtol=0.02)


def test_a_probability_of_zero_stays_finite() -> None:
    classifier = Classifier(Net(lambda y: (y * 1e4).softmax(dim=1)), input_size=(12, 16))
    pixels = picture().requires_grad_()
    logits = classifier.logits(pixels)
    assert float(classifier.probabilities(logits.detach()).min()) == 0
    assert torch.isfinite(logits).all()
    assert torch.isfinite(torch.autograd.grad(logits.sum(), pixels)[0]).all()


@pytest.mark.parametrize("wrap", [lambda y: y, lambda y: 3 * y.abs() / y.abs().sum(dim=1, keepdim=True)])
def test_other_scores_are_no_probabilities(wrap: Callable[[Tensor], Tensor]) -> None:
    classifier = Classifier(Net(wrap), input_size=(12, 16))
    assert not classifier.outputs_probabilities
    assert torch.allclose(classifier.logits(picture()), wrap(Net()(picture())))


def test_scores_that_add_up_to_one_by_chance_are_no_probabilities() -> None:
    """For the picture that is tried first, but not for all."""
    first = Classifier(Net(), input_size=(12, 16))
    total = first.logits(first._trial_input()).abs().sum()
    classifier = Classifier(Net(lambda y: y.abs() / total), input_size=(12, 16))
    assert not classifier.outputs_probabilities
    assert classifier.logits(first._trial_input()).sum() == pytest.approx(1)


# -- kinds of networks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types(dtype: torch.dtype) -> None:
    classifier = Classifier(Net().to(dtype), input_size=(12, 16))
    assert classifier.dtype == dtype
    assert classifier.to_network(picture()).dtype == dtype
    pixels = picture().requires_grad_()
    logits = classifier.logits(pixels)
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, Net()(picture()), atol=2e-2)
    (gradient,) = torch.autograd.grad(logits[0, 0], pixels)
    assert gradient.dtype == torch.float32
    assert torch.allclose(classifier.logits(picture().double()), logits)
    with classifier.recording("conv") as outputs:
        classifier.logits(pixels)
    assert outputs["conv"].dtype == dtype


class Wrapper(nn.Module):
    """As what torch.compile returns, whose import alone takes seconds."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._orig_mod = network

    def forward(self, pixels: Tensor) -> Tensor:
        raise AssertionError("the wrapper was called")


def test_wrappers_are_taken_off() -> None:
    inner = Net()
    for wrapped in (nn.DataParallel(inner), Wrapper(inner), nn.DataParallel(Wrapper(inner))):
        classifier = Classifier(wrapped, input_size=(12, 16))
        assert classifier.network is inner
        assert classifier.name == "Net"
        assert [layer.name for layer in classifier.layers] == ["conv", "pooled"]


def scripted() -> nn.Module:
    return torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: nn.Linear(3, 4), "Linear has no 2-D convolution; pass a convolutional network"),
        (lambda: nn.Sequential(nn.Conv1d(3, 4, 3)), "no 2-D convolution"),
        (lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(5)), "lazy layers.*run it once"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.LazyBatchNorm2d()), "lazy layers.*run it once"),
        (lambda: Net().to("meta"), "on the meta device, without weights"),
        (scripted, "TorchScript, whose layers cannot be read"),
        (lambda: nn.DataParallel(scripted()), "TorchScript"),
        (lambda: models.resnet18, "needs a torch.nn.Module, not function"),
        (lambda: nn.Conv2d, "needs a torch.nn.Module, not type"),
        (lambda: Net().state_dict(), "needs a torch.nn.Module, not OrderedDict"),
        (lambda: None, "needs a torch.nn.Module, not NoneType"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(build: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence):
        Classifier(build())


def test_a_lazy_network_that_ran_once_is_taken() -> None:
    network = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(5))
    network(torch.zeros(2, 3, 20, 20))
    assert Classifier(network, input_size=20).channels == 3


def lenet(side: int, channels: int = 1) -> nn.Module:
    body = nn.Sequential(nn.Conv2d(channels, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 5), nn.MaxPool2d(2))
    cells = body(torch.zeros(1, channels, side, side)).numel()
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(cells, 10))


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3), (64, 3), (96, 1)])
def test_the_input_size_is_found(side: int, channels: int) -> None:
    classifier = Classifier(lenet(side, channels))
    assert classifier.input_size == (side, side)
    assert classifier.channels == channels


def test_a_network_of_any_size_gets_the_usual_one() -> None:
    assert Classifier(Net()).input_size == (224, 224)


def test_the_first_convolution_need_not_be_the_first_that_runs() -> None:
    class Reordered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.deep = nn.Conv2d(4, 5, 3)
            self.stem = nn.Conv2d(3, 4, 3)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.deep(self.stem(pixels)).mean(dim=(2, 3))

    classifier = Classifier(Reordered(), input_size=(12, 16))
    assert classifier.channels == 3
    preprocess = torchvision.transforms.ToTensor()
    assert Classifier(Reordered(), preprocess, input_size=(12, 16)).channels == 3


def test_pixels_are_not_changed_and_gradients_flow() -> None:
    classifier = Classifier(Net(), input_size=(12, 16))
    pixels = picture(2).requires_grad_()
    before = pixels.detach().clone()
    logits = classifier.logits(pixels)
    ours = torch.autograd.grad(logits[:, 2].sum(), pixels)[0]
    theirs = torch.autograd.grad(Net()(pixels)[:, 2].sum(), pixels)[0]
    assert torch.allclose(ours, theirs)
    assert torch.equal(pixels, before)
    assert pixels.grad is None


# -- names and targets ---------------------------------------------------------------------------------------------

NAMES = ["ant", "bee", "cat", "dog", "elk"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (NAMES, NAMES),
        (tuple(NAMES), NAMES),
        (np.array(NAMES), NAMES),
        (range(5), list("01234")),
        (dict(enumerate(NAMES)), NAMES),
        ({str(index): name for index, name in enumerate(NAMES)}, NAMES),
        ({name: index for index, name in enumerate(NAMES)}, NAMES),
        ({4: "elk", 1: "bee"}, ["class 0", "bee", "class 2", "class 3", "elk"]),
        ({}, [f"class {index}" for index in range(5)]),
        (["<script>alert(1)</script>", "b", "c", "d", ""], ["<script>alert(1)</script>", "b", "c", "d", ""]),
    ],
)
def test_class_names(names: Any, expected: list[str]) -> None:
    assert Classifier(Net(), class_names=names, input_size=12).class_names == tuple(expected)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (NAMES[:4], "`class_names` must be 5 names, one for each score of the network, not 4"),
        ([], "must be 5 names.*not 0"),
        ("abcde", "must be a list or a dict of 5 names, not a str"),
        (set(NAMES), "not a set"),
        (iter(NAMES), "not a list_iterator"),
        (5, "not a int"),
        ({5: "fox"}, "must map the indices 0 to 4 to names; 5: 'fox' is no such pair"),
        ({-1: "fox"}, "-1: 'fox' is no such pair"),
        ({"fox": "animal"}, "'fox': 'animal' is no such pair"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(names: Any, sentence: str) -> None:
    with pytest.raises(ClassifierError, match=sentence):
        Classifier(Net(), class_names=names, input_size=12)


def test_scores_of_targets() -> None:
    classifier = Classifier(Net(), class_names=NAMES, input_size=(12, 16))
    logits = classifier.logits(picture(3))
    for target in (2, np.int64(2), torch.tensor(2), "cat"):
        assert torch.equal(classifier.score(logits, target), logits[:, 2])  # type: ignore[arg-type]
        assert classifier.class_index(target) == 2
        assert type(classifier.class_index(target)) is int
    assert torch.equal(classifier.score(logits, Target(2, 4)), logits[:, 2] - logits[:, 4])
    assert torch.equal(classifier.score(logits, Target(1, 1)), torch.zeros(3))


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (5, "has classes 0 to 4; 5 is not one of them"),
        (-1, "has classes 0 to 4; -1 is not one of them"),
        ("cart", "no class 'cart'; did you mean 'cat'"),
        ("zebra crossing", "no class 'zebra crossing'; it has 'ant', 'bee', 'cat', 'dog', ..."),
        (1.0, "an index from 0 to 4 or a name, not 1.0"),
        (np.float32(1), "an index from 0 to 4 or a name"),
        (True, "not True"),
        (np.True_, "an index from 0 to 4"),
        (None, "not None"),
        (torch.tensor(1.5), "an index from 0 to 4"),
        (torch.zeros(300), "an index from 0 to 4"),
        ([1], r"not \[1\]"),
        (Target(1, 9), "9 is not one of them"),
        (Target("nobody", 1), "no class 'nobody'"),  # type: ignore[arg-type]
    ],
)
def test_unknown_targets_are_refused(target: Any, sentence: str) -> None:
    classifier = Classifier(Net(), class_names=NAMES, input_size=(12, 16))
    with pytest.raises(TargetError, match=sentence) as caught:
        classifier.score(torch.zeros(1, 5), target)
    assert len(str(caught.value)) < 200


def test_a_name_that_two_classes_share_is_refused() -> None:
    """As "crane", a bird and a machine in ImageNet."""
    classifier = Classifier(Net(), class_names=["crane", "bee", "cat", "crane", "elk"], input_size=(12, 16))
    with pytest.raises(TargetError, match="several classes 'crane'; give the index, one of 0, 3"):
        classifier.class_index("crane")
