"""Networks of one operation each, for what is written as ONNX; and how a model is run."""

from __future__ import annotations

from collections.abc import Callable

import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnviz_widgets.tracing.onnx.model import write_model
from cnnviz_widgets.tracing.trace import BATCH, trace_scores

SIZE = (4, 7, 9)


class Function(nn.Module):
    """A function of pictures as a network of logits."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, pixels: Tensor) -> Tensor:
        return self.function(pixels).flatten(1)


def pictures(count: int) -> Tensor:
    return torch.randn(count, *SIZE, generator=torch.Generator().manual_seed(count))


def model_of(network: nn.Module, half: bool = False) -> bytes:
    """Its logits as an ONNX model."""
    trace = trace_scores(network.eval(), pictures(BATCH), lambda output: output)
    return write_model(trace, {"logits": trace.outputs[0]}, {}, half)


def gradient_model_of(network: nn.Module) -> bytes:
    """The gradient of its logits times "target" with respect to the pixels, as an ONNX model."""
    trace = trace_scores(network.eval(), pictures(BATCH), lambda output: output)
    return write_model(trace, {}, {}, gradients={"gradient": trace.input})


def run(model: bytes, **inputs: Tensor) -> Tensor:
    """The first output."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})[0])


def network_of(name: str) -> nn.Module:
    """A form as a network in eval mode, with as many logits as the form has values."""
    form = FORMS[name]
    network = nn.Sequential(form, nn.Flatten()) if isinstance(form, nn.Module) else Function(form)
    return network.eval()


