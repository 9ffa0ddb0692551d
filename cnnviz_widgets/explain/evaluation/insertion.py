"""Insertion and deletion: does revealing or covering a picture in a map's order move the score, beside two floors?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Score
from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.evaluation import orders, sentences
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.parameters import Range, check_choice, check_count

#: Whether the first pixels of an order are the ones that are shown, or the ones that are covered.
Mode = Literal["insertion", "deletion"]
#: Fewest random orders: with one, the sign of "map minus random" is wrong for 7 to 8 pictures of a hundred.
FEWEST_DRAWS = 6
#: Logits that are known, to be used for further maps of the same picture.
Known = MutableMapping[Hashable, Tensor]


@dataclass(frozen=True, eq=False)
class Curve:
    """`scores` (n,) of a picture of which `shares` (n,) are revealed, or covered, from 0 to 1."""

    shares: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def area(self) -> float:
        """The mean score along the curve: the area under it, by trapezoids."""
        return float(((self.scores[1:] + self.scores[:-1]) / 2 * np.diff(self.shares)).sum())

    @property
    def reversed(self) -> Curve:
        """That of the opposite test: to cover in an order is to reveal in the reverse one."""
        return Curve(1 - self.shares[::-1], self.scores[::-1])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How the score of a picture follows a map's order, beside random orders and one from the middle outwards.

    Insertion reveals the pixels with the highest values first, over a baseline: a high area is good. Deletion covers
    them first: a low one is good. `random` are insertion curves; reversed they are deletion curves, so that their areas
    are the floor of both. They shuffle the `cells` (h, w) of a grid as coarse as the map. `places` (H, W) is the order,
    0 for the pixel that comes first. `quantity` is what a score is, "probability" or "score". While it is not finished,
    what is missing is None, or no curve yet.
    """

    insertion: Curve
    places: NDArray[np.int64]
    cells: tuple[int, int]
    quantity: str
    baseline: Baseline
    deletion: Curve | None = None
    middle_insertion: Curve | None = None
    middle_deletion: Curve | None = None
    random: tuple[Curve, ...] = ()
    progress: float = 0.0

    @property
    def random_area(self) -> float:
        """The mean area of the random orders; NaN before the first."""
        return float(np.mean([curve.area for curve in self.random])) if self.random else math.nan

    @property
    def random_spread(self) -> float:
        """The standard deviation of the area of a single random order; NaN before the second."""
        return float(np.std([curve.area for curve in self.random], ddof=1)) if len(self.random) > 1 else math.nan

    @property
    def random_error(self) -> float:
        """The standard error of `random_area`."""
        return self.random_spread / math.sqrt(max(1, len(self.random)))

    def curve(self, mode: Mode) -> Curve | None:
        """The map's own."""
        return self.insertion if mode == "insertion" else self.deletion

    def middle(self, mode: Mode) -> Curve | None:
        """The one of the order from the middle outwards."""
        return self.middle_insertion if mode == "insertion" else self.middle_deletion

    @property
    def areas(self) -> tuple[float, float, float] | None:
        """At insertion: of the map, of random orders, of a blob in the middle. None until all curves are there."""
        if self.middle_insertion is None or len(self.random) < FEWEST_DRAWS:
            return None
        return self.insertion.area, self.random_area, self.middle_insertion.area

    @property
    def verdict(self) -> str:
        """The three areas in short; "" until all curves are there."""
        return "" if self.areas is None else sentences.verdict(*self.areas)

    @property
    def sentence(self) -> str:
        """What the three areas are; "" until all curves are there."""
        if self.areas is None:
            return ""
        what = "pixels" if self.cells == self.places.shape else "cells"
        return sentences.of_order(*self.areas, quantity=self.quantity, what=what)

    def __repr__(self) -> str:
        deletion = "" if self.deletion is None else f", deletion {self.deletion.area:.3g}"
        floor = f"; random {self.random_area:.3g}" if self.random else ""
        return f"<Evaluation insertion {self.insertion.area:.3g}{deletion}{floor}>"


