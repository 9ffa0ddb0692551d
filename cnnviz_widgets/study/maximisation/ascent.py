"""Activation maximisation: gradient ascent to the picture that a class, or a channel of a layer, reacts to most."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Classifier, TargetLike
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.differentiation import CUTS, gradients_of
from cnnviz_widgets.classifier.locks import locked_property
from cnnviz_widgets.classifier.watch import watch
from cnnviz_widgets.errors import ClassifierError, MethodError, TargetError
from cnnviz_widgets.parameters import Range, check_choice, check_count, check_share
from cnnviz_widgets.study.maximisation.augment import transform
from cnnviz_widgets.study.maximisation.parametrisation import PARAMETRISATIONS, Fourier, ParametrisationName, Pixels

ClassScore = Literal["logit", "log-odds"]

#: Adam's decay rates per step of the gradient's mean and mean square, and its epsilon (Kingma and Ba 2015, algorithm
#: 1). With larger rates the picture follows the gradients of more steps, and reacts later to a changed parameter.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8
#: Steps from one blur to the next (Yosinski et al. 2015, section 3). With fewer the picture becomes smoother.
_STEPS_PER_BLUR = 4
#: Steps in which the gradient may be zero everywhere before the ascent is given up. With fewer, a target that only
#: some random views reach would be refused; with more, the refusal of a dead channel comes later.
_MAX_STEPS_WITHOUT_GRADIENT = 8
#: Largest transformations in `AscentState.robustness`: share of the sides, relative change of size, and degrees; the
#: seed differs from those of the ascent's own views. Larger ones are a harder test and give lower probabilities.
_ROBUSTNESS_VIEWS = {"jitter": 8 / 224, "scale": 0.05, "turn": 5.0, "seed": 2**40}


@dataclass(frozen=True)
class Channel:
    """A target within the network: the mean activation of one channel of a layer."""

    layer: str
    channel: int


@dataclass(frozen=True, eq=False)
class AscentState:
    """The state of an ascent after `step` steps: the picture so far and all that the next step depends on.

    `parameters` are the picture in terms of `parametrisation`; `first_moment` and `second_moment` are Adam's running
    means of the gradient and of its square, of the same shape. `score` is what the last step measured, the mean over
    its views before it changed the picture; None before the first. `progress` runs from 0 to 1.
    """

    classifier: Classifier
    target: TargetLike | Channel
    parametrisation: Fourier | Pixels
    parameters: Tensor
    first_moment: Tensor
    second_moment: Tensor
    step: int = 0
    score: float | None = None
    progress: float = 0.0

    @locked_property
    def pixels(self) -> Tensor:
        """The network input (1, C, H, W), float32 on the CPU, between the classifier's black and white."""
        with torch.inference_mode(False), torch.no_grad():
            return _network_input(self.classifier, self.parametrisation.picture(self.parameters)[None]).cpu()

    @locked_property
    def appearance(self) -> NDArray[np.uint8]:
        """The picture as a person sees it, uint8 (H, W, 3)."""
        return self.classifier.appearance(self.pixels)

    def probabilities(self) -> NDArray[np.float32]:
        """The probability of each class for the picture, (K,); the scores of a network without probabilities.

        Raises ClassifierError.
        """
        with torch.inference_mode(False), torch.no_grad():
            probabilities: NDArray[np.float32] = self.classifier.probabilities(self.pixels)[0].cpu().numpy()
        return probabilities

    def robustness(self, views: int = 16) -> NDArray[np.float32]:
        """The mean probability of each class, (K,), over `views` slightly moved, turned and resized copies.

        The copies are the same in every call. Raises ClassifierError.
        """
        with torch.inference_mode(False), torch.no_grad():
            picture = self.parametrisation.picture(self.parameters)
            copies = transform(picture, views, **_ROBUSTNESS_VIEWS)  # type: ignore[arg-type]
            inputs = _network_input(self.classifier, copies)
            batches = Batches(self.classifier, inputs.shape[1:], "scores")
            parts = batches.run(views, lambda part: self.classifier.probabilities(inputs[part]))
            mean: NDArray[np.float32] = torch.cat(parts).mean(dim=0).cpu().numpy()
        return mean


