"""The logits behind a network's own probabilities: what went into its last softmax or sigmoid, however spelled."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: What makes probabilities of logits.
Link = Literal["softmax", "sigmoid"]

#: Functions that a softmax or a sigmoid may be made of: what goes into one of them may be the logits.
_PARTS = frozenset(
    {"softmax", "log_softmax", "softmin", "logsumexp", "exp", "max", "amax"}
    | {"sigmoid", "expit", "log_sigmoid", "logsigmoid", "tanh"}
)
#: Larger values are no rows of class scores; up to so many are kept as they were, whatever is written over them later.
_MOST_VALUES, _COPIED = 2**24, 2**20
#: How far a network's answer may be from what its logits say: (share, probability), of wide and of 16 bit numbers,
#: when it is tried; and later, where a network may clamp its probabilities.
_CLOSE, _COARSE, _LATER = (1e-3, 1e-6), (0.05, 1e-6), (0.05, 0.02)

#: So many probabilities between two bounds, at least, tell that others are cut off there.
_INNER = 5


class Inputs(TorchFunctionMode):
    """Inside, keeps what goes into the last `most` calls (None: all) that a softmax or a sigmoid may be made of."""

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self._kept: deque[tuple[Tensor, int] | None] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._kept)

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = str(getattr(func, "__name__", "")).split(".")[0].removeprefix("special_")
        value = args[0] if args else kwargs.get("input")
        if name.strip("_") in _PARTS and isinstance(value, Tensor) and value.is_floating_point():
            kept = value.clone() if value.numel() <= _COPIED else value
            self._kept.append((kept, _version(kept)) if value.numel() <= _MOST_VALUES else None)
        return func(*args, **kwargs)

    def at(self, place: int) -> Tensor | None:
        """What went into call number `place` from the end, 1 for the last; None where it has been changed since."""
        kept = self._kept[-place] if place <= len(self._kept) else None
        return kept[0] if kept is not None and _version(kept[0]) == kept[1] else None


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def apply_link(logits: Tensor, link: Link) -> Tensor:
    """Probabilities of logits, over the last axis."""
    return logits.softmax(dim=-1) if link == "softmax" else logits.sigmoid()


@dataclass(frozen=True)
class Form:
    """One way to make probabilities of K classes from `inputs` values a picture (None: K), by logits and a link."""

    link: Link
    logits: Callable[[Tensor], Tensor]
    inputs: int | None = None
    classes: int | None = None

    def of(self, values: Tensor, rows: int, classes: int) -> Tensor | None:
        """Logits (rows, classes) of `values`; None where their number does not fit."""
        inputs = classes if self.inputs is None else self.inputs
        fits = self.classes in (None, classes) and (classes > 1 or self.link == "sigmoid")
        # Axes of length 1 may be anywhere, that of a single picture may be gone.
        if not fits or values.numel() != rows * inputs or (rows > 1 and values.shape[0] != rows):
            return None
        return self.logits(values.reshape(rows, inputs))


_FORMS: tuple[Form, ...] = (
    Form("softmax", lambda rows: rows),
    Form("sigmoid", lambda rows: rows),
    # softmin; 1 - sigmoid; (1 + tanh) / 2
    Form("softmax", lambda rows: -rows),
    Form("sigmoid", lambda rows: -rows),
    Form("sigmoid", lambda rows: 2 * rows),
    Form("sigmoid", lambda rows: -2 * rows),
    # (1 - p, p) of one sigmoid
    Form("softmax", lambda rows: torch.cat([-rows, rows], dim=1) / 2, inputs=1, classes=2),
    Form("softmax", lambda rows: torch.cat([rows, -rows], dim=1) / 2, inputs=1, classes=2),
    # one of the two columns of a softmax
    Form("sigmoid", lambda rows: rows[:, 1:] - rows[:, :1], inputs=2, classes=1),
    Form("sigmoid", lambda rows: rows[:, :1] - rows[:, 1:], inputs=2, classes=1),
)


@dataclass(frozen=True)
class Capture:
    """Where a pass holds the logits: in what goes into call number `place` from the end.

    `links` lead from there to the network's probabilities, which it keeps within `bounds` and returns as logarithms
    where `logged`.
    """

    place: int
    form: Form
    links: tuple[Link, ...]
    logged: bool = False
    bounds: tuple[float, float] | None = None

    def logits(self, inputs: Inputs, scores: Tensor) -> Tensor | None:
        """Logits (N, K), float32, of the pass that returned `scores` (N, K); None where there are none."""
        values = inputs.at(self.place)
        found = None if values is None else self.form.of(values, *scores.shape)
        return None if found is None else found.float()

    def probabilities(self, logits: Tensor) -> Tensor:
        """The network's probabilities of logits (..., K)."""
        for link in self.links:
            logits = apply_link(logits, link)
        return logits if self.bounds is None else logits.clamp(*self.bounds)

    def is_off(self, logits: Tensor, scores: Tensor, slack: tuple[float, float] = _LATER) -> bool:
        """Whether `scores` (N, K) do not follow from the logits: a probability differs by more than `slack`."""
        found, given = self.probabilities(logits.detach()), scores.detach().to(logits.device)
        given = given.exp() if self.logged else given
        # Numbers that are none are another's business.
        return bool(((found - given).abs() > slack[0] * torch.maximum(found, given) + slack[1]).any())


