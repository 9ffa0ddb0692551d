"""Score-CAM: channels weighted by the score of the picture seen through each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnviz_widgets.explain.cam.channelwise import ChannelwiseCAM
from cnnviz_widgets.explain.instance import Instance


@dataclass(frozen=True)
class ScoreCAM(ChannelwiseCAM):
    """Score-CAM: sum_k w_k A_k, w the softmax over channels of the logit of the picture masked by each.

    A mask is the channel upsampled to the picture and then scaled to 0..1; what it hides becomes 0 in
    network-input values, the mean colour of most preprocessings. No gradients. Wang et al. 2020 (arXiv 1910.01279).
    """

    label = "Score-CAM"
    quantity = "activations weighted by the logit of the picture seen through each"

    def logits(self, instance: Instance, channels: Tensor, A: Tensor) -> Iterator[Tensor]:
        def look_through(copies: Tensor, which: slice) -> None:
            masks = functional.interpolate(A[which, None], size=instance.size, mode="bilinear", align_corners=False)
            low, high = masks.amin(dim=(2, 3), keepdim=True), masks.amax(dim=(2, 3), keepdim=True)
            copies.mul_((masks - low) / (high - low).clamp_min(torch.finfo(masks.dtype).tiny))

        return instance.perturbed(look_through, len(channels))

    def weights(self, scores: Tensor, whole: Tensor) -> Tensor:
        return scores.softmax(dim=0)
