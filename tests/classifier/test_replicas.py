"""Which networks several threads run at once, and that nobody can tell it from one pass after the other."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, workers
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.replicas import parts_of, replica_of
from cnnviz_widgets.classifier.runtime import sessions
from tests.support import networks
from tests.support.guest import guest, state
from tests.support.networks import seeded

SIZE = (12, 16)


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(workers.WORKERS, "count", 2)
    monkeypatch.setattr(Batches, "batch", 2)
    yield
    workers.WORKERS.wait_for(lambda: not workers.WORKERS.busy)


def plain() -> nn.Module:
    return seeded(lambda: networks.ConvGapLinear())


class Writing(networks.ConvGapLinear):
    """Leaves what it has seen in an attribute, a list or an object."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where, self.last, self.seen, self.box = where, 0.0, [0.0], Box()

    def forward(self, pixels: Tensor) -> Any:
        value = float(pixels.mean())
        if self.where == "attribute":
            self.last = value
        elif self.where == "list":
            self.seen.append(value)
        elif self.where == "object":
            self.box.value = value
        elif self.where == "inner list":
            self.box.values[0] = value
        return super().forward(pixels)


class Box:
    def __init__(self) -> None:
        self.value, self.values = 0.0, [0.0]


class Counting(networks.ConvGapLinear):
    """Writes to a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, pixels: Tensor) -> Any:
        self.count += 1
        return super().forward(pixels)


def hooked() -> nn.Module:
    network = plain()
    network.register_forward_hook(lambda *_: None)
    return network


def random() -> nn.Module:
    class Dropping(networks.ConvGapLinear):
        def forward(self, pixels: Tensor) -> Any:
            return super().forward(nn.functional.dropout(pixels, 0.5, training=True))

    return seeded(Dropping)


ALONE: dict[str, Callable[[], nn.Module]] = {
    "a hook of the user's": hooked,
    "random": random,
    "a buffer that is written to": lambda: seeded(Counting),
    "an attribute": lambda: seeded(lambda: Writing("attribute")),
    "a list": lambda: seeded(lambda: Writing("list")),
    "an object": lambda: seeded(lambda: Writing("object")),
    "a list of an object": lambda: seeded(lambda: Writing("inner list")),
    "a guest with hooks": guest,
}
BESIDE: dict[str, Callable[[], nn.Module]] = {
    "plain": plain,
    "train mode": lambda: plain().train(),
    "writes nothing": lambda: seeded(lambda: Writing("nowhere")),
    "tuple output": lambda: seeded(networks.TupleOutput),
    "modules used twice": lambda: seeded(networks.UsedTwice),
}


@pytest.mark.parametrize("name", ALONE)
def test_networks_that_are_run_one_pass_after_the_other(name: str) -> None:
    classifier = Classifier(ALONE[name](), input_size=SIZE)
    assert not parts_of(Batches(classifier, (3, *SIZE), "scores"), 10).side_by_side


@pytest.mark.parametrize("name", BESIDE)
def test_others_are_run_side_by_side_and_stay_as_they_are(name: str) -> None:
    network = BESIDE[name]()
    classifier = Classifier(network, input_size=SIZE)
    pixels = torch.rand(12, 3, *SIZE)
    before = state(network)
    parts = parts_of(Batches(classifier, (3, *SIZE), "scores"), 12)
    assert parts.side_by_side
    together = threading.Barrier(2, timeout=30)

    def call(part: slice) -> Callable[[Classifier], Tensor]:
        def run(replica: Classifier) -> Tensor:
            together.wait()
            with torch.no_grad():
                return replica.logits(pixels[part])

        return run

    calls = [call(slice(start, start + 2)) for start in range(0, 12, 2)]
    found = torch.cat(list(parts.in_order(calls, lambda logits: logits)))
    with torch.no_grad():
        expected = torch.cat([classifier.logits(pixels[start : start + 2]) for start in range(0, 12, 2)])
    assert torch.equal(found, expected)
    assert state(network) == before


def test_a_network_without_a_shadow_is_run_by_itself() -> None:
    classifier = Classifier(plain(), input_size=SIZE)
    classifier.runner._in_place("is a test")
    assert not parts_of(Batches(classifier, (3, *SIZE), "scores"), 10).side_by_side


def test_inside_the_users_modes_it_is_one_after_the_other() -> None:
    classifier = Classifier(plain(), input_size=SIZE)
    batches = Batches(classifier, (3, *SIZE), "scores")
    with torch.autocast("cpu", torch.bfloat16):
        assert not parts_of(batches, 10).side_by_side
    with torch.overrides.TorchFunctionMode():
        assert not parts_of(batches, 10).side_by_side
    assert not parts_of(batches, 2).side_by_side, "a single batch"
    assert parts_of(batches, 3).side_by_side


def test_what_is_done_to_the_network_is_followed_in_the_middle_of_a_job() -> None:
    network = plain()
    classifier = Classifier(network, input_size=SIZE)
    pixels = torch.rand(2, 3, *SIZE)

    def logits(replica: Classifier) -> Tensor:
        with torch.no_grad():
            return replica.logits(pixels)

    parts = parts_of(Batches(classifier, (3, *SIZE), "scores"), 12)
    with parts:
        parts.start(logits)
        before = parts.next()
        with torch.no_grad():
            for weight in network.parameters():
                weight.mul_(2)
        parts.start(logits)
        trained = parts.next()
        assert torch.equal(trained, logits(classifier)) and not torch.equal(trained, before)
        network.register_forward_hook(lambda _, __, output: 2 * output)
        parts.start(logits)
        doubled = parts.next()
        assert torch.equal(doubled, logits(classifier)) and torch.equal(doubled, 2 * trained)
        assert not parts.side_by_side


def test_a_replica_is_known_by_what_is_noted() -> None:
    classifier = Classifier(plain(), input_size=SIZE)
    replica = replica_of(classifier)
    replica.note("A sentence.")
    assert classifier.notes[-1] == "A sentence." and replica.original is classifier
    assert copy.copy(classifier).original is not classifier


def test_replicas_are_kept_as_long_as_their_classifier() -> None:
    classifier = Classifier(plain(), input_size=SIZE)
    made: list[weakref.ref[Classifier]] = []

    def call(replica: Classifier) -> None:
        made.append(weakref.ref(replica))

    batches = Batches(classifier, (3, *SIZE), "scores")
    for _ in range(3):
        list(parts_of(batches, 12).in_order([call] * 6, lambda _: None))
    assert 1 <= len({id(replica()) for replica in made}) <= 2
    workers.WORKERS.wait_for(lambda: not workers.WORKERS.busy)
    del classifier, batches
    gc.collect()
    assert not any(replica() for replica in made)


def test_replicas_are_run_by_the_engine_of_their_classifier_until_the_weights_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("onnxruntime")
    network = plain()
    classifier = Classifier(network, input_size=SIZE, engine="onnxruntime")
    pixels = torch.rand(2, 3, *SIZE)
    by: list[str] = []
    run = sessions.run
    monkeypatch.setattr(sessions, "run", lambda *given: (by.append(threading.current_thread().name), run(*given))[1])

    def logits(replica: Classifier) -> Tensor:
        with torch.no_grad():
            return replica.logits(pixels)

    for _ in range(2):  # with new replicas, and with those that are spare
        by.clear()
        with parts_of(Batches(classifier, (3, *SIZE), "scores"), 12) as parts:
            parts.start(logits)
            before = parts.next()
            assert by == ["cnnviz-core"]
            with torch.no_grad():
                for weight in network.parameters():
                    weight.mul_(2)
            parts.start(logits)
            after = parts.next()
            assert by == ["cnnviz-core"]
        expected = Classifier(network, input_size=SIZE, engine="torch").logits(pixels)
        torch.testing.assert_close(after, expected, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(after, before)
        assert classifier.engine.name == "onnxruntime"
