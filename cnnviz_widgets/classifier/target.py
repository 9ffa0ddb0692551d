"""What is explained: the score of one class, or of one class minus another."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from cnnviz_widgets.classifier.class_names import class_index
from cnnviz_widgets.classifier.readout import Readout
from cnnviz_widgets.errors import MethodError, TargetError

#: Which score of a class is explained: its logit or its probability, by whatever the network's scores are.
Score = Literal["logit", "probability"]


@dataclass(frozen=True)
class Target:
    """The score of class `index`, minus that of class `against` where there is one.

    Whoever asks may give names, `Target("tabby", against="tiger cat")`: `Classifier.target` makes indices of them, and
    every heatmap says its target in indices.
    """

    index: int
    against: int | None = None

    if TYPE_CHECKING:

        def __init__(self, index: int | str, against: int | str | None = None) -> None: ...

    @property
    def signed(self) -> bool:
        """Whether a map of it has a meaningful sign whatever the technique: that of a difference has."""
        return self.against is not None

    @property
    def indices(self) -> tuple[int, ...]:
        """Its one class, or its two."""
        return (self.index,) if self.against is None else (self.index, self.against)

    def combine(self, of_class: Callable[[int], Tensor]) -> Tensor:
        """`of_class(index)`, minus `of_class(against)`: of what is not linear in the scores, too."""
        value = of_class(self.index)
        return value if self.against is None else value - of_class(self.against)

    def of(self, logits: Tensor, score: Score = "logit", readout: Readout | None = None) -> Tensor:
        """The explained score (N,) in logits (N, K); its probability is what `readout` says.

        Raises TargetError, and MethodError where there are no probabilities.
        """
        if score == "probability":
            readout = readout or Readout()
            check_score(score, readout)
            logits = readout.probabilities(logits)
        return self.combine(lambda index: logits[:, _column(index, logits.shape[1])])


#: What a target may be given as.
TargetLike = int | str | Target


def target_of(target: object, names: Sequence[str], network: str) -> Target:
    """`target`, a class index or name or a `Target` of such, with indices that exist. Raises TargetError."""
    if not isinstance(target, Target):
        return Target(class_index(target, names, network))
    index = class_index(target.index, names, network)
    return Target(index, None if target.against is None else class_index(target.against, names, network))


def check_score(score: Score, readout: Readout) -> None:
    """Raises MethodError where there is no such score."""
    if score == "probability" and readout.mode == "none":
        raise MethodError(
            "These scores are no probabilities (scores='none'): choose score='logit', which is the score itself, or "
            "make the Classifier with scores='softmax' or 'sigmoid'."
        )


def _column(index: object, classes: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < classes:
        raise TargetError(f"A class is an index from 0 to {classes - 1}, not {index!r}.")
    return index


def Contrast(target: int | str, against: int | str) -> Target:
    """The same as `Target(target, against)`: its name before there was one class for both kinds of target."""
    warnings.warn("Contrast(a, b) is now Target(a, against=b)", DeprecationWarning, stacklevel=2)
    return Target(target, against)
