"""A slider over labelled options: layers in execution order, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.choice import chosen, truth
from cnnviz_widgets.widgets.described import Described


@dataclass(frozen=True)
class SliderMoved:
    """The slider stands at option `index`; `final` marks the end of a gesture."""

    index: int
    final: bool


class OptionSlider(Described):
    """A slider over `options`, each with a second line in `details`; its event is `SliderMoved`.

    `index` follows every valid event before the handlers run, and moves every view when Python sets it. Only
    the kernel writes it, and a view takes no value from it while a hand is on the slider or its last event
    is unanswered: what comes back from the kernel never pulls the slider away from the hand.
    """

    _esm = STATIC / "slider.js"

    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    details = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate("index")
    def _within(self, proposal: dict[str, Any]) -> int:
        index = int(proposal["value"])
        if not 0 <= index < max(1, len(self.options)):
            raise traitlets.TraitError(f"index {index} is outside the {len(self.options)} options.")
        return index

    @traitlets.observe("options")
    def _clamp(self, _: object) -> None:
        self.index = max(0, min(self.index, len(self.options) - 1))

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> SliderMoved:
        """The message as `SliderMoved`; ValueError or KeyError if it is not one."""
        if buffers:
            raise ValueError("expected no binary data")
        event = SliderMoved(chosen(content, self.options), truth(content["final"]))
        self.index = event.index
        return event
