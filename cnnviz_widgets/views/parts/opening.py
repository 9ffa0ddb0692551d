"""What an occlusion panel finds out by itself while the hand rests: the whole map, and where a patch matters most."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain import Heatmap, Occlusion
from cnnviz_widgets.explain.occlusion.occluder import Box
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap, OcclusionRun
from cnnviz_widgets.explain.rounding import rounding
from cnnviz_widgets.views.job import Steps
from cnnviz_widgets.views.parts.hot_spot import hottest_box, second_box
from cnnviz_widgets.views.parts.probing import TOGETHER, WAIT, OcclusionSetup, ShownMap

#: Most windows of a map that nobody asked for: a few seconds of one core. A technique with more gets a coarser map.
MOST_WINDOWS = 64
#: A place that helps counts as the strongest only where it does so many times as much as any place hurts.
_TIMES = 4.0
#: Where no window changes the probability by more, the logits say which is strongest.
_FLAT = 0.005


class MapAtRest:
    """The whole map of a picture by windows, a few at each step; `steps` goes on where it was dropped."""

    def __init__(self, setup: OcclusionSetup, technique: Occlusion) -> None:
        self._setup = setup
        height, width = setup.occluder.pixels.shape[2:]
        self._technique = coarse_enough(technique, (height, width))
        self._windows = self._technique.windows((height, width))
        self._measured = np.zeros((len(self._windows.boxes), len(setup.example.classifier.class_names)), np.float32)
        self._done = 0

    def steps(self) -> Steps:
        """None after each few windows, and at last a ShownMap."""
        occluder, boxes, together = self._setup.occluder, self._windows.boxes, 1
        occluder.prepare()
        yield
        while self._done < len(boxes):
            some = slice(self._done, min(self._done + together, len(boxes)))
            began = time.perf_counter()
            self._learn(some, occluder.logits(boxes[some]).numpy())
            each = (time.perf_counter() - began) / (some.stop - some.start)
            together = max(1, min(TOGETHER, int(WAIT / max(each, 1e-9))))
            yield
        yield ShownMap(self._setup.example, self._technique, self._map())

    def _learn(self, some: slice, logits: NDArray[np.float32]) -> None:
        self._measured[some] = logits
        self._done = some.stop

    def _map(self) -> OcclusionMap:
        setup, shape = self._setup, self._windows.shape
        classifier, whole = setup.example.classifier, setup.example.logits
        source, known = np.arange(len(self._measured)).reshape(shape), np.ones(shape, np.bool_)
        share = rounding(classifier)
        run = OcclusionRun(self._windows, classifier.readout, whole, self._measured, source, known, share)
        return run.map_of(Target(setup.class_index), self._technique.score)


def coarse_enough(technique: Occlusion, size: tuple[int, int]) -> Occlusion:
    """The technique itself, or with the least stride with which it has few enough windows on a picture of `size`."""
    windows = technique.windows(size)
    if len(windows.boxes) <= MOST_WINDOWS:
        return technique
    steps = int(MOST_WINDOWS**0.5) - 1
    stride = [max(1, -(-(side - part) // steps)) for side, part in zip(size, windows.window, strict=True)]
    return Occlusion(windows.window, (stride[0], stride[1]), technique.baseline, technique.score)


def strongest_window(found: OcclusionMap, index: int) -> Box:
    """The window that takes most from class `index`; the one that helps it most where none hurts nearly as much."""
    drops = _drops(found, index)
    hurts = _TIMES * max(float(drops.max()), 0.0) >= -float(drops.min())
    return found.windows.boxes[int(drops.argmax() if hurts else drops.argmin())]


def spots_of(found: Heatmap, index: int, size: tuple[int, int]) -> tuple[Box, Box]:
    """Where a window matters most to class `index`, and where next, apart from that; of windows as they were tried.

    Of a map that was not made by windows the first is on the largest value, and the second as well.
    """
    if not isinstance(found, OcclusionMap):
        spot = hottest_box(found.values, size)
        return spot, spot
    first = strongest_window(found, index)
    return first, second_box(first, found.windows.boxes, _drops(found, index))


def _drops(found: OcclusionMap, index: int) -> NDArray[np.float32]:
    """What each window takes from class `index`; a window that has not run has the value of one nearby."""
    readout, measured = found.run.readout, found.run.measured[found.run.source.ravel()]
    drops: NDArray[np.float32] = readout.probabilities(found.whole)[index] - readout.probabilities(measured)[:, index]
    return found.whole[index] - measured[:, index] if np.abs(drops).max() < _FLAT else drops