@dataclass(frozen=True)
class OrderTest:
    """Insertion and deletion of a map in `steps`, with the floors of `draws` random orders and of a blob in the middle.

    Pixels come by falling signed value, those with equal ones at random; the others are the `baseline`. A score is the
    target's probability, or the score itself where there are no probabilities. It costs 2 (steps - 1) forward passes a
    map and (draws + 2) (steps - 1) + 2 for the floors, once a picture: 14 and 58 by default. Eight steps give the sign
    of "map minus floor" of 48 steps for 98 of 100 photographs. Petsiuk et al. 2018 (arXiv 1806.07421), section 4.3.
    """

    steps: Annotated[int, Range(4, 48)] = 8
    draws: Annotated[int, Range(FEWEST_DRAWS, 10)] = FEWEST_DRAWS
    baseline: Baseline = "mean"
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_count("steps", self.steps, low=2)
        check_count("draws", self.draws, low=FEWEST_DRAWS)
        check_choice("baseline", self.baseline, Baseline)
        check_count("seed", self.seed, low=0)

    def evaluations(
        self, heatmap: Heatmap, classifier: Classifier, pixels: Tensor, known: Known | None = None
    ) -> Iterator[Evaluation]:
        """Yield the map's insertion curve, then also its deletion, the blob's curves and the random orders, one by one.

        `known` keeps the floors' logits for other maps, classes and techniques of these pixels and this network.
        Raises MethodError for a map of another size or the same everywhere, PictureError, ClassifierError.
        """
        instance = Instance.of(classifier, pixels, heatmap.target)
        orders.check_map(heatmap, instance.size)
        runs = _Runs(self, instance, {} if known is None else known)
        places = orders.falling(torch.from_numpy(heatmap.values), self._generator(0))
        cells = orders.cells_of(heatmap)
        found = Evaluation(
            runs.curve(places, "insertion"), places.numpy(), cells, runs.quantity, self.baseline, progress=self._done(1)
        )
        yield found
        found = dataclasses.replace(found, deletion=runs.curve(places, "deletion"), progress=self._done(2))
        yield found
        middle = orders.from_the_middle(instance.size, self._generator(1))
        both = [runs.curve(middle, mode, ("middle", mode)) for mode in ("insertion", "deletion")]
        found = dataclasses.replace(found, middle_insertion=both[0], middle_deletion=both[1], progress=self._done(4))
        yield found
        for draw in range(self.draws):
            order = orders.at_random(instance.size, cells, self._generator(2 + draw))
            curve = runs.curve(order, "insertion", (cells, draw))
            found = dataclasses.replace(found, random=(*found.random, curve), progress=self._done(5 + draw))
            yield found

    def partial(self, instance: Instance, places: NDArray[np.int64], step: int, mode: Mode = "insertion") -> Tensor:
        """The network input (1, C, H, W) at a step from 0 to `steps`: part of the pixels, the rest the baseline."""
        first = _first(torch.from_numpy(places), step, self.steps)
        shown = first if mode == "insertion" else ~first
        return torch.where(shown, instance.pixels, instance.baseline(self.baseline))

    def random_places(self, found: Evaluation, draw: int = 0) -> NDArray[np.int64]:
        """The order (H, W) of one of the random `draws` of an evaluation by this test, as its `places`."""
        size = found.places.shape[0], found.places.shape[1]
        places: NDArray[np.int64] = orders.at_random(size, found.cells, self._generator(2 + draw)).numpy()
        return places

    def _generator(self, number: int) -> torch.Generator:
        return torch.Generator().manual_seed(1000 * self.seed + number)

    def _done(self, curves: int) -> float:
        return curves / (4 + self.draws)


class _Runs:
    """Runs the pictures along the curves of one test and one picture."""

    def __init__(self, test: OrderTest, instance: Instance, known: Known) -> None:
        self._test, self._instance, self._known = test, instance, known
        has_probabilities = instance.classifier.scores != "none"
        self._score: Score = "probability" if has_probabilities else "logit"
        self.quantity = "probability" if has_probabilities else "score"
        self._baseline = instance.baseline(test.baseline)

    def curve(self, places: Tensor, mode: Mode, name: Hashable = None) -> Curve:
        """The curve of an order; that of a `name` is kept as known."""
        inner = self._logits(name, lambda: self._between(places, mode))
        whole, nothing = self._logits("ends", self._ends)
        first, last = (nothing, whole) if mode == "insertion" else (whole, nothing)
        logits = torch.cat([first[None], inner, last[None]])
        scores = self._instance.target.of(logits, self._score, self._instance.classifier.readout)
        return Curve(np.linspace(0, 1, len(logits)), scores.double().numpy())

    def _logits(self, name: Hashable, run: Callable[[], Tensor]) -> Tensor:
        if name is None:
            return run()
        key = (self._test, name)
        if key not in self._known:
            self._known[key] = run()
        return self._known[key]

    def _ends(self) -> Tensor:
        def cover(copies: Tensor, which: slice) -> None:
            for place, number in enumerate(range(which.start, which.stop)):
                if number == 1:
                    copies[place] = self._baseline[0].to(copies)

        return torch.cat(list(self._instance.perturbed(cover, 2)))

    def _between(self, places: Tensor, mode: Mode) -> Tensor:
        def cover(copies: Tensor, which: slice) -> None:
            steps = range(which.start + 1, which.stop + 1)
            first = torch.stack([_first(places, step, self._test.steps) for step in steps])[:, None].to(copies.device)
            covered = ~first if mode == "insertion" else first
            copies.copy_(torch.where(covered, self._baseline.to(copies), copies))

        return torch.cat(list(self._instance.perturbed(cover, self._test.steps - 1)))


def _first(places: Tensor, step: int, steps: int) -> Tensor:
    """Which pixels (H, W) come in the first `step` of `steps` equal parts of an order."""
    return places < round(places.numel() * step / steps)


def evaluate(
    heatmap: Heatmap,
    classifier: Classifier,
    pixels: Tensor,
    *,
    steps: int = 8,
    draws: int = FEWEST_DRAWS,
    baseline: Baseline = "mean",
    seed: int = 0,
) -> Evaluation:
    """Insertion and deletion of a map of one network input (1, C, H, W), with both floors, as `OrderTest` says.

    Raises MethodError, PictureError, ClassifierError.
    """
    *_, last = OrderTest(steps, draws, baseline, seed).evaluations(heatmap, classifier, pixels)
    return last
