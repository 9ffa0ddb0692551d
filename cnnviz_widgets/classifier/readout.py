"""What a network's scores are: of classes that compete, of classes each by itself, or no probabilities at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Literal, get_args, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnviz_widgets.classifier.capture import Capture, Inputs, Link, Pass, apply_link, find_capture
from cnnviz_widgets.classifier.wording import short_repr
from cnnviz_widgets.errors import ClassifierError

#: How the scores of the classes are read: they compete, each is by itself, or they are no probabilities.
Scores = Literal["softmax", "sigmoid", "none"]

#: Nearer to 1 than this a probability has no float32 of its own.
_NEAREST = 1 - 2**-24


def check_scores(scores: object) -> Scores | None:
    """`scores` if it is a mode or None. Raises ClassifierError, which names those that are."""
    choices = get_args(Scores)
    if scores is not None and scores not in choices:
        raise ClassifierError(
            f"`scores` is {', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}, or None to have it found out, "
            f"not {short_repr(scores)}."
        )
    return scores  # type: ignore[return-value]


@dataclass(frozen=True)
class Readout:
    """How logits are found in what a network returns, and how they become probabilities.

    `links` lead from logits to probabilities, usually one; without any the scores are no probabilities. The logits are
    captured inside the pass, or else the logarithm ("log") or the log-odds ("logit") of the network's own
    probabilities, which it returns as logarithms where `logged`; or its scores as they are. `relative`: they are known
    up to a constant of each picture. `notes` are sentences about it for whoever reads a map.
    """

    links: tuple[Link, ...] = ("softmax",)
    capture: Capture | None = None
    inverse: Literal["log", "logit"] | None = None
    logged: bool = False
    relative: bool = False
    notes: tuple[str, ...] = ()

    @property
    def mode(self) -> Scores:
        """How the scores of the classes are read."""
        return self.links[-1] if self.links else "none"

    @property
    def owns_probabilities(self) -> bool:
        """Whether the network returns probabilities itself, and not logits or logarithms."""
        captured = self.capture is not None and not self.capture.logged
        return bool(self.links) and (captured or (self.inverse is not None and not self.logged))

    def watching(self) -> AbstractContextManager[Inputs | None]:
        """To be entered around a pass, for `logits`."""
        return nullcontext() if self.capture is None else Inputs(self.capture.place)

    def logits(self, scores: Tensor, inputs: Inputs | None, network: str, *, verified: bool = True) -> Tensor:
        """The logits (N, K), float32, of a pass that returned `scores` (N, K), float32.

        Raises ClassifierError where they are captured and the network's own answer does not follow from them, unless
        `verified` is False.
        """
        if self.capture is not None:
            found = None if inputs is None else self.capture.logits(inputs, scores)
            if found is None or (verified and self.capture.is_off(found, scores)):
                raise ClassifierError(
                    f"{network} makes its probabilities otherwise on this picture than on those it was tried on; "
                    "make a Classifier of it with scores='none' to explain what it returns."
                )
            return found
        if self.inverse is None:
            return scores
        shares = scores.exp() if self.logged else scores
        # A score of log 0 would make every later difference infinite.
        logarithms = shares.clamp_min(torch.finfo(torch.float32).tiny).log()
        return logarithms if self.inverse == "log" else logarithms - (-shares.clamp_max(_NEAREST)).log1p()

    @overload
    def probabilities(self, logits: Tensor) -> Tensor: ...
    @overload
    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]: ...
    def probabilities(self, logits: Tensor | NDArray[np.float32]) -> Tensor | NDArray[np.float32]:
        """Probabilities of logits (..., K), as a tensor or an array; the scores where they are no probabilities."""
        if isinstance(logits, np.ndarray):
            found: NDArray[np.float32] = self.probabilities(torch.from_numpy(np.ascontiguousarray(logits))).numpy()
            return found
        if self.capture is not None and self.capture.links == self.links:
            return self.capture.probabilities(logits)
        for link in self.links:
            logits = apply_link(logits, link)
        return logits

    def worded(self, quantity: str) -> str:
        """`quantity` with the right word for what is explained: scores that are no probabilities are no logits."""
        return quantity if self.links else quantity.replace("logit", "score")


# -- finding out ---------------------------------------------------------------------------------------------------

_SINGLE = "Classifier(..., scores='none') reads it as a number, such as that of a regression."
_SEVERAL = "Classifier(..., scores='softmax' or 'none') reads them otherwise."
#: What autograd calls operations that only give values another shape or type, and sums that have no bounds.
_PASSING = re.compile(r"(Unsafe)?View|Reshape|(Un)?[Ss]queeze|Select|Slice|ToCopy|Alias|Clone|Permute|Transpose|T")
_SUMS = re.compile(r"Addmm|Mm|Bmm|Addmv|Mv|Linear|(Mkldnn|Cudnn)?Convolution")


@dataclass(frozen=True)
class TrialReadout(Readout):
    """Takes scores as they are, and remembers the last pass."""

    last: list[Pass] = field(default_factory=list)

    def watching(self) -> AbstractContextManager[Inputs | None]:
        """To be entered around a pass."""
        return Inputs()

    def logits(self, scores: Tensor, inputs: Inputs | None, network: str, *, verified: bool = True) -> Tensor:
        """`scores` themselves."""
        if inputs is not None:
            self.last[:] = [(scores, inputs)]
        return scores


@dataclass(frozen=True)
class TriedNetwork:
    """A network that `trial` watches while `run` makes passes on its inputs (N, C, H, W), of which `pixels` is one.

    `first` is what a pass on that returned. `task` is what it says of itself, as the `problem_type` of Hugging Face.
    """

    trial: TrialReadout
    run: Callable[[Tensor], Tensor]
    pixels: Tensor
    first: Pass
    name: str
    task: object = None

    @torch.no_grad()
    def passed(self, pixels: Tensor) -> Pass:
        """What one pass returned, and what went into its functions."""
        self.run(pixels.clone())
        return self.trial.last.pop()

    def unlike(self) -> Iterator[Tensor]:
        """Inputs unlike the first and each other, some unlike any picture, the last two at once."""
        generator = torch.Generator().manual_seed(0)
        yield 2 * self.pixels.flip(3)
        # What grows with the picture shall grow beyond 1.
        for scale in (1, -3, 1000):
            yield scale * torch.randn(self.pixels.shape, generator=generator)
        yield torch.cat([self.pixels, torch.randn(self.pixels.shape, generator=generator)])

    @torch.inference_mode(False)
    @torch.enable_grad()
    def ends_in_sums(self) -> bool:
        """Whether the scores come from a linear layer or a convolution: then they have no bounds."""
        with suppress(ClassifierError):
            self.run(self.pixels.clone().requires_grad_())
            node = self.trial.last.pop()[0].grad_fn
            while node is not None:
                name = re.sub(r"Backward\d*$", "", node.name())
                if not _PASSING.fullmatch(name):
                    return bool(_SUMS.fullmatch(name))
                node = node.next_functions[0][0]
        return False


def guess_readout(tried: TriedNetwork, wish: Scores | None) -> tuple[Readout, int]:
    """How to read the scores, and how many there are.

    By `wish`, by what the network ends in, by whether its scores are probabilities, by its task. Costs one pass where
    the first scores cannot be probabilities. Raises ClassifierError.
    """
    passes = [tried.first]
    classes = passes[0][0].shape[1]
    if wish == "none":
        return Readout(()), classes
    if wish == "softmax" and classes == 1:
        raise ClassifierError(
            f"{tried.name} gives a single score, whose softmax is always 1; choose scores='sigmoid' or 'none'."
        )
    first = passes[0][0]
    if _add_up(first / 100) and _add_up(tried.passed(2 * tried.pixels.flip(3))[0] / 100):
        raise ClassifierError(
            f"{tried.name} returns percentages; divide them by 100, or make a Classifier with scores='none' of it."
        )
    if _within(first) or bool((first <= 0).all()):
        for pixels in tried.unlike():
            # It need not take several pictures at once, nor such numbers.
            with suppress(ClassifierError):
                passes.append(tried.passed(pixels))
        if classes == 1 and all(bool((scores == 1).all()) for scores, _ in passes):
            raise ClassifierError(
                f"{tried.name} answers 1 to any picture, as a softmax of a single score does; end it in a sigmoid."
            )
        found = _captured(passes, wish) or _of_values([scores for scores, _ in passes], wish, tried.ends_in_sums)
        if found is not None:
            return found, classes
    return _of_logits(classes, wish, tried.task), classes


def _captured(passes: Sequence[Pass], wish: Scores | None) -> Readout | None:
    """By what the network ends in."""
    capture = find_capture(passes)
    if capture is None:
        return None
    own = capture.links[-1]
    if wish == "softmax" != own:
        return Readout(("softmax",), capture)
    if wish == "sigmoid" != own:
        return Readout(("sigmoid",), inverse="logit", logged=capture.logged, notes=(_hidden("log-odds"),))
    notes = []
    if wish is None and own == "sigmoid":
        why = "the network ends in a sigmoid" if capture.form.inputs is None else "it is one of two probabilities"
        notes.append(_each_by_itself(passes[0][0].shape[1], why))
    if capture.bounds is not None:
        notes.append(
            "The network keeps its probabilities within {:.3g} and {:.3g}: what it makes them of is explained.".format(
                *capture.bounds
            )
        )
    if len(capture.links) > 1:
        notes.append(
            f"The network puts a {own} on a {capture.links[-2]}: what goes into the first is explained as the logit."
        )
    return Readout(capture.links, capture, notes=tuple(notes))


def _of_values(scores: Sequence[Tensor], wish: Scores | None, ends_in_sums: Callable[[], bool]) -> Readout | None:
    """By whether the scores (N, K) of several passes are probabilities or their logarithms."""
    classes = scores[0].shape[1]
    shares = all(_add_up(of_pass) for of_pass in scores)
    logarithms = all(_add_up(of_pass.exp()) for of_pass in scores)
    if shares or logarithms:
        if wish == "sigmoid":
            return Readout(("sigmoid",), inverse="logit", logged=logarithms, notes=(_hidden("log-odds"),))
        return Readout(inverse="log", logged=logarithms, relative=True, notes=(_hidden("logarithms"),))
    if wish == "softmax" or not all(_within(of_pass) for of_pass in scores):
        return None
    first = torch.stack([of_pass[0] for of_pass in scores])
    if bool((first == first[0]).all()) or ends_in_sums():
        return None
    notes = () if wish else (_each_by_itself(classes, "the network only gives scores between 0 and 1"),)
    return Readout(("sigmoid",), inverse="logit", notes=(*notes, _hidden("log-odds")))


def _of_logits(classes: int, wish: Scores | None, task: object) -> Readout:
    """By what the network's task is said to be, or the number of its scores."""
    if wish is not None:
        return Readout((wish,) if wish != "none" else ())
    if task == "regression":
        note = "The scores are read as numbers, because the network's `problem_type` is regression."
        return Readout((), notes=(note,))
    if task == "multi_label_classification" and classes > 1:
        why = "the network's `problem_type` is multi-label classification"
        return Readout(("sigmoid",), notes=(_each_by_itself(classes, why),))
    if classes == 1:
        return Readout(("sigmoid",), notes=(f"The single score is read as the logit of a probability; {_SINGLE}",))
    return Readout()


def _within(scores: Tensor) -> bool:
    return bool(((scores >= 0) & (scores <= 1)).all())


def _add_up(shares: Tensor) -> bool:
    """Whether each row of `shares` (N, K) adds up to 1, as far as the numbers it was made of can tell."""
    coarse = any(torch.equal(shares, shares.to(kind).float()) for kind in (torch.bfloat16, torch.float16))
    near = (shares.sum(dim=1) - 1).abs().max() < (2e-2 if coarse else 1e-3)
    return shares.shape[1] > 1 and bool((shares >= 0).all()) and bool(near)


def _each_by_itself(classes: int, why: str) -> str:
    if classes == 1:
        return f"The single score is read as a probability (sigmoid), because {why}; {_SINGLE}"
    return f"Scores are read as one probability per class (sigmoid), because {why}; {_SEVERAL}"


def _hidden(instead: str) -> str:
    return (
        f"What the network makes its probabilities of could not be found: their {instead} are explained, whose "
        "gradients vanish where it is sure."
    )
