"""The user's network comes back exactly as it was found, whatever happened in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from cnnviz_widgets.classifier import Classifier, locks
from cnnviz_widgets.errors import ClassifierError, LayerError
from cnnviz_widgets.forks import is_mine

PATIENCE = 20.0
PIXELS = torch.randn(1, 3, 12, 16, generator=torch.Generator().manual_seed(0))


class Trap(nn.Module):
    """Passes on what it is given, or does something else once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.act: Callable[[Tensor], Tensor] | None = None

    def forward(self, values: Tensor) -> Tensor:
        return values if self.act is None else self.act(values)


class Lived(nn.Module):
    """A network in the middle of its life: some parts frozen, some in eval mode while the whole is in train mode."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
        self.normed = parametrizations.weight_norm(nn.Conv2d(6, 6, 3, padding=1))
        self.spectral = parametrizations.spectral_norm(nn.Conv2d(6, 6, 1))
        self.dropout = nn.Dropout(0.9)
        self.trap = Trap()
        self.head = nn.Linear(6, 4)
        self.train_calls = 0
        self.train()
        self.stem[1].eval()
        self.stem.requires_grad_(False)
        self.head.bias.requires_grad_(False)
        self.head.weight.grad = torch.ones_like(self.head.weight)
        self.register_forward_hook(lambda *_: None)

    def train(self, mode: bool = True) -> Lived:
        self.train_calls = getattr(self, "train_calls", 0) + 1
        return super().train(mode)

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.dropout(self.spectral(self.normed(self.stem(pixels))))
        return self.head(self.trap(values).mean(dim=(2, 3)))


@pytest.fixture
def network() -> Lived:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Lived()


def state_of(network: nn.Module) -> dict[str, Any]:
    """All that must not change, copied."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modes": {name: module.training for name, module in network.named_modules()},
        "requires_grad": {name: weight.requires_grad for name, weight in network.named_parameters()},
        "identities": {name: id(value) for name, value in (*network.named_parameters(), *network.named_buffers())},
        "values": {name: value.tolist() for name, value in network.state_dict().items()},
        "gradients": {n: None if w.grad is None else w.grad.tolist() for n, w in network.named_parameters()},
        "hooks": {name: [list(getattr(m, kind).values()) for kind in hooks] for name, m in network.named_modules()},
        "attributes": {name: sorted(vars(module)) for name, module in network.named_modules()},
        "train calls": getattr(network, "train_calls", None),
    }


def fail(_: Tensor) -> Tensor:
    raise RuntimeError("the trap was sprung")


def interrupt(_: Tensor) -> Tensor:
    raise KeyboardInterrupt


def poison(values: Tensor) -> Tensor:
    return values * float("nan")


@pytest.mark.parametrize("act", [None, fail, interrupt, poison])
@pytest.mark.parametrize("grad", [True, False])
def test_the_network_is_as_found_after_a_pass(network: Lived, act: Any, grad: bool) -> None:
    before = state_of(network)
    classifier = Classifier(network, input_size=(12, 16))
    names = [layer.name for layer in classifier.layers]
    assert state_of(network) == before
    network.trap.act = act
    with suppress(ClassifierError, KeyboardInterrupt), torch.set_grad_enabled(grad):
        classifier.logits(PIXELS.requires_grad_(False))
    assert state_of(network) == before
    with suppress(ClassifierError, KeyboardInterrupt), classifier.recording(*names) as outputs:
        logits = classifier.logits(PIXELS)
        torch.autograd.grad(logits[0, 0], list(outputs.values()))
    assert state_of(network) == before


@pytest.mark.parametrize("act", [fail, interrupt, poison])
def test_the_network_is_as_found_when_it_is_refused(network: Lived, act: Any) -> None:
    before = state_of(network)
    network.trap.act = act
    with pytest.raises((ClassifierError, KeyboardInterrupt)):
        Classifier(network)
    assert state_of(network) == before


