"""Integrated gradients: each pixel's share of the difference between the picture's score and a baseline's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.explain.baseline import Baseline
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.occlusion.refinement import depths
from cnnviz_widgets.explain.rounding import Floor
from cnnviz_widgets.parameters import Range, check_choice, check_count


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Attribution(Heatmap):
    """A heatmap whose values should add up to `difference`, the picture's score minus the baseline's."""

    difference: float

    @property
    def gap(self) -> float:
        """What is missing: `difference` minus the sum of the values. It shrinks with more points."""
        return self.difference - float(self.values.sum(dtype=np.float64))


@dataclass(frozen=True)
class IntegratedGradients(Explainer):
    """sum over channels of (pixel - baseline) x the mean of d logit / d pixel on the straight path between.

    The mean is over `points` Gauss-Legendre nodes of the path, by their weights. The values should add up to the
    difference of the two pictures' scores; the result, an `Attribution`, and its note say by how much they fail to.
    Sundararajan et al. 2017 (arXiv 1703.01365).
    """

    label = "integrated gradients"
    family = "gradient"
    quantity = "share of the logit's difference to the baseline"

    baseline: Baseline = "black"
    points: Annotated[int, Range(8, 256, 8)] = 64

    def __post_init__(self) -> None:
        check_choice("baseline", self.baseline, Baseline)
        check_count("points", self.points)

    def explain(self, instance: Instance) -> Iterator[Attribution]:
        """Yield the map of the points so far after each batch; any beginning is spread over the path."""
        pixels, start, floor = instance.pixels, instance.baseline(self.baseline), Floor(instance.classifier)
        difference = _difference(instance, start)
        nodes, weights = path_points(self.points)

        def along(some: slice) -> Tensor:
            return start + nodes[some, None, None, None] * (pixels - start)

        total = torch.zeros_like(pixels[0])

        def mapped(some: slice, gradients: Tensor) -> Attribution:
            nonlocal total
            total = total + torch.einsum("n,nchw->chw", weights[some], gradients)
            mean = total / weights[: some.stop].sum()
            values, progress = (mean * (pixels - start)[0]).sum(dim=0), some.stop / self.points
            quantity = f"{self.quantity} ({self.baseline})"
            heatmap = self.heatmap(instance, values, signed=True, progress=progress, quantity=quantity)
            attribution = Attribution(**vars(heatmap), difference=difference)
            blank = floor.is_above(mean)
            return attribution.as_nothing("pixel") if blank else attribution.noted(_gap(attribution, some.stop, floor))

        yield from instance.gradients_of_many(along, self.points, floor, mapped)


@functools.lru_cache(maxsize=8)
def path_points(count: int) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights (count,) on 0..1, float32, in an order of which any beginning is spread."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    order = np.argsort(depths(count), kind="stable")
    found = torch.from_numpy(np.stack([(nodes + 1) / 2, weights / 2])[:, order]).to(torch.float32)
    return found[0], found[1]


def _gap(attribution: Attribution, points: int, floor: Floor) -> str:
    difference, gap = attribution.difference, attribution.gap
    if abs(difference) <= floor.height:
        said = f"The values add up to {difference - gap:.3g}, the difference of the two scores is 0"
    else:
        missing = f"{abs(gap / difference):.1%} {'is missing' if gap / difference >= 0 else 'too much'}"
        said = f"The values add up to {difference - gap:.3g} of {difference:.3g}: {missing} with {points} points"
    return f"{said}. More points change the sum, hardly the order of the pixels."


@torch.no_grad()
def _difference(instance: Instance, start: Tensor) -> float:
    picture, baseline = instance.target.of(instance.classifier.logits(torch.cat([instance.pixels, start]))).tolist()
    return float(picture - baseline)
