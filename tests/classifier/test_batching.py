"""How many pictures are run at once, under a clock and a memory that the tests set; nothing here waits or is timed."""

from __future__ import annotations

import gc
import itertools
import math
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, batching, memory, passes
from cnnviz_widgets.classifier.batching import Batches, BatchKind, batch_size
from cnnviz_widgets.errors import ClassifierError
from tests.support import networks
from tests.support.networks import seeded
from tests.support.tally import Tally

SHAPE = (3, *networks.SIZE)
CUDA = torch.device("cuda")


class Timed(nn.Module):
    """A network whose pass of n pictures takes `cost(n)` seconds on a clock of its own, and a second more at first."""

    now = Tally()
    batches = Tally()

    def __init__(self, cost: Callable[[int], float]) -> None:
        super().__init__()
        self.network = seeded(networks.ConvGapLinear)
        self.cost = cost
        self.now = 0.0
        self.batches = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.now += self.cost(len(pixels)) + (not self.batches)
        self.batches.append(len(pixels))
        return self.network(pixels)


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Classifier]:
    """Makes a classifier that takes `cost(n)` seconds, on a computer with room for `room` pictures in a batch."""

    def make(cost: Callable[[int], float] | float, room: float = 1e9) -> Classifier:
        network = Timed(cost if callable(cost) else lambda count: cost * count)
        monkeypatch.setattr(passes, "perf_counter", lambda: network.now)
        classifier = networks.classifier(network)
        each, _ = batching._bytes(classifier, SHAPE)
        monkeypatch.setattr(memory, "left", lambda device: int(2 * each * room))
        network.batches.clear()
        return classifier

    return make


def job(classifier: Classifier, count: int, work: BatchKind = "scores") -> list[int]:
    """The sizes of the batches in which a job runs `count` pictures."""
    batches = Batches(classifier, SHAPE, work)
    pixels = networks.picture(classifier)
    sizes = []
    while count > 0:
        sizes.append(min(count, batches.batch))
        batches.run(sizes[-1], lambda part: classifier.logits(pixels.expand(part.stop, -1, -1, -1)))
        count -= sizes[-1]
    return sizes


