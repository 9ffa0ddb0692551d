"""What is found out about a network by running it on a few made-up pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from cnnviz_widgets.classifier import failures
from cnnviz_widgets.classifier.preprocess import Preprocess, measured_colours, shape_after
from cnnviz_widgets.classifier.randomness import GeneratorStates, same_draws
from cnnviz_widgets.classifier.runner import Runner
from cnnviz_widgets.classifier.wording import summarize_error
from cnnviz_widgets.errors import ClassifierError, PictureError

#: Gives the scores (N, K), as the network has them, of pictures (N, C, H, W).
Run = Callable[[Tensor], Tensor]
Size = tuple[int, int]
#: Three pictures (1, C, H, W) that differ.
Shown = tuple[Tensor, Tensor, Tensor]

#: Sides of square inputs to try, in this order, with a network of which nothing is known.
_USUAL_SIDES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 448, 512)
#: For each of `Limits` a share of the difference between two pictures' scores, and so many times what is rounded.
_EXACT = (1e-3, 1e-3, 1e-2), (8, 8, 32)
_HALF = (0.05, 1e-3, 0.2), (2, 0, 32)
_QUANTISED = (0.05, 0.05, 0.2), (8, 8, 32)
#: Share of that by which a picture's scores must differ from those in a batch to be looked into.
_SUSPICIOUS = 0.1
#: So many passes show whether a network that draws random numbers is random.
_DRAWS = 8
_BY_ITSELF = "each is run by itself, and techniques of many passes take longer."


@dataclass(frozen=True)
class Accepted:
    """The number of channels and the size, (height, width), that a network takes, and `scores` (1, K) of a picture.

    `black` and `white` are network-input values, between which the values of pictures lie.
    """

    channels: int
    size: Size
    black: Tensor | float
    white: Tensor | float
    scores: Tensor = field(default_factory=lambda: torch.empty(0))

    def pictures(self) -> Shown:
        """Network inputs that differ in pattern, mean and contrast; `scores` are those of the first."""
        ramp = (
            torch.linspace(0, 1, self.size[0] * self.size[1]).reshape(1, 1, *self.size).repeat(1, self.channels, 1, 1)
        )
        # Each has another minimum, maximum, mean and deviation: a batch is normalised with any of them.
        dark = 0.1 + 0.3 * ramp.transpose(2, 3).reshape(ramp.shape).flip(3)
        shares = ramp, dark, 0.65 - 0.2 * ramp.square()
        picture, other, third = map(self.between, shares)
        return picture, other, third

    def between(self, shares: Tensor) -> Tensor:
        """Network inputs (1, C, H, W) of shares from black, 0, to white, 1."""
        return self.black + (self.white - self.black) * shares


@dataclass(frozen=True)
class Limits:
    """How far scores may move from pass to pass, beside other pictures, and at most in a batch of another size."""

    again: float
    beside: float
    surely: float


@dataclass(frozen=True)
class Trial:
    """`alone` are the scores (2, K), as the network has them, of two different pictures, each run by itself.

    `one_at_a_time`: pictures run together would influence each other, draw other random numbers, or cannot be run.
    `same_draws`: the network is random, but no longer if it is given the same numbers. `notes` say so.
    """

    alone: Tensor
    one_at_a_time: bool
    same_draws: bool
    notes: tuple[str, ...]


def find_input(
    run: Run, name: str, depths: Sequence[int], size: Size | None, preprocess: Preprocess | None
) -> Accepted:
    """The first of `depths`, numbers of channels, and of the sizes that it may be, that `run` takes.

    Raises ClassifierError.
    """
    usual = size is None and preprocess is None
    failed: list[ClassifierError] = []
    for depth in depths:
        for side in _USUAL_SIDES if usual else (0,):
            try:
                shape = _shape(depth, size or (side, side), size, preprocess)
                return replace(shape, scores=run(shape.pictures()[0]))
            except ClassifierError as error:
                # What a network answers, once it runs, does not depend on the size.
                if error.__cause__ is None:
                    raise
                failed.append(error)
            if not failures.size_may_help(failed[-1].__cause__):
                break
    cause = failed[0].__cause__
    shapes = cause is not None and failures.size_may_help(cause) and failures.is_of_shapes(cause)
    if cause is not None and shapes and _takes_two(run, depths[0], size, preprocess):
        raise ClassifierError(
            f"{name} takes two pictures but not a single one ({summarize_error(cause)}); let its forward keep the axis "
            "of pictures, as `flatten(1)` does."
        )
    raise failures.of_all_sizes(name, failed) if usual else failed[0]


def _takes_two(run: Run, depth: int, size: Size | None, preprocess: Preprocess | None) -> bool:
    """Whether the network runs on two pictures of a size on which it does not run on one."""
    try:
        picture = _shape(depth, size or (_USUAL_SIDES[0],) * 2, size, preprocess).pictures()[0]
        return len(run(torch.cat([picture, picture]))) == 2
    except ClassifierError:
        return False


def _shape(depth: int, tried: Size, size: Size | None, preprocess: Preprocess | None) -> Accepted:
    if preprocess is None:
        return Accepted(depth, tried, 0.0, 1.0)
    channels, made = shape_after(preprocess, size, depth)
    try:
        colours = measured_colours(preprocess, channels, made)
    except PictureError:  # it refuses plain pictures
        return Accepted(channels, made, 0.0, 1.0)
    return Accepted(channels, made, colours.black, colours.white)


def try_pictures(run: Run, runner: Runner, name: str, start: Accepted, draws: GeneratorStates) -> Trial:
    """Try the network on pictures like that which it took.

    `draws` is from before that: where the network is random it is put back.
    """
    shown, alone = _with_other(run, start.pictures(), start.scores)
    if not runner.repeats:
        alone[:1] = run(shown[0])
    again = alone[:1]
    limits = _limits(alone, runner.network)
    moved = float((again - start.scores).abs().max())
    # By chance a dropout may leave out the same units twice.
    for _ in range(_DRAWS if draws.moved and moved <= limits.again else 0):
        moved = max(moved, float((run(shown[0]) - start.scores).abs().max()))
    if moved <= limits.again:
        return _together(run, name, alone, shown, limits)
    draws.restore()
    one, two = (_steadily(run, shown[0], draws) for _ in range(2))
    note = f"{name} is random in eval mode, as by dropout that is left on: from pass to pass a picture's scores "
    note += f"differed by {moved / _range(again):.0%} of their range"
    if float((one - two).abs().max()) <= limits.again:
        note += "; each picture is run by itself and with the same random numbers, others would give other maps."
        return Trial(alone, True, True, (note,))
    # How far its scores move says nothing then.
    trial = _together(run, name, alone, shown, replace(limits, surely=math.inf))
    return replace(trial, notes=(f"{note}, so that a part of each map is noise.", *trial.notes))


def _steadily(run: Run, pixels: Tensor, draws: GeneratorStates) -> Tensor:
    with same_draws(draws.own):
        return run(pixels)


def _range(scores: Tensor) -> float:
    spread = scores.amax() - scores.amin() if scores.shape[1] > 1 else scores.abs().amax()
    return max(float(spread), 1e-12)


def _together(run: Run, name: str, alone: Tensor, shown: Shown, limits: Limits) -> Trial:
    """Whether pictures may be run together, by what becomes of the two whose scores `alone` are known."""
    try:
        together = run(torch.cat(shown[:2]))
        if together.shape != alone.shape:
            raise ClassifierError(f"{name} has other scores for two pictures.")
    except ClassifierError as error:
        why = summarize_error(error.__cause__) if error.__cause__ else "it returns no row of scores for each"
        note = f"{name} cannot run two pictures together ({why}): {_BY_ITSELF}"
        return Trial(alone, True, False, (note,))
    moved = float((together - alone).abs().max())
    if moved <= _SUSPICIOUS * limits.again or not (moved > limits.surely or _mixes(run, shown, limits.beside)):
        return Trial(alone, False, False, ())
    note = f"A picture's scores change with those that {name} runs beside it, as by batch norm without running "
    return Trial(alone, True, False, (f"{note}statistics: {_BY_ITSELF}",))


def _with_other(run: Run, shown: Shown, scores: Tensor) -> tuple[Shown, Tensor]:
    """The pictures, the first two of which the network takes, and the scores (2, K) of those."""
    picture, other, third = shown
    # It may refuse a picture for what is in it.
    for second, last in ((other, third), (third, picture.flip(2))):
        try:
            return (picture, second, last), torch.cat([scores, run(second)])
        except ClassifierError:
            pass
    return (picture, picture, third), torch.cat([scores, scores])


def _limits(alone: Tensor, network: nn.Module) -> Limits:
    """By the difference between two pictures' scores, and by the rounding of the largest."""
    kind = next((weight.dtype for weight in network.parameters() if weight.is_floating_point()), torch.float32)
    # Integer arithmetic rounds to one of 256 steps, whose width may depend on the whole batch.
    quantised = any("quantized" in type(module).__module__ for module in network.modules())
    rounding = (2.0**-8 if quantised else torch.finfo(kind).eps) * float(alone.abs().max())
    apart = float((alone[1] - alone[0]).abs().max())
    shares, roundings = _QUANTISED if quantised else _EXACT if kind.itemsize >= 4 else _HALF
    return Limits(*(max(share * apart, count * rounding) for share, count in zip(shares, roundings, strict=True)))


def _mixes(run: Run, shown: Shown, limit: float) -> bool:
    """Whether a picture's scores depend on what it is run with, in batches of one size.

    A batch of another size may be computed by other means, and then differs in its last digits.
    """
    picture, other, third = shown
    try:
        together, again, with_third, with_other = (
            run(torch.cat(pair)) for pair in ((picture, other), (picture, other), (picture, third), (third, other))
        )
    except ClassifierError:
        # The third picture is refused for what is in it: better slow than wrong.
        return True
    moved = max(float((with_third - together)[0].abs().max()), float((with_other - together)[1].abs().max()))
    # What the same batch does by itself is not for a picture's companions to answer for.
    return moved > max(limit, 2 * float((again - together).abs().max()))
