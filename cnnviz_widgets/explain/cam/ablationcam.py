"""Ablation-CAM: channels weighted by how much the score falls without each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz_widgets.explain.cam.channelwise import ChannelwiseCAM
from cnnviz_widgets.explain.instance import Instance


@dataclass(frozen=True)
class AblationCAM(ChannelwiseCAM):
    """Ablation-CAM: sum_k w_k A_k, w_k = (y - y_k) / y, y_k the logit with channel k set to zero.

    No gradients. As the share is of the logit y, the map turns around where that is negative. Desai and Ramaswamy 2020
    (IEEE Winter Conference on Applications of Computer Vision), equation 4.
    """

    label = "Ablation-CAM"
    quantity = "activations weighted by the share of the logit that is lost without each"

    def logits(self, instance: Instance, channels: Tensor, A: Tensor) -> Iterator[Tensor]:
        numbers = channels.tolist()

        def silence(maps: Tensor, which: slice) -> Tensor:
            maps = maps.clone()
            maps[range(len(maps)), numbers[which]] = 0
            return maps

        return instance.perturbed_layer(silence, len(numbers))

    def weights(self, scores: Tensor, whole: Tensor) -> Tensor:
        return torch.where(whole == 0, 0, (whole - scores) / whole)
