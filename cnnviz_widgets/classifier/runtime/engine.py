"""Which engine runs a network's forward passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cnnviz_widgets.classifier.wording import short_repr
from cnnviz_widgets.errors import ClassifierError

#: What may be asked for: "auto" is the quicker one.
EngineChoice = Literal["auto", "torch", "onnxruntime"]


@dataclass(frozen=True)
class Engine:
    """The engine that runs passes of which only scores are wanted, and why not the other one.

    `name` is "torch" or "onnxruntime"; `reason` goes on from it. Gradients and hooks are torch's in any case.
    """

    name: Literal["torch", "onnxruntime"]
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def check_engine(engine: object) -> EngineChoice:
    """`engine` if it is one. Raises ClassifierError, which names those that are."""
    choices = get_args(EngineChoice)
    if engine not in choices:
        raise ClassifierError(f"`engine` is one of {', '.join(map(repr, choices))}, not {short_repr(engine)}.")
    return engine  # type: ignore[return-value]
