"""How many pictures are run at once, under a clock and a memory that the tests set; nothing here waits or is timed."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier, batching, memory
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.errors import ClassifierError
from tests.support import networks
from tests.support.networks import seeded
from tests.support.tally import Tally


class Timed(nn.Module):
    """A network whose pass of n pictures takes `cost(n)` seconds on a clock of its own, and 0.05 s more at first."""

    now = Tally()
    batches = Tally()

    def __init__(self, cost: Callable[[int], float]) -> None:
        super().__init__()
        self.network = seeded(networks.ConvGapLinear)
        self.cost = cost
        self.now = 0.0
        self.batches = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.now += self.cost(len(pixels)) + 0.05 * (len(pixels) not in self.batches)
        self.batches.append(len(pixels))
        return self.network(pixels)


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Classifier]:
    """Makes a classifier that takes `cost(n)` seconds, on a computer with room for `room` pictures in a batch."""

    def make(cost: Callable[[int], float], room: float = 1e9) -> Classifier:
        network = Timed(cost)
        monkeypatch.setattr(batching, "clock", lambda: network.now)
        classifier = networks.classifier(network)
        each = batching._bytes(classifier, (3, *networks.SIZE))
        monkeypatch.setattr(memory, "left", lambda device: int(2 * each * room))
        with torch.no_grad():
            classifier.logits(networks.picture(classifier))
        network.batches.clear()
        return classifier

    return make


def job(classifier: Classifier, count: int) -> list[int]:
    """The sizes of the batches in which a job runs `count` pictures."""
    batches = Batches(classifier, (3, *networks.SIZE), "scores")
    pixels = networks.picture(classifier)
    sizes = []
    while count > 0:
        sizes.append(min(count, batches.batch))
        batches.run(sizes[-1], lambda part: classifier.logits(pixels.expand(part.stop, -1, -1, -1)))
        count -= sizes[-1]
    return sizes


def settled(classifier: Classifier, count: int = 3000) -> int:
    """The size that a job takes once it has run `count` pictures."""
    return job(classifier, count)[-2]


def launching(each: float, start: float) -> Callable[[int], float]:
    """What it takes an accelerator: `start` for any batch, and little for each picture."""
    return lambda count: start + each * count


def test_it_grows_while_a_picture_gets_cheaper(timed: Callable[..., Classifier]) -> None:
    # In 32 a picture takes 0.0005 + 0.01 / 32 = 0.00081 s, in 64 0.00066 (0.81 of it), in 128 0.88, in 256 0.94, ...
    classifier = timed(launching(0.0005, 0.01))
    sizes = job(classifier, 3000)
    assert sizes[0] == 16, "as many as would be over in 0.25 s, one by one"
    assert sizes[:8] == [16, 16, 32, 32, 64, 64, 128, 128]
    assert settled(classifier) == 256, "512 would not be over in 0.25 s"


def test_no_pass_is_wasted(timed: Callable[..., Classifier]) -> None:
    classifier = timed(launching(0.0005, 0.01))
    assert sum(job(classifier, 1000)) == sum(classifier.network.batches) == 1000


def test_it_stays_where_another_batch_is_no_better(timed: Callable[..., Classifier]) -> None:
    classifier = timed(lambda count: 0.01 * count)
    assert job(classifier, 200)[0] == 16 == settled(classifier)
    classifier = timed(lambda count: 0.004 * max(1, count / 256))
    # A batch of 256 is over in 0.004 s, of 512 in 0.008: the larger one is tried four times and turned down.
    sizes = job(classifier, 20000)
    assert sizes.count(512) == 4 and sizes[-2] == 256


def test_it_shrinks_where_a_smaller_batch_is_better(timed: Callable[..., Classifier]) -> None:
    # A cache that eight pictures fit into.
    classifier = timed(lambda count: 0.01 * count if count == 1 else 0.006 * count if count <= 8 else 0.009 * count)
    assert job(classifier, 200)[0] == 16
    assert settled(classifier) == 8


def test_a_batch_that_takes_longer_than_one_waits_is_made_smaller(timed: Callable[..., Classifier]) -> None:
    # In larger batches a picture is dearer than alone, as where a cache is too small.
    classifier = timed(lambda count: 0.01 * count if count < 8 else 0.1 * count)
    assert job(classifier, 100)[0] == 16
    assert settled(classifier) < 8


@pytest.mark.parametrize(("room", "expected"), [(0.3, 1), (1, 1), (7, 4), (64, 64), (100, 64)])
def test_the_memory_left_is_not_exceeded(room: float, expected: int, timed: Callable[..., Classifier]) -> None:
    classifier = timed(launching(0.0005, 0.01), room)
    assert settled(classifier, 400) == expected
    assert max(classifier.network.batches) == expected


def test_noise_leads_to_no_silly_choice(timed: Callable[..., Classifier]) -> None:
    quiet = launching(0.0005, 0.01)
    expected = settled(timed(quiet))
    # Any two passes in a row are held up by others, by up to ten times their own time; the third is not.
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        passes = iter(range(10**6))

        def noisy(count: int, generator: torch.Generator = generator, passes: Iterator[int] = passes) -> float:
            held_up = 1 + 9 * float(torch.rand((), generator=generator))
            return quiet(count) * (1 if next(passes) % 3 == 0 else held_up)

        found = settled(timed(noisy))
        assert expected / 4 <= found <= expected


def test_later_jobs_take_the_same_sizes(timed: Callable[..., Classifier]) -> None:
    classifier = timed(launching(0.0005, 0.01))
    short, long = job(classifier, 50), job(classifier, 1500)
    assert long[: len(short) - 1] == short[:-1]
    # Whatever becomes of the times.
    classifier.network.cost = lambda count: float(count)
    assert job(classifier, 50) == short
    assert job(classifier, 1500) == long


def test_what_it_depends_on(timed: Callable[..., Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = timed(launching(0.0005, 0.01))
    sizes = job(classifier, 3000)
    classifier.network.cost = launching(0.05, 0.01)
    assert job(classifier, 3000) == sizes
    classifier.network.batches.append(1)  # it has seen that size before
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert job(classifier, 100)[0] == 4
    monkeypatch.undo()


def test_nothing_keeps_the_classifier_alive(timed: Callable[..., Classifier]) -> None:
    classifier = timed(launching(0.0005, 0.01))
    job(classifier, 100)
    gone = weakref.ref(classifier)
    del classifier
    gc.collect()
    assert gone() is None


def test_an_accelerator_s_own_account_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    allocated = iter([(100, 1000), (100, 1000), (100, 1000), (100, 2100)])
    monkeypatch.setattr(batching, "_allocated", lambda device: next(allocated))
    monkeypatch.setattr(memory, "left", lambda device: 4000)
    measured = batching.Measured(torch.device("cpu"))
    measured.begin(seconds=0.1, size=1)
    assert measured.size_at(0) == (2, True)
    measured.timed(2, lambda: None)
    assert measured._fitting() == 2000, "no new peak says nothing"
    measured.timed(2, lambda: None)
    assert measured._fitting() == 2, "(2100 - 100) bytes for two pictures; half of what is left for a batch"


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

    batches = Batches(classifier, (3, *networks.SIZE), "scores")
    assert list(itertools.chain(*batches.run(64, compute))) == list(range(64))
    failed = [part for part in tried if part.stop - part.start > most]
    assert len(failed) == len(freed) <= 6
    # Nothing that succeeded is done again, and the ceiling is remembered, by other jobs too.
    assert len(tried) == len(failed) + -(-64 // min(64, 1 << most.bit_length() - 1))
    tried.clear()
    batches = Batches(classifier, (3, *networks.SIZE), "scores")
    assert list(itertools.chain(*batches.run(50, compute))) == list(range(50))
    assert all(part.stop - part.start <= most for part in tried)
    assert most >= 64 or batches.batch <= most


def test_a_single_picture_that_does_not_fit() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))

    def compute(part: slice) -> None:
        raise ClassifierError("It failed.") from MemoryError()

    sentence = r"ConvGapLinear needs more memory for a single picture than there is on cpu \(MemoryError\); free some"
    with pytest.raises(ClassifierError, match=sentence):
        Batches(classifier, (3, *networks.SIZE), "scores").run(8, compute)
    with pytest.raises(ClassifierError, match="or a technique without gradients"):
        Batches(classifier, (3, *networks.SIZE), "gradients").run(8, compute)


def test_other_errors_are_passed_on_at_once() -> None:
    classifier = networks.classifier(seeded(networks.ConvGapLinear))
    calls = []

    def compute(part: slice) -> None:
        calls.append(part)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Batches(classifier, (3, *networks.SIZE), "scores").run(8, compute)
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

    assert Batches(classifier, (3, *networks.SIZE), "scores").run(8, compute) == [2, 2, 2, 2]
    assert len(held) == 2 + 4
