"""Occlusion: cover a part of the picture and see how much the score drops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Score, TargetLike
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.classifier.target import check_score
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.baseline import Baseline, baseline_of
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.occlusion.mask import Mask, checked_mask
from cnnviz_widgets.explain.occlusion.occluder import Box, Occluder
from cnnviz_widgets.explain.occlusion.occlusion_map import OcclusionMap, OcclusionRun, Windows
from cnnviz_widgets.explain.occlusion.refinement import IntArray, Refinement, spread_evenly
from cnnviz_widgets.explain.rounding import rounding
from cnnviz_widgets.parameters import Range, check_choice, check_count

#: Share of the windows that the first map is made of.
_COARSE = 0.05
#: So many groups are run last, the largest first.
_LAST = 4
#: The default window's side, as a share of the picture's shorter one.
_WINDOW = 2 / 7


@dataclass(frozen=True)
class Occlusion(Explainer):
    """Score of the whole picture minus its score with a window covered, for each pixel the mean over windows.

    `window` and `stride` are pixels of the network's input, one number or (rows, columns). Windows begin
    every `stride` pixels, and a last one ends exactly at the far edge. By default a window is 2/7 of the
    shorter side, 64 pixels of 224, and the stride half a window. A window larger than the picture is
    cut to its size. Where windows leave gaps (`stride` > `window`), each pixel has the value of the nearest
    window. The covered pixels are those of `baseline` (see `baseline_pixels`). Costs a forward pass for
    each window, or on a CPU what of it the window changes. Zeiler and Fergus 2013 (arXiv 1311.2901),
    section 4.2, painted where the window was.
    """

    label = "sliding window"
    family = "occlusion"
    quantity = "drop of the score"

    window: Annotated[int | tuple[int, int] | None, Range(1, 256)] = None
    stride: Annotated[int | tuple[int, int] | None, Range(1, 128)] = None
    baseline: Baseline = "mean"
    score: Score = "logit"

    def __post_init__(self) -> None:
        for name in ("window", "stride"):
            for number in () if getattr(self, name) is None else _pair(getattr(self, name), name):
                check_count(name, number)
        check_choice("baseline", self.baseline, Baseline)
        check_choice("score", self.score, Score)

    def explain(self, instance: Instance) -> Iterator[OcclusionMap]:
        """Yield the map so far after each group of windows: first some spread over the picture, at most 5 % of all.

        Then the others, where the map is large, steep or not known yet. A window that has not been run shows what
        those that have been suggest. Raises MethodError, ClassifierError.
        """
        check_score(self.score, instance.classifier.readout)
        yield from self.sliding(self._occluder(instance.classifier, instance.pixels), instance.target)

    def occluder(self, classifier: Classifier, pixels: Tensor) -> Occluder:
        """What answers for windows on this network input, (1, C, H, W). Raises PictureError."""
        return self._occluder(classifier, classifier.input_copy(pixels))

    def _occluder(self, classifier: Classifier, pixels: Tensor) -> Occluder:
        return Occluder(classifier, pixels, baseline_of(classifier, pixels, self.baseline))

    def sliding(self, occluder: Occluder, target: TargetLike) -> Iterator[OcclusionMap]:
        """The same as `explain`, by an occluder at hand. Raises TargetError, MethodError, ClassifierError."""
        readout, target = occluder.classifier.readout, occluder.classifier.target(target)
        windows = self.windows((occluder.pixels.shape[2], occluder.pixels.shape[3]))
        boxes = windows.boxes
        occluder.prepare(len(boxes))
        whole = occluder.uncovered().numpy()
        measured = np.empty((len(boxes), len(whole)), np.float32)
        refinement, share = Refinement(*windows.shape), rounding(occluder.classifier)
        groups = _Groups(occluder, windows, boxes)

        def measuring(cells: IntArray) -> Callable[[Any], tuple[IntArray, Tensor]]:
            return lambda lent: (cells, occluder.logits_by(lent, [boxes[cell] for cell in cells]))

        def covered(cells: IntArray, logits: Tensor) -> OcclusionMap:
            done = refinement.done
            measured[done : done + len(cells)] = logits.numpy()
            refinement.add(cells)
            seen, source, known = measured[: refinement.done], refinement.source, refinement.known
            return OcclusionRun(windows, readout, whole, seen, source, known, share).map_of(target, self.score)

        found: OcclusionMap | None = None
        with occluder.parts(len(boxes)) as parts:
            while refinement.done < len(boxes):
                with parts.alone():
                    while parts.free and groups.left:
                        interest = None if found is None else refinement.interest(found.cells).ravel()
                        parts.start(measuring(groups.next(interest)))
                    found = covered(*parts.first())
                yield found

    def sized(self, size: tuple[int, int]) -> Occlusion:
        """The same with `window` and `stride` in numbers, for a picture of `size` (height, width)."""
        window = max(1, round(_WINDOW * min(size))) if self.window is None else self.window
        stride = self.stride
        if stride is None:
            halves = [max(1, side // 2) for side in _pair(window, "window")]
            stride = (halves[0], halves[1]) if isinstance(window, tuple) else halves[0]
        return dataclasses.replace(self, window=window, stride=stride)

    def windows(self, size: tuple[int, int]) -> Windows:
        """Where the windows lie in a picture of `size` (height, width)."""
        sized = self.sized(size)
        window, stride = _pair(sized.window, "window"), _pair(sized.stride, "stride")
        height, width = min(window[0], size[0]), min(window[1], size[1])
        return Windows(
            size,
            (height, width),
            positions(size[0], height, stride[0]),
            positions(size[1], width, stride[1]),
        )

    def occluded(self, classifier: Classifier, pixels: Tensor, boxes: Sequence[Box]) -> Tensor:
        """Logits (n, K), float32 on the CPU, of the picture with each box (top, left, height, width) covered.

        Raises MethodError when a box does not lie inside the picture; PictureError, ClassifierError.
        """
        pixels = classifier.input_copy(pixels)
        checked = [_box(box, pixels.shape[2], pixels.shape[3]) for box in boxes]
        if not checked:
            return torch.empty(0, len(classifier.class_names))
        return self._occluder(classifier, pixels).logits(checked)

    def masked(self, classifier: Classifier, pixels: Tensor, masks: Sequence[Mask]) -> Tensor:
        """Logits (n, K), float32 on the CPU, of the picture with each mask, bool (H, W), covered where it is True.

        Raises MethodError for a mask that is none or of another size; PictureError, ClassifierError.
        """
        pixels = classifier.input_copy(pixels)
        size = (pixels.shape[2], pixels.shape[3])
        return self._occluder(classifier, pixels).masked([checked_mask(mask, size) for mask in masks])


class _Groups:
    """Windows in the order in which a map runs them: some spread over the picture, then groups of neighbours."""

    def __init__(self, occluder: Occluder, windows: Windows, boxes: Sequence[Box]) -> None:
        self._occluder, self._boxes = occluder, boxes
        self._spread = spread_evenly(*windows.shape, max(1, int(_COARSE * len(boxes))))
        # Groups of neighbours run fastest; of every second cell, as on a chessboard, they show nearly as much.
        self._colours = np.add.outer(*map(np.arange, windows.shape)).ravel() % 2
        self._waiting = np.ones(len(boxes), np.bool_)
        self._groups: list[IntArray] = []
        self._batch = 0

    @property
    def left(self) -> bool:
        """Whether there are any."""
        return bool(self._waiting.any())

    def next(self, interest: FloatArray | None) -> IntArray:
        """The numbers of those to run next, given how much there is to learn from each; None: nothing is known yet."""
        if len(self._spread):
            cells = np.array_split(self._spread, -(-len(self._spread) // self._occluder.batch))[0]
            self._spread = self._spread[len(cells) :]
        else:
            self._group()
            # At last the largest, so that no worker has nothing to do while another one has much.
            if interest is None or len(self._groups) <= _LAST:
                worth = [float(len(group)) for group in self._groups]
            else:
                worth = [float(interest[group].mean()) for group in self._groups]
            cells = self._groups.pop(int(np.argmax(worth)))
        self._waiting[cells] = False
        return cells

    def _group(self) -> None:
        """Put those that wait into groups, again where others than before are best."""
        if self._batch != self._occluder.batch:
            rest = np.flatnonzero(self._waiting)
            halves = [rest[self._colours[rest] == colour] for colour in range(2)]
            runs = self._occluder.runs
            self._groups = [cells[run] for cells in halves for run in runs([self._boxes[cell] for cell in cells])]
            self._batch = self._occluder.batch


def positions(size: int, window: int, stride: int) -> tuple[int, ...]:
    """Where windows begin along an axis: every `stride` pixels from 0, and one that ends at the far edge."""
    last = max(size - window, 0)
    regular = range(0, last + 1, stride)
    return (*regular,) if regular[-1] == last else (*regular, last)


def _pair(value: object, name: str) -> tuple[int, int]:
    pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2:
        raise MethodError(f"`{name}` is a number of pixels or (rows, columns), not {value!r}.")
    return pair


def _box(box: object, height: int, width: int) -> Box:
    numbers = tuple(box) if isinstance(box, list | tuple) else ()
    if len(numbers) == 4 and all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        top, left, tall, wide = numbers
        if top >= 0 and left >= 0 and 1 <= tall <= height - top and 1 <= wide <= width - left:
            return Box(top, left, tall, wide)
    raise MethodError(
        f"An occlusion box is (top, left, height, width) in whole pixels inside the "
        f"{height} x {width} picture, not {box!r}."
    )
