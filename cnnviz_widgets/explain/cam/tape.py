"""One forward pass that records layers, and a backward pass for each class asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, TargetLike
from cnnviz_widgets.classifier.differentiation import INSTEAD, cut_off, gradients_of, looking_for_cuts
from cnnviz_widgets.errors import ExplanationError, LayerError, MethodError

#: So many classes' gradients are kept: those of all layers of a VGG take 50 MB for each class.
_CLASSES_KEPT = 8
#: Operations that are linear in what comes from a layer, as autograd names them.
_LINEAR = re.compile(
    r"(Addmm|Mm|Bmm|T|Transpose|Permute|View|ReshapeAlias|UnsafeView|Squeeze|Unsqueeze|Expand|Clone|ToCopy|Alias|Select"
    r"|Slice|Mean|Sum|Add|Sub|(Mkldnn)?AdaptiveAvgPool2D|AvgPool2D|Convolution|(Native|Cudnn)BatchNorm)Backward\d*"
)


class Tape:
    """The activations of many layers for one picture, and their gradients for any class.

    `pixels` is one network input (1, C, H, W); `layers` are layer names, by default the convolutions, the
    blocks, the default layer and the one a block before. Building it costs one forward pass, the first question
    about a class one backward pass (without gradients of weights), all else nothing, unless the network was trained on:
    then it is run again. The network is free as soon as the tape is built; the tape keeps the graph from its earliest
    layer on until it is dropped. Pixels that are `checked`, as those of an `Instance`, are not copied.

    Raises PictureError, LayerError, and ClassifierError when the network fails.
    """

    def __init__(
        self, classifier: Classifier, pixels: Tensor, layers: Sequence[str] | None = None, *, checked: bool = False
    ) -> None:
        if layers is None:
            chosen = [layer.name for layer in classifier.layers if layer.role != "other"]
            layers = [*chosen, classifier.default_layer, layer_before(classifier)]
        self.classifier = classifier
        self._chosen = frozenset(classifier.layer(name).name for name in layers)
        self.pixels = pixels if checked else classifier.input_copy(pixels)
        #: Of the picture, (H, W).
        self.size: tuple[int, int] = (pixels.shape[2], pixels.shape[3])
        self._record()

    def _record(self) -> None:
        self._weights = self.classifier.runner.weights()
        recording = self.classifier.recording(*sorted(self._chosen))
        # Callers may be in inference mode, and an inference tensor cannot take part in a graph.
        with torch.inference_mode(False), torch.enable_grad(), recording as outputs:
            pixels = self.pixels.clone()
            with looking_for_cuts(self.classifier, pixels) as judge:
                self._graph = self.classifier.logits(pixels)
            judge(self._graph)
        self._outputs = outputs
        self._gradients: dict[int, dict[str, Tensor]] = {}
        #: (1, K)
        self.logits: Tensor = self._graph.detach()
        #: By layer name, each (1, C, h, w), in the network's floating type.
        self.activations: dict[str, Tensor] = {name: output.detach() for name, output in outputs.items()}

    def is_of(self, classifier: Classifier, pixels: Tensor) -> bool:
        """Whether it was recorded with this classifier on these pixels (1, C, H, W)."""
        return self.classifier is classifier and torch.equal(self.pixels, pixels)

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

    def gradients(self, target: TargetLike) -> dict[str, Tensor]:
        """Gradients of the target's score with respect to each activation, by layer name, (1, C, h, w).

        The score is the logit, or the difference of two. Layers that no gradient comes to are left out. Raises
        TargetError, and ClassifierError where autograd fails.
        """
        target = self.classifier.target(target)
        first = self._of_class(target.index)
        if target.against is None:
            return first
        second = self._of_class(target.against)
        return {name: first[name] - second[name] for name in first if name in second}

    def _of_class(self, index: int) -> dict[str, Tensor]:
        self.follow()
        if index not in self._gradients:
            if len(self._gradients) == _CLASSES_KEPT:
                del self._gradients[next(iter(self._gradients))]
            self._gradients[index] = self._backward(index)
        return self._gradients[index]

    def gradient(self, layer: str, target: TargetLike) -> Tensor:
        """The gradient at one layer, (1, C, h, w). Raises as `gradients`.

        For a layer left out there a LayerError where the score does not depend on it, else a MethodError.
        """
        found = self.gradients(target).get(layer)
        if found is None:
            raise self._without_gradient(layer)
        return found

    def is_linear_behind(self, layer: str) -> bool:
        """Whether the logits are linear in the activations of a layer, by the operations that were recorded."""
        return _is_linear(self._graph, self._outputs[layer])

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
            found = self.classifier.logits(self.pixels)
        return not torch.equal(found, self.logits)


def layer_before(classifier: Classifier) -> str:
    """The layer that the last block up to the default layer starts from: one block earlier.

    The block is the largest one around the last convolution, or that convolution itself, before which the grid is at
    most twice as fine. Without one it is the default layer itself. Raises LayerError.
    """
    default = classifier.layer(classifier.default_layer)
    layers = list(classifier.layers)
    layers = layers[: layers.index(default) + 1]
    last = next((layer for layer in reversed(layers) if layer.role == "convolution"), default)
    around = [layer.name for layer in layers if layer.role == "block" and last.name.startswith(f"{layer.name}.")]
    for block in (*sorted(around, key=len), last.name):
        first = next(i for i, layer in enumerate(layers) if layer.name == block or layer.name.startswith(f"{block}."))
        before = layers[first - 1]
        if first > 0 and all(2 * fine >= coarse for fine, coarse in zip(before.stride, default.stride, strict=True)):
            return before.name
    return default.name


def _is_linear(scores: Tensor, maps: Tensor) -> bool:
    """Whether all that autograd has recorded between `maps` and `scores` is linear."""
    waiting, end = [scores.grad_fn], maps.grad_fn
    seen = set()
    while waiting:
        node = waiting.pop()
        if node is end or node in seen or getattr(node, "variable", None) is maps:
            continue
        before = [] if node is None else [following for following, _ in node.next_functions if following is not None]
        # Times a constant, or divided by one.
        scaled = node is not None and len(before) == 1 and re.match("Mul|Div", node.name())
        if node is None or not (_LINEAR.fullmatch(node.name()) or (scaled and node.next_functions[0][0] is not None)):
            return False
        seen.add(node)
        waiting += before
    return True
