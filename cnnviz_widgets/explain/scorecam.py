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
from cnnviz_widgets.explain.tape import Tape


@dataclass(frozen=True)
class ScoreCAM(Explainer):
    """Score-CAM: sum_k w_k A_k, w the softmax over channels of the logits of the picture masked by each channel.

    A mask is the channel upsampled to the picture and then scaled to 0..1; what it hides is set to 0 in network-input
    values, the mean colour of most preprocessings. Channels that are the same everywhere are left out. No gradients.
    Costs a forward pass for each channel, `batch` of them at a time, the strongest (largest sum of squares) first;
    `channels` stops after so many, None takes all.

    Negative values are cut off unless `relu` is False or the target is a `Contrast`, whose map is that of the one class
    minus that of the other. Wang et al. 2020 (arXiv 1910.01279), equations 4 to 8.
    """

    layer: str | None = None
    relu: bool = True
    channels: Annotated[int | None, Range(8, 2048, 8)] = None
    batch: Annotated[int, Range(1, 64)] = 8

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield the map of the channels so far after each batch. Raises LayerError, TargetError, ClassifierError."""
        activations = self._activations(classifier, pixels, target)
        order = _strongest(activations, self.channels)
        limit = "" if self.channels is None else f", the {len(order)} strongest of {len(activations)} channels"
        logits = torch.zeros(0, len(classifier.class_names), device=activations.device)
        # Without a channel to look through there is still one step: a map of zeros.
        for start in range(0, max(len(order), 1), self.batch):
            chosen = activations[order[start : start + self.batch]]
            if len(chosen):
                logits = torch.cat([logits, _masked_logits(classifier, pixels, chosen)])
            cells = _weighted(classifier, activations[order[: len(logits)]], logits, target)
            signed = isinstance(target, Contrast) or not self.relu
            yield Heatmap.of_cells(
                cells if signed else cells.clamp_min(0),
                classifier.input_size,
                f"activations weighted by the logit of the picture seen through each{limit}",
                signed=signed,
                target=target,
                progress=min((start + self.batch) / max(len(order), 1), 1.0),
            )

    def _activations(self, classifier: Classifier, pixels: Tensor, target: Target) -> Tensor:
        tape = Tape(classifier, pixels, [self.layer or classifier.default_layer])
        classifier.score(tape.logits, target)  # a class that does not exist shall not cost hundreds of passes
        return tape.activations[tape.layer(self.layer)][0].float()


def _strongest(activations: Tensor, limit: int | None) -> Tensor:
    """Indices of the channels of activations (C, h, w) that are not flat, strongest first, `limit` at most."""
    flat = activations.flatten(1)
    order = flat.square().sum(dim=1).sort(descending=True, stable=True).indices
    return order[(flat.amax(dim=1) > flat.amin(dim=1))[order]][:limit]


@torch.no_grad()
def _masked_logits(classifier: Classifier, pixels: Tensor, channels: Tensor) -> Tensor:
    """Logits (n, K) of pixels (1, C, H, W) seen through each of channels (n, h, w)."""
    masks = functional.interpolate(channels[:, None], size=classifier.input_size, mode="bilinear", align_corners=False)
    low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
    masks = (masks - low) / (high - low).clamp_min(torch.finfo(masks.dtype).tiny)
    return classifier.logits(pixels.to(masks.device) * masks)


@torch.no_grad()
def _weighted(classifier: Classifier, activations: Tensor, logits: Tensor, target: Target) -> Tensor:
    """Activations (n, h, w) weighted by the softmax of the target's logits, of (n, K), over the channels: (h, w)."""
    if isinstance(target, Contrast):
        first = _weighted(classifier, activations, logits, target.target)
        return first - _weighted(classifier, activations, logits, target.against)
    weights = classifier.score(logits, target).softmax(dim=0)
    return (weights[:, None, None] * activations).sum(dim=0)
