"""One forward pass that records layers, a backward pass for each class asked for, and maps of the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Contrast, Target
from cnnviz_widgets.classifier.differentiation import INSTEAD, cut_off, gradients_of
from cnnviz_widgets.classifier.inputs import single_input
from cnnviz_widgets.errors import ExplanationError, LayerError, MethodError
from cnnviz_widgets.explain.cuts import looking_for_cuts
from cnnviz_widgets.explain.explainer import Explainer
from cnnviz_widgets.explain.heatmap import Heatmap
from cnnviz_widgets.explain.remarks import is_linear, layer_before

#: So many classes' gradients are kept: those of all layers of a VGG take 50 MB for each class.
_CLASSES_KEPT = 8


class Tape:
    """The activations of many layers for one picture, and their gradients for any class.

    `pixels` is one network input (1, C, H, W); `layers` are layer names, by default the convolutions, the
    blocks, the default layer and the one a block before. Building it costs one forward pass, the first question
    about a class one backward pass (without gradients of weights), all else nothing, unless the network was trained on:
    then it is run again. The network is free as soon as the tape is built; the tape keeps the graph from its earliest
    layer on until it is dropped.

    Raises PictureError, LayerError, and ClassifierError when the network fails.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor, layers: Sequence[str] | None = None) -> None:
        if layers is None:
            chosen = [layer.name for layer in classifier.layers if layer.role != "other"]
            layers = [*chosen, classifier.default_layer, layer_before(classifier)]
        self.classifier = classifier
        self._chosen = frozenset(classifier.layer(name).name for name in layers)
        self._pixels = single_input(classifier, pixels)
        #: Of the picture, (H, W).
        self.size: tuple[int, int] = (pixels.shape[2], pixels.shape[3])
        self._record()

    def _record(self) -> None:
        self._weights = self.classifier.runner.weights()
        recording = self.classifier.recording(*sorted(self._chosen))
        # Callers may be in inference mode, and an inference tensor cannot take part in a graph.
        with torch.inference_mode(False), torch.enable_grad(), recording as outputs:
            pixels = self._pixels.clone()
            with looking_for_cuts(self.classifier, pixels) as judge:
                self._graph = self.classifier.logits(pixels)
            judge(self._graph)
        self._outputs = outputs
        self._gradients: dict[int, dict[str, Tensor]] = {}
        #: (1, K)
        self.logits: Tensor = self._graph.detach()
        #: By layer name, each (1, C, h, w), in the network's floating type.
        self.activations: dict[str, Tensor] = {name: output.detach() for name, output in outputs.items()}

    def follow(self) -> None:
        """Record anew if the network has other weights now."""
        if self._weights != self.classifier.runner.weights():
            self._record()

    def layer(self, name: str | None = None) -> str:
        """The key in `activations` of a layer, named by itself or an alias, or of the default layer.

        Raises LayerError.
        """
        name = self.classifier.layer(self.classifier.default_layer if name is None else name).name
        if name in self.activations:
            return name
        if name in self._chosen:
            raise LayerError(f"{self.classifier.name} skipped the layer {name!r} on this picture; choose another one.")
        raise LayerError(f"The layer {name!r} was not recorded; name it when the tape is made.")

    def gradients(self, target: Target) -> dict[str, Tensor]:
        """Gradients of the target's score with respect to each activation, by layer name, (1, C, h, w).

        The score is the logit, or the difference of two. Layers that no gradient comes to are left out. Raises
        TargetError, and ClassifierError where autograd fails.
        """
        if isinstance(target, Contrast):
            first, second = self.gradients(target.target), self.gradients(target.against)
            return {name: first[name] - second[name] for name in first if name in second}
        index = self.classifier.class_index(target)
        self.follow()
        if index not in self._gradients:
            if len(self._gradients) == _CLASSES_KEPT:
                del self._gradients[next(iter(self._gradients))]
            self._gradients[index] = self._backward(index)
        return self._gradients[index]

    def gradient(self, layer: str, target: Target) -> Tensor:
        """The gradient at one layer, (1, C, h, w). Raises as `gradients`.

        For a layer left out there a LayerError where the score does not depend on it, else a MethodError.
        """
        found = self.gradients(target).get(layer)
        if found is None:
            raise self._without_gradient(layer)
        return found

    def is_linear_behind(self, layer: str) -> bool:
        """Whether the logits are linear in the activations of a layer, by the operations that were recorded."""
        return is_linear(self._graph, self._outputs[layer])

    def _backward(self, index: int) -> dict[str, Tensor]:
        outputs = {name: output for name, output in self._outputs.items() if output.requires_grad}
        if not outputs or not self._graph.requires_grad:
            return {}
        with torch.inference_mode(False), torch.enable_grad():
            score = self._graph[0, index]
        gradients = gradients_of(self.classifier, score, list(outputs.values()), again=True)
        return {name: found for name, found in zip(outputs, gradients, strict=True) if found is not None}

    def _without_gradient(self, layer: str) -> ExplanationError:
        """Why no gradient comes to a layer."""
        name = self.classifier.name
        if not self._outputs[layer].requires_grad:
            return MethodError(
                f"{name} runs the layer {layer!r} without gradients; remove `no_grad`, or a checkpoint with "
                f"`use_reentrant=True`, from its forward, or {INSTEAD}."
            )
        if self._matters(layer):
            return cut_off(name, f"the layer {layer!r}")
        return LayerError(f"The score of {name} does not depend on the layer {layer!r} here; choose another layer.")

    @torch.inference_mode(False)
    @torch.no_grad()
    def _matters(self, layer: str) -> bool:
        """Whether a logit is another one when the layer's output is."""

        def disturb(_: list[str], __: list[Any], output: Tensor) -> Tensor:
            noise = torch.randn(output.shape, generator=torch.Generator().manual_seed(0)).to(output)
            return output + (1 + output.abs().max()) * noise

        with self.classifier.watching([layer], disturb):
            found = self.classifier.logits(self._pixels)
        return not torch.equal(found, self.logits)


