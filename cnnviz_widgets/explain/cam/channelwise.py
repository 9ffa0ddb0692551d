"""Maps whose channels are weighted by what the scores are when each channel is singled out: a pass for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from cnnviz_widgets.explain.explainer import LayerExplainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.instance import Instance
from cnnviz_widgets.explain.notes import OTHER_METHOD, class_note
from cnnviz_widgets.explain.rounding import floor_of, rounding
from cnnviz_widgets.parameters import Range, check_count


@dataclass(frozen=True)
class ChannelwiseCAM(LayerExplainer):
    """Base of the techniques that ask the network once for each channel, the strongest first.

    The map is sum_k w_k A_k. `channels` stops after so many. Channels that are the same everywhere are left out.
    Negative values are cut off unless `relu` is False or the target is a difference, whose map is that of the one class
    minus that of the other.
    """

    channels: Annotated[int | None, Range(8, 2048, 8)] = None

    def __post_init__(self) -> None:
        if self.channels is not None:
            check_count("channels", self.channels)

    def logits(self, instance: Instance, channels: Tensor, A: Tensor) -> Iterator[Tensor]:
        """Logits (n, K), some at a time, with each of `channels` (numbers, int64) singled out; `A` are their maps."""
        raise NotImplementedError

    def weights(self, scores: Tensor, whole: Tensor) -> Tensor:
        """The weights (n,) of channels with these scores (n,); `whole`, (1,), is that of the picture."""
        raise NotImplementedError

    def explain(self, instance: Instance) -> Iterator[Heatmap]:
        """Yield the map of the channels so far after each batch."""
        instance = self.place(instance)
        maps, whole = _recorded(instance)
        channels = _strongest(maps, self.channels)
        A, logits = maps[channels], whole[:0]
        limit = "" if self.channels is None else f", the {len(A)} strongest of {len(maps)} channels"
        # Without a channel there is still one step: a map of zeros.
        for part in self.logits(instance, channels, A) if len(A) else [logits]:
            logits = torch.cat([logits, part])
            cells = instance.target.combine(lambda index: self._of_class(index, A, logits, whole))  # noqa: B023
            progress = len(logits) / len(A) if len(A) else 1.0
            heatmap = self.map_of(instance, cells, progress, f"{self.quantity}{limit}")
            yield self._noted(instance, heatmap, A, logits, whole) if len(logits) == len(A) else heatmap

    def _of_class(self, index: int, A: Tensor, logits: Tensor, whole: Tensor) -> Tensor:
        """Activations (C, h, w) weighted by the scores of a class in logits (n, K) of the first n of them."""
        seen = A[: len(logits)]
        weights = self.weights(logits[:, index], whole[:, index])
        return (weights.to(seen.device)[:, None, None] * seen).sum(dim=0)

    def _noted(self, instance: Instance, heatmap: Heatmap, A: Tensor, logits: Tensor, whole: Tensor) -> Heatmap:
        """The whole map, of activations (n, h, w), their logits (n, K) and the picture's (1, K), with its notes."""
        classifier, target, all_logits = instance.classifier, instance.target, torch.cat([whole, logits])
        scores = target.of(all_logits)
        floor = floor_of(all_logits, target, "logit", classifier.readout, rounding(classifier))
        if float(scores.max() - scores.min()) <= floor:
            return heatmap.as_nothing("channel")

        def of_class(index: int) -> Tensor:
            return self._of_class(index, A, logits, whole)

        return heatmap.noted(class_note(classifier, whole[0], target, of_class, OTHER_METHOD))


def _recorded(instance: Instance) -> tuple[Tensor, Tensor]:
    """Activations (C, h, w) and logits (1, K) of the picture."""
    instance = dataclasses.replace(instance)  # the graph of its own tape is let go of with it
    instance.tape.follow()
    return instance.activations, instance.tape.logits.cpu()


def _strongest(activations: Tensor, limit: int | None) -> Tensor:
    """Indices of the channels in (C, h, w) that are not the same everywhere, the largest sum of squares first."""
    flat = activations.flatten(1)
    order = flat.square().sum(dim=1).sort(descending=True, stable=True).indices
    return order[(flat.amax(dim=1) > flat.amin(dim=1))[order]][:limit]
