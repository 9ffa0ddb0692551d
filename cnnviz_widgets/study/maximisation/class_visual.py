"""Class visualisation: the picture that a class, or a channel of a layer, reacts to most."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier import Contrast, Target
from cnnviz_widgets.classifier.batching import Batches
from cnnviz_widgets.classifier.differentiation import CUTS, gradients_of
from cnnviz_widgets.classifier.locks import locked_property
from cnnviz_widgets.classifier.watch import watch
from cnnviz_widgets.errors import ClassifierError, MethodError, TargetError
from cnnviz_widgets.parameters import Range, check_choice, check_count, check_share
from cnnviz_widgets.study.maximisation.augment import transformed
from cnnviz_widgets.study.maximisation.parametrisation import WRITTEN, Fourier, Parametrisation, Pixels

if TYPE_CHECKING:
    from cnnviz_widgets.classifier import Classifier

ClassScore = Literal["logit", "log-odds"]

#: Adam's decay rates (Kingma and Ba 2015, algorithm 1) and what keeps it from dividing by zero.
_MEAN, _SQUARE, _LEAST = 0.9, 0.999, 1e-8
#: A blurring regulariser blurs every so many steps, as in Yosinski et al. 2015, section 3.
_STEPS_PER_BLUR = 4
#: After so many steps without any gradient from the start there will never be one.
_PATIENCE = 8
#: The small transformations under which a result is judged, and the seed that no ascent uses for its views.
_JUDGED = {"jitter": 8 / 224, "scale": 0.05, "turn": 5.0, "seed": 2**40}


@dataclass(frozen=True)
class Channel:
    """A target within the network: the mean activation of one channel of a layer."""

    layer: str
    channel: int


@dataclass(frozen=True, eq=False)
class Visual:
    """A picture that gradient ascent has made in `step` steps.

    `score` is the mean over the views of the last step, which is that of the picture before it; None before the first.
    Holds all that the next step depends on.
    """

    classifier: Classifier
    target: Target | Channel
    written: Fourier | Pixels
    parameters: Tensor
    mean: Tensor
    square: Tensor
    step: int = 0
    score: float | None = None
    progress: float = 0.0

    @locked_property
    def pixels(self) -> Tensor:
        """The network input (1, C, H, W), float32 on the CPU, between the classifier's black and white."""
        with torch.inference_mode(False), torch.no_grad():
            return _inputs(self.classifier, self.written.shares(self.parameters)[None]).cpu()

    @locked_property
    def appearance(self) -> NDArray[np.uint8]:
        """The picture as a person sees it, uint8 (H, W, 3)."""
        return self.classifier.appearance(self.pixels)

    def probabilities(self) -> NDArray[np.float32]:
        """What the network makes of the picture as it is, (K,): its scores where they are no probabilities.

        Raises ClassifierError.
        """
        with torch.inference_mode(False), torch.no_grad():
            shares: NDArray[np.float32] = self.classifier.probabilities(self.pixels)[0].cpu().numpy()
        return shares

    def robustness(self, views: int = 16) -> NDArray[np.float32]:
        """The mean of the probabilities, (K,), over small random moves, turns and changes of size; always the same.

        Raises ClassifierError.
        """
        with torch.inference_mode(False), torch.no_grad():
            copies = transformed(self.written.shares(self.parameters), views, **_JUDGED)  # type: ignore[arg-type]
            inputs = _inputs(self.classifier, copies)
            batches = Batches(self.classifier, inputs.shape[1:], "scores")
            parts = batches.run(views, lambda part: self.classifier.probabilities(inputs[part]))
            shares: NDArray[np.float32] = torch.cat(parts).mean(dim=0).cpu().numpy()
        return shares


