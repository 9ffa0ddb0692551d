"""How many pictures to run at once: measured on the work itself, and fewer when memory runs out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, Protocol, TypeVar
from weakref import WeakKeyDictionary

import torch

from cnnviz_widgets.classifier import guest, memory
from cnnviz_widgets.classifier.layers import Layer
from cnnviz_widgets.classifier.wording import brief
from cnnviz_widgets.errors import ClassifierError, ExplanationError
from cnnviz_widgets.forks import lock

#: What is done with the pictures. Each has sizes of its own, as a picture's time and memory differ.
Work = Literal["scores", "gradients", "features", "maxima"]
#: Seconds after which one who waits notices; between two batches work can be dropped.
PATIENCE = 0.25
#: A batch twice or half as large takes over only if a picture costs no more than so much of what it did.
_CHEAPER = 0.95
#: So many passes of a size count before it is turned down: what else the computer does makes them longer, not shorter.
_TRIES = 3
#: Share of the memory left that one batch may take.
_SHARE = 0.5
#: With gradients a picture takes about so many times the memory and the time of a forward pass.
_GRADIENTS = 3
#: More pictures than fit into any memory.
_ANY = 2**62

_T = TypeVar("_T")


class Network(Protocol):
    """What is measured: a Classifier, which imports this module."""

    name: str
    channels: int
    input_size: tuple[int, int]
    autocast: Any

    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...
    @property
    def layers(self) -> Sequence[Layer]: ...
    @property
    def one_at_a_time(self) -> bool: ...
    def logits(self, pixels: torch.Tensor) -> torch.Tensor: ...


def clock() -> float:
    """Seconds, read before and after a pass that is measured."""
    return time.perf_counter()


class Batches:
    """The batches of one job: `work` on many pictures of `shape` (C, H, W) with one classifier.

    The first size is as many pictures as are over in a quarter of a second, by the time that single ones took before,
    and fit into the memory left. It grows in powers of two while a picture gets measurably cheaper and both still
    hold, or else shrinks while a smaller batch makes it cheaper. What was found is kept as long as the classifier
    lives, for each device, floating type and number of torch's threads. That number is the user's to set.

    Later jobs take the same sizes in the same order, those tried while measuring included: what a network answers
    may depend on the batch in its last digits, and the same job shall give the same result again.
    """

    def __init__(self, classifier: Network, shape: tuple[int, ...], work: Work) -> None:
        self._classifier = classifier
        self._shape = tuple(shape)
        self._costs = _GRADIENTS if work == "gradients" else 1
        self._work = work
        # Not the network's lock: to begin a job is not to wait for another one's pass.
        with _KEEPING:
            known = _measured.setdefault(classifier, {})
            most = 1 if classifier.one_at_a_time else _ANY
            self._measured = known.setdefault((work, _key(classifier, self._shape)), Measured(classifier.device, most))
        self._position = 0
        self._next: int | None = None
        self._is_trial = False

    @property
    def batch(self) -> int:
        """How many pictures to run next. Raises ClassifierError when the network cannot be run at all."""
        if self._next is None:
            with guest.LOCK:
                if not self._measured.begun:
                    seconds = self._costs * _seconds(self._classifier, self._shape)
                    self._measured.begin(seconds, self._costs * _bytes(self._classifier, self._shape))
                self._next, self._is_trial = self._measured.size_at(self._position)
        return min(self._next, self._measured.ceiling)

    def run(self, count: int, compute: Callable[[slice], _T]) -> list[_T]:
        """What `compute(part)` makes of pictures 0 to `count`: of all at once, or of parts that fit into memory.

        It returns when the device is done, and may be called for the same pictures again. Raises ClassifierError
        where not even a single picture fits into memory, and whatever else `compute` raises.
        """
        found: list[_T] = []
        done = 0
        while done < count or not found:
            size = min(count - done, self._measured.ceiling)
            try:
                found.append(self._ran(slice(done, done + size), compute))
            except Exception as error:
                if not memory.ran_out(error):
                    raise
                if size <= 1:
                    raise self._too_large(error) from error
                self._measured.ceiling = _power(size / 2)
            else:
                done += size
                continue
            # Only here the error is gone, and with it what the pass had made so far.
            memory.free(self._classifier.device)
        return found

    def _ran(self, part: slice, compute: Callable[[slice], _T]) -> _T:
        # The clock starts when it is this thread's turn with the network.
        with guest.LOCK:
            wanted = self._next is not None and part.stop - part.start == self.batch
            if not (wanted and self._is_trial):
                result = compute(part)
            else:
                result = self._measured.timed(part.stop - part.start, lambda: compute(part))
        if wanted:
            self._position, self._next = self._position + 1, None
        return result

    def _too_large(self, error: Exception) -> ClassifierError:
        classifier = self._classifier
        without = ", or a technique without gradients" if self._work == "gradients" else ""
        return ClassifierError(
            f"{classifier.name} needs more memory for a single picture than there is on {classifier.device} "
            f"({brief(error.__cause__ or error)}); free some, or use a smaller `input_size`{without}."
        )


class Measured:
    """Seconds of the passes of one kind of work, and the sizes that followed from them, in order."""

    def __init__(self, device: torch.device, most: int = _ANY) -> None:
        #: No more than so many pictures may be run at once, or fitted into memory.
        self.ceiling = most
        self.begun = False
        self._device = device
        self._first = 1
        self._bytes = 0.0
        self._sizes: list[int] = []
        self._passes: dict[int, list[float]] = {}
        self._settled: int | None = None

    def begin(self, seconds: float, size: float) -> None:
        """Say what one picture takes: `seconds`, and `size` in bytes."""
        self.begun = True
        self._bytes = size
        self._first = _power(min(PATIENCE / max(seconds, 1e-9), self._fitting(), self.ceiling))

    def size_at(self, position: int) -> tuple[int, bool]:
        """The size of a job's batch number `position`, and whether nobody has run it so far."""
        if position < len(self._sizes):
            return self._sizes[position], False
        if self._settled is None:
            self._sizes.append(self._chosen())
        return (self._sizes[-1], True) if self._settled is None else (self._settled, False)

    def timed(self, size: int, compute: Callable[[], _T]) -> _T:
        """Run a batch and remember how long it took, and on an accelerator how much memory."""
        before, most = _allocated(self._device)
        started = clock()
        result = compute()
        self._passes.setdefault(size, []).append((clock() - started) / size)
        _, peak = _allocated(self._device)
        if peak > most:
            self._bytes = (peak - before) / size
        return result

    def _chosen(self) -> int:
        """The size to run next: one of which more must be known, or the best of those that were measured."""
        size = min(self._first, self.ceiling)
        if self._cost(size) is None:
            return size
        while 2 * size <= min(self.ceiling, self._fitting()):
            known = size if self._cost(2 * size) is None else 2 * size
            if 2 * size * (self._cost(known) or 0) > PATIENCE:
                if not self._is_sure(known):
                    return known
                break
            if not self._costs_less(2 * size, size):
                if not self._is_sure(2 * size):
                    return 2 * size
                break
            size *= 2
        while 1 < size <= self._first:
            smaller = size // 2
            slow = size * (self._cost(size) or 0) > PATIENCE
            if self._cost(smaller) is None:
                return smaller
            if not slow and not self._costs_less(smaller, size):
                if not self._is_sure(smaller):
                    return smaller
                break
            if not self._is_sure(size):
                return size
            size = smaller
        self._settled = size
        return size

    def _costs_less(self, size: int, other: int) -> bool:
        """Whether a picture is known to cost measurably less in batches of `size` than in those of an `other`."""
        first, second = self._cost(size), self._cost(other)
        return first is not None and second is not None and first <= _CHEAPER * second

    def _is_sure(self, size: int) -> bool:
        """Whether enough passes were measured to turn the size down."""
        return len(self._passes.get(size, ())) > _TRIES

    def _cost(self, size: int) -> float | None:
        """Seconds for a picture; the first pass does not count, as libraries prepare themselves for a new size."""
        return min(self._passes.get(size, [])[1:], default=None)

    def _fitting(self) -> float:
        return _SHARE * memory.left(self._device) / max(self._bytes, 1)


