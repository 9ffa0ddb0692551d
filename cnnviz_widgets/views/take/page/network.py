"""The network of a page: written as ONNX, tried against torch, and what makes its inputs in the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.classifier.runtime.written import onnx_model
from cnnviz_widgets.errors import EngineError, ExportError, MissingExtra
from cnnviz_widgets.picture import Picture
from cnnviz_widgets.session import Example

#: What answers the hand in the page: tables of what was computed before, or the network itself.
Live = Literal["auto", "tables", "network"]
#: How the network's weights are stored.
Weights = Literal["float16", "float32"]

#: The largest error of the network in the page that is let pass, as a share of the range of the logits.
_LARGEST = {"float32": 2e-2, "float16": 3e-2}
#: MB of weights up to which a page takes a network along by itself.
_MOST = 12


@dataclass(frozen=True, eq=False)
class PageNetwork:
    """An ONNX model, and by how much its logits differ at most from torch's, as they are and of their range."""

    model: bytes
    form: dict[str, Any]
    error: float
    share: float
    weights: Weights
    #: Whether the page can make the input of any picture as the network's preprocessing does.
    own: bool

    def note(self, language: str | None) -> str:
        """A sentence for the foot of the page."""
        key = "page.network_own" if self.own else "page.network"
        return words.text(key, language, weights=self.weights, error=f"{self.error:.2g}", p=f"{100 * self.share:.2g}")


def network_for(
    classifier: Classifier, examples: Sequence[Example], live: Live, weights: Weights
) -> PageNetwork | None:
    """The network for a page, tried on `examples`; None for "tables", and for "auto" where it cannot be taken along.

    Raises EngineError, MissingExtra and ExportError for "network".
    """
    if live == "tables" or not examples:
        return None
    try:
        form = input_form(examples)
        if form is None:
            raise ExportError(
                'The network\'s input is not a scaled picture, so a page cannot make it from one: take live="tables".'
            )
        model = onnx_model(classifier, half=weights == "float16")
        if live == "auto" and len(model) > _MOST * 1e6:
            return None
        return _tried(model, form, examples, weights)
    except (EngineError, MissingExtra, ExportError):
        if live == "network":
            raise
        return None


def _tried(model: bytes, form: dict[str, Any], examples: Sequence[Example], weights: Weights) -> PageNetwork:
    """The model with its error on inputs as the page makes them. Raises ExportError where it is large."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(
            'To try a network for a page takes onnxruntime: pip install "cnnviz-widgets[fast]".'
        ) from error
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    errors, shares = [], []
    for example in examples:
        (found,) = session.run(["logits"], {"pixels": as_input(example.appearance, form)})
        errors.append(float(np.abs(found[0] - example.logits).max()))
        shares.append(errors[-1] / (float(np.ptp(example.logits)) or 1.0))
    if not max(shares) <= _LARGEST[weights]:  # NaN too
        raise ExportError(
            f"In the page the network would be off by {100 * max(shares):.2g} % of the range of its scores: "
            'take weights="float32", or live="tables".'
        )
    own = takes_pictures_as_they_are(examples[0].classifier, form)
    return PageNetwork(model, form, max(errors), max(shares), weights, own)


def takes_pictures_as_they_are(classifier: Classifier, form: dict[str, Any]) -> bool:
    """Whether a picture of the input's own size becomes the input by scale and offset alone, to two levels.

    Not where the preprocessing cuts a part out, or looks at the whole picture first.
    """
    height, width = classifier.input_size
    down, across = np.mgrid[:height, :width] / max(height, width)
    waves = [128 + 100 * np.sin(5 * down + 3 * across + phase) for phase in (0, 2, 4)]
    shown = np.stack(waves, axis=-1).astype(np.uint8)
    if classifier.channels == 1:
        shown = shown[..., :1].repeat(3, axis=-1)
    pixels = classifier.pixels(Picture(PIL.Image.fromarray(shown), name="waves")).cpu().numpy()
    level = np.array(form["scale"], np.float32)[:, None, None]
    return bool((np.abs(as_input(shown, form) - pixels) <= 2 * level).all())


def as_input(shown: NDArray[np.uint8], form: dict[str, Any]) -> NDArray[np.float32]:
    """The bytes of a picture (H, W, 3) as the page makes the network's input (1, C, H, W) of them."""
    channels = form["shape"][0]
    scale, offset = (np.array(form[name], np.float32) for name in ("scale", "offset"))
    pixels: NDArray[np.float32] = np.moveaxis(shown[..., :channels] * scale + offset, -1, 0)[None].astype(np.float32)
    return pixels


def input_form(examples: Sequence[Example]) -> dict[str, Any] | None:
    """How the bytes of a picture become the network's input: a scale and an offset for each channel.

    None where the preprocessing is no such thing, by more than a level.
    """
    pixels = np.concatenate([example.pixels.cpu().numpy() for example in examples])  # (N, C, H, W)
    shown = np.stack([example.appearance for example in examples]).astype(np.float64)  # (N, H, W, 3)
    scale, offset = [], []
    for channel in range(pixels.shape[1]):
        levels, values = shown[..., channel].ravel(), pixels[:, channel].astype(np.float64).ravel()
        spread = levels.var()
        slope = float(((levels - levels.mean()) * (values - values.mean())).mean() / spread) if spread else 0.0
        base = float(values.mean() - slope * levels.mean())
        if slope <= 0 or float(np.abs(values - (slope * levels + base)).max()) > slope:
            return None
        scale.append(slope)
        offset.append(base)
    return {"shape": list(pixels.shape[1:]), "scale": scale, "offset": offset}


def as_bytes(pixels: NDArray[np.float32]) -> bytes:
    """A network input as float32."""
    return np.ascontiguousarray(pixels, "<f4").tobytes()
