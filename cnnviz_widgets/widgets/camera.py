"""The browser's camera: frames of it, one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged, integers
from cnnviz_widgets.widgets.choice import truth

#: Numbers of starts are below this, as the page draws them.
_RUNS = 2**31


@dataclass(frozen=True)
class FrameTaken:
    """An undecoded, unverified picture of the camera; `final` when it was frozen.

    `run` is the same for all frames from one start of a camera to its end.
    """

    data: bytes = field(repr=False)
    run: int
    final: bool = False


class Camera(Acknowledged):
    """The camera of whoever looks at the page, started by their click only; its event is `FrameTaken`.

    The browser shrinks each frame until the longer side is at most `max_side` pixels and sends it as JPEG of at most
    `max_bytes`; the next one is taken when this one is acknowledged. Nothing is recorded. The camera goes off when it
    is frozen or stopped, when the page is hidden or left, and when `halt` is called with the number of its run.
    """

    _esm = STATIC / "camera.js"

    max_side = traitlets.Int(640, min=16, max=1024).tag(sync=True)
    max_bytes = traitlets.Int(2**20, min=1024).tag(sync=True)
    #: The run that is to end, 0 for none.
    halted = traitlets.Int(0).tag(sync=True)

    def halt(self, run: int) -> None:
        """Let the camera of this run go off, as another picture is looked at."""
        self.halted = run

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> FrameTaken:
        """The message as `FrameTaken`; ValueError or KeyError if it is not one."""
        if len(buffers) != 1:
            raise ValueError(f"expected one frame, not {len(buffers)}")
        size = memoryview(buffers[0]).nbytes
        if not 0 < size <= self.max_bytes:
            raise ValueError(f"expected 1 to {self.max_bytes} bytes, not {size}")
        (run,) = integers([content["run"]], 1, 1, _RUNS)
        return FrameTaken(bytes(buffers[0]), run, truth(content["final"]))
