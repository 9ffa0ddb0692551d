"""How many pictures to run at once: by what one takes in seconds and bytes, and fewer when memory runs out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Literal, TypeVar

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.classifier.classifier import Classifier
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ClassifierError, ExplanationError

#: What is done with the pictures. Each kind has a size of its own, as a picture's time and memory differ.
BatchKind = Literal["scores", "gradients", "features", "maxima"]

#: Longest duration of a batch in seconds, as far as MIN_BATCH allows. Work can be cancelled only between batches, so
#: that this bounds how long a new request waits. Gradients are worth a longer wait: on one thread a ResNet-18 takes
#: 6 % less for a picture in batches of 8, of half a second, than of 4.
MAX_SECONDS = {"scores": 0.25, "gradients": 0.75, "features": 0.25, "maxima": 0.25}
#: Pictures in a batch that the clock does not make smaller. Run one by one a picture costs up to 1.4 times as much.
MIN_BATCH = 4
#: Most pictures in a batch on a CPU, where larger ones gain nothing, and on an accelerator, which they keep busy.
MAX_BATCH, MAX_BATCH_ACCELERATED = 16, 256
#: Most bytes of one layer's output for a batch on a CPU: glibc returns larger blocks to the system at once and every
#: pass faults their pages in again (M_MMAP_THRESHOLD_MAX), which costs up to half as much as the pass itself.
MAX_BLOCK = 2**25
#: Share of the memory left that one batch may take.
MEMORY_SHARE = 0.5
#: Time and memory of a picture with gradients, in forward passes: one forward, two of the same size backward.
GRADIENT_COST = 3

_T = TypeVar("_T")


class Batches:
    """The batches of one job: `work` on many pictures of `shape` (C, H, W) with one classifier.

    Their size is the same for all jobs of a kind, so that the same job gives the same result again: what a network
    answers may depend on the batch in its last digits. Only where memory runs out is it halved, for good.
    """

    def __init__(self, classifier: Classifier, shape: tuple[int, ...], work: BatchKind) -> None:
        self.classifier = classifier
        self._shape = tuple(shape)
        self.work = work
        self._key = work, self._shape, classifier.arithmetic

    @property
    def batch(self) -> int:
        """How many pictures to run next. Raises ClassifierError when the network cannot be run at all."""
        sizes = self.classifier.batch_sizes
        size = sizes.get(self._key)
        # Of two threads that come at once both go by what the first found.
        return sizes.setdefault(self._key, self._size()) if size is None else size

    def run(self, count: int, compute: Callable[[slice], _T]) -> list[_T]:
        """What `compute(part)` makes of pictures 0 to `count`: of all at once, or of parts that fit into memory.

        It may be called for the same pictures again. Raises ClassifierError where not even a single picture fits into
        memory, and whatever else `compute` raises.
        """
        found: list[_T] = []
        most = 1 if self.classifier.one_at_a_time else self.classifier.batch_limits.get(self._key, count)
        # To find out about layers takes longer than is lost without.
        if self.classifier.knows_layers:
            most = min(most, self._within_blocks())
        done = 0
        while done < count or not found:
            size = min(count - done, most)
            try:
                found.append(compute(slice(done, done + size)))
            except Exception as error:
                if not memory.ran_out(error):
                    raise
                if size <= 1:
                    raise self._too_large(error) from error
                most = self._limit(_power(size / 2))
            else:
                done += size
                continue
            # Only here the error is gone, and with it what the pass had made so far.
            memory.free(self.classifier.device)
        return found

    def fitting(self) -> int:
        """How many batches fit into memory at once, at least 1."""
        cost = GRADIENT_COST if self.work == "gradients" else 1
        whole, _ = _bytes(self.classifier, self._shape)
        return max(1, int(MEMORY_SHARE * memory.left(self.classifier.device) / (cost * whole * self.batch)))

    def _limit(self, most: int) -> int:
        """Remember that no more than `most` pictures fit into memory."""
        classifier = self.classifier
        classifier.batch_limits[self._key] = most
        if self._key in classifier.batch_sizes:
            classifier.batch_sizes[self._key] = min(most, classifier.batch_sizes[self._key])
        return most

    def _size(self) -> int:
        classifier = self.classifier
        if classifier.one_at_a_time:
            return 1
        cost = GRADIENT_COST if self.work == "gradients" else 1
        whole, _ = _bytes(classifier, self._shape)
        fitting = MEMORY_SHARE * memory.left(classifier.device) / (cost * whole)
        most = min(MAX_BATCH, self._within_blocks()) if classifier.device.type == "cpu" else MAX_BATCH_ACCELERATED
        timely = MAX_SECONDS[self.work] / max(cost * _seconds(classifier, self._shape), 1e-9)
        size = min(max(_power(timely), MIN_BATCH), most)
        return _power(min(size, fitting, classifier.batch_limits.get(self._key, size)))

    def _within_blocks(self) -> int:
        """Most pictures in a batch whose layers' outputs are no larger than MAX_BLOCK, on a CPU."""
        if self.classifier.device.type != "cpu":
            return sys.maxsize
        _, largest = _bytes(self.classifier, self._shape)
        return max(MIN_BATCH, _power(MAX_BLOCK / largest))

    def _too_large(self, error: Exception) -> ClassifierError:
        classifier = self.classifier
        without = ", or a technique without gradients" if self.work == "gradients" else ""
        return ClassifierError(
            f"{classifier.name} needs more memory for a single picture than there is on {classifier.device} "
            f"({summarize_error(error.__cause__ or error)}); free some, or use a smaller `input_size`{without}."
        )


def batch_size(classifier: Classifier, work: BatchKind, most: int) -> int:
    """How many pictures, at most `most`, to run at once; always the same for one classifier on one device."""
    return min(most, Batches(classifier, (classifier.channels, *classifier.input_size), work).batch)


#: The name of `batch_size` before.
quickly = batch_size


def _seconds(classifier: Classifier, shape: tuple[int, ...]) -> float:
    """Seconds of a forward pass for a picture of `shape` (C, H, W), by those of the classifier's input size."""
    return classifier.seconds_per_picture * math.prod(shape[1:]) / math.prod(classifier.input_size)


def _bytes(classifier: Classifier, shape: tuple[int, ...]) -> tuple[float, float]:
    """Bytes of the outputs of all layers for one picture, at most what a pass keeps at once, and of the largest."""
    try:
        values = [math.prod(layer.shape) for layer in classifier.layers]
    except ExplanationError:  # the work itself will say so
        values = []
    scale = 4 * math.prod(shape[1:]) / math.prod(classifier.input_size)
    own = 4 * math.prod(shape)
    return max(own, scale * sum(values)), max(own, scale * max(values, default=0))


def _power(number: float) -> int:
    """The largest power of two that is at most `number`, and at least 1."""
    return 1 << max(0, int(min(number, 2**62)).bit_length() - 1)
