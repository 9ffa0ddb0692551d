"""The main button of a view: what to do next, and Stop while the view works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged
from cnnviz_widgets.widgets.choice import truth


@dataclass(frozen=True)
class StepPressed:
    """The button was pressed, while it said Stop or not."""

    stop: bool


class StepButton(Acknowledged):
    """A button that says what to do next, and Stop once the view is `busy` for longer than a blink.

    `texts` holds, by language, the texts `step` and `stop`. The page takes `language`, or its own where that is None.
    Its event is `StepPressed`.
    """

    _esm = STATIC / "step.js"

    texts = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> StepPressed:
        """The message as `StepPressed`; ValueError or KeyError if it is not one."""
        if buffers:
            raise ValueError("expected no binary data")
        return StepPressed(truth(content["stop"]))