def test_the_network_is_as_found_when_the_block_raises(network: Lived) -> None:
    classifier = Classifier(network, input_size=(12, 16))
    before = state_of(network)
    with pytest.raises(ZeroDivisionError), classifier.evaluating(), classifier.recording("stem.0"):
        raise ZeroDivisionError
    assert state_of(network) == before


def test_inside_it_evaluates_and_learns_nothing(network: Lived) -> None:
    seen: list[tuple[bool, bool]] = []

    def look(values: Tensor) -> Tensor:
        modes = any(module.training for module in network.modules())
        seen.append((modes, any(weight.requires_grad for weight in network.parameters())))
        return values

    network.trap.act = look
    classifier = Classifier(network, input_size=(12, 16))
    with torch.no_grad():
        assert torch.equal(classifier.logits(PIXELS), classifier.logits(PIXELS))
    assert not classifier.logits(PIXELS).requires_grad
    assert set(seen) == {(False, False)}


def test_modes_that_the_network_changes_itself_are_put_back(network: Lived) -> None:
    network.eval()

    def sample(values: Tensor) -> Tensor:
        network.dropout.train()
        network.head.requires_grad_(True)
        return values

    network.trap.act = sample
    before = state_of(network)
    Classifier(network, input_size=(12, 16)).logits(PIXELS)
    assert state_of(network) == before


