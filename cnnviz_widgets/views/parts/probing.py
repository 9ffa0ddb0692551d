"""A window on a picture: what the network says of it, and of windows around it before anybody asks."""

from __future__ import annotations

import bisect
import dataclasses
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.classifier import Target
from cnnviz_widgets.explain import Explainer, Heatmap, Occlusion, baseline_pixels
from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.occlusion.mask import Mask
from cnnviz_widgets.explain.occlusion.occluder import Box, Occluder
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap
from cnnviz_widgets.session import Example, Scene
from cnnviz_widgets.views.job import Steps, one_step

#: Windows around that are run ahead lie this share of the window's shorter side apart.
_FINENESS = 6
#: Seconds for which a hand that comes back may have to wait for the windows that are just being run ahead.
WAIT = 0.04
#: So many run together at most: in a network that computes only what a window changes, more are hardly faster.
TOGETHER = 4
#: Bytes of class scores that are kept.
_KEPT = 2**24


@dataclasses.dataclass(frozen=True, eq=False)
class OcclusionSetup:
    """A picture, what a window on it is filled with, and what answers for windows on it."""

    example: Example
    class_index: int
    baseline: Baseline
    filling: NDArray[np.uint8]
    occluder: Occluder


@dataclasses.dataclass(frozen=True, eq=False)
class Probe:
    """What the network says with a window on the picture. `box` is (top, left, height, width).

    With a `mask`, that is covered instead. Where it is `interpolated`, the network said that of windows nearby.
    """

    example: Example
    class_index: int
    box: Box
    logits: NDArray[np.float32]
    interpolated: bool
    mask: Mask | None = None

    @property
    def drop(self) -> float:
        """By how much the window lowers the logit of the class."""
        return float(self.example.logits[self.class_index] - self.logits[self.class_index])


