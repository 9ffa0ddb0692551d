"""Ablation-CAM: channels weighted by how much the score falls without each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.inputs import single_input
from cnnviz_widgets.explain.cam.channelwise import Ask, ChannelwiseCAM


@dataclass(frozen=True)
class AblationCAM(ChannelwiseCAM):
    """Ablation-CAM: sum_k w_k A_k, w_k = (y - y_k) / y, y_k the logit with channel k set to zero.

    No gradients. As the share is of the logit y, the map turns around where that is negative. Desai and Ramaswamy 2020
    (IEEE Winter Conference on Applications of Computer Vision), equation 4.
    """

    quantity = "activations weighted by the share of the logit that is lost without each"

    def asking(self, classifier: Classifier, pixels: Tensor, layer: str, maps: Tensor, places: Tensor) -> Ask:
        pixels, order = single_input(classifier, pixels), places.tolist()
        batches = Batches(classifier, pixels.shape[1:], "scores")

        def ask(done: int) -> Tensor:
            channels = order[done : done + batches.batch]
            parts = batches.run(len(channels), lambda part: _without_each(classifier, pixels, layer, channels[part]))
            return torch.cat(parts)

        return ask

    def weights(self, scores: Tensor, whole: Tensor) -> Tensor:
        return torch.where(whole == 0, 0, (whole - scores) / whole)


@torch.inference_mode(False)
@torch.no_grad()
def _without_each(classifier: Classifier, pixels: Tensor, layer: str, channels: list[int]) -> Tensor:
    """Logits (n, K), float32 on the CPU, of pixels (1, C, H, W) with each of `channels` of the layer set to zero."""
    left = list(channels)

    def silence(_: list[str], __: list[Any], maps: Tensor) -> Tensor:
        # A pass may be of all pictures or of one: they come in order.
        count = len(maps)
        off, left[:] = left[:count], left[count:]
        maps = maps.clone()
        maps[range(count), off] = 0
        return maps

    with classifier.watching([layer], silence):
        return classifier.logits(pixels.expand(len(channels), -1, -1, -1)).to("cpu", torch.float32)