class Counting(nn.Module):
    """Counts its calls in buffers, in place and by assignment, also in eval mode, as quantisation observers do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.register_buffer("largest", torch.zeros(()))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, pixels: Tensor) -> Tensor:
        self.largest.copy_(torch.maximum(self.largest, pixels.detach().amax()))
        self.calls = self.calls + 1
        return self.conv(pixels).mean(dim=(2, 3))


@pytest.mark.parametrize("inference", [False, True])
def test_buffers_that_change_in_eval_mode_are_put_back(inference: bool) -> None:
    with torch.inference_mode(inference):
        network = Counting()
        before = state_of(network)
        classifier = Classifier(network, input_size=(12, 16))
        assert state_of(network) == before
        classifier.logits(PIXELS * 1000)
        assert state_of(network) == before
        network.conv.register_forward_hook(lambda *_: fail(PIXELS))
        with pytest.raises(ClassifierError):
            classifier.logits(PIXELS * 1000)
        assert network.largest.item() == 0
        assert network.calls.item() == 0


def test_weights_made_in_inference_mode_are_left_as_they_are() -> None:
    with torch.inference_mode():
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1))
    classifier = Classifier(network, input_size=(12, 16))
    with torch.no_grad():
        assert classifier.logits(PIXELS).shape == (1, 4)
    assert all(weight.requires_grad for weight in network.parameters())
    with pytest.raises(ClassifierError, match=r"[Ii]nference"):
        classifier.logits(PIXELS.clone().requires_grad_())
    assert all(weight.requires_grad for weight in network.parameters())


def test_hooks_of_the_user_work_and_stay(network: Lived) -> None:
    seen: list[str] = []
    network.stem.register_forward_pre_hook(lambda *_: seen.append("before"))
    network.stem.register_forward_hook(lambda _, __, output: output * 2)
    network.stem[0].register_full_backward_hook(lambda *_: seen.append("backward"))
    classifier = Classifier(network, input_size=(12, 16))
    before = state_of(network)
    _ = classifier.layers
    seen.clear()
    pixels = PIXELS.clone().requires_grad_()
    with classifier.recording("stem.2", "stem") as outputs:
        torch.autograd.grad(classifier.logits(pixels).sum(), pixels)
    # Backward hooks are not called: they change no score, and torch lets nothing in place follow them.
    assert seen == ["before"]
    assert torch.equal(outputs["stem"], outputs["stem.2"] * 2)
    assert state_of(network) == before


def test_a_network_compiled_in_place_runs_as_it_was_written(network: Lived) -> None:
    def refuse(*_: object) -> Any:
        raise AssertionError("the compiler was called")

    # What `network.compile()` does; importing the compiler takes longer than all other tests.
    network._compiled_call_impl = network.stem._compiled_call_impl = refuse
    classifier = Classifier(network, input_size=(12, 16))
    with classifier.recording("stem") as outputs:
        classifier.logits(PIXELS)
    assert "stem" in outputs
    assert network._compiled_call_impl is network.stem._compiled_call_impl is refuse
    assert not network.head._compiled_call_impl


class Again(torch.autograd.Function):
    """What `torch.utils.checkpoint` does, without its seconds of imports: keep nothing, run `body` again backwards."""

    @staticmethod
    def forward(context: Any, body: nn.Module, values: Tensor) -> Tensor:
        context.body = body
        context.save_for_backward(values)
        return body(values)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[None, Tensor]:
        values = context.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            return None, torch.autograd.grad(context.body(values), values, gradient)[0]


class Checkpointed(nn.Module):
    """Keeps no activations of its first half, if not told to."""

    def __init__(self, body: nn.Module, kept: bool = False) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(4, 3)
        self.kept = kept

    def forward(self, pixels: Tensor) -> Tensor:
        values = self.body(pixels) if self.kept else Again.apply(self.body, pixels)
        return self.head(values.mean(dim=(2, 3)))


def test_gradients_of_a_checkpointed_network_taken_while_evaluating() -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.9))
    network, plain = Checkpointed(body).train(), Checkpointed(body, kept=True).train()
    plain.head = network.head
    before = state_of(network)
    gradients = []
    for one in (network, plain):
        classifier = Classifier(one, input_size=(12, 16))
        pixels = PIXELS.clone().requires_grad_()
        with classifier.evaluating():
            # The first half runs again in here: in train mode it would answer otherwise, and learn.
            gradients += torch.autograd.grad(classifier.logits(pixels)[0, 0], pixels)
    assert torch.allclose(*gradients, atol=1e-7)
    assert state_of(network) == before


def test_computed_once_by_two_threads() -> None:
    computing, go = threading.Event(), threading.Event()
    values: list[object] = []

    class Thing:
        @locks.locked_property
        def value(self) -> object:
            """A value."""
            computing.set()
            go.wait(PATIENCE)
            return object()

    thing = Thing()
    threads = [threading.Thread(target=lambda: values.append(thing.value), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert computing.wait(PATIENCE)
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert values == [thing.value, thing.value]
    assert Thing.value.__doc__ == "A value."


def test_a_value_that_failed_is_computed_again() -> None:
    class Thing:
        tries = 0

        @locks.locked_property
        def value(self) -> int:
            self.tries += 1
            return 1 // (self.tries - 1)

    thing = Thing()
    with pytest.raises(ZeroDivisionError):
        _ = thing.value
    assert thing.value == 1
    assert thing.value == 1
    assert thing.tries == 2


def test_a_thread_that_holds_the_network_can_ask_for_what_another_is_computing(
    network: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    contended = threading.Event()

    class Lock:
        """The lock, telling when a thread has to wait for it."""

        inner = threading.RLock()

        def __enter__(self) -> None:
            if not self.inner.acquire(blocking=False):
                contended.set()
                self.inner.acquire()

        def __exit__(self, *_: object) -> None:
            self.inner.release()

        def _is_owned(self) -> bool:
            return is_mine(self.inner)

    monkeypatch.setattr(locks, "network_lock", Lock())
    classifier = Classifier(network, input_size=(12, 16))
    done = threading.Event()

    def hold_and_ask() -> None:
        with classifier.evaluating():
            other.start()
            assert contended.wait(PATIENCE)
            # With one lock for cached values and another for the network the two would now wait for each other.
            _ = classifier.layers
        done.set()

    other = threading.Thread(target=lambda: classifier.layers, daemon=True)
    threading.Thread(target=hold_and_ask, daemon=True).start()
    assert done.wait(PATIENCE)
    other.join(PATIENCE)
    assert not other.is_alive()


def test_a_layer_that_is_gone_is_named(network: Lived) -> None:
    classifier = Classifier(network, input_size=(12, 16))
    _ = classifier.layers
    network.stem = nn.Sequential(network.stem[0])
    with pytest.raises(LayerError, match=r"no longer has the layer 'stem\.1'"), classifier.recording("stem.1"):
        pass
