"""What the hand does, handled in turn and acknowledged when its work is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnviz_widgets.schedule import in_turn
from cnnviz_widgets.views.job import Job
from cnnviz_widgets.widgets.acknowledged import Acknowledged

#: Handles an event; the browser's next one waits for the job that it returns.
Handle = Callable[[Any], Job | None]


def on(source: Acknowledged, kind: type | tuple[type, ...], handle: Handle, fail: Callable[[Exception], None]) -> None:
    """Call `handle(event)` for the events of `source` that are of a kind, and `fail` with what it raises."""

    @in_turn
    def receive(event: Any, done: Callable[[], None]) -> None:
        job = None
        if isinstance(event, kind):
            try:
                job = handle(event)
            except Exception as error:
                fail(error)
        if job is None:
            done()
        else:
            job.then(done)

    source.on_event(receive)
