"""A network with its preprocessing and class names, and nothing of the network changed by looking at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets import guest
from cnnviz_widgets.errors import ClassifierError, ExplanationError, LayerError, PictureError, TargetError
from cnnviz_widgets.layers import Layer, Structure, structure_of
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.preprocess import (
    Colours,
    Preprocess,
    cover,
    measured_colours,
    preprocessed,
    resize_and_crop,
)
from cnnviz_widgets.scores import brief, close_matches, scores_in

#: Input sizes to try, in this order, with a network of which nothing is known.
_USUAL_SIZES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 448, 512)


@dataclass(frozen=True)
class Contrast:
    """A target: the score of class `target` minus the score of class `against`."""

    target: int
    against: int


#: What is explained: a class index, or the difference between two.
Target = int | Contrast


class Classifier:
    """Any torch image classifier, greyscale or RGB, with the way its input is made and the names of its classes.

    `network` may return logits (N, K), a tuple or dict that holds them, or an object with `.logits`; a network that
    ends in a softmax is recognised and its log-probabilities are taken as logits. It is used in eval mode with
    frozen parameters and given back exactly as it was found after every call.

    `preprocess` turns a PIL image into a float tensor (C, H, W), as a torchvision transform does. Without it pictures
    are resized and cropped to `input_size`, scaled to 0..1 and, where given, normalised with `mean` and `std`.

    Raises ClassifierError when the network is no image classifier.
    """

    def __init__(
        self,
        network: nn.Module,
        preprocess: Preprocess | None = None,
        class_names: Sequence[str] | Mapping[int, str] | None = None,
        *,
        input_size: int | tuple[int, int] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(network, nn.Module):
            raise ClassifierError(f"A classifier needs a torch.nn.Module, not {type(network).__name__}.")
        if isinstance(network, nn.DataParallel):
            network = network.module
        if preprocess is not None and not callable(preprocess):
            raise ClassifierError("`preprocess` must be callable: a PIL image in, a float tensor (C, H, W) out.")
        if preprocess is not None and (mean is not None or std is not None):
            raise ClassifierError("Give either `preprocess` or `mean` and `std`: a preprocess normalises by itself.")
        self.network = network
        self.name = name or type(network).__name__
        convolution = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
        if convolution is None:
            raise ClassifierError(
                f"{self.name} has no 2-D convolution; pass a convolutional network, such as one of torchvision's."
            )
        size = _pair(input_size)
        self.outputs_probabilities = False
        if preprocess is None:
            self.channels: int = convolution.in_channels
            self.input_size: tuple[int, int] = size or self._accepted_size()
            self.preprocess: Preprocess = resize_and_crop(self.input_size, self.channels, mean, std)
        else:
            self.preprocess = preprocess
            self.channels, self.input_size = _shape_after(preprocess, size, convolution.in_channels)
        scores = self._try_out()
        self.outputs_probabilities = _are_probabilities(scores)
        self.class_names = _class_names(class_names, scores.shape[1])

    @classmethod
    def of(cls, name: str, weights: str | None = "DEFAULT") -> Classifier:
        """A torchvision classifier by name, with the transforms and categories of its weights.

        `weights=None` gives random weights and needs no download. Raises ClassifierError for an unknown name, or
        when the weights are not on this machine and cannot be fetched.
        """
        import torchvision

        known = torchvision.models.list_models(module=torchvision.models)
        if name not in known:
            raise ClassifierError(f"torchvision has no classifier {name!r}{close_matches(name, known)}.")
        chosen = torchvision.models.get_model_weights(name)
        try:
            enum = chosen["DEFAULT" if weights is None else weights]
        except KeyError:
            raise ClassifierError(f"{name} has no weights {weights!r}; it has {', '.join(w.name for w in chosen)}.") from None
        try:
            network = torchvision.models.get_model(name, weights=None if weights is None else enum)
        except OSError as error:
            raise ClassifierError(
                f"The weights of {name} are not on this machine and could not be fetched ({error}); "
                "use cnnviz_widgets.demo.classifier(), or pass your own network."
            ) from error
        return cls(network, enum.transforms(), enum.meta.get("categories"), name=name)

    def __repr__(self) -> str:
        height, width = self.input_size
        return f"<Classifier {self.name}: {len(self.class_names)} classes, input {self.channels} x {height} x {width}>"

    # -- pictures ------------------------------------------------------------------------------------------------

    def pixels(self, source: object) -> Tensor:
        """The network input (1, C, H, W), float32 on the CPU, of anything `read_picture` takes.

        Raises PictureError when the picture cannot be read or does not fit the network.
        """
        picture = read_picture(source)
        tensor = self._input_of(picture)
        expected = (self.channels, *self.input_size)
        if tuple(tensor.shape) != expected:
            raise PictureError(
                f"{_of(picture)} became a network input of shape {tuple(tensor.shape)}, but {self.name} takes {expected}; "
                "pass a picture of that size, or another `preprocess` or `input_size`."
            )
        if not torch.isfinite(tensor).all():
            raise PictureError(f"{_of(picture)} holds NaN or infinite values; check the picture and `preprocess`.")
        return tensor[None]

    def _input_of(self, picture: Picture) -> Tensor:
        if picture.image is None:
            tensor: Tensor = picture.tensor.detach().to("cpu", torch.float32, copy=True)  # type: ignore[union-attr]
            return tensor[0] if tensor.ndim == 4 and len(tensor) == 1 else tensor
        image = picture.image.convert("L" if self.channels == 1 else "RGB")
        tensor = preprocessed(self.preprocess, image, _of(picture).lower())
        if tensor.shape[-2:] != self.input_size:
            # A preprocess that only resizes, or not at all, keeps the picture's proportions.
            tensor = preprocessed(self.preprocess, cover(image, self.input_size), _of(picture).lower())
        return tensor

    def appearance(self, pixels: Tensor) -> NDArray[np.uint8]:
        """What the network sees, uint8 (H, W, 3): `pixels` (1, C, H, W) with the normalisation undone."""
        return self.colours.picture_of(pixels)

    @cached_property
    def colours(self) -> Colours:
        """The network-input values of black and white, measured by preprocessing a black and a white picture."""
        return measured_colours(self.preprocess, self.channels, self.input_size)

    @property
    def black(self) -> Tensor:
        """Network-input value of black, (C, 1, 1)."""
        return self.colours.black

    @property
    def white(self) -> Tensor:
        """Network-input value of white, (C, 1, 1)."""
        return self.colours.white

    # -- the network ---------------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        weight = next(self.network.parameters(), None)
        return torch.device("cpu") if weight is None else weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The floating type of the network's weights."""
        return next((w.dtype for w in self.network.parameters() if w.is_floating_point()), torch.float32)

    def to_network(self, pixels: Tensor) -> Tensor:
        """`pixels` on the network's device in its floating type."""
        return pixels.to(self.device, self.dtype)

    def logits(self, pixels: Tensor) -> Tensor:
        """Class scores before the softmax, (N, K) float32 on the network's device, of `pixels` (N, C, H, W).

        Differentiable in `pixels`. Raises ClassifierError when the network raises or answers with NaN.
        """
        with self.evaluating():
            try:
                output = self.network(self.to_network(pixels))
            except ExplanationError:
                raise
            except Exception as error:
                raise ClassifierError(
                    f"{self.name} failed on an input of shape {tuple(pixels.shape)} ({brief(error)}); check its input size."
                ) from error
            scores = scores_in(output, len(pixels), self.name).float()
        if not torch.isfinite(scores).all():
            raise ClassifierError(f"{self.name} answered with NaN or infinite scores; check its weights and its input range.")
        # A score of log 0 would make every later difference infinite.
        return scores.clamp_min(torch.finfo(torch.float32).tiny).log() if self.outputs_probabilities else scores

    def probabilities(self, pixels: Tensor) -> Tensor:
        """Softmax of the logits, (N, K)."""
        return self.logits(pixels).softmax(dim=1)

    def score(self, logits: Tensor, target: Target) -> Tensor:
        """The explained score (N,): the logit of a class, or the difference of two. Raises TargetError."""
        if isinstance(target, Contrast):
            return self.score(logits, target.target) - self.score(logits, target.against)
        return logits[:, self.class_index(target)]

    def class_index(self, target: object) -> int:
        """`target`, a class index or name, as a valid index. Raises TargetError with close matches."""
        if isinstance(target, str):
            if target in self.class_names:
                return self.class_names.index(target)
            raise TargetError(f"{self.name} has no class {target!r}{close_matches(target, self.class_names)}.")
        if isinstance(target, bool | float) or not hasattr(target, "__index__"):
            raise TargetError(f"A class is an index from 0 to {len(self.class_names) - 1} or a name, not {target!r}.")
        index = target.__index__()
        if not 0 <= index < len(self.class_names):
            raise TargetError(f"{self.name} has classes 0 to {len(self.class_names) - 1}; {index} is not one of them.")
        return int(index)

    def evaluating(self) -> AbstractContextManager[None]:
        """Eval mode and frozen parameters inside; the network as found afterwards."""
        return guest.evaluating(self.network)

    # -- layers --------------------------------------------------------------------------------------------------

    @cached_property
    def _structure(self) -> Structure:
        return structure_of(self.network, self._trial_input(), self.logits)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers with spatial extent in execution order, found by one recorded forward pass."""
        return self._structure.layers

    @cached_property
    def _layer_by_name(self) -> dict[str, Layer]:
        return {name: layer for layer in self.layers for name in (layer.name, *layer.aliases)}

    def layer(self, name: str) -> Layer:
        """The layer of that qualified name or alias. Raises LayerError with close matches."""
        try:
            return self._layer_by_name[name]
        except (KeyError, TypeError):
            pass
        if isinstance(name, str) and name in self._structure.calls:
            raise LayerError(
                f"{name!r} of {self.name} has no spatial extent; choose a layer before the pooling, "
                f"such as {self.default_layer!r}."
            )
        raise LayerError(f"{self.name} has no layer {name!r}{close_matches(str(name), list(self._layer_by_name))}.")

    @property
    def default_layer(self) -> str:
        """The last layer with spatial extent, the usual target layer of Grad-CAM."""
        return self._structure.default_layer

    @contextmanager
    def recording(self, *layers: str) -> Iterator[dict[str, Tensor]]:
        """Forward outputs of `layers` by the names given here, filled in by each forward pass inside the block.

        What is recorded is part of the autograd graph and no in-place operation behind the layer changes it. Passes
        that other threads make meanwhile are not recorded. Raises LayerError.
        """
        wanted: dict[str, dict[int, list[str]]] = {}
        for name in layers:
            module, call = self.layer(name).call_of(name)
            wanted.setdefault(module, {}).setdefault(call, []).append(name)
        with guest.recording(self.network, wanted, self._structure.calls) as outputs:
            yield outputs

    # -- getting to know the network -----------------------------------------------------------------------------

    def _trial_input(self) -> Tensor:
        """A network input of the right shape, (1, C, H, W), that is not the same everywhere."""
        height, width = self.input_size
        return torch.linspace(0, 1, height * width).reshape(1, 1, height, width).repeat(1, self.channels, 1, 1)

    def _try_out(self) -> Tensor:
        with torch.no_grad():
            return self.logits(self._trial_input())

    def _accepted_size(self) -> tuple[int, int]:
        first: ClassifierError | None = None
        for side in _USUAL_SIZES:
            self.input_size = (side, side)
            try:
                self._try_out()
            except ClassifierError as error:
                first = first or error
            else:
                return side, side
        raise ClassifierError(f"{self.name} takes none of the usual input sizes; give `input_size`. At 224: {first}")


def _pair(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(isinstance(side, int) and 1 <= side <= 8192 for side in pair):
        raise ClassifierError(f"`input_size` is a number of pixels or (height, width), not {size!r}.")
    return pair[0], pair[1]


def _shape_after(
    preprocess: Preprocess, size: tuple[int, int] | None, channels: int
) -> tuple[int, tuple[int, int]]:
    """Channels and (height, width) of what `preprocess` makes; `size` decides where it leaves the size open."""
    mode = "L" if channels == 1 else "RGB"
    shapes = {}
    for side in (256, 320):
        tensor = preprocessed(preprocess, PIL.Image.new(mode, (side, side)), "a plain picture")
        if tensor.ndim != 3:
            raise ClassifierError(f"`preprocess` must return a tensor (C, H, W), not one of shape {tuple(tensor.shape)}.")
        shapes[side] = tuple(tensor.shape)
    if shapes[256] != shapes[320] and size is None:
        raise ClassifierError("`preprocess` leaves the picture's size open; give `input_size` too.")
    made, height, width = shapes[256]
    return made, size or (height, width)


def _are_probabilities(scores: Tensor) -> bool:
    return scores.shape[1] > 1 and bool((scores >= 0).all()) and bool((scores.sum(dim=1) - 1).abs().max() < 1e-3)


def _class_names(names: Sequence[str] | Mapping[int, str] | None, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"class {index}" for index in range(count))
    if isinstance(names, Mapping):
        names = [str(names.get(index, f"class {index}")) for index in range(count)]
    if isinstance(names, str) or len(names) != count:
        raise ClassifierError(f"`class_names` must be {count} names, one for each score of the network, not {len(names)}.")
    return tuple(str(name) for name in names)


def _of(picture: Picture) -> str:
    return f"The picture {picture.name!r}" if picture.name else "The picture"
