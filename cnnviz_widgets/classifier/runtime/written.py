"""A classifier's network as an ONNX model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier.capture import Inputs
from cnnviz_widgets.classifier.layers import Layer
from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.errors import EngineError, MissingExtra
from cnnviz_widgets.tracing.trace import BATCH, Trace, UntraceableError, trace_scores


class Traceable(Protocol):
    """What of a `Classifier` its trace is made with."""

    name: str
    channels: int
    input_size: tuple[int, int]
    readout: Readout

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def arithmetic(self) -> Hashable: ...

    @property
    def shadow(self) -> nn.Module: ...

    @property
    def one_at_a_time(self) -> bool: ...

    def evaluating(self) -> AbstractContextManager[None]: ...

    def layer(self, name: str) -> Layer: ...

    def recording(self, *layers: str) -> AbstractContextManager[Mapping[str, Tensor]]: ...

    def logits_in(self, output: object, count: int, inputs: Inputs | None, *, verified: bool = True) -> Tensor: ...


def activation_name(layer: str) -> str:
    """The name of the output that holds a layer's maps."""
    return f"activation:{layer}"


def maximum_name(layer: str) -> str:
    """The name of the output that holds the largest value of each of a layer's maps."""
    return f"maximum:{layer}"


def gradient_name(layer: str | None) -> str:
    """The name of the output that holds the gradient of a layer's maps, or with None that of the pixels."""
    return "gradient" if layer is None else f"gradient:{layer}"


def onnx_model(
    classifier: Traceable,
    layers: Sequence[str] = (),
    maxima: Sequence[str] = (),
    *,
    gradients: Sequence[str | None] = (),
    half: bool = False,
) -> bytes:
    """The network as an ONNX model (operator set 20) with a free batch axis: logits, and what layers put out.

    Its input is "pixels" (N, C, H, W) of the classifier's input size. Its outputs are "logits" (N, K), those of
    `Classifier.logits`; for each of `layers` its maps (N, c, h, w) as it puts them out, named by `activation_name`;
    and for each of `maxima` the largest value of each map (N, c), named by `maximum_name`. With `gradients`, of layers
    or with None of the pixels, there is a second input "target" (N, K), 1 for the class that is explained and 0 for all
    others, and an output for each, named by `gradient_name`: d (logits x target) / d maps or pixels.

    With `half` weights are stored in 16 bits, in half the bytes, and computed with in 32. The network is not changed.

    Raises EngineError, which names the operation that has no form, LayerError, and MissingExtra without onnx.
    """
    try:
        from cnnviz_widgets.tracing.onnx.model import write_model
    except ImportError as error:
        raise MissingExtra('To write a network as ONNX takes onnx: pip install "cnnviz-widgets[fast]".') from error
    named = [layer for layer in gradients if layer is not None]
    trace, values = trace_of(classifier, [*layers, *maxima, *named])
    outputs = {"logits": trace.outputs[0], **{activation_name(name): values[name] for name in layers}}
    try:
        slopes = {gradient_name(name): trace.input if name is None else values[name] for name in gradients}
        return write_model(trace, outputs, {maximum_name(name): values[name] for name in maxima}, half, slopes)
    except EngineError as error:
        raise EngineError(f"{classifier.name}: {error}") from error


@torch.inference_mode(False)
@torch.no_grad()
def trace_of(classifier: Traceable, layers: Sequence[str] = ()) -> tuple[Trace, dict[str, int]]:
    """A trace of the logits and of `layers`, and the number of each layer's maps (BATCH, c, h, w) in it.

    Raises EngineError where there is none, and LayerError.
    """
    names = sorted({classifier.layer(name).name for name in layers})
    reason = _hindrance(classifier)
    if reason:
        raise EngineError(f"{classifier.name} cannot be written down for another engine: {reason}; run it by torch.")
    # Noise, so that no two maps are alike. A trace holds for other pictures; who runs it tries it on some.
    pixels = torch.rand(BATCH, classifier.channels, *classifier.input_size, generator=torch.Generator().manual_seed(0))
    try:
        # Without layers nothing has to be known of them.
        recording = classifier.recording(*names) if names else nullcontext({})
        with classifier.evaluating(), recording as recorded, classifier.readout.watching() as seen:
            trace = trace_scores(
                classifier.shadow, pixels, lambda output: classifier.logits_in(output, BATCH, seen, verified=False),
                recorded,
            )  # fmt: skip
    except UntraceableError as error:
        raise EngineError(
            f"{classifier.name} cannot be written down for another engine, because {error}; run it by torch."
        ) from error
    missing = set(names) - recorded.keys()
    if missing:
        raise EngineError(f"{classifier.name} skips the layer {min(missing)!r} on some pictures; leave it out.")
    numbers = dict(zip(names, trace.outputs[1:], strict=True))
    return trace, {name: numbers[classifier.layer(name).name] for name in layers}


def _hindrance(classifier: Traceable) -> str:
    """What stands against writing this network down, or ""."""
    if classifier.one_at_a_time:
        return "pictures of a batch change each other's scores, or it takes one at a time"
    if classifier.dtype != torch.float32 or classifier.arithmetic != (classifier.device, classifier.dtype, None):
        return "it does not compute in float32"
    if classifier.device.type != "cpu":
        return f"it is on {classifier.device}"
    return ""
