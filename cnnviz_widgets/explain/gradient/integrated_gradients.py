"""Integrated gradients: each pixel's share of the difference between the picture's score and a baseline's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.inputs import single_input
from cnnviz_widgets.explain.baseline import Baseline, baseline_pixels
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.gradient.input_gradients import Floor, gradients_in_batches
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.occlusion.refinement import depths
from cnnviz_widgets.explain.rounding import nothing
from cnnviz_widgets.parameters import Range, check_choice, check_count

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target


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

    baseline: Baseline = "black"
    points: Annotated[int, Range(8, 256, 8)] = 64

    def __post_init__(self) -> None:
        check_choice("baseline", self.baseline, Baseline)
        check_count("points", self.points)

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Attribution]:
        """Yield the map of the points so far after each batch; any beginning is spread over the path."""
        pixels = single_input(classifier, pixels)
        start = baseline_pixels(classifier, pixels, self.baseline)
        difference, floor = _difference(classifier, pixels, start, target), Floor(classifier)
        nodes, weights = path_points(self.points)
        batches = Batches(classifier, pixels.shape[1:], "gradients")
        total = torch.zeros_like(pixels)
        done = 0
        while done < self.points:
            some = slice(done, min(done + batches.batch, self.points))
            path = start + nodes[some, None, None, None] * (pixels - start)
            gradients = gradients_in_batches(classifier, batches, path, target, floor)
            total = total + torch.einsum("n,nchw->chw", weights[some], gradients)
            done = some.stop
            mean = total / weights[:done].sum()
            values = (mean * (pixels - start))[0].sum(dim=0).numpy()
            attribution = Attribution(
                values=values,
                cells=values,
                quantity=classifier.readout.worded(
                    f"share of the logit's difference to the baseline ({self.baseline})"
                ),
                signed=True,
                target=target,
                progress=done / self.points,
                difference=difference,
            )
            blank = floor.is_above(mean[0])
            yield attribution.noted(nothing("pixel") if blank else _gap_note(attribution, done, floor), blank=blank)


@functools.lru_cache(maxsize=8)
def path_points(count: int) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights (count,) on 0..1, float32, in an order of which any beginning is spread."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    order = np.argsort(depths(count), kind="stable")
    found = torch.from_numpy(np.stack([(nodes + 1) / 2, weights / 2])[:, order]).to(torch.float32)
    return found[0], found[1]


def _gap_note(attribution: Attribution, points: int, floor: Floor) -> str:
    difference, gap = attribution.difference, attribution.gap
    if abs(difference) <= floor.height:
        said = f"The values add up to {difference - gap:.3g}, the difference of the two scores is 0"
    else:
        missing = f"{abs(gap / difference):.1%} {'is missing' if gap / difference >= 0 else 'too much'}"
        said = f"The values add up to {difference - gap:.3g} of {difference:.3g}: {missing} with {points} points"
    return f"{said}. More points change the sum, hardly the order of the pixels."


@torch.no_grad()
def _difference(classifier: Classifier, pixels: Tensor, start: Tensor, target: Target) -> float:
    picture, baseline = classifier.score(classifier.logits(torch.cat([pixels, start])), target).tolist()
    return float(picture - baseline)
