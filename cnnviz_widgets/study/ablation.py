"""Class scores with some of a layer's channels switched off."""

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
def ablated_logits(classifier: Classifier, pixels: Tensor, layer: str, channels: Sequence[int]) -> FloatArray:
    """Logits (K,) of one network input (1, C, H, W) when `channels` of the output of `layer` are zero everywhere.

    Zero is what a dead channel gives; behind a batch norm, or for one that is rarely zero, it may be unlike anything
    that the network has seen. Raises LayerError, TargetError for a channel that is not there, PictureError, and
    ClassifierError when the network fails.
    """
    depth = classifier.layer(layer).shape[0]
    wrong = [channel for channel in channels if not 0 <= channel < depth]
    if wrong:
        raise TargetError(f"{layer} has channels 0 to {depth - 1}; {wrong[0]} is not one of them.")
    pixels = classifier.input_copy(pixels)
    with silenced(classifier, layer, channels):
        logits: FloatArray = classifier.logits(pixels)[0].cpu().numpy()
    return logits


@contextmanager
def silenced(classifier: Classifier, layer: str, channels: Sequence[int]) -> Iterator[None]:
    """Inside, what this thread's forward passes put out at `layer` has zeros in place of `channels`.

    Never yield from a generator inside: the network is the user's again only afterwards. Raises LayerError.
    """
    off = sorted(set(channels))

    def silence(_: list[str], __: list[Any], maps: Tensor) -> Tensor:
        # A new tensor: the old one may be the input too, of an in-place module.
        return maps.index_fill(1, torch.tensor(off, dtype=torch.long, device=maps.device), 0)

    with classifier.watching([layer], silence):
        yield
