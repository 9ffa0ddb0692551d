"""KernelSHAP: the Shapley value of each segment of the picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Score
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.classifier.target import check_score
from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.occlusion.superpixels import Regions, has_superpixels, superpixels
from cnnviz_widgets.explain.perturbation import see_through
from cnnviz_widgets.explain.rounding import floor_of, rounding
from cnnviz_widgets.parameters import Range, check_choice, check_count

#: The coalitions are dealt out to so many groups, each of which is left out once to see how much that changes.
_GROUPS = 10


@dataclass(frozen=True, eq=False, repr=False)
class SegmentHeatmap(Heatmap):
    """A map of one value for each segment: `segments` are int64 (H, W), `shares` and standard `errors` float32 (M,)."""

    segments: NDArray[np.int64] = field(kw_only=True)
    shares: FloatArray = field(kw_only=True)
    errors: FloatArray = field(kw_only=True)


@dataclass(frozen=True)
class KernelSHAP(Explainer):
    """Shapley value of the pixel's segment: its mean share of score(picture) - score(baseline) over all orders.

    The picture is cut into about `segments` superpixels or squares; where one is off the network sees the `baseline`.
    With up to `samples` sets of segments all are run and the values are exact. Else so many are drawn, each with its
    complement, the smallest and the largest most often, and the values are fitted to their scores by least squares
    under the condition that they add up to the difference; the note gives their standard error. The same `seed` draws
    the same sets. Lundberg and Lee 2017 (arXiv 1705.07874), theorem 2.
    """

    label = "Shapley values (KernelSHAP)"
    family = "occlusion"
    quantity = "share of the score's difference to the baseline, by segment"

    segments: Annotated[int, Range(4, 100)] = 24
    samples: Annotated[int, Range(100, 4000, 100)] = 500
    regions: Regions = "superpixels"
    baseline: Baseline = "mean"
    score: Score = "logit"
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_count("segments", self.segments, low=2)
        check_count("samples", self.samples, low=2)
        check_choice("regions", self.regions, Regions)
        check_choice("baseline", self.baseline, Baseline)
        check_choice("score", self.score, Score)
        check_count("seed", self.seed, low=0)

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield the map of the sets so far after each batch. Raises MethodError, ClassifierError."""
        classifier, target = instance.classifier, instance.target
        check_score(self.score, classifier.readout)
        segments = superpixels(classifier, instance.pixels, self.segments, self.regions)
        sets = self.draw(int(segments.max()) + 1)
        start = classifier.to_network(instance.baseline(self.baseline))
        scores, floor = torch.zeros(0, dtype=torch.float64), 0.0

        def cover(copies: Tensor, which: slice) -> None:
            see_through(copies, sets.shown[which][:, segments].float(), start)

        for logits in instance.perturbed(cover, len(sets.shown)):
            scores = torch.cat([scores, target.of(logits, self.score, classifier.readout).double()])
            floor = max(floor, floor_of(logits, target, self.score, classifier.readout, rounding(classifier)))
            if len(scores) <= 2:
                continue
            heatmap = self._map(instance, segments, sets.fit(scores), len(scores) / len(sets.shown))
            if float(scores.max() - scores.min()) <= floor:
                yield heatmap.as_nothing("segment")
            else:
                yield heatmap.noted(self._said(heatmap, sets) if heatmap.progress == 1 else "")

    def draw(self, count: int) -> Coalitions:
        """The sets of `count` segments that are run, the same whenever they are drawn."""
        if 2**count - 2 <= self.samples:
            return Coalitions.all(count)
        return Coalitions.drawn(count, self.samples, torch.Generator().manual_seed(self.seed))

    def _map(self, instance: Instance, segments: Tensor, fit: tuple[Tensor, Tensor], progress: float) -> SegmentHeatmap:
        quantity = self.wording(instance, self.quantity.replace("score", self.score))
        shares, errors = (part.float() for part in fit)
        values = shares[segments].numpy()
        return SegmentHeatmap(
            values, values, quantity, True, instance.target, progress,
            segments=segments.numpy(), shares=shares.numpy(), errors=errors.numpy(),
        )  # fmt: skip

    def _said(self, heatmap: SegmentHeatmap, sets: Coalitions) -> str:
        cut = f"The {len(heatmap.shares)} segments add up to {float(heatmap.shares.sum()):.3g}"
        if sets.exact:
            error = f"exact, of all {len(sets.shown)} sets"
        else:
            error = f"of {len(sets.shown)} sets, standard error up to {float(heatmap.errors.max()):.2g}"
        missing = " They are squares, as scikit-image is not installed."
        return f"{cut}, {error}.{missing if self.regions == 'superpixels' and not has_superpixels() else ''}"


