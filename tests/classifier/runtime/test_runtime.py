"""Scores by ONNX Runtime are those of torch, and torch's again as soon as anything of the network is another."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.runtime import onnx_model, runtime, sessions
from cnnviz_widgets.errors import ClassifierError, EngineError, MissingExtra

SIZE = (64, 64)


class Small(nn.Module):
    """Convolutions, a batch norm that has learnt, a linear layer; `factor` is an attribute that scales the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)
        self.factor = 1.0
        self.options = {"shift": 0.0}
        with torch.no_grad():
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        values = torch.relu(self.norm(self.conv(pixels)))
        return self.factor * self.fc(values.mean((2, 3))) + self.options["shift"]


class Grown(Small):
    """The same, with an operation that has no ONNX form here."""

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels.cumsum(3))


def made(kind: type[Small] = Small, engine: Any = "onnxruntime") -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = kind()
    return Classifier(network.train(), input_size=SIZE, engine=engine)


def pictures(count: int) -> Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(count))


@torch.no_grad()
def by_torch(classifier: Classifier, pixels: Tensor) -> Tensor:
    return copy.deepcopy(classifier.network).eval()(pixels)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures ONNX Runtime was given, pass by pass."""
    given: list[int] = []
    run = sessions.run

    def counting(session: Any, pixels: Tensor) -> dict[str, Tensor]:
        given.append(len(pixels))
        return run(session, pixels)

    monkeypatch.setattr(sessions, "run", counting)
    return given


def agree(classifier: Classifier, count: int = 3) -> Tensor:
    """The logits, which are within 1e-4 of the range of what the network itself gives."""
    pixels = pictures(count)
    found, expected = classifier.logits(pixels), by_torch(classifier, pixels)
    assert found.shape == expected.shape and found.dtype == torch.float32
    assert float((found - expected).abs().max()) <= 1e-4 * float(expected.max() - expected.min())
    return found.detach()


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_scores_are_those_of_torch(count: int, runs: list[int]) -> None:
    classifier = made()
    runs.clear()
    agree(classifier, count)
    assert runs == [count]
    assert classifier.engine.name == "onnxruntime" and "by torch" in classifier.engine.reason
    assert str(classifier.engine).startswith("onnxruntime: ")


def test_the_network_is_left_as_it_was() -> None:
    classifier = made()
    before, modes = copy.deepcopy(classifier.network.state_dict()), [m.training for m in classifier.network.modules()]
    agree(classifier, 9)
    for name, value in classifier.network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert [module.training for module in classifier.network.modules()] == modes
    assert not any(module._forward_hooks for module in classifier.network.modules())


def write_data(network: Small) -> None:
    network.fc.weight.data[0] += 1


def write(network: Small) -> None:
    with torch.no_grad():
        network.norm.running_mean.add_(0.5)


def load(network: Small) -> None:
    network.load_state_dict({name: value * 1.5 for name, value in network.state_dict().items()})


def replace(network: Small) -> None:
    network.fc = nn.Linear(8, 5)


def scale(network: Small) -> None:
    network.factor = 3.0


def shift(network: Small) -> None:
    network.options["shift"] = 2.0


def override(network: Small) -> None:
    network.forward = types.MethodType(lambda self, pixels: Small.forward(self, pixels.flip(1)), network)


@pytest.mark.parametrize("change", [write, write_data, load, replace, scale, shift, override])
def test_a_change_of_the_network_is_noticed_at_once(change: Callable[[Small], None], runs: list[int]) -> None:
    classifier = made()
    before = agree(classifier)
    change(classifier.network)
    after = agree(classifier)
    assert not torch.allclose(before, after)
    runs.clear()
    agree(classifier)
    assert runs == [3] or classifier.engine.name == "torch"


def test_hooks_of_the_user_are_called_and_torch_runs_the_pass(runs: list[int]) -> None:
    classifier = made()
    agree(classifier)
    called = []
    handle = classifier.network.conv.register_forward_hook(lambda *_: called.append(1))
    runs.clear()
    classifier.logits(pictures(2))
    assert called and not runs
    assert classifier.engine.name == "torch" and "hooks" in classifier.engine.reason
    handle.remove()
    assert classifier.engine.name == "onnxruntime"
    runs.clear()
    agree(classifier)
    assert runs == [3]


def test_a_hook_that_changes_scores_changes_them() -> None:
    classifier = made()
    before = agree(classifier)
    handle = classifier.network.fc.register_forward_hook(lambda _, __, output: output * 2)
    torch.testing.assert_close(classifier.logits(pictures(3)), 2 * before, rtol=1e-4, atol=1e-5)
    handle.remove()


def test_what_is_watched_recorded_or_differentiated_is_torch_s(runs: list[int]) -> None:
    classifier = made()
    runs.clear()
    with classifier.recording("conv") as outputs:
        classifier.logits(pictures(2))
    assert outputs["conv"].shape[0] == 2
    pixels = pictures(2).requires_grad_()
    (gradient,) = torch.autograd.grad(classifier.logits(pixels)[:, 0].sum(), pixels)
    assert float(gradient.abs().max()) > 0
    with FlopCounterMode(display=False) as counter:
        classifier.logits(pictures(2))
    assert counter.get_total_flops() > 0
    assert not runs


def test_pictures_of_another_size_are_torch_s(runs: list[int]) -> None:
    classifier = made()
    runs.clear()
    pixels = torch.rand(1, 3, 48, 80)
    torch.testing.assert_close(classifier.logits(pixels).detach(), by_torch(classifier, pixels))
    assert classifier.logits(pictures(0)).shape == (0, 5)
    assert not runs


def test_numbers_that_are_none_raise_as_they_do_by_torch() -> None:
    classifier = made()
    with pytest.raises(ClassifierError, match="NaN"):
        classifier.logits(pictures(1) * float("nan"))


def test_what_has_no_form_is_refused_by_name_and_run_by_torch_where_either_will_do() -> None:
    with pytest.raises(EngineError, match="cumsum"):
        made(Grown)
    classifier = made(Grown, "auto")
    assert classifier.engine.name == "torch" and "cumsum" in classifier.engine.reason
    agree(classifier, 30)


def test_without_the_extra_nothing_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in [name for name in sys.modules if name.startswith("cnnviz_widgets.tracing.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"cnnviz-widgets\[fast\]"):
        made()
    classifier = made(engine="auto")
    agree(classifier, 30)
    assert classifier.engine.name == "torch" and "cnnviz-widgets[fast]" in classifier.engine.reason


def test_another_engine_than_there_is_is_refused() -> None:
    with pytest.raises(ClassifierError, match="'auto', 'torch', 'onnxruntime'"):
        made(engine="tensorrt")


def test_torch_if_that_is_asked_for(runs: list[int]) -> None:
    classifier = made(engine="torch")
    agree(classifier, 50)
    assert classifier.engine.name == "torch" and not runs


def test_a_model_that_answers_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    other = made(engine="torch")
    with torch.no_grad():
        other.network.fc.bias[0] += 0.1
    monkeypatch.setattr(runtime, "onnx_model", lambda _: onnx_model(other))
    with pytest.raises(EngineError, match="differ by"):
        made()
    classifier = made(engine="auto")
    assert classifier.engine.name == "torch" and "differ by" in classifier.engine.reason
    agree(classifier, 30)


def test_an_engine_that_fails_is_given_up_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = made()

    def failing(session: Any, pixels: Tensor) -> dict[str, Tensor]:
        raise RuntimeError("out of order")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "cnnviz_widgets"):
        patch.setattr(sessions, "run", failing)
        for _ in range(3):
            agree(classifier)
    assert len(caplog.messages) == 1 and "out of order" in caplog.messages[0]
    assert classifier.engine.name == "torch"


@pytest.mark.parametrize(("seconds", "engine"), [((3.0, 1.0), "onnxruntime"), ((1.0, 1.0), "torch")])
def test_the_quicker_engine_is_chosen_once_many_pictures_are_asked_for(
    seconds: tuple[float, float], engine: str, runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = runtime._tried
    monkeypatch.setattr(runtime, "_tried", lambda *given: (tried(*given)[0], *seconds))
    classifier = made(engine="auto")
    for _ in range(runtime.ENOUGH - 1):
        classifier.logits(pictures(1))
    assert not runs
    classifier.logits(pictures(1))
    runs.clear()
    agree(classifier)
    assert bool(runs) == (engine == "onnxruntime")
    assert classifier.engine.name == engine


def test_small_pictures_are_torch_s() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 30 * 30, 3))
    classifier = Classifier(network, input_size=32)
    assert classifier.engine.name == "torch" and "small" in classifier.engine.reason


class Shuffled(Small):
    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels) + torch.rand(1)


class Mixed(Small):
    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels - pixels.mean(0, keepdim=True))


@pytest.mark.parametrize("kind", [Shuffled, Mixed])
def test_what_is_random_or_mixes_pictures_is_torch_s(kind: type[Small]) -> None:
    assert made(kind, "auto").engine.name == "torch"
    with pytest.raises(EngineError):
        made(kind)


class Recording(Small):
    def forward(self, pixels: Tensor) -> Tensor:
        self.options["seen"] = self.options.get("seen", 0) + len(pixels)
        return super().forward(pixels)


def test_what_leaves_something_in_a_module_is_torch_s_unless_asked_otherwise(runs: list[int]) -> None:
    classifier = made(Recording, "auto")
    classifier.logits(pictures(runtime.ENOUGH))
    assert classifier.engine.name == "torch" and "leaves something" in classifier.engine.reason
    assert not runs
    assert made(Recording).engine.name == "onnxruntime"


def test_autocast_is_torch_s() -> None:
    classifier = made().with_autocast("bfloat16")
    assert classifier.engine.name == "torch" and "float32" in classifier.engine.reason


def test_copies_and_pickles_find_their_own_engine(runs: list[int]) -> None:
    classifier = made()
    for other in (copy.deepcopy(classifier), pickle.loads(pickle.dumps(classifier))):
        runs.clear()
        agree(other)
        assert runs[-1] == 3
        with torch.no_grad():
            other.network.fc.weight.zero_()
        agree(other)
    agree(classifier)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_runs_it_too() -> None:
    classifier = made()
    expected = agree(classifier)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            torch.set_num_threads(1)
            os.write(writing, classifier.logits(pictures(3)).detach().numpy().tobytes())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = np.frombuffer(pipe.read(), np.float32)
    os.waitpid(child, 0)
    np.testing.assert_allclose(found.reshape(3, 5), expected, rtol=1e-4, atol=1e-5)


def test_several_threads_at_once_get_each_its_own_scores() -> None:
    classifier = made()
    expected = {count: by_torch(classifier, pictures(count)) for count in range(1, 9)}
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda count: (count, classifier.logits(pictures(count))), [*expected] * 5))
    for count, logits in found:
        torch.testing.assert_close(logits.detach(), expected[count], rtol=1e-4, atol=1e-4)
