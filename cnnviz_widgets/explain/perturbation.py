"""Many variants of one network input, run in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.explain.memory_format import USUAL, run_in_a_layout

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier


class Batched(Protocol):
    """What says how many to run next."""

    @property
    def batch(self) -> int: ...


def slices(batched: Batched, count: int) -> Iterator[slice]:
    """Which of `count` to run next, until all were: as many as `batched` says each time."""
    done = 0
    while done < count:
        some = slice(done, min(done + batched.batch, count))
        yield some
        done = some.stop


class Variants:
    """Class scores of altered copies of `pixels` (1, C, H, W), from forward passes over one reused buffer.

    The pixels are as `Classifier.input_copy` gives them; nobody changes them.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor) -> None:
        self._classifier = classifier
        with torch.inference_mode(False):
            #: The network input, on the network's device in its floating type.
            self.pixels = classifier.to_network(pixels)
        #: How many are run at once.
        self.batches = Batches(classifier, self.pixels.shape[1:], "scores")
        self._buffer = self.pixels[:0]
        self._layout = USUAL

    @property
    def batch(self) -> int:
        """How many variants to ask for next: not always as many, as the best number is measured meanwhile."""
        return self.batches.batch

    @torch.inference_mode(False)
    @torch.no_grad()
    def logits(self, count: int, alter: Callable[[Tensor], None]) -> Tensor:
        """Logits (count, K), float32 on the CPU, of copies (count, C, H, W) that `alter` changes in place.

        The copies are on the network's device in its floating type. Where memory runs out they are run in parts, and
        `alter` is called again for each. Raises ClassifierError.
        """

        def run(part: slice) -> Tensor:
            return run_in_a_layout(self._classifier, part, lambda layout, some: self._run(count, alter, layout, some))

        return torch.cat(self.batches.run(count, run))

    def _run(self, count: int, alter: Callable[[Tensor], None], layout: torch.memory_format, part: slice) -> Tensor:
        if len(self._buffer) < count or self._layout is not layout:
            self._layout, self._buffer = layout, self.pixels[:0]  # what there was is let go of first
            shape = (count, *self.pixels.shape[1:])
            self._buffer = torch.empty(shape, dtype=self.pixels.dtype, device=self.pixels.device, memory_format=layout)
        copies = self._buffer[:count]
        # Written anew each time: a network may change its input in place.
        copies.copy_(self.pixels)
        alter(copies)
        return self._classifier.logits(copies[part]).to("cpu", torch.float32)


def see_through(copies: Tensor, masks: Tensor, start: Tensor) -> None:
    """Leave copies (n, C, H, W) as they are where masks (n, H, W) are 1, and put `start` (1, C, H, W) where 0."""
    copies.copy_(start + masks[:, None].to(copies) * (copies - start))
