"""SmoothGrad: saliency averaged over noisy copies of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
from torch import Tensor

from cnnviz_widgets.batching import Batches
from cnnviz_widgets.explain.base import Explainer, Heatmap, Range
from cnnviz_widgets.explain.gradients import gradients_in_batches
from cnnviz_widgets.explain.parameters import check_count, check_share
from cnnviz_widgets.explain.variants import single_input

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target


@dataclass(frozen=True)
class SmoothGrad(Explainer):
    """max over channels of |mean over `samples` noisy copies of d logit / d pixel|.

    The noise is normal; its standard deviation is the share `noise` of the difference between the largest and
    the smallest value of the network input. The same `seed` gives the same noise, on any device.
    Smilkov et al. 2017 (arXiv 1706.03825), section 3.
    """

    noise: Annotated[float, Range(0, 0.5, 0.01)] = 0.15
    samples: Annotated[int, Range(1, 200)] = 50
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_share("noise", self.noise, 0, 10)
        check_count("samples", self.samples)
        check_count("seed", self.seed, low=0)

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield the map of the samples so far after each batch."""
        pixels = single_input(classifier, pixels)
        deviation = self.noise * (pixels.max() - pixels.min())
        generator = torch.Generator().manual_seed(self.seed)
        batches = Batches(classifier, pixels.shape[1:], "gradients")
        total = torch.zeros_like(pixels[0])
        done = 0
        while done < self.samples:
            count = min(batches.batch, self.samples - done)
            # Drawn one by one, as the numbers of a larger draw depend on its size.
            noise = torch.stack([torch.randn(pixels.shape[1:], generator=generator) for _ in range(count)])
            gradients = gradients_in_batches(classifier, batches, pixels + deviation * noise, target)
            total = total + gradients.sum(dim=0)
            done += count
            yield Heatmap.of_values(
                (total / done).abs().amax(dim=0),
                classifier.readout.worded("change of the logit per unit of the network's input"),
                signed=False,
                target=target,
                progress=done / self.samples,
            )
