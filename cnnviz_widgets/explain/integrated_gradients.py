"""Integrated gradients: each pixel's share of the difference between the picture's score and a baseline's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.batching import Batches
from cnnviz_widgets.explain.base import Explainer, Heatmap, Range
from cnnviz_widgets.explain.baseline import Baseline, baseline_pixels
from cnnviz_widgets.explain.gradients import gradients_in_batches
from cnnviz_widgets.explain.parameters import check_choice, check_count
from cnnviz_widgets.explain.refinement import depths
from cnnviz_widgets.explain.variants import single_input

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

    The mean is over the middles of `points` equal pieces of the path. The values add up to the difference
    of the two pictures' scores; the result, an `Attribution`, says by how much they fail to. Sundararajan
    et al. 2017 (arXiv 1703.01365).
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
        difference = _difference(classifier, pixels, start, target)
        places = (np.argsort(depths(self.points), kind="stable") + 0.5) / self.points
        batches = Batches(classifier, pixels.shape[1:], "gradients")
        total = torch.zeros_like(pixels)
        done = 0
        while done < self.points:
            count = min(batches.batch, self.points - done)
            shares = torch.tensor(places[done : done + count], dtype=torch.float32)[:, None, None, None]
            gradients = gradients_in_batches(classifier, batches, start + shares * (pixels - start), target)
            total = total + gradients.sum(dim=0, keepdim=True)
            done += count
            values = (total / done * (pixels - start))[0].sum(dim=0).numpy()
            yield Attribution(
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


@torch.no_grad()
def _difference(classifier: Classifier, pixels: Tensor, start: Tensor, target: Target) -> float:
    picture, baseline = classifier.score(classifier.logits(torch.cat([pixels, start])), target).tolist()
    return float(picture - baseline)