@dataclass(frozen=True)
class ActivationMaximisation:
    """The parameters of a gradient ascent; calling it returns the AscentState after the last step.

    Maximises score - l2 x mean (x - 1/2)^2 - tv x mean |x - its neighbour| over pictures x, 0 for black to 1 for
    white, with Adam at the step size `rate`, from grey with faint noise.

    The score of a class is its logit (Simonyan et al. 2013, section 2) or its log-odds against all other classes,
    for networks in which one picture raises many logits; with independent probabilities (sigmoid) the log-odds are
    the logit. The score of a channel is its mean activation, and layers behind it are not computed.

    Each step averages over `views` random copies, moved by up to `jitter` of the picture's sides, resized by up to
    the factor 1 + `scale` and turned by up to `turn` degrees. With the parametrisation "fourier" a step acts on
    frequencies and decorrelated colours (Olah et al. 2017). `blur` is the standard deviation, in pixels, of a
    Gaussian blur after every fourth step (Yosinski et al. 2015).

    The same `seed` gives the same picture, also when an ascent is stopped and continued.
    """

    label: ClassVar[str] = "Activation maximisation"

    parametrisation: ParametrisationName = "fourier"
    score: ClassScore = "logit"
    iterations: Annotated[int, Range(16, 512, 16)] = 128
    rate: Annotated[float, Range(0.01, 0.2, 0.01)] = 0.05
    jitter: Annotated[float, Range(0, 0.25, 0.01)] = 0.08
    scale: Annotated[float, Range(0, 0.5, 0.05)] = 0.15
    turn: Annotated[float, Range(0, 45, 1)] = 10.0
    l2: Annotated[float, Range(0, 500, 10)] = 0.0
    tv: Annotated[float, Range(0, 200, 5)] = 10.0
    blur: Annotated[float, Range(0, 2, 0.1)] = 0.0
    views: Annotated[int, Range(1, 8)] = 1
    seed: Annotated[int, Range(0, 99)] = 0

    def __post_init__(self) -> None:
        check_choice("parametrisation", self.parametrisation, ParametrisationName)
        check_choice("score", self.score, ClassScore)
        for name in ("iterations", "views"):
            check_count(name, getattr(self, name))
        check_count("seed", self.seed, low=0)
        check_share("rate", self.rate, 1e-6, 10)
        check_share("jitter", self.jitter, 0, 1)
        check_share("scale", self.scale, 0, 10)
        check_share("turn", self.turn, 0, 180)
        for name in ("l2", "tv", "blur"):
            check_share(name, getattr(self, name), 0, 1e6)

    def __call__(
        self, classifier: Classifier, target: TargetLike | Channel, start: AscentState | None = None
    ) -> AscentState:
        """The state after all steps, continued from `start` if given. Raises what `steps` raises."""
        (last,) = deque(self.steps(classifier, target, start), maxlen=1)
        return last

    def start(self, classifier: Classifier, target: TargetLike | Channel) -> AscentState:
        """The state before the first step. Raises TargetError, LayerError, and MethodError without log-odds."""
        target = _check_target(classifier, target)
        if self.score == "log-odds" and classifier.scores == "none" and not isinstance(target, Channel):
            raise MethodError(
                f"The scores of {classifier.name} are no probabilities and have no log-odds; choose score='logit', "
                "which is the score itself."
            )
        parametrisation = PARAMETRISATIONS[self.parametrisation]((classifier.channels, *classifier.input_size))
        with torch.inference_mode(False):
            parameters = parametrisation.start(torch.Generator().manual_seed(self.seed)).to(classifier.device)
            zeros = torch.zeros_like(parameters)
        return AscentState(classifier, target, parametrisation, parameters, zeros, zeros)

    def steps(
        self, classifier: Classifier, target: TargetLike | Channel, start: AscentState | None = None
    ) -> Iterator[AscentState]:
        """Yield the state after each step, continued from `start` if given, which may have other regularisers.

        Yields `start` itself if it has had its `iterations`. Raises TargetError, LayerError, ClassifierError, and
        MethodError when the target does not react to anything near grey, or `start` has another target.
        """
        state = self.start(classifier, target)
        if start is not None:
            same = (start.classifier, start.target, start.parametrisation)
            if same != (classifier, state.target, state.parametrisation):
                raise MethodError("An ascent goes on only with the same classifier, target and parametrisation.")
            state = start
        if state.step >= self.iterations:
            yield state
        while state.step < self.iterations:
            state = self._advance(state)
            yield state

    def _advance(self, state: AscentState) -> AscentState:
        """The state one step later."""
        step = state.step + 1
        with torch.inference_mode(False):
            score, gradient = self._gradient(state)
            first = torch.lerp(gradient, state.first_moment, _BETA_1)
            second = torch.lerp(gradient.square(), state.second_moment, _BETA_2)
            if step == _MAX_STEPS_WITHOUT_GRADIENT and not second.any():
                raise MethodError(
                    f"{_describe_target(state)} does not react to a picture that is nearly grey; choose another "
                    "seed, or the convolution before a ReLU."
                )
            update = (first / (1 - _BETA_1**step)) / ((second / (1 - _BETA_2**step)).sqrt() + _EPSILON)
            parameters = state.parameters + self.rate * update
            if self.blur and step % _STEPS_PER_BLUR == 0:
                parameters = state.parametrisation.blur(parameters, self.blur)
        progress = step / self.iterations
        return AscentState(
            state.classifier, state.target, state.parametrisation, parameters, first, second, step, score, progress
        )

    def _gradient(self, state: AscentState) -> tuple[float, Tensor]:
        """The mean score of this step's views, and the gradient of score minus penalty by the parameters."""
        classifier = state.classifier
        with torch.enable_grad():
            parameters = state.parameters.detach().requires_grad_()
            picture = state.parametrisation.picture(parameters)
            # Each step has its own seed, so a continued ascent draws the views that an uninterrupted one draws.
            seed = self.seed * 1_000_003 + state.step
            copies = transform(picture, self.views, self.jitter, self.scale, self.turn, seed=seed)
            inputs = _network_input(classifier, copies)
            batches = Batches(classifier, inputs.shape[1:], "gradients")
            parts = batches.run(self.views, lambda part: self._score_gradient(state, inputs[part]))
            score = torch.stack([total for total, _ in parts]).sum() / self.views
            by_inputs = torch.cat([gradient for _, gradient in parts]) / self.views
            # The network is differentiated by now: this product continues the chain rule to the parameters.
            objective = (inputs * by_inputs).sum() - self._penalty(picture)
            (gradient,) = torch.autograd.grad(objective, parameters)
        if not (torch.isfinite(score) and torch.isfinite(gradient).all()):
            raise ClassifierError(
                f"The score of {_describe_target(state)} or its gradient is NaN or infinite; check the weights."
            )
        return float(score), gradient

    def _score_gradient(self, state: AscentState, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of the scores of network inputs (N, C, H, W), and its gradient, (N, C, H, W)."""
        inputs = inputs.detach().requires_grad_()
        score = self._score(state.classifier, inputs, state.target) * len(inputs)
        gradient = gradients_of(state.classifier, score, [inputs])[0] if score.requires_grad else None
        if gradient is None:
            raise MethodError(
                f"{_describe_target(state)} is cut off from the input by {CUTS}; remove that from the forward."
            )
        return score.detach(), gradient

    def _score(self, classifier: Classifier, pixels: Tensor, target: TargetLike | Channel) -> Tensor:
        """The mean score of network inputs (N, C, H, W)."""
        if isinstance(target, Channel):
            outputs: dict[str, Tensor] = {}
            watch(classifier, pixels, [target.layer], outputs.__setitem__)
            return outputs[target.layer][:, target.channel].float().mean()
        logits = classifier.logits(pixels)
        scores = classifier.score(logits, target)
        if self.score == "log-odds" and isinstance(target, int) and classifier.scores == "softmax":
            others = torch.arange(logits.shape[1], device=logits.device) != target
            scores = scores - logits[:, others].logsumexp(dim=1)
        return scores.mean()

    def _penalty(self, picture: Tensor) -> Tensor:
        """What the regularisers `l2` and `tv` take off the score of a picture (C, H, W)."""
        down, right = picture.diff(dim=1).abs().mean(), picture.diff(dim=2).abs().mean()
        return self.l2 * (picture - 0.5).square().mean() + self.tv * (down + right)


def maximise(classifier: Classifier, target: TargetLike | Channel, **parameters: Any) -> AscentState:
    """The picture that a class or a channel reacts to most, as the last AscentState of a gradient ascent.

    `parameters` are those of ActivationMaximisation, such as `iterations`. Raises what its `steps` raises.
    """
    return ActivationMaximisation(**parameters)(classifier, target)


def _network_input(classifier: Classifier, pictures: Tensor) -> Tensor:
    """Pictures (N, C, H, W), 0 for black to 1 for white, as network inputs."""
    black, white = classifier.black.to(pictures.device), classifier.white.to(pictures.device)
    return black + (white - black) * pictures


def _check_target(classifier: Classifier, target: TargetLike | Channel) -> TargetLike | Channel:
    """`target` with its class or channel checked. Raises TargetError, LayerError."""
    if not isinstance(target, Channel):
        found = classifier.target(target)
        return found if found.signed else found.index
    count = classifier.layer(target.layer).shape[0]
    if isinstance(target.channel, bool) or not isinstance(target.channel, int) or not 0 <= target.channel < count:
        raise TargetError(f"{target.layer} has channels 0 to {count - 1}, not {target.channel!r}.")
    return target


def _describe_target(state: AscentState) -> str:
    """The target in words, to begin a sentence with."""
    target, classifier = state.target, state.classifier
    if isinstance(target, Channel):
        return f"Channel {target.channel} of {target.layer}"
    return f"This class of {classifier.name}"
