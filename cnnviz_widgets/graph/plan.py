"""A classifier's program, made once and kept until the network changes."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier import memory
from cnnviz_widgets.classifier.modules import modules
from cnnviz_widgets.graph.boxes import Changes, Integers, batches, bytes_of, largest_bytes, work
from cnnviz_widgets.graph.fold import folded
from cnnviz_widgets.graph.lower import lowered
from cnnviz_widgets.graph.program import Global
from cnnviz_widgets.graph.regions import Program
from cnnviz_widgets.graph.run import Base
from cnnviz_widgets.graph.trace import BATCH, traced
from cnnviz_widgets.graph.winograd import quickened

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

#: Multiply-adds of a forward pass below which nothing is worth the preparations.
_LEAST = 30e6
#: How many times fewer multiply-adds make up for cutting out boxes.
_GAIN = 1.15
#: Of the memory that is left, how much may hold values of the whole picture, windows that run together, and weights
#: transformed; of much memory no more than so many bytes.
_SHARE, _MOST_BYTES = 1 / 8, 2**30
#: Seconds for windows that run together, as fast as the first few were, which are slower than later ones: enough to
#: keep all threads busy, over before anybody waits long.
_PATIENCE = 1.2
FEWEST, _MOST = 4, 24
#: Bytes of the largest value of windows that run together. The C library takes more than 32 MiB from the system anew
#: each time, and to write to such memory costs more than the convolution.
_LARGEST = 24 * 2**20
#: Share of the values that operations without a box may make, before the program is no better than the network.
_UNKNOWN = 0.1


@dataclass(eq=False)
class Plan:
    """A program for pictures of one size; `state` is that of the network when it was written down.

    `room` are bytes for windows that run together. `tried`: on windows it did what the network does. `rate` are
    multiply-adds in a second, the most that there were before the first groups were made: the same windows shall be
    grouped in the same way again.
    """

    program: Program
    state: Hashable
    room: float
    tried: bool = False
    rate: float = 0.0
    settled: bool = False

    def groups(self, changes: Changes) -> list[Integers]:
        """The same as `runs`, from now on as large as runs so far were fast."""
        self.settled = True
        return self.runs(changes)

    def runs(self, changes: Changes) -> list[Integers]:
        """Windows, by number, in groups to run together."""
        if not len(changes):
            return []
        most = min(
            self.rate * _PATIENCE / work(self.program, changes),
            self.room / bytes_of(self.program, changes),
            _LARGEST / largest_bytes(self.program, changes),
        )
        groups = batches(self.program, changes, min(max(int(most), FEWEST), _MOST))
        needed = sum(len(group) * work(self.program, changes.of(group)) for group in groups)
        if _GAIN * needed > len(changes) * self.program.work:
            together = max(1, int(_LARGEST / _largest(self.program)))
            return np.array_split(np.arange(len(changes)), -(-len(changes) // together))
        return groups

    def run(self, base: Base, changes: Changes) -> Tensor:
        """Logits (N, K) of windows that run together."""
        needed = work(self.program, changes)
        pays = _GAIN * needed <= self.program.work
        began = time.perf_counter()
        found = base.by_boxes(changes) if pays else base.by_planes(changes)
        if not self.settled:
            done = len(changes) * (needed if pays else self.program.work)
            self.rate = max(self.rate, done / max(time.perf_counter() - began, 1e-9))
        return found


def state_of(classifier: Classifier) -> Hashable:
    """What changes when a weight, a buffer, a module or a hook of the network does; not a module's other attributes."""
    found = modules(classifier.network)
    hooks = ((id(m), id(type(m)), *m._forward_pre_hooks, *m._forward_hooks) for m in found)
    return classifier.runner.weights(), tuple(hooks)


#: The last plan of each classifier with the state and shape it is for; None where there can be none.
_plans: WeakKeyDictionary[Classifier, tuple[Hashable, Plan | None]] = WeakKeyDictionary()


def plan_for(classifier: Classifier, pixels: Tensor, filling: Tensor) -> Plan | None:
    """The plan for pictures like `pixels` (1, C, H, W), traced on others than these. To be called under the lock."""
    state = state_of(classifier)
    key = (state, tuple(pixels.shape), classifier.dtype)
    known = _plans.get(classifier)
    if known is None or known[0] != key:
        _plans.pop(classifier, None)
        known = _plans[classifier] = key, _plan(classifier, torch.cat([filling, pixels.flip(-1)]), state)
    return known[1]


def forget(classifier: Classifier) -> None:
    """There is to be no plan for this network as it is now: what was traced is not what it computes."""
    if classifier in _plans:
        _plans[classifier] = _plans[classifier][0], None


def _plan(classifier: Classifier, pixels: Tensor, state: Hashable) -> Plan | None:
    try:
        with classifier.evaluating(), classifier.readout.watching() as inputs:

            def logits_in(output: object) -> Tensor:
                # What is traced must not look at numbers; the whole program is tried on windows later.
                return classifier.logits_in(output, BATCH, inputs, verified=False)

            trace = traced(classifier.shadow, pixels, logits_in)
        room = min(_SHARE * memory.left("cpu"), _MOST_BYTES)
        program = Program.of(quickened(folded(lowered(trace)), room))
    except Exception:  # besides UntraceableError, whatever torch raises where it does not bear what was made of it
        return None
    fits = program.work >= _LEAST and _kept_bytes(program) <= room and _unknown(program) <= _UNKNOWN
    return Plan(program, state, room / 2) if fits else None


def _kept_bytes(program: Program) -> int:
    return sum(4 * math.prod(program.listing.shapes[value]) for value in program.kept)


def _largest(program: Program) -> float:
    """Bytes of the largest value of one picture."""
    return 4.0 * max(math.prod(shape) for shape in program.listing.shapes.values())


def _unknown(program: Program) -> float:
    sizes = [(isinstance(op, Global), math.prod(program.listing.shapes[op.output])) for op in program.listing.ops]
    return sum(size for unknown, size in sizes if unknown) / sum(size for _, size in sizes)
