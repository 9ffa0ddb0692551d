"""What a layer's cells see, found out by a gradient: on a private copy of the network in which nothing cancels."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import Classifier

#: Replaced by nothing: they would only bend, shift or switch off what passes.
_SILENT = (
    "BatchNorm", "InstanceNorm", "GroupNorm", "LayerNorm", "LocalResponseNorm", "Dropout", "ReLU", "GELU", "SiLU",
    "Mish", "ELU", "SELU", "CELU", "Hardswish", "Hardtanh", "Softplus", "PReLU", "LeakyReLU",
)  # fmt: skip
#: Gates, whose products would grow beyond all bounds without them, and which must not saturate.
_BOUNDED = (nn.Sigmoid, nn.Hardsigmoid, nn.Tanh)


def gradient_boxes(classifier: Classifier, layer: str) -> Tensor | None:
    """Top, left, height, width, int64 (h, w, 4): the support of each cell's gradient; None where there is none.

    The cells' boxes are taken to have the rows that their row sees and the columns that their column sees. It costs
    a backward pass for each row and column of cells, on the CPU.
    """
    try:
        with torch.inference_mode(False), torch.enable_grad():
            positive = positive_copy(classifier)
            pixels = torch.ones(1, positive.channels, *positive.input_size, requires_grad=True)
            with positive.recording(layer) as outputs:
                positive.logits(pixels)
            cells = outputs[layer][0].sum(0)
            vertical = torch.stack([_ends(row.sum(), pixels, 0) for row in cells])
            horizontal = torch.stack([_ends(column.sum(), pixels, 1) for column in cells.T])
    except Exception:
        # A network may refuse to be copied or to be given such weights, with any exception of its own.
        return None
    rows, columns = len(vertical), len(horizontal)
    both = torch.stack([vertical[:, None].expand(rows, columns, 2), horizontal[None].expand(rows, columns, 2)], -1)
    first, last = both.unbind(2)
    seen = (last > first).all(dim=-1, keepdim=True)
    return torch.where(seen, torch.cat([first, last - first], dim=-1), 0)


def positive_copy(classifier: Classifier) -> Classifier:
    """A classifier of a copy whose weights average, whose maxima are means, and which bends nothing: float64, CPU.

    The copy loses its hooks: they are the user's and may do anything.
    """
    with classifier.evaluating():
        network = copy.deepcopy(classifier.shadow).cpu().double().eval()
    for module in list(network.modules()):
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks):
            hooks.clear()
        for name, child in module.named_children():
            setattr(module, name, _monotone(child))
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(1 / max(1, math.prod(weight.shape[1:])) if weight.ndim > 1 else 0)
    return Classifier(network, input_size=classifier.input_size, output=classifier.output)


def _monotone(module: nn.Module) -> nn.Module:
    if type(module).__name__.startswith(_SILENT):
        return nn.Identity()
    if isinstance(module, _BOUNDED):
        return nn.Softsign()
    if isinstance(module, nn.MaxPool2d) and module.dilation in (1, (1, 1)):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
    if isinstance(module, nn.AdaptiveMaxPool2d):
        return nn.AdaptiveAvgPool2d(module.output_size)
    return module


def _ends(value: Tensor, pixels: Tensor, side: int) -> Tensor:
    """First and one past the last row (side 0) or column (side 1) on which `value` depends; zeros for none."""
    (gradient,) = torch.autograd.grad(value, pixels, retain_graph=True)
    places = gradient[0].ne(0).any(0).any(1 - side).nonzero()[:, 0]
    return torch.stack([places[0], places[-1] + 1]) if len(places) else torch.zeros(2, dtype=torch.long)
