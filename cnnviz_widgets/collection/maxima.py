"""The maximum of each activation map, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.watch import watch
from cnnviz_widgets.collection.locations import Maxima


def maxima_of(classifier: Classifier, pixels: Tensor, layers: Sequence[str]) -> dict[str, Maxima]:
    """The maxima of all maps of each layer for network inputs (n, C, H, W); of none where there are no inputs.

    Raises LayerError, ClassifierError.
    """
    if not len(pixels):
        return {}
    batches = Batches(classifier, pixels.shape[1:], "maxima")
    return joined(batches.run(len(pixels), lambda part: _maxima_of_part(classifier, pixels[part], layers)))


def joined(parts: Sequence[Mapping[str, Maxima]]) -> dict[str, Maxima]:
    """The maxima by layer of the pictures of all `parts`, at least one, in their order."""
    return {name: Maxima(*map(np.concatenate, zip(*(part[name] for part in parts), strict=True))) for name in parts[0]}


def _maxima_of_part(classifier: Classifier, pixels: Tensor, layers: Sequence[str]) -> dict[str, Maxima]:
    """The maxima of a batch that fits into memory, taken of each layer's output during the forward pass."""
    each = classifier.each_picture(pixels, layers, lambda maps: {name: maxima_in(maps[name]) for name in layers})
    if each is not None:
        return joined(each)
    found: dict[str, Maxima] = {}

    def see(name: str, output: Tensor) -> None:
        found[name] = maxima_in(output)

    with torch.inference_mode(False), torch.no_grad():
        watch(classifier, pixels, layers, see)
    return found


def maxima_in(output: Tensor) -> Maxima:
    """The maxima of maps (n, C, h, w)."""
    maps = output.detach().flatten(2).float()
    if maps.device.type == "cpu":
        # Four times as fast as torch's on each core. Of equal cells either takes the first.
        array, threads = maps.numpy(), min(len(maps), torch.get_num_threads()) or 1
        with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as cores:
            found = (cores.map if cores else map)(lambda part: part.argmax(2), np.array_split(array, threads))
            cells = np.concatenate(list(found))
        return Maxima(np.take_along_axis(array, cells[..., None], 2)[..., 0], cells)
    places = maps.argmax(dim=2)
    return Maxima(maps.gather(2, places[..., None])[..., 0].cpu().numpy(), places.cpu().numpy())