#: A pass with one picture or several: what it returned, (N, K), and what went into its functions.
Pass = tuple[Tensor, Inputs]


def find_capture(passes: Sequence[Pass]) -> Capture | None:
    """Where all `passes` hold the logits of the probabilities that they return; None where these do not.

    Of several such places the first is taken. Where the values there are probabilities again, it is looked for what
    went into these.
    """
    answers = [scores for scores, _ in passes]
    found = _first(passes, answers) or _first(passes, answers, logged=True)
    found = found or _first(passes, answers, bounds=_bounds(answers))
    while found is not None:
        values = [found.logits(inputs, scores) for scores, inputs in passes]
        inner = _first(passes, [value for value in values if value is not None], before=found.place)
        if inner is None:
            return found
        found = dataclasses.replace(found, place=inner.place, form=inner.form, links=(*inner.links, *found.links))
    return None


def _bounds(answers: Sequence[Tensor]) -> tuple[float, float] | None:
    """Within what `answers` (N, K) are, if that may be because the network keeps them there: many are between."""
    shares = torch.cat(list(answers)).flatten()
    low, high = float(shares.min()), float(shares.max())
    inner = int(((shares > low) & (shares < high)).sum())
    return (low, high) if 0 <= low < high <= 1 and inner >= _INNER else None


def _first(
    passes: Sequence[Pass], answers: Sequence[Tensor], *, before: int = 0, logged: bool = False, bounds: Any = None
) -> Capture | None:
    """The first place, earlier than the one `before`, from which `answers` (N, K) follow in every pass."""
    for place in range(min(len(inputs) for _, inputs in passes), before, -1):
        for form in _FORMS:
            capture = Capture(place, form, (form.link,), logged, bounds)
            if all(_follows(capture, inputs, answer) for (_, inputs), answer in zip(passes, answers, strict=True)):
                return capture
    return None


def _follows(capture: Capture, inputs: Inputs, answer: Tensor) -> bool:
    values, logits = inputs.at(capture.place), capture.logits(inputs, answer)
    if values is None or logits is None or not torch.isfinite(logits).all():
        return False
    # Without its largest, or as logarithms of probabilities, the score of a sure class has no gradient left.
    ends = logits.amax(dim=1), logits.logsumexp(dim=1)
    if capture.links[0] == "softmax" and any(bool((end.abs() < 1e-6).all()) for end in ends):
        return False
    return not capture.is_off(logits, answer, _CLOSE if values.dtype.itemsize >= 4 else _COARSE)