@pytest.mark.parametrize(
    ("seconds", "scores", "gradients"),
    [(1e-6, 16, 16), (0.015, 16, 16), (0.02, 8, 8), (0.04, 4, 4), (0.06, 4, 4), (0.5, 4, 4), (30, 4, 4)],
)
def test_it_follows_from_the_seconds_of_a_picture(
    seconds: float, scores: int, gradients: int, timed: Callable[..., Classifier]
) -> None:
    classifier = timed(seconds)
    assert [Batches(classifier, SHAPE, work).batch for work in ("scores", "gradients")] == [scores, gradients]
    assert batch_size(classifier, "features", 32) == batch_size(classifier, "maxima", 32) == scores
    assert batch_size(classifier, "features", 3) == 3


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("work", ["scores", "gradients", "features", "maxima"])
def test_it_is_over_before_one_waits(
    work: BatchKind, device: str, timed: Callable[..., Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Classifier, "device", torch.device("cpu"))
    classifier = timed(0.01)
    monkeypatch.setattr(Classifier, "device", torch.device(device))
    passes = 3 if work == "gradients" else 1
    for exponent in range(-20, 4):
        classifier._passes.seconds[classifier.arithmetic] = seconds = 1.7**exponent
        classifier.batch_sizes.clear()
        size = Batches(classifier, SHAPE, work).batch
        assert math.log2(size).is_integer() and 4 <= size <= (16 if device == "cpu" else 256)
        assert size == 4 or size * passes * seconds <= (0.75 if work == "gradients" else 0.25)


def test_the_seconds_are_those_of_passes_that_are_made_anyway(timed: Callable[..., Classifier]) -> None:
    classifier = timed(lambda count: 0.1 if count == 1 else 0.06)
    assert classifier.seconds_per_picture == pytest.approx(0.03), "of two pictures together, which take 0.06 s"
    assert classifier.layers
    classifier.network.batches.clear()
    assert job(classifier, 20) == [8, 8, 4]
    assert classifier.network.batches == [8, 8, 4]


def test_a_pass_reads_no_clock(timed: Callable[..., Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = timed(0.01)

    def read() -> float:
        raise AssertionError

    monkeypatch.setattr(passes, "perf_counter", read)
    assert len(job(classifier, 40)) == 3


def test_no_pass_is_wasted(timed: Callable[..., Classifier]) -> None:
    classifier = timed(0.01)
    assert sum(job(classifier, 1000)) == sum(classifier.network.batches) == 1000


def test_larger_pictures_take_longer(timed: Callable[..., Classifier]) -> None:
    classifier = timed(0.01)
    sizes = [Batches(classifier, (3, factor * 12, 16), "scores").batch for factor in (1, 2, 4)]
    assert sizes == [16, 8, 4]


def test_the_seconds_are_those_of_the_device(timed: Callable[..., Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = timed(0.01)
    assert Batches(classifier, SHAPE, "scores").batch == 16
    # Its own passes are made on the CPU all the same.
    monkeypatch.setattr(Classifier, "device", CUDA)
    monkeypatch.setattr(Classifier, "to_network", lambda _, pixels: pixels.cpu())
    classifier.network.cost = lambda count: 0.001 * count
    assert Batches(classifier, SHAPE, "scores").batch == 128
    assert classifier.network.batches == [1, 1]
    monkeypatch.undo()
    assert Batches(classifier, SHAPE, "scores").batch == 16


def test_another_arithmetic_has_a_size_of_its_own(timed: Callable[..., Classifier]) -> None:
    classifier = timed(0.01)
    assert Batches(classifier, SHAPE, "scores").batch == 16
    classifier.network.cost = lambda count: 0.05 * count
    cast = classifier.with_autocast("bfloat16")
    assert Batches(cast, SHAPE, "scores").batch == 4
    assert Batches(classifier, SHAPE, "scores").batch == 16


@pytest.mark.parametrize(("room", "expected"), [(0.3, 1), (1, 1), (3, 2), (7, 4), (8, 8), (100, 16)])
def test_the_memory_left_is_not_exceeded(room: float, expected: int, timed: Callable[..., Classifier]) -> None:
    classifier = timed(0.001, room)
    assert set(job(classifier, 320)) == {expected}
    assert max(classifier.network.batches) == expected
    # A picture with gradients takes three times the memory.
    assert 3 * Batches(classifier, SHAPE, "gradients").batch <= max(room, 3)


def test_blocks_that_a_cpu_s_allocator_would_give_back(
    timed: Callable[..., Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = timed(0.001)
    whole, largest = batching._bytes(classifier, SHAPE)
    # The output of its first convolution for one picture, float32, and what all others have besides.
    assert largest == 4 * 6 * 12 * 16 < whole
    for count, expected in ((20, 16), (15, 8), (8, 8), (5, 4), (1, 4)):
        classifier.batch_sizes.clear()
        monkeypatch.setattr(batching, "MAX_BLOCK", count * largest)
        assert Batches(classifier, SHAPE, "scores").batch == expected
    monkeypatch.setattr(Classifier, "device", CUDA)
    classifier._passes.seconds[classifier.arithmetic] = 0.001
    assert Batches(classifier, SHAPE, "scores").batch == 128


def test_later_jobs_take_the_same_sizes(timed: Callable[..., Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = timed(0.02, room=5)
    short, long = job(classifier, 50), job(classifier, 1500)
    assert set(short[:-1]) == set(long) == {4}
    # Whatever becomes of the times, and of the memory.
    classifier.network.cost = lambda count: float(count)
    monkeypatch.setattr(memory, "left", lambda device: 2**40)
    classifier.logits(networks.picture(classifier))
    assert job(classifier, 50) == short
    assert job(classifier, 1500) == long


def test_nothing_keeps_the_classifier_alive(timed: Callable[..., Classifier]) -> None:
    classifier = timed(0.01)
    job(classifier, 100)
    gone = weakref.ref(classifier)
    del classifier
    gc.collect()
    assert gone() is None


# -- out of memory -------------------------------------------------------------------------------------------


def out_of_memory(kind: str) -> Exception:
    if kind == "allocator":
        return RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory")
    return {"python": MemoryError, "accelerator": torch.cuda.OutOfMemoryError}[kind]("no more")


@pytest.mark.parametrize("kind", ["python", "accelerator", "allocator"])
@pytest.mark.parametrize("most", [1, 3, 5, 64, 100])
def test_it_halves_the_batch_and_goes_on(kind: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    freed = []
    monkeypatch.setattr(memory, "free", freed.append)
    tried: list[slice] = []

    def compute(part: slice) -> list[int]:
        tried.append(part)
        if part.stop - part.start > most:
            raise ClassifierError("It failed.") from out_of_memory(kind)
        return list(range(part.start, part.stop))

    batches = Batches(classifier, SHAPE, "scores")
    assert list(itertools.chain(*batches.run(64, compute))) == list(range(64))
    failed = [part for part in tried if part.stop - part.start > most]
    assert len(failed) == len(freed) <= 6
    # Nothing that succeeded is done again, and the ceiling is remembered, by other jobs too.
    assert len(tried) == len(failed) + -(-64 // min(64, 1 << most.bit_length() - 1))
    tried.clear()
    batches = Batches(classifier, SHAPE, "scores")
    assert list(itertools.chain(*batches.run(50, compute))) == list(range(50))
    assert all(part.stop - part.start <= most for part in tried)
    assert most >= 64 or batches.batch <= most


def test_a_single_picture_that_does_not_fit() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))

    def compute(part: slice) -> None:
        raise ClassifierError("It failed.") from MemoryError()

    sentence = r"ConvGapLinear needs more memory for a single picture than there is on cpu \(MemoryError\); free some"
    with pytest.raises(ClassifierError, match=sentence):
        Batches(classifier, SHAPE, "scores").run(8, compute)
    with pytest.raises(ClassifierError, match="or a technique without gradients"):
        Batches(classifier, SHAPE, "gradients").run(8, compute)


def test_other_errors_are_passed_on_at_once() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    calls = []

    def compute(part: slice) -> None:
        calls.append(part)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Batches(classifier, SHAPE, "scores").run(8, compute)
    assert len(calls) == 1


def test_what_a_failed_pass_held_is_gone_before_the_next() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    held: list[weakref.ref[Tensor]] = []

    def compute(part: slice) -> int:
        assert all(tensor() is None for tensor in held)
        activations = torch.zeros(8)
        held.append(weakref.ref(activations))
        if part.stop - part.start > 2:
            raise MemoryError
        return part.stop - part.start

    assert Batches(classifier, SHAPE, "scores").run(8, compute) == [2, 2, 2, 2]
    assert len(held) == 2 + 4
