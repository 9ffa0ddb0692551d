"""Class scores with some of a layer's channels switched off."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.errors import TargetError
from cnnviz_widgets.explain.base import FloatArray
from cnnviz_widgets.explain.variants import single_input


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
    pixels = single_input(classifier, pixels)
    with silenced(classifier, layer, channels):
        logits: FloatArray = classifier.logits(pixels)[0].cpu().numpy()
    return logits


@contextmanager
def silenced(classifier: Classifier, layer: str, channels: Sequence[int]) -> Iterator[None]:
    """Inside, what this thread's forward passes put out at `layer` has zeros in place of `channels`.

    Never yield from a generator inside: the network is the user's again only afterwards. Raises LayerError.
    """
    module_name, wanted = classifier.layer(layer).call_of(layer)
    off = sorted(set(channels))
    thread = threading.get_ident()
    calls = 0

    def restart(_: nn.Module, __: Any) -> None:
        nonlocal calls
        if threading.get_ident() == thread:
            calls = 0

    def silence(_: nn.Module, __: Any, output: Any) -> Any:
        nonlocal calls
        if threading.get_ident() != thread:
            return None
        calls += 1
        if calls - 1 != wanted or not isinstance(output, Tensor):
            return None
        # A new tensor: the old one may be the input too, of an in-place module.
        return output.index_fill(1, torch.tensor(off, dtype=torch.long, device=output.device), 0)

    with classifier.evaluating():
        handles = []
        try:
            handles.append(classifier.shadow.register_forward_pre_hook(restart))
            handles.append(classifier.shadow.get_submodule(module_name).register_forward_hook(silence))
            yield
        finally:
            for handle in handles:
                handle.remove()