@dataclass(frozen=True)
class TapeExplainer(Explainer):
    """Base of the techniques that need one layer of a tape, by default `layer_in(classifier)`.

    The map is computed on the layer's grid and upsampled bilinearly. Its negative values are cut off unless
    `relu` is False or the target is a `Contrast`, whose map is that of the one class minus that of the other.
    Nothing is rescaled: a map of zeros stays one, and the maps of two pictures can be compared.
    """

    layer: str | None = None
    relu: bool = True

    #: What a value of the map is.
    quantity: ClassVar[str]

    def steps(self, classifier: Classifier, pixels: Tensor, target: Target) -> Iterator[Heatmap]:
        """Yield once, after one forward pass. Raises LayerError, TargetError, ClassifierError."""
        tape = Tape(classifier, pixels, [self.layer_in(classifier)])
        yield self.compared(self.from_tape(tape, target), tape)

    def layer_in(self, classifier: Classifier) -> str:
        """The layer of this network that is explained: `layer`, or the one to begin with. Raises LayerError."""
        return classifier.default_layer if self.layer is None else self.layer

    def from_tape(self, tape: Tape, target: Target) -> Heatmap:
        """The map of a layer that `tape` recorded, at no forward pass. Raises LayerError, TargetError."""
        tape.follow()
        layer = tape.layer(self.layer_in(tape.classifier))
        quantity = tape.classifier.readout.worded(self.quantity)
        drawn = self._drawn(self._cells(tape, layer, target), target)
        heatmap = Heatmap.of_cells(drawn, tape.size, quantity, signed=self._signed(target), target=target)
        return self._noted(heatmap, tape, layer, drawn)

    def compared(self, heatmap: Heatmap, tape: Tape) -> Heatmap:
        """`heatmap`, which `from_tape` made, with a note where an unrelated class has nearly the same one.

        That costs a backward pass for each class that a picture's maps are compared with, mostly one in all.
        """
        return heatmap

    def _noted(self, heatmap: Heatmap, tape: Tape, layer: str, drawn: Tensor) -> Heatmap:
        """`heatmap` of the cells `drawn` (h, w) with what else is to be said of it."""
        return heatmap

    def _drawn(self, cells: Tensor, target: Target) -> Tensor:
        return cells if self._signed(target) else cells.clamp_min(0)

    def _signed(self, target: Target) -> bool:
        return isinstance(target, Contrast) or not self.relu

    def _cells(self, tape: Tape, layer: str, target: Target) -> Tensor:
        """The map (h, w) before negative values are cut off."""
        raise NotImplementedError
