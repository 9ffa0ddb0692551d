"""The door into every technique: one network input and one target, checked and copied once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, Target, TargetLike
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.replicas import parts_of
from cnnviz_widgets.errors import MethodError
from cnnviz_widgets.explain.baseline import Baseline, baseline_of
from cnnviz_widgets.explain.cam.tape import Tape
from cnnviz_widgets.explain.gradient.input_gradients import gradients_in_batches, input_gradients
from cnnviz_widgets.explain.perturbation import Variants, slices
from cnnviz_widgets.explain.rounding import Floor

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(frozen=True, eq=False, repr=False)
class Instance:
    """What is explained: `pixels`, one network input (1, C, H, W) float32 on the CPU, and the `target`.

    Make it with `of`: the pixels are then a private copy and the target has valid indices. `layer` is the one that
    layer techniques are asked about, None for each technique's own.
    """

    classifier: Classifier
    pixels: Tensor
    target: Target
    layer: str | None = None
    _shared: Tape | None = None

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        pixels: Tensor,
        target: TargetLike | None = None,
        layer: str | None = None,
        tape: Tape | None = None,
    ) -> Instance:
        """The instance of one network input (1, C, H, W), checked and copied.

        `target` is a class index or name, a `Target`, or None for the predicted class, which costs a forward pass.
        With a `tape` of the same pixels no technique needs one to record its layer. Raises PictureError, TargetError,
        LayerError, MethodError, ClassifierError.
        """
        pixels = classifier.input_copy(pixels)
        if tape is not None and not tape.is_of(classifier, pixels):
            raise MethodError("The tape was recorded of another picture or with another classifier; make one of these.")
        layer = None if layer is None else classifier.layer(layer).name
        resolved = _predicted(classifier, pixels, tape) if target is None else classifier.target(target)
        return cls(classifier, pixels, resolved, layer, tape)

    def at(self, layer: str) -> Instance:
        """The same at a layer, named by itself or an alias. Raises LayerError."""
        return dataclasses.replace(self, layer=self.classifier.layer(layer).name)

    def of_class(self, index: int) -> Instance:
        """The same for another class, of a valid index."""
        return dataclasses.replace(self, target=Target(index))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.pixels.shape[1:]))
        return f"<Instance {shape} of {self.target}{f' at {self.layer}' if self.layer else ''}>"

    @property
    def size(self) -> tuple[int, int]:
        """Of the network input, (H, W)."""
        return self.pixels.shape[2], self.pixels.shape[3]

    @property
    def _layer(self) -> str:
        return self.classifier.default_layer if self.layer is None else self.layer

    # -- of a layer ----------------------------------------------------------------------------------------------

    @cached_property
    def tape(self) -> Tape:
        """The forward pass with `layer` recorded, made when it is first asked for; or the one that is shared."""
        if self._shared is not None:
            return self._shared
        return Tape(self.classifier, self.pixels, [self._layer], checked=True)

    @property
    def activations(self) -> Tensor:
        """Of `layer`, float32 (C, h, w). Raises LayerError where it was skipped or not recorded."""
        return self.tape.activations[self.tape.layer(self._layer)][0].float()

    def gradients(self, index: int) -> Tensor:
        """d logit of class `index` / d activations of `layer`, float32 (C, h, w).

        A backward pass the first time. Raises LayerError, MethodError, ClassifierError.
        """
        return self.tape.gradient(self.tape.layer(self._layer), index)[0].float()

    def perturbed_layer(self, alter: Callable[[Tensor, slice], Tensor], count: int) -> Iterator[Tensor]:
        """Logits (n, K), float32 on the CPU, of `count` passes with the output of `layer` altered, some at a time.

        `alter(maps, which)` answers with what takes the place of maps (n, C, h, w), those of passes number `which`;
        where memory runs out it is asked again. Raises LayerError, ClassifierError.
        """
        batches = Batches(self.classifier, self.pixels.shape[1:], "scores")

        def call(some: slice) -> Callable[[Classifier], Tensor]:
            def run(classifier: Classifier, part: slice) -> Tensor:
                which = slice(some.start + part.start, some.start + part.stop)
                return dataclasses.replace(self, classifier=classifier)._perturbed_layer(alter, which)

            return lambda classifier: torch.cat(batches.run(some.stop - some.start, lambda part: run(classifier, part)))

        return parts_of(batches, count).in_order(map(call, slices(batches, count)), _itself)

    @torch.inference_mode(False)
    @torch.no_grad()
    def _perturbed_layer(self, alter: Callable[[Tensor, slice], Tensor], which: slice) -> Tensor:
        done = which.start

        def change(_: list[str], __: list[Any], maps: Tensor) -> Tensor:
            # A pass may be of all pictures or of one: they come in order.
            nonlocal done
            done += len(maps)
            return alter(maps, slice(done - len(maps), done))

        with self.classifier.watching([self._layer], change):
            copies = self.pixels.expand(which.stop - which.start, -1, -1, -1)
            return self.classifier.logits(copies).to("cpu", torch.float32)

    # -- of the input --------------------------------------------------------------------------------------------

    def input_gradients(self, batch: Tensor, floor: Floor | None = None) -> Tensor:
        """d score / d pixels at each network input of `batch` (N, C, H, W): (N, C, H, W), float32 on the CPU.

        The score is the target's logit; `floor` takes note of how large logits were. Raises MethodError,
        ClassifierError.
        """
        return input_gradients(self.classifier, batch, self.target, floor=floor)

    def gradients_of_many(
        self, inputs: Callable[[slice], Tensor], count: int, floor: Floor, then: Callable[[slice, Tensor], _T]
    ) -> Iterator[_T]:
        """The same for `count` network inputs, in batches: what `then` makes of which they were, and their gradients.

        `inputs` makes those of a slice, (n, C, H, W), once each and in order.
        """
        batches = Batches(self.classifier, self.pixels.shape[1:], "gradients")

        def call(some: slice) -> Callable[[Classifier], tuple[slice, Tensor, Floor]]:
            pixels, seen = inputs(some), Floor(self.classifier)

            def run(classifier: Classifier) -> tuple[slice, Tensor, Floor]:
                return some, gradients_in_batches(classifier, batches, pixels, self.target, seen), seen

            return run

        def found(result: tuple[slice, Tensor, Floor]) -> _T:
            some, gradients, seen = result
            floor.rise_to(seen)
            return then(some, gradients)

        return parts_of(batches, count).in_order(map(call, slices(batches, count)), found)

    def variants(self) -> Variants:
        """What runs altered copies of the pixels."""
        return Variants(self.classifier, self.pixels)

    def perturbed(self, alter: Callable[[Tensor, slice], None], count: int) -> Iterator[Tensor]:
        """Logits (n, K), float32 on the CPU, of `count` copies, some at a time.

        `alter(copies, which)` changes copies (n, C, H, W) number `which` in place; where memory runs out it is called
        again. Raises ClassifierError.
        """
        return self.passes(count, lambda which: lambda copies: alter(copies, which), lambda _, logits: logits, _itself)

    def passes(
        self,
        count: int,
        altering: Callable[[slice], Callable[[Tensor], None]],
        read: Callable[[slice, Tensor], _T],
        then: Callable[[_T], _U],
    ) -> Iterator[_U]:
        """What `then` makes of what `read(which, logits)` makes of each batch of `count` copies, in order.

        `altering(which)` is called for one batch after the other, and answers with what changes its copies in place.
        What it answers with, and `read`, may be called by several threads at once, `read` with logits (n, K), float32
        on the CPU. Raises ClassifierError.
        """
        batches = Batches(self.classifier, self.pixels.shape[1:], "scores")

        def call(which: slice) -> Callable[[Classifier], _T]:
            alter, number = altering(which), which.stop - which.start
            return lambda classifier: read(which, Variants(classifier, self.pixels).logits(number, alter))

        return parts_of(batches, count).in_order(map(call, slices(batches, count)), then)

    def baseline(self, name: Baseline) -> Tensor:
        """What stands in for "nothing", (1, C, H, W), as `baseline_pixels`. Raises MethodError."""
        return baseline_of(self.classifier, self.pixels, name)


def _itself(found: _T) -> _T:
    return found


@torch.inference_mode(False)
@torch.no_grad()
def _predicted(classifier: Classifier, pixels: Tensor, tape: Tape | None) -> Target:
    if tape is not None:
        tape.follow()
    logits = classifier.logits(pixels) if tape is None else tape.logits
    return Target(int(logits[0].argmax()))
