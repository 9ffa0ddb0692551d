"""Maps whose channels are weighted by what the scores are when each channel is singled out: a pass for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Contrast, Target
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.remarks import OTHER_METHOD, on_class
from cnnviz_widgets.explain.rounding import floor_of, nothing, rounding
from cnnviz_widgets.parameters import Range, check_count

#: Gives the next batch of logits (n, K) of the channels that are singled out, from number `done` on.
Ask = Callable[[int], Tensor]


@dataclass(frozen=True)
class ChannelwiseCAM(Explainer):
    """Base of the techniques that ask the network once for each channel, the strongest first.

    The map is sum_k w_k A_k. `channels` stops after so many. Channels that are the same everywhere are left out.
    Negative values are cut off unless `relu` is False or the target is a `Contrast`, whose map is that of the one class
    minus that of the other.
    """

    layer: str | None = None
    relu: bool = True
    channels: Annotated[int | None, Range(8, 2048, 8)] = None

    #: What a value of the map is.
    quantity: ClassVar[str]

    def __post_init__(self) -> None:
        if self.channels is not None:
            check_count("channels", self.channels)

    def asking(self, classifier: Classifier, pixels: Tensor, layer: str, maps: Tensor, places: Tensor) -> Ask:
        """What gives logits with each of `maps` (n, h, w) singled out, channels number `places` (n,) of `layer`."""
        raise NotImplementedError

    def weights(self, scores: Tensor, whole: Tensor) -> Tensor:
        """The weights (n,) of channels with these scores (n,); `whole`, (1,), is that of the picture."""
        raise NotImplementedError

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield the map of the channels so far after each batch.

        Raises LayerError, TargetError, ClassifierError.
        """
        layer = classifier.layer(classifier.default_layer if self.layer is None else self.layer).name
        activations, whole = _recorded(classifier, pixels, layer, target)
        total, places = len(activations), _strongest(activations, self.channels)
        activations = activations[places]
        limit = "" if self.channels is None else f", the {len(activations)} strongest of {total} channels"
        signed = isinstance(target, Contrast) or not self.relu
        logits, size = torch.zeros(0, whole.shape[1]), (pixels.shape[2], pixels.shape[3])
        ask = self.asking(classifier, pixels, layer, activations, places)
        # Without a channel there is still one step: a map of zeros.
        while True:
            if len(logits) < len(activations):
                logits = torch.cat([logits, ask(len(logits))])
            cells = self._cells(classifier, activations[: len(logits)], logits, whole, target)
            heatmap = Heatmap.of_cells(
                cells if signed else cells.clamp_min(0),
                size,
                classifier.readout.worded(f"{self.quantity}{limit}"),
                signed=signed,
                target=target,
                progress=len(logits) / len(activations) if len(activations) else 1.0,
            )
            if len(logits) == len(activations):
                yield self._noted(heatmap, classifier, activations, logits, whole)
                return
            yield heatmap

    def _cells(
        self, classifier: Classifier, activations: Tensor, logits: Tensor, whole: Tensor, target: Target
    ) -> Tensor:
        """Activations (n, h, w) weighted by the target's logits, of (n, K)."""
        if isinstance(target, Contrast):
            first = self._cells(classifier, activations, logits, whole, target.target)
            return first - self._cells(classifier, activations, logits, whole, target.against)
        weights = self.weights(classifier.score(logits, target), classifier.score(whole, target))
        return (weights.to(activations.device)[:, None, None] * activations).sum(dim=0)

    def _noted(
        self, heatmap: Heatmap, classifier: Classifier, activations: Tensor, logits: Tensor, whole: Tensor
    ) -> Heatmap:
        """The whole map, of activations (n, h, w), their logits (n, K) and the picture's (1, K), with its notes."""
        target, all_logits = heatmap.target, torch.cat([whole, logits])
        scores = classifier.score(all_logits, target)
        floor = floor_of(all_logits, target, "logit", classifier.readout, rounding(classifier))
        if float(scores.max() - scores.min()) <= floor:
            return heatmap.noted(nothing("channel"), blank=True)

        def cells(of: Target) -> Tensor:
            return self._cells(classifier, activations, logits, whole, of)

        return heatmap.noted(on_class(classifier, whole[0], target, cells, OTHER_METHOD))


def _recorded(classifier: Classifier, pixels: Tensor, layer: str, target: Target) -> tuple[Tensor, Tensor]:
    """Activations (C, h, w) and logits (1, K) of the picture; the graph they belong to is let go."""
    tape = Tape(classifier, pixels, [layer])
    classifier.score(tape.logits, target)  # a class that does not exist shall not cost hundreds of passes
    return tape.activations[tape.layer(layer)][0].float(), tape.logits.cpu()


def _strongest(activations: Tensor, limit: int | None) -> Tensor:
    """Indices of the channels in (C, h, w) that are not the same everywhere, the largest sum of squares first."""
    flat = activations.flatten(1)
    order = flat.square().sum(dim=1).sort(descending=True, stable=True).indices
    return order[(flat.amax(dim=1) > flat.amin(dim=1))[order]][:limit]
