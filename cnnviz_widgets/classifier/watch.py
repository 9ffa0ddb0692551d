"""A forward pass that goes no further than is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from torch import Tensor

from cnnviz_widgets.classifier import hooks
from cnnviz_widgets.classifier.classifier import Classifier
from cnnviz_widgets.errors import ClassifierError, LayerError


def watch(classifier: Classifier, pixels: Tensor, layers: Iterable[str], see: Callable[[str, Tensor], None]) -> None:
    """Run the network on `pixels` (N, C, H, W) and call `see(name, output)` as soon as a layer's output is there.

    What lies behind the last of `layers` is not computed. An output is (N, c, h, w), part of the autograd graph, and
    not copied: with several layers, in-place operations may change it after `see` has returned. Raises LayerError,
    also for a layer that the network skips on these pixels, and ClassifierError.
    """
    wanted = list(layers)
    missing = set(wanted)

    def look(names: list[str], _: list[Any], output: Tensor) -> None:
        for name in names:
            see(name, output)
        missing.difference_update(names)
        if not missing:
            raise hooks.StopForward

    if not missing:
        return
    if classifier.one_at_a_time and len(pixels) != 1:
        raise ClassifierError(f"{classifier.name} is run one picture at a time; watch one at a time too.")
    with classifier.watching(wanted, look), suppress(hooks.StopForward):
        classifier.logits(pixels)
    if missing:
        raise LayerError(f"{classifier.name} skipped the layer {min(missing)!r} on this picture; choose another one.")
