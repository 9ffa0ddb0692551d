"""Where the engine must stand aside, and what it must leave alone."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import network_lock
from cnnviz_widgets.explain import Occlusion
from cnnviz_widgets.explain.occlusion import occluder
from cnnviz_widgets.explain.occlusion.occluder import Occluder
from cnnviz_widgets.graph import boxes, engine, plan
from tests.support import networks
from tests.support.occluding import CLASSES, Box, Branching, Odd, hand_made, inputs, lively, slowly, spread

SIZE = (36, 40)
WINDOWS = [Box(top, left, 9, 8) for top in (0, 11, 27) for left in (0, 15, 32)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few windows of however small a picture, the engine is used if it can be."""
    monkeypatch.setattr(occluder, "_SOON", 1)
    monkeypatch.setattr(engine, "_MIN_PIXELS", 0)


class Plain(nn.Module):
    """What the engine is for; the others differ from it in one step."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, 2)
        )
        self.fc = nn.Linear(8, CLASSES)

    def between(self, values: Tensor) -> Tensor:
        return values

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fc(functional.relu(self.between(self.features(pixels))).mean((2, 3)))


class SqueezeExcite(Plain):
    def between(self, values: Tensor) -> Tensor:
        return values * values.mean((2, 3), keepdim=True).sigmoid()


class Attention(Plain):
    def between(self, values: Tensor) -> Tensor:
        cells = values.flatten(2).transpose(1, 2)
        return functional.scaled_dot_product_attention(cells, cells, cells).transpose(1, 2).reshape(values.shape)


class GroupNorm(Plain):
    def between(self, values: Tensor) -> Tensor:
        return functional.group_norm(values, 2)


class Upsampled(Plain):
    def between(self, values: Tensor) -> Tensor:
        return functional.interpolate(values, scale_factor=2, mode="bilinear")


class Reflected(Plain):
    def between(self, values: Tensor) -> Tensor:
        return functional.pad(values, (2, 1, 1, 2), mode="reflect")


class Transposed(Plain):
    def between(self, values: Tensor) -> Tensor:
        return values.transpose(2, 3).contiguous().cumsum(3)


class DataDependent(Plain):
    def between(self, values: Tensor) -> Tensor:
        return values * 2 if float(values.mean()) > 0 else values


class ThroughNumpy(Plain):
    """Numbers that no tensor operation sees."""

    def between(self, values: Tensor) -> Tensor:
        return values + torch.from_numpy(values.numpy(force=True).max(axis=(2, 3), keepdims=True))


class BatchInSizes(Plain):
    def between(self, values: Tensor) -> Tensor:
        token = torch.ones(len(values), 8, 1, values.shape[3])
        return torch.cat([values, token], 2)


class AmongTheBatch(Plain):
    """Gives each picture a score that depends on the others."""

    def between(self, values: Tensor) -> Tensor:
        return values - 0.5 * values.mean(0, keepdim=True)


class BatchStatistics(Plain):
    def between(self, values: Tensor) -> Tensor:
        return functional.batch_norm(values, None, None, training=True)


class Random(Plain):
    """Random at any time, but so little that it does not show."""

    def between(self, values: Tensor) -> Tensor:
        return values + 1e-9 * torch.rand_like(values)


class Uncopyable(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Observing(Plain):
    """Changes a buffer also in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(3))

    def between(self, values: Tensor) -> Tensor:
        self.seen[1:].add_(1)
        return values


class ViewChanged(Plain):
    def between(self, values: Tensor) -> Tensor:
        values[:, 2:5].mul_(0.5)
        return values


def classifier_of(kind: Callable[[], nn.Module]) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Classifier(lively(kind(), SIZE), input_size=SIZE)


def runner(classifier: Classifier) -> Occluder:
    return Occluder(classifier, *inputs(classifier))


def agree(classifier: Classifier, found: Tensor, windows: list[Box] = WINDOWS) -> None:
    expected = slowly(classifier, *inputs(classifier), windows)
    torch.testing.assert_close(found, expected, atol=1e-4 * spread(expected), rtol=0)


# -- networks that the engine does not fit -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [Plain, SqueezeExcite])
def test_it_is_used(kind: type[Plain]) -> None:
    classifier = classifier_of(kind)
    found = runner(classifier)
    agree(classifier, found.logits(WINDOWS))
    assert found._engine is not None


