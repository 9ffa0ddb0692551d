"""A network with its preprocessing and class names, and nothing of the network changed by looking at it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnviz_widgets import batching, guest, hooks, memory, precision
from cnnviz_widgets.errors import ClassifierError, ExplanationError, PictureError
from cnnviz_widgets.layers import Layer, Structure, input_depths, structure_of
from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.precision import Autocast
from cnnviz_widgets.preprocess import (
    Colours,
    Preprocess,
    cover,
    measured_colours,
    pair_of,
    preprocessed,
    resize_and_crop,
    shape_after,
)
from cnnviz_widgets.pretrained import pretrained
from cnnviz_widgets.scores import brief, class_index, names_of_classes, scores_in

__all__ = ["Autocast", "Classifier", "Contrast", "Layer", "Target"]

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

    With `autocast`, "bfloat16" or "float16", the network is run in torch's automatic mixed precision: quicker and in
    half the memory on most GPUs, and less exact, by what `autocast_error` says. Logits are float32 all the same.
    float16 is too coarse for gradients: where they are wanted the network is run in float32.

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
        autocast: Autocast | None = None,
    ) -> None:
        if not isinstance(network, nn.Module):
            raise ClassifierError(f"A classifier needs a torch.nn.Module, not {type(network).__name__}.")
        if preprocess is not None and not callable(preprocess):
            raise ClassifierError("`preprocess` must be callable: a PIL image in, a float tensor (C, H, W) out.")
        if preprocess is not None and (mean is not None or std is not None):
            raise ClassifierError("Give either `preprocess` or `mean` and `std`: a preprocess normalises by itself.")
        self._complete = False
        self._notes: tuple[str, ...] = ()
        #: The floating type that a pass is cast to, or None.
        self.autocast: Autocast | None = None
        chosen = precision.checked(autocast)
        self.network = guest.unwrapped(network)
        self.name = name or type(self.network).__name__
        depths = input_depths(self.network, self.name)
        size = pair_of(input_size)
        self.outputs_probabilities = False
        self._classes: int | None = None
        # Which buffers a pass changes even in eval mode, as quantisation observers do, is known after the first.
        self._restless: tuple[str, ...] = ()
        buffers = guest.Buffers(self.network, [name for name, _ in self.network.named_buffers()])
        try:
            self.channels, self.input_size = self._accepted(depths, size, preprocess)
            scores = self._try_out()
            # By chance a network's scores add up to one for one picture, but not for two.
            self.outputs_probabilities = self._are_shares(scores) and self._are_shares(self._try_out(flipped=True))
        finally:
            self._restless = buffers.restore()
        self.preprocess: Preprocess = preprocess or resize_and_crop(self.input_size, self.channels, mean, std)
        self._classes = scores.shape[1]
        self.class_names: tuple[str, ...] = names_of_classes(class_names, self._classes)
        self._cast(chosen)
        self._complete = True

    @classmethod
    def of(cls, name: str, weights: object = "DEFAULT", *, autocast: Autocast | None = None) -> Classifier:
        """A torchvision classifier by name, with the transforms and categories of its weights.

        `weights` is the name of torchvision weights of this network or a member of their enumeration; None gives
        random weights and needs no download. Raises ClassifierError for an unknown name, or when the weights are not
        on this machine and cannot be fetched.
        """
        network, preprocess, class_names = pretrained(name, weights)
        return cls(network, preprocess, class_names, name=name, autocast=autocast)

    def with_autocast(self, autocast: Autocast | None) -> Classifier:
        """A classifier of the same network in another arithmetic. Raises ClassifierError where it does not run so."""
        other = copy.copy(self)
        other._cast(precision.checked(autocast))
        return other

    def _cast(self, autocast: Autocast | None) -> None:
        self.autocast = autocast
        if autocast is not None:
            try:
                self._try_out()
            except (ClassifierError, RuntimeError) as error:
                raise ClassifierError(
                    f"{self.name} does not run in {autocast} on {self.device} ({brief(error.__cause__ or error)}); "
                    "choose another `autocast`, or None."
                ) from error

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
                f"{_of(picture)} became a network input of shape {tuple(tensor.shape)}, but {self.name} takes "
                f"{expected}; pass a picture of that size, or another `preprocess` or `input_size`."
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

    @guest.once
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
        return self._logits(pixels, self.autocast)

    def _logits(self, pixels: Tensor, autocast: Autocast | None) -> Tensor:
        if pixels.ndim != 4:
            raise ClassifierError(f"{self.name} takes pixels (N, C, H, W), not of shape {tuple(pixels.shape)}.")
        with self.evaluating():
            started = batching.clock()
            try:
                with precision.casting(autocast, self.device):
                    output = self.network(self.to_network(pixels))
            except ExplanationError:
                raise
            except Exception as error:
                raise ClassifierError(
                    f"{self.name} failed on an input of shape {tuple(pixels.shape)} ({brief(error)}); {_mend(error)}."
                ) from error
            scores = self.logits_in(output, len(pixels))
            # Asking for the answer waits for the device.
            finite = bool(torch.isfinite(scores).all())
            if len(pixels) == 1:
                batching.saw(self, pixels.shape[1:], batching.clock() - started)
        if not finite:
            narrow = ", or choose bfloat16 for `autocast`" if autocast == "float16" else ""
            raise ClassifierError(
                f"{self.name} answered with NaN or infinite scores; check its weights and the range of its input"
                f"{narrow}."
            )
        if self._classes not in (None, scores.shape[1]):
            raise ClassifierError(
                f"{self.name} gave {scores.shape[1]} scores, but {self._classes} before; make a new Classifier of it."
            )
        return scores

    def logits_in(self, output: object, count: int) -> Tensor:
        """The logits (count, K), float32, in what the network returned for `count` pictures. Raises ClassifierError."""
        scores = scores_in(output, count, self.name).float()
        # A score of log 0 would make every later difference infinite.
        return scores.clamp_min(torch.finfo(torch.float32).tiny).log() if self.outputs_probabilities else scores

    @torch.no_grad()
    def autocast_error(self, pixels: Tensor) -> float:
        """The largest difference between a logit of `pixels` (N, C, H, W) with `autocast` and in float32.

        As a share of the range of the picture's float32 logits (of a single one: of its size), 0 without `autocast`.
        Costs two forward passes. Raises ClassifierError.
        """
        if self.autocast is None:
            return 0.0
        cast = self.logits(pixels)
        with precision.exactly(self.device):
            exact = self._logits(pixels, None)
        spread = exact.amax(dim=1) - exact.amin(dim=1) if exact.shape[1] > 1 else exact.abs()[:, 0]
        return float(((cast - exact).abs().amax(dim=1) / spread.clamp_min(1e-12)).max())

    def probabilities(self, pixels: Tensor) -> Tensor:
        """Softmax of the logits, (N, K); of a single score its sigmoid, as a softmax of one is always 1."""
        logits = self.logits(pixels)
        return logits.softmax(dim=1) if logits.shape[1] > 1 else logits.sigmoid()

    def score(self, logits: Tensor, target: Target) -> Tensor:
        """The explained score (N,): the logit of a class, or the difference of two. Raises TargetError."""
        if isinstance(target, Contrast):
            return self.score(logits, target.target) - self.score(logits, target.against)
        return logits[:, self.class_index(target)]

    def class_index(self, target: object) -> int:
        """`target`, a class index or name, as a valid index. Raises TargetError with close matches."""
        return class_index(target, self.class_names, self.name)

    def evaluating(self) -> AbstractContextManager[None]:
        """Eval mode and frozen parameters inside; the network as found afterwards."""
        return guest.evaluating(self.network, self._restless)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about this network that a reader of its maps should know; views show them."""
        return (*self._notes, *self._structure.notes) if self._complete else self._notes

    @notes.setter
    def notes(self, sentences: tuple[str, ...]) -> None:
        self._notes = sentences

    # -- layers --------------------------------------------------------------------------------------------------

    @guest.once
    def _structure(self) -> Structure:
        return structure_of(self.network, self._trial_input(), self.logits)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that are maps of the picture in execution order, found by a few forward passes."""
        return self._structure.layers

    def layer(self, name: str) -> Layer:
        """The layer of that qualified name or alias. Raises LayerError with close matches."""
        return self._structure.layer(name, self.name)

    @property
    def default_layer(self) -> str:
        """The last layer that all evidence passes through, the usual target layer of Grad-CAM. Raises LayerError."""
        return self._structure.default_layer

    @contextmanager
    def recording(self, *layers: str) -> Iterator[dict[str, Tensor]]:
        """Forward outputs of `layers` by the names given here, filled in by each forward pass inside the block.

        What is recorded is part of the autograd graph and no in-place operation behind the layer changes it. Passes
        that other threads make meanwhile are not recorded. Raises LayerError.
        """
        outputs: dict[str, Tensor] = {}
        with self.watching(layers, guest.keeping(outputs)):
            yield outputs

    @contextmanager
    def watching(self, layers: Iterable[str], see: guest.See) -> Iterator[None]:
        """Call `see` with the maps (N, C, h, w) of each of `layers` in each forward pass of this thread inside.

        What it returns, if anything, takes their place. Raises LayerError.
        """
        known = {name: self.layer(name) for name in layers}
        with hooks.watching(self.network, known, self._structure.calls, see):
            yield

    # -- getting to know the network -----------------------------------------------------------------------------

    def _trial_input(self) -> Tensor:
        """A network input of the right shape, (1, C, H, W), that is not the same everywhere."""
        height, width = self.input_size
        return torch.linspace(0, 1, height * width).reshape(1, 1, height, width).repeat(1, self.channels, 1, 1)

    @torch.no_grad()
    def _try_out(self, *, flipped: bool = False) -> Tensor:
        return self.logits(self._trial_input().flip(3) * 2 if flipped else self._trial_input())

    def _accepted(
        self, depths: Sequence[int], size: tuple[int, int] | None, preprocess: Preprocess | None
    ) -> tuple[int, tuple[int, int]]:
        """The first number of channels and input size that the network takes, of those that it may take."""
        first: ClassifierError | None = None
        usual = [(side, side) for side in _USUAL_SIZES] if size is None and preprocess is None else [size]
        for depth, shape in itertools.product(depths, usual):
            try:
                if preprocess is not None:
                    self.channels, self.input_size = shape_after(preprocess, size, depth)
                elif shape is not None:
                    self.channels, self.input_size = depth, shape
                self._try_out()
            except ClassifierError as error:
                # What a network answers, once it runs, does not depend on the size.
                if error.__cause__ is None:
                    raise
                first = first or error
            else:
                return self.channels, self.input_size
        if len(usual) == 1 or first is None:
            raise first or ClassifierError(f"{self.name} could not be run.")
        raise ClassifierError(
            f"{self.name} takes none of the usual input sizes; give `input_size` "
            f"(at 224 x 224: {brief(first.__cause__ or first)})."
        )

    def _are_shares(self, scores: Tensor) -> bool:
        slack = 1e-3 if self.dtype != torch.bfloat16 else 2e-2
        return scores.shape[1] > 1 and bool((scores >= 0).all()) and bool((scores.sum(dim=1) - 1).abs().max() < slack)


def _mend(error: Exception) -> str:
    if memory.ran_out(error):
        return "give it fewer or smaller pictures at once"
    return "check `input_size` and `preprocess`"


def _of(picture: Picture) -> str:
    return f"The picture {picture.name!r}" if picture.name else "The picture"
