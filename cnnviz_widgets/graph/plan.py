"""A classifier's program, made once and kept until the network changes."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, memory
from cnnviz_widgets.classifier.modules import modules
from cnnviz_widgets.graph.boxes import Changes, Integers, bytes_of, group_windows, largest_bytes, work
from cnnviz_widgets.graph.fold import fold
from cnnviz_widgets.graph.lowering import lower
from cnnviz_widgets.graph.ops import Global
from cnnviz_widgets.graph.regions import Program
from cnnviz_widgets.graph.run import Base
from cnnviz_widgets.graph.winograd import use_winograd
from cnnviz_widgets.tracing.trace import BATCH, trace_scores

#: Multiply-adds of the smallest forward pass for which a plan is made. For less the preparations take longer than
#: they save.
_MIN_WORK = 30e6
#: How many times fewer multiply-adds boxes must need than whole planes. Cutting boxes out takes time of its own, so
#: that with 1 some windows would run slower than by the network.
_MIN_GAIN = 1.15
#: Share of the memory that is left, and most bytes, for values of the whole picture, for windows that run together,
#: and for transformed weights, each. Networks that need more are left to themselves.
_MEMORY_SHARE, _MAX_BYTES = 1 / 8, 2**30
#: Multiply-adds of a group: a second or two of one core. A map gets better group by group; smaller ones cost more for
#: each window. It is no share of a measured speed, or a map that was begun on a busy machine would be slow for good.
_MAX_GROUP_WORK = 60e9
#: Fewest and most windows of a group. A smaller one costs much more for each window; a larger one gains no more.
MIN_GROUP, _MAX_GROUP = 4, 24
#: Bytes of the largest value of windows that run together. The C library takes more than 32 MiB from the system anew
#: each time, and to write to such memory costs more than the convolution.
_MAX_VALUE_BYTES = 24 * 2**20
#: Largest share of the values that may be made by operations without a box. With more the network itself is as quick.
_MAX_UNKNOWN_SHARE = 0.1


@dataclass(eq=False)
class Plan:
    """A program for pictures of one size; `state` is that of the network when it was written down.

    `room` are bytes for windows that run together. `tried` is True once it did on some windows what the network does.
    """

    program: Program
    state: Hashable
    room: float
    tried: bool = False

    def group(self, changes: Changes) -> list[Integers]:
        """Windows, by number, in groups to run together: always the same for the same windows."""
        if not len(changes):
            return []
        most = min(
            _MAX_GROUP_WORK / work(self.program, changes),
            self.room / bytes_of(self.program, changes),
            _MAX_VALUE_BYTES / largest_bytes(self.program, changes),
        )
        groups = group_windows(self.program, changes, min(max(int(most), MIN_GROUP), _MAX_GROUP))
        needed = sum(len(group) * work(self.program, changes.of(group)) for group in groups)
        if _MIN_GAIN * needed > len(changes) * self.program.work:
            together = max(1, int(_MAX_VALUE_BYTES / _largest(self.program)))
            return np.array_split(np.arange(len(changes)), -(-len(changes) // together))
        return groups

    def run(self, base: Base, changes: Changes) -> Tensor:
        """Logits (N, K) of windows that run together."""
        pays = _MIN_GAIN * work(self.program, changes) <= self.program.work
        return base.by_boxes(changes) if pays else base.by_planes(changes)


def state_of(classifier: Classifier) -> Hashable:
    """What changes when a weight, a buffer, a module or a hook of the network does; not a module's other attributes."""
    found = modules(classifier.network)
    hooks = ((id(m), id(type(m)), *m._forward_pre_hooks, *m._forward_hooks) for m in found)
    return classifier.runner.weights(), tuple(hooks)


#: The last plan of each classifier with the state and shape it is for; None where there can be none.
_plans: WeakKeyDictionary[Classifier, tuple[Hashable, Plan | None]] = WeakKeyDictionary()


def plan_for(classifier: Classifier, pixels: Tensor, filling: Tensor) -> Plan | None:
    """The plan for pictures like `pixels` (1, C, H, W), traced with others than these. Call it under the lock."""
    state = state_of(classifier)
    key = (state, tuple(pixels.shape), classifier.dtype)
    known = _plans.get(classifier)
    if known is None or known[0] != key:
        _plans.pop(classifier, None)
        known = _plans[classifier] = key, _plan(classifier, torch.cat([filling, pixels.flip(-1)]), state)
    return known[1]


def forget(classifier: Classifier) -> None:
    """There is to be no plan for this network as it is now: what was trace_scores is not what it computes."""
    if classifier in _plans:
        _plans[classifier] = _plans[classifier][0], None


def _plan(classifier: Classifier, pixels: Tensor, state: Hashable) -> Plan | None:
    try:
        with classifier.evaluating(), classifier.readout.watching() as inputs:

            def logits_in(output: object) -> Tensor:
                # What is trace_scores must not look at numbers; the whole program is tried on windows later.
                return classifier.logits_in(output, BATCH, inputs, verified=False)

            trace = trace_scores(classifier.shadow, pixels, logits_in)
        room = min(_MEMORY_SHARE * memory.left("cpu"), _MAX_BYTES)
        program = Program.of(use_winograd(fold(lower(trace)), room))
    except Exception:  # besides UntraceableError, whatever torch raises where it does not bear what was made of it
        return None
    fits = program.work >= _MIN_WORK and _kept_bytes(program) <= room and _unknown(program) <= _MAX_UNKNOWN_SHARE
    return Plan(program, state, room / 2) if fits else None


def _kept_bytes(program: Program) -> int:
    """Bytes of the values that are kept of a whole picture."""
    return sum(4 * math.prod(program.listing.shapes[value]) for value in program.kept)


def _largest(program: Program) -> float:
    """Bytes of the largest value of one picture."""
    return 4.0 * max(math.prod(shape) for shape in program.listing.shapes.values())


def _unknown(program: Program) -> float:
    """Share of the values that is made by operations of which nothing is known."""
    sizes = [(isinstance(op, Global), math.prod(program.listing.shapes[op.output])) for op in program.listing.ops]
    return sum(size for unknown, size in sizes if unknown) / sum(size for _, size in sizes)