@pytest.mark.parametrize(
    "kind",
    [
        Attention, GroupNorm, Upsampled, Reflected, Transposed, DataDependent, ThroughNumpy, BatchInSizes,
        BatchStatistics, Uncopyable, Observing, ViewChanged,
    ],
)  # fmt: skip
def test_other_networks_give_the_same_result(kind: type[Plain]) -> None:
    classifier = classifier_of(kind)
    state = copy.deepcopy(classifier.network.state_dict())
    if kind is BatchStatistics:
        expected = slowly(classifier, *inputs(classifier), WINDOWS[:1])
        torch.testing.assert_close(runner(classifier).logits(WINDOWS[:1]), expected)
    else:
        agree(classifier, runner(classifier).logits(WINDOWS))
    for name, tensor in classifier.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


@pytest.mark.parametrize(
    "kind",
    [
        Attention, GroupNorm, Transposed, DataDependent, ThroughNumpy, BatchInSizes, AmongTheBatch, BatchStatistics,
        Random, Uncopyable, Observing, ViewChanged,
    ],
)  # fmt: skip
def test_it_stands_aside(kind: type[Plain]) -> None:
    found = runner(classifier_of(kind))
    found.logits(WINDOWS)
    assert found._engine is None


def test_windows_are_tried_before_the_engine_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that is too small shows only in windows: the picture itself comes out right."""
    monkeypatch.setattr(boxes, "_first_reading", lambda cells, stencil: -((-cells) // stencil.stride))
    classifier = classifier_of(Plain)
    found = runner(classifier)
    agree(classifier, found.logits(WINDOWS))
    assert found._engine is None


def test_small_work_is_left_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = classifier_of(Plain)
    for module, name, value in ((engine, "_MIN_PIXELS", 10**9), (plan, "_MIN_WORK", 1e12), (plan, "_MAX_BYTES", 10)):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            plan._plans.clear()
            found = runner(classifier)
            found.logits(WINDOWS)
            assert found._engine is None
    plan._plans.clear()


def test_a_few_windows_are_left_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occluder, "_SOON", len(WINDOWS))
    found = runner(classifier_of(Plain))
    for windows in [WINDOWS[:-1], *([window] for window in WINDOWS)]:
        found.logits(windows)
    assert found._engine is None
    found.logits(WINDOWS)
    assert found._engine is not None
    rested = runner(classifier_of(Plain))
    rested.prepare()
    assert rested._engine is not None
    agree(rested.classifier, rested.logits(WINDOWS[:1]), WINDOWS[:1])


def test_half_precision_and_autocast_are_left_to_the_network() -> None:
    classifier = classifier_of(Plain)
    found = runner(classifier)
    with torch.autocast("cpu", torch.bfloat16):
        found.logits(WINDOWS)
        assert found._engine is None
    cast = classifier.with_autocast("bfloat16")
    found = runner(cast)
    found.logits(WINDOWS)
    assert found._engine is None and cast not in plan._plans, "nothing was even prepared"
    half = Classifier(classifier_of(Plain).network.bfloat16(), input_size=SIZE)
    found = runner(half)
    found.logits(WINDOWS)
    assert found._engine is None


# -- the user's network and settings -----------------------------------------------------------------------


def test_the_network_is_left_as_it_was() -> None:
    classifier = classifier_of(Plain)
    network = classifier.network
    network.features[1].train()
    calls: list[nn.Module] = []
    network.features.register_forward_hook(lambda module, *_: calls.append(module))
    before = copy.deepcopy(network.state_dict())
    weights = {name: (weight, weight.data_ptr(), weight._version) for name, weight in network.named_parameters()}
    found = runner(classifier)
    found.logits(WINDOWS)
    assert found._engine is not None
    assert [module.training for module in network.modules()].count(True) == 1 and network.features[1].training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    for name, weight in network.named_parameters():
        assert weights[name] == (weight, weight.data_ptr(), weight._version)
        assert weight.requires_grad and weight.grad is None


def halved(network: nn.Module) -> None:
    with torch.no_grad():
        network.features[0].weight.mul_(0.5)


def without_a_trace(network: nn.Module) -> None:
    network.fc.weight.data = network.fc.weight.data.flip(0).clone()


def statistics(network: nn.Module) -> None:
    network.features[1].running_mean += 0.7


def replaced(network: nn.Module) -> None:
    network.features[3] = networks.seeded(lambda: nn.Conv2d(8, 8, 5))


def another_step(network: nn.Module) -> None:
    network.features[2] = nn.Tanh()


def hooked(network: nn.Module) -> None:
    network.features[3].register_forward_hook(lambda _, __, output: output * 2)


@pytest.mark.parametrize("change", [halved, without_a_trace, statistics, replaced, another_step, hooked])
@pytest.mark.parametrize("anew", [False, True])
def test_changed_weights_are_noticed(change: Callable[[nn.Module], None], anew: bool) -> None:
    classifier = classifier_of(Plain)
    found = runner(classifier)
    before = found.logits(WINDOWS)
    change(classifier.network)
    if anew:
        found = runner(classifier)
    after = found.logits(WINDOWS)
    assert found._engine is not None and (before - after).abs().max() > 1e-2
    agree(classifier, after)


def test_a_change_that_cannot_be_seen_shows_at_the_next_picture() -> None:
    classifier = classifier_of(Plain)
    runner(classifier).logits(WINDOWS)
    classifier.network.features[3].stride = (1, 1)
    found = runner(classifier)
    agree(classifier, found.logits(WINDOWS))
    assert found._engine is None


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_whatever_the_caller_has_set(mode: Callable[[], AbstractContextManager[None]]) -> None:
    classifier = classifier_of(Plain)
    with mode():
        pixels, filling = inputs(classifier)
        found = Occluder(classifier, pixels, filling)
        logits = found.logits(WINDOWS)
    assert found._engine is not None
    assert not logits.requires_grad and not logits.is_inference()
    agree(classifier, logits)


def test_classifiers_that_are_gone_are_forgotten() -> None:
    classifier = classifier_of(Plain)
    runner(classifier).logits(WINDOWS)
    count = len(plan._plans)
    del classifier
    assert len(plan._plans) < count


# -- several threads, stopping, memory ---------------------------------------------------------------------


def test_two_threads() -> None:
    classifier = hand_made(Odd)
    windows = [(top, left, 5 + top % 3, 6) for top in range(0, 28, 3) for left in range(0, 30, 7)]
    expected = runner(classifier).logits(windows)
    shared = runner(classifier)
    with ThreadPoolExecutor(4) as threads:
        parts = [windows[start::4] for start in range(4)] * 3
        for number, found in enumerate(threads.map(shared.logits, parts)):
            torch.testing.assert_close(found, expected[number % 4 :: 4], atol=1e-4, rtol=0)


def test_a_map_can_be_given_up_between_its_steps() -> None:
    classifier = hand_made(Branching)
    pixels, _ = inputs(classifier)
    steps = Occlusion(9, 3).steps(classifier, pixels, 1)
    first, second = next(steps), next(steps)
    assert first.progress < second.progress < 1
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    with ThreadPoolExecutor(1) as threads:
        # Nothing is held back from other threads.
        assert threads.submit(lambda: network_lock.acquire(timeout=20) and (network_lock.release() or True)).result()
    steps.close()


def test_a_map_is_the_one_without_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = hand_made(Branching)
    pixels, _ = inputs(classifier)
    quick = list(Occlusion((9, 12), (4, 5)).steps(classifier, pixels, 1))
    monkeypatch.setattr(engine, "_MIN_PIXELS", 10**9)
    slow = Occlusion((9, 12), (4, 5))(classifier, pixels, 1)
    np.testing.assert_allclose(quick[-1].cells, slow.cells, atol=1e-4)
    np.testing.assert_allclose(quick[-1].logits, slow.logits, atol=1e-4)
    assert [step.progress for step in quick] == sorted({step.progress for step in quick})
    for step in quick:
        np.testing.assert_allclose(step.cells[step.known], slow.cells[step.known], atol=1e-4)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = hand_made(Odd)
    made = runner(classifier)
    made.logits(WINDOWS[:1])
    found = made._engine
    assert found is not None
    program = found._plan.program
    windows = [(top, left, 6, 6) for top in range(0, 30, 2) for left in range(0, 30, 2)]
    moved = boxes.changes(program, windows)
    each = boxes.bytes_of(program, moved)
    assert max(map(len, found.runs(windows))) > 6
    monkeypatch.setattr(found._plan, "room", 6 * each)
    assert max(map(len, found.runs(windows))) <= 6
    found.logits(windows)
    for table in found._base.tables.values():
        assert len(table.rows) <= 2 * (table.cells + 2)
