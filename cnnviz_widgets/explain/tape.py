"""One forward pass that records layers, a backward pass for each class asked for, and maps of the two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Contrast, Target
from cnnviz_widgets.errors import ClassifierError, LayerError
from cnnviz_widgets.explain.base import Explainer, Heatmap
from cnnviz_widgets.explain.remarks import is_linear, layer_before
from cnnviz_widgets.explain.variants import single_input
from cnnviz_widgets.scores import brief

#: So many classes' gradients are kept: those of all layers of a VGG take 50 MB for each class.
_CLASSES_KEPT = 8


class Tape:
    """The activations of many layers for one picture, and their gradients for any class.

    `pixels` is one network input (1, C, H, W); `layers` are layer names, by default the convolutions, the
    blocks, the default layer and the one a block before. Building it costs one forward pass, the first question
    about a class one backward pass (without gradients of weights), all else nothing. The network is free as soon as
    the tape is built; the tape keeps the graph from its earliest layer on until it is dropped.

    Raises PictureError, LayerError, and ClassifierError when the network fails.
    """

    def __init__(self, classifier: Classifier, pixels: Tensor, layers: Sequence[str] | None = None) -> None:
        if layers is None:
            chosen = [layer.name for layer in classifier.layers if layer.role != "other"]
            layers = [*chosen, classifier.default_layer, layer_before(classifier)]
        self.classifier = classifier
        self._chosen = frozenset(classifier.layer(name).name for name in layers)
        pixels = single_input(classifier, pixels)
        recording = classifier.recording(*sorted(self._chosen))
        # Callers may be in inference mode, and an inference tensor cannot take part in a graph.
        with torch.inference_mode(False), torch.enable_grad(), recording as outputs:
            self._graph = classifier.logits(pixels)
        self._outputs = outputs
        self._gradients: dict[int, dict[str, Tensor]] = {}
        #: Of the picture, (H, W).
        self.size: tuple[int, int] = (pixels.shape[2], pixels.shape[3])
        #: (1, K)
        self.logits: Tensor = self._graph.detach()
        #: By layer name, each (1, C, h, w), in the network's floating type.
        self.activations: dict[str, Tensor] = {name: output.detach() for name, output in outputs.items()}

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

        The score is the logit, or the difference of two. Zero where it does not depend on the layer; layers
        that the network runs without gradients are left out. Raises TargetError, and ClassifierError where
        autograd fails.
        """
        if isinstance(target, Contrast):
            first, second = self.gradients(target.target), self.gradients(target.against)
            return {name: first[name] - second[name] for name in first}
        index = self.classifier.class_index(target)
        if index not in self._gradients:
            if len(self._gradients) == _CLASSES_KEPT:
                del self._gradients[next(iter(self._gradients))]
            self._gradients[index] = self._backward(index)
        return self._gradients[index]

    def gradient(self, layer: str, target: Target) -> Tensor:
        """The gradient at one layer, (1, C, h, w). Raises as `gradients`, and for a layer left out there."""
        found = self.gradients(target).get(layer)
        if found is None:
            raise ClassifierError(
                f"{self.classifier.name} runs the layer {layer!r} without gradients; remove `no_grad` from its forward."
            )
        return found

    def is_linear_behind(self, layer: str) -> bool:
        """Whether the logits are linear in the activations of a layer, by the operations that were recorded."""
        return is_linear(self._graph, self._outputs[layer])

    def _backward(self, index: int) -> dict[str, Tensor]:
        outputs = {name: output for name, output in self._outputs.items() if output.requires_grad}
        if not outputs or not self._graph.requires_grad:
            return {name: torch.zeros_like(output) for name, output in outputs.items()}
        with torch.inference_mode(False), torch.enable_grad():
            try:
                gradients = torch.autograd.grad(
                    self._graph[0, index], list(outputs.values()), retain_graph=True, materialize_grads=True
                )
            except Exception as error:
                raise ClassifierError(
                    f"{self.classifier.name} could not be differentiated ({brief(error)}); "
                    "use differentiable layers, and a new tape after its weights have changed."
                ) from error
        return dict(zip(outputs, gradients, strict=True))


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