@dataclass(frozen=True)
class ClassVisual:
    """argmax over pictures of score - l2 x mean (x - 1/2)^2 - tv x mean |neighbours' difference|, by gradient ascent.

    x is from 0, black, to 1, white. The score of a class is its logit (Simonyan et al. 2013, section 2) or, for
    networks in which one picture raises many logits, its log-odds against all others, which compete with it; where each
    class has a probability by itself these are the logit; that of a channel is its mean activation,
    and the network is run no further than that. Starts from grey with faint noise. A step sees
    `views` copies, each moved by up to `jitter` of the picture's sides, resized by up to `scale` and turned by up to
    `turn` degrees; `parametrisation` "fourier" has its colours decorrelated (Olah et al. 2017). `blur` is the
    deviation, in pixels, of a Gaussian blur every fourth step (Yosinski et al. 2015). Adam with the step size `rate`.

    The same `seed` gives the same picture, also when an ascent is stopped and goes on.
    """

    parametrisation: Parametrisation = "fourier"
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
        check_choice("parametrisation", self.parametrisation, Parametrisation)
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

    def __call__(self, classifier: Classifier, target: Target | Channel, start: Visual | None = None) -> Visual:
        """The picture after all steps."""
        (last,) = deque(self.steps(classifier, target, start), maxlen=1)
        return last

    def start(self, classifier: Classifier, target: Target | Channel) -> Visual:
        """The picture before the first step. Raises TargetError, LayerError, and MethodError without log-odds."""
        target = _checked(classifier, target)
        if self.score == "log-odds" and classifier.scores == "none" and not isinstance(target, Channel):
            raise MethodError(
                f"The scores of {classifier.name} are no probabilities and have no log-odds; choose score='logit', "
                "which is the score itself."
            )
        written = WRITTEN[self.parametrisation]((classifier.channels, *classifier.input_size))
        with torch.inference_mode(False):
            parameters = written.start(torch.Generator().manual_seed(self.seed)).to(classifier.device)
            nothing = torch.zeros_like(parameters)
        return Visual(classifier, target, written, parameters, nothing, nothing)

    def steps(self, classifier: Classifier, target: Target | Channel, start: Visual | None = None) -> Iterator[Visual]:
        """Yield the picture after each step, going on from `start`, which may be one of other regularisers.

        Yields `start` itself if it has had its `iterations`. Raises TargetError, LayerError, ClassifierError, and
        MethodError when the target does not react to anything near grey, or `start` is another target's.
        """
        visual = self.start(classifier, target)
        if start is not None:
            if (start.classifier, start.target, start.written) != (classifier, visual.target, visual.written):
                raise MethodError("An ascent goes on only with the same classifier, target and parametrisation.")
            visual = start
        if visual.step >= self.iterations:
            yield visual
        while visual.step < self.iterations:
            visual = self._ascended(visual)
            yield visual

    def _ascended(self, visual: Visual) -> Visual:
        """The picture one step later."""
        step = visual.step + 1
        with torch.inference_mode(False):
            score, gradient = self._gradient(visual)
            mean = torch.lerp(gradient, visual.mean, _MEAN)
            square = torch.lerp(gradient.square(), visual.square, _SQUARE)
            if step == _PATIENCE and not square.any():
                raise MethodError(
                    f"{_told(visual)} does not react to a picture that is nearly grey; choose another seed, or the "
                    "convolution before a ReLU."
                )
            slope = (mean / (1 - _MEAN**step)) / ((square / (1 - _SQUARE**step)).sqrt() + _LEAST)
            parameters = visual.parameters + self.rate * slope
            if self.blur and step % _STEPS_PER_BLUR == 0:
                parameters = visual.written.blurred(parameters, self.blur)
        progress = step / self.iterations
        return Visual(visual.classifier, visual.target, visual.written, parameters, mean, square, step, score, progress)

    def _gradient(self, visual: Visual) -> tuple[float, Tensor]:
        """The score of this step's views, and the gradient of what is maximised."""
        classifier = visual.classifier
        with torch.enable_grad():
            parameters = visual.parameters.detach().requires_grad_()
            shares = visual.written.shares(parameters)
            # A seed of its own for each step: an ascent that goes on draws what it would have drawn.
            seed = self.seed * 1_000_003 + visual.step
            copies = transformed(shares, self.views, self.jitter, self.scale, self.turn, seed)
            inputs = _inputs(classifier, copies)
            batches = Batches(classifier, inputs.shape[1:], "gradients")
            parts = batches.run(self.views, lambda part: self._uphill(visual, inputs[part]))
            score = torch.stack([scores for scores, _ in parts]).sum() / self.views
            uphill = torch.cat([slope for _, slope in parts]) / self.views
            # The network's part of the chain rule is done.
            (gradient,) = torch.autograd.grad((inputs * uphill).sum() - self._penalty(shares), parameters)
        if not (torch.isfinite(score) and torch.isfinite(gradient).all()):
            raise ClassifierError(
                f"The score of {_told(visual)} or its gradient is NaN or infinite; check the weights."
            )
        return float(score), gradient

    def _uphill(self, visual: Visual, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of the scores of network inputs (N, C, H, W), and its gradient, (N, C, H, W)."""
        inputs = inputs.detach().requires_grad_()
        score = self._score(visual.classifier, inputs, visual.target) * len(inputs)
        gradient = gradients_of(visual.classifier, score, [inputs])[0] if score.requires_grad else None
        if gradient is None:
            raise MethodError(f"{_told(visual)} is cut off from the input by {CUTS}; remove that from the forward.")
        return score.detach(), gradient

    def _score(self, classifier: Classifier, pixels: Tensor, target: Target | Channel) -> Tensor:
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

    def _penalty(self, shares: Tensor) -> Tensor:
        down, right = shares.diff(dim=1).abs().mean(), shares.diff(dim=2).abs().mean()
        return self.l2 * (shares - 0.5).square().mean() + self.tv * (down + right)


def _inputs(classifier: Classifier, shares: Tensor) -> Tensor:
    """Pictures (N, C, H, W), 0 for black to 1 for white, as network inputs."""
    black, white = classifier.black.to(shares.device), classifier.white.to(shares.device)
    return black + (white - black) * shares


def _checked(classifier: Classifier, target: Target | Channel) -> Target | Channel:
    """`target` with its class or channel checked. Raises TargetError, LayerError."""
    if isinstance(target, Contrast):
        return Contrast(classifier.class_index(target.target), classifier.class_index(target.against))
    if not isinstance(target, Channel):
        return classifier.class_index(target)
    count = classifier.layer(target.layer).shape[0]
    if isinstance(target.channel, bool) or not isinstance(target.channel, int) or not 0 <= target.channel < count:
        raise TargetError(f"{target.layer} has channels 0 to {count - 1}, not {target.channel!r}.")
    return target


def _told(visual: Visual) -> str:
    target, classifier = visual.target, visual.classifier
    if isinstance(target, Channel):
        return f"Channel {target.channel} of {target.layer}"
    return f"This class of {classifier.name}"
