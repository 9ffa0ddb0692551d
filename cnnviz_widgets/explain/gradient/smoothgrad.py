"""SmoothGrad: saliency averaged over noisy copies of the picture."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import rank_correlation
from cnnviz_widgets.explain.rounding import Floor
from cnnviz_widgets.parameters import Range, check_count, check_share

#: The map is drawn as about so many means along the shorter side.
_TILES = 56


@dataclass(frozen=True)
class SmoothGrad(Explainer):
    """max over channels of |mean over `samples` noisy copies of d logit / d pixel|.

    The noise is normal; its standard deviation is the share `noise` of the difference between the largest and
    the smallest value of the network input. The same `seed` gives the same noise, on any device.
    Single pixels still differ between two draws: the heatmap's `cells`, which views draw, are means of 4 x 4 pixels at
    224 pixels, and its note says how far two halves of the samples agree. `values` are the pixels themselves.
    Smilkov et al. 2017 (arXiv 1706.03825), section 3; other libraries take the mean of |gradients|.
    """

    label = "SmoothGrad"
    family = "gradient"
    quantity = "change of the logit per unit of the network's input"

    noise: Annotated[float, Range(0, 0.5, 0.01)] = 0.15
    samples: Annotated[int, Range(1, 200)] = 50
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_share("noise", self.noise, 0, 10)
        check_count("samples", self.samples)
        check_count("seed", self.seed, low=0)

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield the map of the samples so far after each batch."""
        pixels, floor = instance.pixels, Floor(instance.classifier)
        deviation = self.noise * (pixels.max() - pixels.min())
        generator = torch.Generator().manual_seed(self.seed)

        def noisy(some: slice) -> Tensor:
            # Drawn one by one, as the numbers of a larger draw depend on its size.
            draws = [torch.randn(pixels.shape[1:], generator=generator) for _ in range(some.start, some.stop)]
            return pixels + deviation * torch.stack(draws)

        halves = [torch.zeros_like(pixels[0]), torch.zeros_like(pixels[0])]

        def mapped(some: slice, gradients: Tensor) -> Heatmap:
            # Every second sample, in whatever batches they come.
            halves[:] = [half + gradients[(some.start + part) % 2 :: 2].sum(dim=0) for part, half in enumerate(halves)]
            mean = (halves[0] + halves[1]) / some.stop
            # How far they agree is said once, of the finished map: ranks take a tenth as long as a sample.
            compared = halves if some.stop == self.samples > 1 else []
            values, progress = mean.abs().amax(dim=0), some.stop / self.samples
            heatmap = self.heatmap(instance, values, signed=False, progress=progress)
            return _tiled(heatmap, values, compared, floor.is_above(mean))

        yield from instance.gradients_of_many(noisy, self.samples, floor, mapped)


def _tiled(heatmap: Heatmap, values: Tensor, halves: list[Tensor], blank: bool) -> Heatmap:
    """The heatmap of values (H, W) with its tiles; `halves` are the sums over two halves of the samples, if known."""
    side = max(1, round(min(values.shape) / _TILES))
    heatmap = dataclasses.replace(heatmap, cells=_tiles(values, side).numpy())
    if blank:
        return heatmap.as_nothing("pixel")
    maps = [half.abs().amax(dim=0) for half in halves]
    pixels, tiles = (rank_correlation(*[_tiles(half, n) for half in maps]) if maps else math.nan for n in (1, side))
    if math.isnan(pixels):
        return heatmap
    said = f"Single pixels of two halves of the samples correlate at {pixels:.2f} (ranks)"
    if side == 1:
        return heatmap.noted(f"{said}: differences smaller than that noise mean nothing.")
    return heatmap.noted(f"{said}, means of {side} x {side} pixels at {tiles:.2f}: those means are drawn.")


def _tiles(values: Tensor, side: int) -> Tensor:
    """Means of about `side` x `side` pixels of (H, W)."""
    height, width = values.shape
    return functional.adaptive_avg_pool2d(values[None], (-(-height // side), -(-width // side)))[0]