class WindowCache:
    """What the network says of windows of one size (height, width) around the places where the hand has rested.

    They lie on a lattice and are run nearest first. The oldest are forgotten when there are too many to keep.
    """

    def __init__(self, occluder: Occluder, size: tuple[int, int]) -> None:
        self.occluder = occluder
        self.size = size
        height, width = occluder.pixels.shape[2:]
        self._windows = Occlusion(size, max(1, min(size) // _FINENESS)).windows((height, width))
        self._known: dict[tuple[int, int], NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def answer(self, box: Box) -> tuple[Box, NDArray[np.float32]] | None:
        """The window nearest to one of this size, and the logits (K,) there; None where that has not been run.

        Where the four windows around it have been, the logits are interpolated between theirs: a fifth nearer to the
        network's than the nearest window's, and they move with every pixel.
        """
        cell = self._windows.cell(box[0], box[1])
        logits = self._known.get(cell)
        if logits is None:
            return None
        rows, columns = (
            _between(places, at) for places, at in zip((self._windows.tops, self._windows.lefts), box, strict=False)
        )
        around = [(self._known.get((i, j)), down * across) for i, down in rows for j, across in columns]
        if all(known is not None for known, _ in around):
            logits = np.sum([known * np.float32(weight) for known, weight in around if known is not None], axis=0)
        return self._windows.box(*cell), logits

    def run_ahead(self, box: Box) -> Steps:
        """Run the windows that overlap with `box`, nearest first, a few neighbours at each step."""
        self.occluder.prepare()
        yield
        cells, together = self._around(box), 1
        while cells:
            group, cells = cells[:together], cells[together:]
            began = time.perf_counter()
            found = self.occluder.logits([self._windows.box(*cell) for cell in group]).numpy()
            each = (time.perf_counter() - began) / len(group)
            together = max(1, min(TOGETHER, int(WAIT / max(each, 1e-9))))
            self._learn(group, found)
            yield

    def _around(self, box: Box) -> list[tuple[int, int]]:
        """Windows that overlap with one of this size and are not known, by squares of four, the nearest first."""
        row, column = self._windows.cell(box[0], box[1])
        rows, columns = (
            [i for i, at in enumerate(places) if abs(at - box[axis]) < self.size[axis]]
            for axis, places in enumerate((self._windows.tops, self._windows.lefts))
        )
        cells = [(i, j) for i in rows for j in columns if (i, j) not in self._known]

        def distance(cell: tuple[int, int]) -> tuple[float, ...]:
            down, across = (cell[0] - row) // 2, (cell[1] - column) // 2
            return (2 * down + 0.5) ** 2 + (2 * across + 0.5) ** 2, down, across

        return sorted(cells, key=distance)[: self._most]

    @property
    def _most(self) -> int:
        return max(1, _KEPT // (4 * len(self.occluder.classifier.class_names)))

    def _learn(self, cells: list[tuple[int, int]], logits: NDArray[np.float32]) -> None:
        for cell, of_cell in zip(cells, logits, strict=True):
            self._known[cell] = of_cell.copy()
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def _between(places: Sequence[int], at: int) -> list[tuple[int, float]]:
    """The indices of the one or two of the ascending `places` next to `at`, with their weights."""
    after = bisect.bisect_left(places, at)
    if after == len(places) or places[after] == at or after == 0:
        return [(min(after, len(places) - 1), 1.0)]
    share = (at - places[after - 1]) / (places[after] - places[after - 1])
    return [(after - 1, 1 - share), (after, share)]


@dataclasses.dataclass(frozen=True, eq=False)
class ShownMap:
    """A map that is shown or under way: of which example, by which technique, and how far it is."""

    example: Example
    technique: Explainer
    heatmap: Heatmap

    def of_class(self, index: int) -> Heatmap | None:
        """The map of a class: one by windows holds the scores of every class, another only its own."""
        if isinstance(self.heatmap, OcclusionMap):
            return self.heatmap.for_target(index)
        return self.heatmap if self.heatmap.target == Target(index) else None

    def answer(self, setup: OcclusionSetup, box: Box) -> tuple[Box, NDArray[np.float32]] | None:
        """The window of this map that is nearest to `box`, and its logits (K,), if the map can say."""
        found, technique = self.heatmap, self.technique
        if not isinstance(found, OcclusionMap) or not isinstance(technique, Occlusion) or found.progress < 1:
            return None
        if self.example is not setup.example or (technique.baseline, technique.window) != (setup.baseline, box[2:]):
            return None
        return found.windows.box(*found.windows.cell(box[0], box[1])), found.nearest(box[0], box[1])


def known_answer(setup: OcclusionSetup, box: Box, cache: WindowCache | None, shown: ShownMap | None) -> Probe | None:
    """What is known of a window, or of one close to it, without a network call."""
    answers = []
    if cache is not None and cache.occluder is setup.occluder and cache.size == box[2:]:
        answers.append(cache.answer(box))
    if shown is not None:
        answers.append(shown.answer(setup, box))
    there = [answer for answer in answers if answer is not None]
    if not there:
        return None
    at, logits = min(there, key=lambda answer: abs(answer[0][0] - box[0]) + abs(answer[0][1] - box[1]))
    return Probe(setup.example, setup.class_index, box, logits, interpolated=at != box)


def grow_map(setup: OcclusionSetup, technique: Explainer) -> Steps:
    """Yield a ShownMap as it gets better."""
    example, target = setup.example, Target(setup.class_index)
    if isinstance(technique, Occlusion) and technique.baseline == setup.baseline:
        heatmaps: Iterator[Heatmap] = technique.sliding(setup.occluder, target)
    else:
        heatmaps = technique.steps(example.classifier, example.pixels, target)
    for heatmap in heatmaps:
        yield ShownMap(example, technique, heatmap)


@one_step
def prepare(scene: Scene, baseline: Baseline, before: OcclusionSetup | None) -> OcclusionSetup:
    """Yield an OcclusionSetup; for another class of the picture `before`, the same with that class."""
    example = scene.example
    if before is not None and before.example is example and before.baseline == baseline:
        return dataclasses.replace(before, class_index=scene.class_index)
    filling = baseline_pixels(example.classifier, example.pixels, baseline)
    occluder = Occluder(example.classifier, example.classifier.input_copy(example.pixels), filling)
    # What the panel draws from is computed here, on the worker.
    _ = example.logits, example.appearance
    return OcclusionSetup(example, scene.class_index, baseline, example.classifier.appearance(filling), occluder)


@one_step
def probe(setup: OcclusionSetup, box: Box, mask: Mask | None = None) -> Probe:
    """Yield what the network says of one window, or of a mask."""
    occluder = setup.occluder
    logits = (occluder.logits([box]) if mask is None else occluder.masked([mask]))[0].numpy()
    return Probe(setup.example, setup.class_index, box, logits, interpolated=False, mask=mask)
