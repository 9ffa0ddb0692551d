"""What a cell of a layer answers to, of all that it can see."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.inputs import FloatArray
from cnnviz_widgets.classifier.watch import watch
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ClassifierError, LayerError


def effective_field(
    classifier: Classifier, pixels: Tensor, layer: str, cell: tuple[int, int], channel: int
) -> FloatArray:
    """|d activation / d pixel| of one cell and channel, added up over the picture's channels, (H, W) in 0..1.

    1 is the largest; all are zero where the activation answers to nothing, as behind a ReLU that is off. It costs a
    pass up to the layer and back. Luo et al. 2016 (arXiv 1701.04128). Raises LayerError, PictureError, and
    ClassifierError where the network fails or the layer has no gradient.
    """
    pixels = classifier.input_copy(pixels)
    shape = classifier.layer(layer).shape
    if not all(0 <= place < size for place, size in zip((channel, *cell), shape, strict=True)):
        raise LayerError(f"{layer} has no cell {cell} in channel {channel}; its shape is {shape}.")
    kept: list[Tensor] = []
    with torch.inference_mode(False), torch.enable_grad():
        leaf = pixels.detach().clone().requires_grad_()
        watch(classifier, leaf.clone(), [layer], lambda _, output: kept.append(output))
        activation = kept[0][0, channel, cell[0], cell[1]]
        if not activation.requires_grad:
            raise ClassifierError(
                f"{classifier.name} runs the layer {layer!r} without gradients; remove `no_grad` or `detach` from it."
            )
        try:
            (gradient,) = torch.autograd.grad(activation, leaf, materialize_grads=True)
        except Exception as error:
            raise ClassifierError(
                f"{classifier.name} could not be differentiated at {layer!r} ({summarize_error(error)}); choose "
                "another layer."
            ) from error
    strength = gradient[0].abs().sum(dim=0).to("cpu", torch.float32)
    field: FloatArray = (strength / strength.max().clamp_min(torch.finfo(torch.float32).tiny)).numpy()
    return field
