"""A network with its preprocessing and class names, and nothing of the network changed by looking at it."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import failures, hooks, layer_hooks, outputs, precision, readout, trial
from cnnviz_widgets.classifier.adapters import as_preprocess
from cnnviz_widgets.classifier.capture import Inputs
from cnnviz_widgets.classifier.class_names import class_index, name_all, names_of_classes
from cnnviz_widgets.classifier.given import network_in
from cnnviz_widgets.classifier.inputs import PictureInputs
from cnnviz_widgets.classifier.layers import Layer, Structure, input_depths, structure_of
from cnnviz_widgets.classifier.locks import locked_property
from cnnviz_widgets.classifier.modules import unwrapped
from cnnviz_widgets.classifier.normalisation import Habit, habit_of, with_torchvision
from cnnviz_widgets.classifier.outputs import Output
from cnnviz_widgets.classifier.passes import Passes
from cnnviz_widgets.classifier.precision import Autocast
from cnnviz_widgets.classifier.preprocess import Preprocess, pair_of, resize_and_crop
from cnnviz_widgets.classifier.pretrained import pretrained
from cnnviz_widgets.classifier.randomness import GeneratorStates
from cnnviz_widgets.classifier.readout import Readout, Scores, TrialReadout, TriedNetwork
from cnnviz_widgets.classifier.runner import Runner
from cnnviz_widgets.classifier.runtime.engine import Engine, EngineChoice, check_engine
from cnnviz_widgets.classifier.runtime.runtime import Maps, Runtime
from cnnviz_widgets.classifier.target import Target, TargetLike, target_of
from cnnviz_widgets.errors import ClassifierError, ExplanationError

T = TypeVar("T")


class Classifier(PictureInputs):
    """Any torch image classifier, greyscale or RGB, with the way its input is made and the names of its classes.

    `network` may return logits (N, K), or a tuple, dict or object that holds them. A shadow that shares its weights is
    run, in eval mode with frozen parameters: the network is the user's at every moment, and so is what it is given.

    Where it returns several tensors that may be scores, `logits` among their names or the number of `class_names`
    decides, or else `output`: an index, key or attribute, a tuple of such, or a function of what the network returns.

    `scores` says how they are read: "softmax", the classes compete; "sigmoid", each has a probability by itself;
    "none", they are no probabilities, as in a regression. None: that is found out, and `notes` say what was. A softmax
    or sigmoid at the network's end is recognised; the logits are then what goes into it.

    `preprocess` turns a PIL image into a float tensor (C, H, W), as a torchvision transform does; an image processor of
    Hugging Face, a transform of albumentations and torchvision's weights will do too. Without it pictures are resized
    and cropped to `input_size`, scaled to 0..1 and, where given, normalised with `mean` and `std`. Without those
    too, what the network itself says of its pictures counts, if it is one of torchvision, timm or Hugging Face; `notes`
    says so, or that it is missing.

    With `autocast`, "bfloat16" or "float16", the network is run in torch's automatic mixed precision: quicker and in
    half the memory on most GPUs, and less exact, by what `autocast_error` says. Logits are float32 all the same.
    float16 is too coarse for gradients: where they are wanted the network is run in float32.

    `engine` says what runs passes of which only scores are wanted, on a CPU in float32: "torch", "onnxruntime", whose
    logits are those of torch within 1e-4 of their range, or "auto", the quicker one. What hooks of the user's listen to
    is run by torch. See `Classifier.engine`.

    Raises ClassifierError when the network is no image classifier; with "onnxruntime" EngineError where it cannot be
    run so, and MissingExtra without onnxruntime.
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
        scores: Scores | None = None,
        output: Output | None = None,
        engine: EngineChoice = "auto",
    ) -> None:
        network = network_in(network)
        preprocess = as_preprocess(preprocess)
        if preprocess is not None and (mean is not None or std is not None):
            raise ClassifierError("Give either `preprocess` or `mean` and `std`: a preprocess normalises by itself.")
        self._complete = False
        #: How many pictures are run at once, and how many fit into memory, by what is done with them; see `batching`.
        self.batch_sizes: dict[Hashable, int] = {}
        self.batch_limits: dict[Hashable, int] = {}
        self._notes: tuple[str, ...] = ()
        self._original: weakref.ref[Classifier] | None = None
        #: The floating type that a pass is cast to, or None.
        self.autocast: Autocast | None = None
        chosen, wish = precision.check_autocast(autocast), readout.check_scores(scores)
        self._runtime = Runtime(check_engine(engine))
        self.network = unwrapped(network)
        self.name = name or type(self.network).__name__
        depths = input_depths(self.network, self.name)
        size = pair_of(input_size)
        bare = preprocess is None and mean is None and std is None
        habit = habit_of(self.network, self.name, depths[0], sized=size is not None) if bare else Habit()
        preprocess, size = preprocess or habit.preprocess, size or pair_of(habit.size)
        #: How logits are found in what the network returns, and what they say.
        self.readout: Readout = (raw := TrialReadout())
        self._classes: int | None = None
        #: Where the logits are in what the network returns, as `Classifier(output=...)` takes it.
        self.output: Output | None = outputs.check_output(output)
        names = habit.class_names if class_names is None else class_names
        self._names = names
        #: Runs the network.
        self.runner = Runner(self.network, self.name)
        self._passes = Passes(self.name, self.runner.randomness)
        draws = GeneratorStates(self.device, self.runner.randomness)
        self._accepted = trial.find_input(self._try_out, self.name, depths, size, preprocess)
        self.channels, self.input_size = self._accepted.channels, self._accepted.size
        first = raw.last.pop()
        found = trial.try_pictures(self._try_out, self.runner, self.name, self._accepted, draws)
        self._passes.one_at_a_time, self._passes.same_draws = found.one_at_a_time, found.same_draws
        task = getattr(getattr(self.network, "config", None), "problem_type", None)
        tried = TriedNetwork(raw, self.logits, self._trial_input(), first, self.name, task)
        self.readout, self._classes = readout.guess_readout(tried, wish)
        self.runner.settle()
        if bare:
            habit = with_torchvision(habit, self.network, self.name, self.channels, self._classes)
            mean, std = habit.mean, habit.std
        for sentence in (*found.notes, *self.readout.notes, habit.note):
            self.note(sentence)
        self.preprocess: Preprocess = preprocess or resize_and_crop(self.input_size, self.channels, mean, std)
        self.class_names: tuple[str, ...] = names_of_classes(names, self._classes)
        self._cast(chosen)
        self._complete = True
        self._runtime.require(self, self._logits, self._trial_input())

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
        other._runtime = copy.copy(self._runtime)
        other._cast(precision.check_autocast(autocast))
        return other

    def _cast(self, autocast: Autocast | None) -> None:
        self.autocast = autocast
        if autocast is not None:
            precision.check_runs(lambda: self._try_out(self._trial_input()), self.name, autocast, self.device)
            del self._passes.seconds[self.arithmetic]  # of a first pass

    def __repr__(self) -> str:
        shape = " x ".join(map(str, (self.channels, *self.input_size)))
        # To print it is not to run the network.
        layers = f", {len(self.layers)} layers" if self.knows_layers else ""
        return f"<Classifier {self.name}: {len(self.class_names)} classes, {shape}{layers}>"

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

    @property
    def arithmetic(self) -> Hashable:
        """What a pass's time, memory and last digits depend on besides its pictures: device and floating types."""
        return self.device, self.dtype, self.autocast

    def to_network(self, pixels: Tensor) -> Tensor:
        """`pixels` on the network's device in its floating type."""
        return pixels.to(self.device, self.dtype)

    def logits(self, pixels: Tensor) -> Tensor:
        """Class scores before any softmax or sigmoid, (N, K) float32 on the network's device, of pixels (N, C, H, W).

        Differentiable in `pixels`. Raises ClassifierError when the network raises or answers with NaN.
        """
        if pixels.ndim != 4:
            raise ClassifierError(f"{self.name} takes pixels (N, C, H, W), not of shape {tuple(pixels.shape)}.")
        found = self._runtime.logits(self, self._logits, pixels) if self._complete else None
        return self._logits(pixels) if found is None else found

    def _logits(self, pixels: Tensor, exactly: bool = False) -> Tensor:
        """The same by torch; in the types that there are where `exactly`."""
        autocast = None if exactly else self.autocast
        with self.evaluating():
            return self._passes.scores(pixels, lambda part: self._passed(part, autocast))

    def each_picture(self, pixels: Tensor, layers: Sequence[str], reduce: Callable[[Maps], T]) -> list[T] | None:
        """What `reduce` makes of each picture's "logits" and maps by layer, None where torch runs them."""
        return self._runtime.each(self, self._logits, pixels, layers, reduce)

    @property
    def engine(self) -> Engine:
        """What runs passes of which only scores are wanted, and why not another engine; for the network as it is now.

        Found out when it is first asked for, or many pictures are, by two passes of each, which takes up to seconds.
        """
        return self._runtime.engine(self, self._logits, self._trial_input())

    def _passed(self, pixels: Tensor, autocast: Autocast | None) -> Tensor:
        """The logits of one forward pass."""
        inputs = self.to_network(pixels)
        try:
            with precision.casting(autocast, self.device), self.readout.watching() as watched:
                # A copy, as a network may change its input in place.
                output = self.runner(inputs.clone() if inputs is pixels else inputs)
        except ExplanationError:
            raise
        except Exception as error:
            raise failures.of_pass(self.name, tuple(pixels.shape), error) from error
        self.note(self.runner.note)
        scores = self.logits_in(output, len(pixels), watched)
        if not torch.isfinite(scores).all():
            raise outputs.not_finite(self.name, autocast)
        if self._classes not in (None, scores.shape[1]):
            raise ClassifierError(
                f"{self.name} gave {scores.shape[1]} scores, but {self._classes} before; make a new Classifier of it."
            )
        return scores

    def logits_in(self, output: object, count: int, inputs: Inputs | None, *, verified: bool = True) -> Tensor:
        """The logits (count, K), float32, of a pass that returned `output` for `count` pictures.

        `inputs` are what the readout watched. Raises ClassifierError.
        """
        if self.output is None:
            self.output, note = outputs.choose_output(output, count, self.name, lambda of: name_all(self._names, of))
            self.note(note)
        scores = outputs.scores_at(output, self.output, count, self.name).float()
        return self.readout.logits(scores, inputs, self.name, verified=verified)

    @torch.no_grad()
    def autocast_error(self, pixels: Tensor) -> float:
        """`precision.largest_error` of logits of pixels (N, C, H, W); 0 without `autocast`. Raises ClassifierError."""
        if self.autocast is None:
            return 0.0
        cast = self.logits(pixels)
        with precision.exactly(self.device):
            exact = self._logits(pixels, exactly=True)
        return precision.largest_error(cast, exact)

    def probabilities(self, values: Tensor) -> Tensor:
        """Probabilities (N, K) of logits (N, K), or of network inputs (N, C, H, W).

        With `scores` "softmax" they add up to 1, with "sigmoid" each is by itself; with "none" they are the scores.
        """
        return self.readout.probabilities(self.logits(values) if values.ndim == 4 else values)

    @property
    def scores(self) -> Scores:
        """How the scores are read: "softmax", "sigmoid" or "none"."""
        return self.readout.mode

    @property
    def outputs_probabilities(self) -> bool:
        """Whether the network returns probabilities itself."""
        return self.readout.owns_probabilities

    def target(self, target: TargetLike) -> Target:
        """A class index or name, or a `Target` of such, as a Target of valid indices. Raises TargetError."""
        return target_of(target, self.class_names, self.name)

    def score(self, logits: Tensor, target: TargetLike) -> Tensor:
        """The explained score (N,): the logit of a class, or the difference of two. Raises TargetError."""
        return self.target(target).of(logits)

    def class_index(self, target: object) -> int:
        """`target`, a class index or name, as a valid index. Raises TargetError with close matches."""
        return class_index(target, self.class_names, self.name)

    @property
    def one_at_a_time(self) -> bool:
        """Whether each picture is run by itself: together they would change each other's scores, or cannot be run."""
        return self._passes.one_at_a_time

    @property
    def shadow(self) -> nn.Module:
        """Modules that share the network's weights: they are run, and given hooks inside `evaluating`, in its place."""
        return self.runner.root

    @property
    def seconds_per_picture(self) -> float:
        """Seconds of a forward pass for each picture, the least of those that found out about the network.

        Passes are made only for another arithmetic, or where it has been moved to another device since.
        """
        if self.arithmetic not in self._passes.seconds:
            # The first one on an accelerator loads and tunes libraries for up to seconds.
            for _ in range(2):
                self._try_out(self._trial_input())
        return self._passes.seconds[self.arithmetic]

    def evaluating(self) -> AbstractContextManager[None]:
        """Inside, `shadow` is in eval mode with frozen parameters, as the network is now, and this thread's alone."""
        return self.runner.evaluating()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about this network that a reader of its maps should know; views show them."""
        return (*self._notes, *self._structure.notes) if self._complete else self._notes

    def note(self, sentence: str) -> None:
        """Add a sentence to `notes`, once; "" is none."""
        if sentence and sentence not in (original := self.original)._notes:
            original._notes += (sentence,)

    @property
    def original(self) -> Classifier:
        """What this is a replica of, itself if it is none."""
        return (self._original and self._original()) or self

    def replica(self, runner: Runner) -> Classifier:
        """The same, run by another runner of the network; what it notes is noted here."""
        other = copy.copy(self)
        other.runner, other._original = runner, weakref.ref(self)
        other.follow(self)
        return other

    def follow(self, original: Classifier) -> None:
        """From now on run passes of which only scores are wanted by the engine that runs those of `original`."""
        self._runtime = original._runtime.of_replica(original, self)

    # -- layers --------------------------------------------------------------------------------------------------

    @locked_property
    def _structure(self) -> Structure:
        with self.runner.frozen():
            trials = self._accepted
            return structure_of(self.shadow, self._trial_input(), lambda shares: self.logits(trials.between(shares)))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that are maps of the picture in execution order, found by a few forward passes."""
        return self._structure.layers

    @property
    def knows_layers(self) -> bool:
        """Whether `layers` were found already, and cost no pass."""
        return "_structure" in vars(self)

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
        with self._passes.recorded(), self.watching(layers, hooks.keeping(outputs)):
            yield outputs

    @contextmanager
    def watching(self, layers: Iterable[str], see: hooks.See) -> Iterator[None]:
        """Call `see` with the maps (N, C, h, w) of each of `layers` in each forward pass of this thread inside.

        What it returns, if anything, takes their place. Raises LayerError.
        """
        known = {name: self.layer(name) for name in layers}
        with self.evaluating(), layer_hooks.watching(self.shadow, known, self._structure.calls, see):
            yield

    def _trial_input(self) -> Tensor:
        """A network input of the right shape, (1, C, H, W), that is not the same everywhere."""
        return self._accepted.pictures()[0]

    @torch.no_grad()
    def _try_out(self, pixels: Tensor) -> Tensor:
        return self._passes.try_pass(lambda: self.logits(pixels), self.arithmetic)