def seeded(module: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return module()


def normed(module: Callable[[], nn.Module]) -> nn.Module:
    """With statistics and weights that are not those of the constructor."""
    made = seeded(module)
    for index, tensor in enumerate((*made.parameters(), *made.buffers())):
        if tensor.is_floating_point():
            with torch.no_grad():
                tensor.copy_(torch.linspace(0.5 + index, 1.5 + index, tensor.numel()).view_as(tensor))
    return made


def tokens(values: Tensor) -> Tensor:
    return values.flatten(2).transpose(1, 2)


def with_class_token(values: Tensor) -> Tensor:
    token = torch.linspace(0, 1, 4).expand(len(values), 1, 4)
    return torch.cat([token, tokens(values)], 1)


def attention(values: Tensor) -> Tensor:
    rows = tokens(values).reshape(len(values), -1, 2, 2).transpose(1, 2)
    return functional.scaled_dot_product_attention(rows, rows * 2, rows + 1)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    function.__name__: function
    for function in (
        torch.relu, torch.sigmoid, torch.tanh, functional.silu, functional.hardswish, functional.hardsigmoid,
        functional.relu6, functional.leaky_relu, functional.elu, functional.selu, functional.gelu,
        functional.softplus, functional.mish, torch.exp, torch.abs, torch.neg, torch.square, torch.erf,
        functional.logsigmoid,
    )
}  # fmt: skip
#: What has an ONNX form, by what it shows.
FORMS: dict[str, nn.Module | Callable[[Tensor], Tensor]] = {
    "convolution": seeded(lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2)),
    "convolution without bias": seeded(lambda: nn.Conv2d(4, 4, 1, bias=False)),
    "transposed convolution": seeded(lambda: nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1)),
    "convolution of one axis": seeded(lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 2, 3, padding=1))),
    "batch norm": normed(lambda: nn.BatchNorm2d(4)),
    "batch norm without weights": nn.BatchNorm2d(4, affine=False),
    "layer norm": normed(lambda: nn.LayerNorm([7, 9])),
    "layer norm of channels": lambda v: functional.layer_norm(v.permute(0, 2, 3, 1), [4]).permute(0, 3, 1, 2),
    "group norm": normed(lambda: nn.GroupNorm(2, 4)),
    "group norm without weights": nn.GroupNorm(4, 4, affine=False),
    "max pooling": nn.MaxPool2d(3, 2, 1),
    "max pooling, dilated": nn.MaxPool2d(2, 1, 0, dilation=2),
    "max pooling, rounded up": nn.MaxPool2d(2, 2, ceil_mode=True),
    "max pooling, rounded up beyond its padding": nn.MaxPool2d(3, 3, 1, ceil_mode=True),
    "average pooling": nn.AvgPool2d(2),
    "average pooling, padded": nn.AvgPool2d(3, 2, 1),
    "average pooling, padding not counted": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "average pooling, rounded up": nn.AvgPool2d(2, 2, ceil_mode=True),
    "average pooling, padded and rounded up": nn.AvgPool2d(3, 2, 1, ceil_mode=True),
    "average pooling with a divisor": nn.AvgPool2d(3, divisor_override=2),
    "adaptive pooling to a cell": nn.AdaptiveAvgPool2d(1),
    "adaptive pooling to fewer cells": nn.AdaptiveAvgPool2d((2, 4)),
    "adaptive pooling to more cells": nn.AdaptiveAvgPool2d((10, 9)),
    "mean": lambda v: v.mean((2, 3)),
    "mean with axes kept": lambda v: v * v.mean((2, 3), keepdim=True),
    "sum": lambda v: v.sum(1),
    "largest": lambda v: v.amax((2, 3)),
    "norm": lambda v: torch.linalg.vector_norm(v, dim=(2, 3)),
    "linear": seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(252, 5))),
    "linear without bias": seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(252, 5, bias=False))),
    "linear along the last axis": seeded(lambda: nn.Linear(9, 3)),
    "matrix products": lambda v: v.flatten(2) @ v.flatten(2).transpose(1, 2),
    "attention": attention,
    "softmax": lambda v: v.softmax(1),
    "logarithm of a softmax": lambda v: v.flatten(1).log_softmax(-1),
    "class token": with_class_token,
    **ACTIVATIONS,
    "gelu by tanh": nn.GELU("tanh"),
    "prelu": normed(lambda: nn.PReLU(4)),
    "numbers": lambda v: (1 - v) / 3 + (v * 2 - 1).clamp(-1, 2) + v.clamp_min(0.1) + torch.add(v, v, alpha=3),
    "roots and powers": lambda v: (v * v + 1).sqrt() + (v.abs() + 1).rsqrt() + (v.abs() + 1).pow(1.5) + v.pow(2),
    "between channels": lambda v: torch.maximum(v[:, :2], v[:, 2:]) - torch.minimum(v[:, 1:3], v[:, ::2]),
    "constant planes": lambda v: v * torch.linspace(0, 1, 63).view(1, 1, 7, 9) + torch.ones(4, 1, 1),
    "shuffled channels": lambda v: v.view(len(v), 2, 2, 7, 9).transpose(1, 2).reshape(len(v), 4, 7, 9) * v,
    "pieces": lambda v: torch.cat([v.split([1, 3], 1)[1], v.chunk(2, 1)[0], v[:, 1:2]], 1),
    "heads": lambda v: torch.stack(tokens(v).reshape(len(v), -1, 2, 2).permute(2, 0, 3, 1).unbind(0), 1),
    "one of an axis": lambda v: v[:, 2] + v.unbind(1)[0] + v.select(1, -1),
    "chosen channels": lambda v: v.index_select(1, torch.tensor([3, 0])),
    "axes of one": lambda v: v.mean((2, 3)).unsqueeze(1).squeeze(1)[:, :, None, None].expand(-1, -1, 2, 3),
    "padding": lambda v: functional.pad(functional.pad(v, (1, 2, 0, 3), value=2.0), (0, 1, 2, 0), mode="replicate"),
    "padding by reflection": nn.ReflectionPad2d((1, 2, 3, 0)),
    "cutting off": lambda v: functional.pad(v, (-1, 0, 0, -2)),
    "rolled": lambda v: v.roll((2, -1), (2, 3)),
    "upsampling to the nearest": nn.UpsamplingNearest2d(scale_factor=2),
    "upsampling": lambda v: functional.interpolate(v, (12, 20), mode="bilinear"),
    "upsampling, corners aligned": lambda v: functional.interpolate(v, (13, 8), mode="bilinear", align_corners=True),
    "in place": lambda v: (v * 2).add_(1).relu_(),
}  # fmt: skip