@dataclass(frozen=True, eq=False)
class Coalitions:
    """Sets of segments: `shown` (n, M) is True for those that are seen, the first two rows for none and for all.

    `weights` (n,) are the Shapley kernel's, 1 for sets that were drawn by it. `exact`: they are all there are.
    """

    shown: Tensor
    weights: Tensor
    exact: bool

    @classmethod
    def all(cls, count: int) -> Coalitions:
        """Every set of `count` segments, once."""
        rows = torch.tensor(list(itertools.product((False, True), repeat=count)))
        rows = torch.cat([rows[:1], rows[-1:], rows[1:-1]])
        sizes = rows[2:].sum(dim=1)
        choices = torch.tensor([math.comb(count, size) for size in sizes.tolist()], dtype=torch.float64)
        kernel = (count - 1) / (choices * sizes * (count - sizes))
        return cls(rows, torch.cat([torch.zeros(2, dtype=torch.float64), kernel]), True)

    @classmethod
    def drawn(cls, count: int, samples: int, generator: torch.Generator) -> Coalitions:
        """About `samples` sets, each with its complement, as often as the kernel has weight."""
        sizes = torch.arange(1, count, dtype=torch.float64)
        chances = 1 / (sizes * (count - sizes))
        rows = torch.zeros(2 + 2 * (samples // 2), count, dtype=torch.bool)
        rows[1] = True
        for row in range(2, len(rows), 2):
            size = 1 + int(torch.multinomial(chances, 1, generator=generator))
            rows[row, torch.randperm(count, generator=generator)[:size]] = True
            rows[row + 1] = ~rows[row]
        return cls(rows, torch.ones(len(rows), dtype=torch.float64), False)

    def fit(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """The segments' shares (M,) by the scores (n,) of the first n sets, and their standard errors."""
        none, whole = scores[0], scores[1]
        shown, weights = self.shown[2 : len(scores)].double(), self.weights[2 : len(scores)]
        groups = (torch.arange(len(shown)) // 2) % _GROUPS  # a set and its complement are of one
        products = torch.zeros(_GROUPS, shown.shape[1], shown.shape[1], dtype=torch.float64)
        sums = torch.zeros(_GROUPS, shown.shape[1], dtype=torch.float64)
        for group in range(_GROUPS):
            Z, w, y = (part[groups == group] for part in (shown, weights, scores[2:] - none))
            products[group], sums[group] = Z.T @ (w[:, None] * Z), Z.T @ (w * y)
        shares = _solve(products.sum(dim=0), sums.sum(dim=0), whole - none)
        if self.exact or len(shown) < 2 * _GROUPS:
            return shares, torch.zeros_like(shares)
        without = torch.stack([
            _solve(products.sum(dim=0) - products[group], sums.sum(dim=0) - sums[group], whole - none)
            for group in range(_GROUPS)
        ])  # fmt: skip
        # The jackknife's variance.
        return shares, ((_GROUPS - 1) * without.var(dim=0, correction=0)).sqrt()


def _solve(products: Tensor, sums: Tensor, total: Tensor) -> Tensor:
    """The x (M,) of least x' products x - 2 sums x that add up to `total`; of several, the smallest."""
    inverse = torch.linalg.pinv(products, hermitian=True)
    free: Tensor = inverse @ sums
    ones = inverse.sum(dim=1)
    scale = ones.sum()
    if float(scale) <= 0:
        return torch.full_like(sums, float(total) / len(sums))
    shares: Tensor = free + ones * (total - free.sum()) / scale
    return shares
