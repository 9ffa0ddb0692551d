"""Score-CAM: channels weighted by the score of the picture seen through each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier, Contrast, Target
from cnnviz_widgets.explain.base import Explainer, Heatmap, Range
from cnnviz_widgets.explain.parameters import check_count
from cnnviz_widgets.explain.remarks import OTHER_METHOD, on_class
from cnnviz_widgets.explain.rounding import floor_of, nothing, rounding
from cnnviz_widgets.explain.tape import Tape
from cnnviz_widgets.explain.variants import Variants


@dataclass(frozen=True)
class ScoreCAM(Explainer):
    """Score-CAM: sum_k w_k A_k, w the softmax over channels of the logit of the picture masked by each.

    A mask is the channel upsampled to the picture and then scaled to 0..1; what it hides becomes 0 in
    network-input values, the mean colour of most preprocessings. Channels that are the same everywhere are
    left out. Costs a forward pass for each channel, the strongest (largest sum of squares) first; `channels`
    stops after so many. No gradients.

    Negative values are cut off unless `relu` is False or the target is a `Contrast`, whose map is that of the
    one class minus that of the other. Wang et al. 2020 (arXiv 1910.01279).
    """

    layer: str | None = None
    relu: bool = True
    channels: Annotated[int | None, Range(8, 2048, 8)] = None

    def __post_init__(self) -> None:
        if self.channels is not None:
            check_count("channels", self.channels)

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield the map of the channels so far after each batch.

        Raises LayerError, TargetError, ClassifierError.
        """
        activations, whole = self._recorded(classifier, pixels, target)
        total = len(activations)
        activations = activations[_strongest(activations, self.channels)]
        limit = "" if self.channels is None else f", the {len(activations)} strongest of {total} channels"
        signed = isinstance(target, Contrast) or not self.relu
        variants, size = Variants(classifier, pixels), (pixels.shape[2], pixels.shape[3])
        logits = torch.zeros(0, len(classifier.class_names))
        # Without a channel to look through there is still one step: a map of zeros.
        while True:
            batch = activations[len(logits) :][: variants.batch]
            if len(batch):
                logits = torch.cat([logits, _masked_logits(variants, batch, size)])
            cells = _weighted(classifier, activations[: len(logits)], logits, target)
            heatmap = Heatmap.of_cells(
                cells if signed else cells.clamp_min(0),
                size,
                classifier.readout.worded(f"activations weighted by the logit of the picture seen through each{limit}"),
                signed=signed,
                target=target,
                progress=len(logits) / len(activations) if len(activations) else 1.0,
            )
            if len(logits) == len(activations):
                yield _noted(heatmap, classifier, activations, logits, whole)
                return
            yield heatmap

    def _recorded(self, classifier: Classifier, pixels: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Activations (C, h, w) and logits (1, K) of the picture; the graph they belong to is let go."""
        tape = Tape(classifier, pixels, [classifier.default_layer if self.layer is None else self.layer])
        classifier.score(tape.logits, target)  # a class that does not exist shall not cost hundreds of passes
        return tape.activations[tape.layer(self.layer)][0].float(), tape.logits.cpu()


def _strongest(activations: Tensor, limit: int | None) -> Tensor:
    """Indices of the channels in (C, h, w) that are not the same everywhere, strongest first."""
    flat = activations.flatten(1)
    order = flat.square().sum(dim=1).sort(descending=True, stable=True).indices
    return order[(flat.amax(dim=1) > flat.amin(dim=1))[order]][:limit]


def _masked_logits(variants: Variants, channels: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (n, K) of the picture of `size` seen through each of channels (n, h, w)."""
    masks = functional.interpolate(channels[:, None], size=size, mode="bilinear", align_corners=False)
    low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
    masks = (masks - low) / (high - low).clamp_min(torch.finfo(masks.dtype).tiny)

    def look_through(copies: Tensor) -> None:
        copies.mul_(masks)

    return variants.logits(len(masks), look_through)


def _weighted(classifier: Classifier, activations: Tensor, logits: Tensor, target: Target) -> Tensor:
    """Activations (n, h, w) weighted by the softmax over channels of the target's logits, of (n, K)."""
    if isinstance(target, Contrast):
        first = _weighted(classifier, activations, logits, target.target)
        return first - _weighted(classifier, activations, logits, target.against)
    weights = classifier.score(logits, target).softmax(dim=0).to(activations.device)
    return (weights[:, None, None] * activations).sum(dim=0)


def _noted(heatmap: Heatmap, classifier: Classifier, activations: Tensor, logits: Tensor, whole: Tensor) -> Heatmap:
    """The whole map, of activations (n, h, w), their logits (n, K) and the picture's (1, K), with its notes."""
    target, all_logits = heatmap.target, torch.cat([whole, logits])
    scores = classifier.score(all_logits, target)
    if float(scores.max() - scores.min()) <= floor_of(
        all_logits, target, "logit", classifier.readout, rounding(classifier)
    ):
        return heatmap.noted(nothing("channel"), blank=True)

    def cells(of: Target) -> Tensor:
        return _weighted(classifier, activations, logits, of)

    return heatmap.noted(on_class(classifier, whole[0], target, cells, OTHER_METHOD))
