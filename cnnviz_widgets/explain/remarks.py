"""What a reader of a layer's map should know: that it is nothing, that other methods or classes have the same one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.explain.likeness import class_note, unrelated_class
from cnnviz_widgets.explain.rounding import rounding

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Target
    from cnnviz_widgets.explain.cam.tape import Tape

#: Operations that are linear in what comes from a layer, as autograd names them.
_LINEAR = re.compile(
    r"(Addmm|Mm|Bmm|T|Transpose|Permute|View|ReshapeAlias|UnsafeView|Squeeze|Unsqueeze|Expand|Clone|ToCopy|Alias|Select"
    r"|Slice|Mean|Sum|Add|Sub|(Mkldnn)?AdaptiveAvgPool2D|AvgPool2D|Convolution|(Native|Cudnn)BatchNorm)Backward\d*"
)

ONE_CLASS = "to ask about one class subtract another one, or choose an earlier layer"
OTHER_METHOD = "to ask about one class use Grad-CAM, or an earlier layer"


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


def is_linear(scores: Tensor, maps: Tensor) -> bool:
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


def is_nothing(tape: Tape, layer: str, target: Target, shown: Tensor) -> bool:
    """Whether a map's `shown` cells (h, w) are what rounding makes of zeros."""
    activations, gradients = tape.activations[layer][0].float().abs(), tape.gradient(layer, target)[0].float().abs()
    share = rounding(tape.classifier)
    if float((activations * gradients).sum()) <= share * float(tape.logits.abs().max()):
        return True
    largest = (activations * gradients.amax(dim=(1, 2), keepdim=True)).sum(dim=0).max()
    return float(shown.abs().max()) <= share * float(largest)


def on_class(
    classifier: Classifier, logits: Tensor, target: Target, cells_of: Callable[[Target], Tensor], advice: str
) -> str:
    """A sentence where the signed cells (h, w) of a class are nearly those of one that is unrelated by logits (K,)."""
    unrelated = unrelated_class(logits, target)
    if unrelated is None:
        return ""
    return class_note(classifier, cells_of(target), cells_of(unrelated), unrelated, advice)


def same_maps(tape: Tape, layer: str, target: Target) -> str:
    """A sentence where the gradient is the same in all cells of a layer, so that several methods are one."""
    gradients = tape.gradient(layer, target)[0]
    spread = (gradients.amax(dim=(1, 2)) - gradients.amin(dim=(1, 2))).max()
    if not bool(spread <= 1e-4 * gradients.abs().max()):
        return ""
    names = "HiResCAM, XGrad-CAM and CAM" if tape.is_linear_behind(layer) else "HiResCAM and XGrad-CAM"
    return (
        f"At this layer Grad-CAM, {names} are the same map, as the gradient is the same in every cell: "
        "their agreement says nothing."
    )
