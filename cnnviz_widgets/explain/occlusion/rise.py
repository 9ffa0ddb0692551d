"""RISE: for each pixel the mean score of the picture seen through random masks that show it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Score
from cnnviz_widgets.classifier.target import check_score
from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import rank_correlation
from cnnviz_widgets.explain.perturbation import see_through
from cnnviz_widgets.explain.rounding import floor_of, rounding
from cnnviz_widgets.parameters import Range, check_choice, check_count, check_share


@dataclass(frozen=True)
class RISE(Explainer):
    """sum over random masks of score(picture seen through the mask) x mask / sum of masks, minus the masks' mean score.

    Positive where showing a pixel raises the score, negative where it lowers it.
    A mask is a grid of `cells` x `cells`, each 1 with `probability` and else 0, upsampled bilinearly to a
    little more than the picture and shifted by up to a cell; where it is 0 the network sees the `baseline`.
    The same `seed` gives the same masks. Costs a forward pass for each mask and needs no gradients. Petsiuk
    et al. 2018 (arXiv 1806.07421), equation 6, with the masks' own sum for its expectation, and signed. The
    probabilities of all classes add up to one, so that the map of another class tends to be the winner's inverted,
    unless `score` is "logit".
    """

    label = "random masks (RISE)"
    family = "occlusion"
    quantity = "mean score where the pixel is seen, minus the mean over all masks"

    masks: Annotated[int, Range(100, 4000, 100)] = 500
    cells: Annotated[int, Range(2, 16)] = 7
    probability: Annotated[float, Range(0.1, 0.9, 0.1)] = 0.5
    baseline: Baseline = "mean"
    score: Score = "probability"
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_count("masks", self.masks)
        check_count("cells", self.cells, low=2)
        check_share("probability", self.probability, 0.01, 0.99)
        check_choice("baseline", self.baseline, Baseline)
        check_choice("score", self.score, Score)
        check_count("seed", self.seed, low=0)

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield the map of the masks so far after each batch. Raises MethodError, ClassifierError."""
        classifier, target, size = instance.classifier, instance.target, instance.size
        check_score(self.score, classifier.readout)
        start = classifier.to_network(instance.baseline(self.baseline))
        generator = torch.Generator().manual_seed(self.seed)
        quantity = self.quantity.replace("score", self.score)
        done = _Done()

        def altering(some: slice) -> Callable[[Tensor], None]:
            masks = self.drawing(some.stop - some.start, size, generator)

            def look(copies: Tensor) -> None:
                known[some.start] = masks()
                see_through(copies, known[some.start], start)

            return look

        known: dict[int, Tensor] = {}

        def read(some: slice, logits: Tensor) -> tuple[int, _Done]:
            masks = known.pop(some.start).double()
            scores = target.of(logits, self.score, classifier.readout).double()
            share = floor_of(logits, target, self.score, classifier.readout, rounding(classifier))
            return some.stop, _Done.of(some.start, scores, masks, share)

        def mapped(found: tuple[int, _Done]) -> Heatmap:
            count, more = found
            done.add(more)
            values, progress = (done.halves[0] + done.halves[1]).map, count / self.masks
            heatmap = self.heatmap(instance, values, signed=True, progress=progress, quantity=quantity)
            if done.high - done.low <= done.floor:
                return heatmap.as_nothing("mask")
            return heatmap.noted(_agreement(*(half.map for half in done.halves)) if progress == 1 else "")

        yield from instance.passes(self.masks, altering, read, mapped)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """The next `count` masks (count, H, W), float32 from 0 to 1, for pictures of `size` (H, W)."""
        return self.drawing(count, size, generator)()

    def drawing(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Callable[[], Tensor]:
        """What makes those masks: only the random numbers are drawn at once, and the generator moved."""
        cell = [-(-side // self.cells) for side in size]
        grids, shifts = [], []
        # One by one, so that the masks do not depend on how many are drawn at once.
        for _ in range(count):
            grid = torch.rand(self.cells, self.cells, generator=generator) < self.probability
            grids.append(grid.float())
            shifts.append([int(torch.randint(side, (), generator=generator)) for side in cell])

        def masks() -> Tensor:
            larger = [(self.cells + 1) * side for side in cell]
            whole = torch.stack(grids)[None]
            whole = functional.interpolate(whole, size=larger, mode="bilinear", align_corners=False)
            shifted = zip(whole[0].clamp(0, 1), shifts, strict=True)
            return torch.stack([mask[top : top + size[0], left : left + size[1]] for mask, (top, left) in shifted])

        return masks


class _Sums:
    """Sums over masks: of score x mask and of masks (H, W), of scores, and how many there were."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._weighted = self._shown = torch.zeros(size, dtype=torch.float64)
        self._total, self._count = 0.0, 0

    def add(self, scores: Tensor, masks: Tensor) -> None:
        """Add scores (n,) of masks (n, H, W)."""
        self._weighted = self._weighted + torch.einsum("n,nhw->hw", scores, masks)
        self._shown = self._shown + masks.sum(dim=0)
        self._total += float(scores.sum())
        self._count += len(scores)

    def __add__(self, other: _Sums) -> _Sums:
        both = copy.copy(self)
        both._weighted, both._shown = self._weighted + other._weighted, self._shown + other._shown
        both._total, both._count = self._total + other._total, self._count + other._count
        return both

    @property
    def map(self) -> Tensor:
        """The mean score by pixel minus that of all masks, (H, W); 0 where no mask has shown the pixel yet."""
        mean = self._total / max(1, self._count)
        return torch.where(self._shown > 0, self._weighted / self._shown.clamp_min(1e-12) - mean, 0)


class _Done:
    """Sums over two halves of the masks so far, the lowest and the highest score, and how much of one is rounding."""

    def __init__(self, halves: list[_Sums] | None = None, low: float = math.inf, high: float = -math.inf) -> None:
        self.halves = [] if halves is None else halves
        self.low, self.high, self.floor = low, high, 0.0

    @classmethod
    def of(cls, first: int, scores: Tensor, masks: Tensor, floor: float) -> _Done:
        """Scores (n,) of masks (n, H, W), the first of which is number `first`."""
        halves = []
        # Every second mask, in whatever batches they come.
        for part in range(2):
            halves.append(_Sums((masks.shape[1], masks.shape[2])))
            halves[part].add(scores[(first + part) % 2 :: 2], masks[(first + part) % 2 :: 2])
        made = cls(halves, float(scores.min()), float(scores.max()))
        made.floor = floor
        return made

    def add(self, other: _Done) -> None:
        """Take the masks of another one too."""
        if self.halves:
            self.halves = [ours + theirs for ours, theirs in zip(self.halves, other.halves, strict=True)]
        else:
            self.halves = other.halves
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.floor = max(self.floor, other.floor)


def _agreement(first: Tensor, second: Tensor) -> str:
    correlation = rank_correlation(first, second)
    if math.isnan(correlation):
        return ""
    return (
        f"Two maps of half of the masks each correlate at {correlation:.2f} (ranks): "
        "differences smaller than that noise mean nothing."
    )