#: Held while something is looked up in these.
_KEEPING = lock()
#: By classifier, then by kind of work and what else it depends on.
_measured: WeakKeyDictionary[Network, dict[Hashable, Measured]] = WeakKeyDictionary()
#: Seconds of the passes of single pictures.
_single: WeakKeyDictionary[Network, dict[Hashable, list[float]]] = WeakKeyDictionary()


def saw(classifier: Network, shape: tuple[int, ...], seconds: float) -> None:
    """Note that the forward pass of one picture of `shape` (C, H, W) took so long, the device's work included."""
    with _KEEPING:
        passes = _single.setdefault(classifier, {}).setdefault(_key(classifier, shape), [])
        # The first of all, and the quickest of the others.
        passes[1:] = [min([*passes[1:], seconds])] if passes else [seconds]


def _seconds(classifier: Network, shape: tuple[int, ...]) -> float:
    """The least that a forward pass of one picture took. Passes are made where there were none."""
    key = _key(classifier, shape)
    with _KEEPING:
        known = _single.setdefault(classifier, {})
    # An accelerator's first pass loads and tunes libraries for up to seconds.
    enough = 1 if classifier.device.type == "cpu" else 2
    with torch.inference_mode(False), torch.no_grad():
        for _ in range(enough - len(known.get(key, []))):
            classifier.logits(torch.zeros(1, *shape))
    return min(known[key][enough - 1 :])


def _bytes(classifier: Network, shape: tuple[int, ...]) -> float:
    """What the outputs of all layers take for one picture: at most what a forward pass keeps at once."""
    height, width = classifier.input_size
    try:
        values = sum(math.prod(layer.shape) for layer in classifier.layers)
    except ExplanationError:  # the work itself will say so
        values = 0
    return 4 * max(math.prod(shape), values * shape[1] * shape[2] / (height * width))


def _allocated(device: torch.device) -> tuple[int, int]:
    """Bytes that are allocated on an accelerator, and the most that ever were."""
    if device.type != "cuda":
        return 0, 0
    return torch.cuda.memory_allocated(device), torch.cuda.max_memory_allocated(device)


def quickly(classifier: Network, work: Work, most: int) -> int:
    """How many pictures, at most `most`, to run at once before something else is done with each.

    They are over in a quarter of a second and fit into memory, by what is known of single pictures; always the same
    for one classifier on one device.
    """
    shape = (classifier.channels, *classifier.input_size)
    return min(most, Batches(classifier, shape, work).batch)


def _key(classifier: Network, shape: tuple[int, ...]) -> Hashable:
    return tuple(shape), classifier.device, classifier.dtype, classifier.autocast, torch.get_num_threads()


def _power(number: float) -> int:
    """The largest power of two that is at most `number`, and at least 1."""
    return 1 << max(0, int(min(number, _ANY)).bit_length() - 1)
