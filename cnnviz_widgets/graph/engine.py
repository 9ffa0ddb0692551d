"""Logits of a picture with windows covered, from what the windows change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.locks import network_lock
from cnnviz_widgets.forks import lock
from cnnviz_widgets.graph.boxes import Box, Integers, changes
from cnnviz_widgets.graph.plan import MIN_GROUP, Plan, forget, plan_for, state_of
from cnnviz_widgets.graph.run import Base

#: Largest difference from the network's own logits, as a share of their range. It leaves room for rounding. If larger,
#: an error of the plan that changes little would not be noticed.
_TOLERANCE = 1e-4
#: Pixels of the smallest picture for which an engine is made. For less a forward pass is quick enough as it is.
_MIN_PIXELS = 64 * 64


class Engine:
    """Logits of one picture (1, C, H, W) with windows of it replaced by `filling`, by a plan of the network."""

    #: Windows to ask for at once, where no groups are made.
    batch = MIN_GROUP

    def __init__(self, plan: Plan, classifier: Classifier, pixels: Tensor, filling: Tensor) -> None:
        self._plan, self._classifier = plan, classifier
        self._base = Base(plan.program, pixels, filling)
        self._lock: Any = network_lock
        #: Logits (1, K), float32 on the CPU, of the picture itself, by the network.
        self.uncovered = classifier.logits(pixels).to("cpu", torch.float32)

    @property
    def whole(self) -> Tensor:
        """Logits (1, K) of the picture itself, by the plan."""
        return self._base.logits

    @property
    def current(self) -> bool:
        """Whether the network is as it was when the plan was made, and runs as it did then."""
        return self._plan.state == state_of(self._classifier) and not torch.is_autocast_enabled("cpu")

    def runs(self, boxes: Sequence[Box]) -> list[Integers]:
        """Boxes, by number, in groups that are best run together. The same boxes are grouped the same way again."""
        return self._plan.group(changes(self._plan.program, boxes))

    def shared(self, dropped: Callable[[], bool]) -> Engine:
        """The same for another thread, to be asked at the same time; `dropped` says whether it works for nobody."""
        other = copy.copy(self)
        other._base, other._lock = self._base.shared(), lock()
        other._base.dropped = dropped
        return other

    @torch.inference_mode(False)
    @torch.no_grad()
    def logits(self, boxes: Sequence[Box]) -> Tensor:
        """Logits (n, K), float32, of boxes that lie inside the picture."""
        moved = changes(self._plan.program, boxes)
        found = torch.empty(len(boxes), self.whole.shape[1])
        with self._lock:
            for group in self._plan.group(moved):
                found[torch.from_numpy(group)] = self._plan.run(self._base, moved.of(group)).float()
        return found


@torch.inference_mode(False)
@torch.no_grad()
def engine_for(
    classifier: Classifier, pixels: Tensor, filling: Tensor, network: Callable[[Sequence[Box]], Tensor]
) -> Engine | None:
    """An engine for one picture (1, C, H, W), or None where only the network itself is right, or as quick.

    `network` gives the logits of windows as the network itself has them: the picture whole, and for the first
    engine of a network some windows, are compared with it.
    """
    height, width = pixels.shape[2:]
    supported = pixels.device.type == "cpu" and pixels.dtype in (torch.float32, torch.float64)
    # What one picture's scores owe to another one is no part of a plan.
    supported = supported and not (classifier.one_at_a_time or classifier.autocast)
    if not supported or height * width < _MIN_PIXELS or torch.is_autocast_enabled("cpu"):
        return None
    if classifier.runner.is_random:
        return None
    with network_lock:
        plan = plan_for(classifier, pixels, filling)
        if plan is None:
            return None
        try:
            engine = Engine(plan, classifier, pixels, filling)
            right = _agree(engine.whole, engine.uncovered)
            if right and not plan.tried:
                boxes = _trials(height, width)
                right = plan.tried = _agree(engine.logits(boxes), network(boxes))
        except Exception:  # as where the size of the traced batch is part of what the network computes
            right = False
        if not right:
            forget(classifier)
        return engine if right else None


def _trials(height: int, width: int) -> list[Box]:
    """Windows in two corners and inside the picture."""
    tall, wide = height // 5, width // 5
    corners = [(0, 0), (height // 2, width // 3), (height - tall, width - wide)]
    return [Box(top, left, tall, wide) for top, left in corners]


def _agree(ours: Tensor, logits: Tensor) -> bool:
    ours = ours.to("cpu", torch.float32)
    spread = float(logits.max() - logits.min()) if logits.numel() > 1 else float(logits.abs().max())
    return bool(((ours - logits).abs() <= _TOLERANCE * spread).all())
