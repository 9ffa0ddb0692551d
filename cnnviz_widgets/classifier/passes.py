"""How a network's forward passes must be made: together or one by one, with or without a graph."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from time import perf_counter

import torch
from torch import Tensor

from cnnviz_widgets.classifier import failures
from cnnviz_widgets.classifier.randomness import OwnRandomness, same_draws
from cnnviz_widgets.errors import ClassifierError


class Passes:
    """The forward passes of the network `name`.

    torch gives it random numbers from its `own` generators. `one_at_a_time`: each picture is run by itself.
    `same_draws`: with the same random numbers. `needs_graph`: a pass
    takes part in a graph even where no gradients are wanted, as one does in which a hook is set on a tensor.
    """

    def __init__(self, name: str, own: OwnRandomness) -> None:
        self.one_at_a_time = False
        self.same_draws = False
        self.needs_graph = False
        self._name = name
        self._own = own
        #: Seconds of a pass for each picture, the least of those that were tried, by device and arithmetic.
        self.seconds: dict[Hashable, float] = {}
        self._recorders: list[int] = []

    def scores(self, pixels: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
        """What `run` makes of pixels (N, C, H, W), in as many passes as it takes: (N, K), differentiable in `pixels`.

        Raises ClassifierError where the layers of several pictures would have to be
        recorded in several passes.
        """
        if self.one_at_a_time and len(pixels) > 1:
            if threading.get_ident() in self._recorders:
                raise ClassifierError(f"{self._name} is run one picture at a time; record one picture at a time too.")
            return torch.cat([self.scores(one, run) for one in pixels.split(1)])
        if self.one_at_a_time and not len(pixels):
            return self.scores(pixels.new_zeros(1, *pixels.shape[1:]), run)[:0]
        with same_draws(self._own) if self.same_draws else nullcontext():
            if not self.needs_graph or (torch.is_grad_enabled() and pixels.requires_grad):
                return run(pixels)
            with torch.inference_mode(False), torch.enable_grad():
                scores = run(pixels.detach().clone().requires_grad_())
            return scores if torch.is_grad_enabled() else scores.detach()

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Inside, this thread records what layers put out."""
        thread = threading.get_ident()
        self._recorders.append(thread)
        try:
            yield
        finally:
            self._recorders.remove(thread)

    def try_pass(self, run: Callable[[], Tensor], arithmetic: Hashable) -> Tensor:
        """What `run`, a pass without gradients, makes, timed; with a graph if the network cannot do without one."""
        started = perf_counter()
        # Whether the scores are finite is asked in the end, which waits for an accelerator.
        scores = self._with_graph_where_needed(run)
        seconds = (perf_counter() - started) / max(len(scores), 1)
        self.seconds[arithmetic] = min(seconds, self.seconds.get(arithmetic, seconds))
        return scores

    def _with_graph_where_needed(self, run: Callable[[], Tensor]) -> Tensor:
        try:
            return run()
        except ClassifierError as error:
            if self.needs_graph or not failures.wants_graph(error.__cause__):
                raise
        self.needs_graph = True
        return run()
