"""Score-CAM: channels weighted by the score of the picture seen through each of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain.cam.channelwise import Ask, ChannelwiseCAM
from cnnviz_widgets.explain.perturbation import Variants


@dataclass(frozen=True)
class ScoreCAM(ChannelwiseCAM):
    """Score-CAM: sum_k w_k A_k, w the softmax over channels of the logit of the picture masked by each.

    A mask is the channel upsampled to the picture and then scaled to 0..1; what it hides becomes 0 in
    network-input values, the mean colour of most preprocessings. No gradients. Wang et al. 2020 (arXiv 1910.01279).
    """

    quantity = "activations weighted by the logit of the picture seen through each"

    def asking(self, classifier: Classifier, pixels: Tensor, layer: str, maps: Tensor, places: Tensor) -> Ask:
        variants, size = Variants(classifier, pixels), (pixels.shape[2], pixels.shape[3])
        return lambda done: _masked_logits(variants, maps[done : done + variants.batch], size)

    def weights(self, scores: Tensor, whole: Tensor) -> Tensor:
        return scores.softmax(dim=0)


def _masked_logits(variants: Variants, channels: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits (n, K) of the picture of `size` seen through each of channels (n, h, w)."""
    masks = functional.interpolate(channels[:, None], size=size, mode="bilinear", align_corners=False)
    low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
    masks = (masks - low) / (high - low).clamp_min(torch.finfo(masks.dtype).tiny)

    def look_through(copies: Tensor) -> None:
        copies.mul_(masks)

    return variants.logits(len(masks), look_through)
