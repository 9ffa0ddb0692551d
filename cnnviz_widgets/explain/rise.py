"""RISE: for each pixel the mean score of the picture seen through random masks that show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Contrast
from cnnviz_widgets.explain.base import Explainer, Heatmap, Range
from cnnviz_widgets.explain.baseline import Baseline, baseline_pixels
from cnnviz_widgets.explain.class_scores import Score, class_scores, resolved
from cnnviz_widgets.explain.parameters import check_choice, check_count, check_share
from cnnviz_widgets.explain.variants import Variants, single_input

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier, Target


@dataclass(frozen=True)
class RISE(Explainer):
    """sum over random masks of score(picture seen through the mask) x mask / sum of masks.

    A mask is a grid of `cells` x `cells`, each 1 with `probability` and else 0, upsampled bilinearly to a
    little more than the picture and shifted by up to a cell; where it is 0 the network sees the `baseline`.
    The same `seed` gives the same masks. Costs a forward pass for each mask and needs no gradients. Petsiuk
    et al. 2018 (arXiv 1806.07421), equation 6, with the masks' own sum for its expectation.
    """

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

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield the map of the masks so far after each batch.

        Raises TargetError, MethodError, PictureError, ClassifierError.
        """
        target = resolved(classifier, target, self.score)
        pixels = single_input(classifier, pixels)
        variants = Variants(classifier, pixels)
        start = classifier.to_network(baseline_pixels(classifier, pixels, self.baseline))
        generator = torch.Generator().manual_seed(self.seed)
        size = (pixels.shape[2], pixels.shape[3])
        weighted = shown = torch.zeros(size, dtype=torch.float64)
        total, done = 0.0, 0
        while done < self.masks:
            masks = self.draw(min(variants.batch, self.masks - done), size, generator)
            logits = _seen_through(variants, masks, start)
            scores = class_scores(logits, target, self.score, classifier.readout).double()
            weighted = weighted + torch.einsum("n,nhw->hw", scores, masks.double())
            shown = shown + masks.double().sum(dim=0)
            total += float(scores.sum())
            done += len(masks)
            # A pixel that no mask has shown yet has the mean score of all masks.
            values = torch.where(shown > 0, weighted / shown.clamp_min(1e-12), total / done)
            yield Heatmap.of_values(
                values,
                classifier.readout.worded(f"mean {self.score} where the pixel is seen"),
                signed=self.score == "logit" or isinstance(target, Contrast),
                target=target,
                progress=done / self.masks,
            )

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """The next `count` masks (count, H, W), float32 from 0 to 1, for pictures of `size` (H, W)."""
        cell = [-(-side // self.cells) for side in size]
        grids, shifts = [], []
        # One by one, so that the masks do not depend on how many are drawn at once.
        for _ in range(count):
            grid = torch.rand(self.cells, self.cells, generator=generator) < self.probability
            grids.append(grid.float())
            shifts.append([int(torch.randint(side, (), generator=generator)) for side in cell])
        larger = [(self.cells + 1) * side for side in cell]
        masks = functional.interpolate(torch.stack(grids)[None], size=larger, mode="bilinear", align_corners=False)
        shifted = zip(masks[0].clamp(0, 1), shifts, strict=True)
        return torch.stack([mask[top : top + size[0], left : left + size[1]] for mask, (top, left) in shifted])


def _seen_through(variants: Variants, masks: Tensor, start: Tensor) -> Tensor:
    """Logits of the picture where masks (n, H, W) are 1 and of `start` (1, C, H, W) where they are 0."""

    def mask(copies: Tensor) -> None:
        copies.copy_(start + masks[:, None].to(copies) * (copies - start))

    return variants.logits(len(masks), mask)
