"""Ablation: the logits of a network with some of a layer's channels set to zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.errors import TargetError


@torch.no_grad()
def ablate(classifier: Classifier, pixels: Tensor, layer: str, channels: Sequence[int]) -> FloatArray:
    """The logits (K,) of one network input (1, C, H, W) with `channels` of the output of `layer` set to zero.

    A channel that is rarely zero, as behind a batch norm, then has values that the network was not trained on. Raises
    LayerError, TargetError for a channel that does not exist, PictureError, and ClassifierError when the network fails.
    """
    depth = classifier.layer(layer).shape[0]
    wrong = [channel for channel in channels if not 0 <= channel < depth]
    if wrong:
        raise TargetError(f"{layer} has channels 0 to {depth - 1}; {wrong[0]} is not one of them.")
    pixels = classifier.input_copy(pixels)
    with ablating(classifier, layer, channels):
        logits: FloatArray = classifier.logits(pixels)[0].cpu().numpy()
    return logits


@contextmanager
def ablating(classifier: Classifier, layer: str, channels: Sequence[int]) -> Iterator[None]:
    """Within the block, `channels` of the output of `layer` are zero in this thread's forward passes.

    A generator must not yield inside: the hooks would stay on the network meanwhile. Raises LayerError.
    """
    zeroed = sorted(set(channels))

    def fill(_: list[str], __: list[Any], maps: Tensor) -> Tensor:
        # Not in place: a module that works in place has the same tensor as its input and its output.
        return maps.index_fill(1, torch.tensor(zeroed, dtype=torch.long, device=maps.device), 0)

    with classifier.watching([layer], fill):
        yield
