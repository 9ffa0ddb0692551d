"""Results no faster than the page draws them: what nobody reads would pile up in the server's memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from contextlib import closing
from typing import Any

from cnnviz_widgets.schedule import Awaited
from cnnviz_widgets.widgets.pace import FrameAcknowledger


def pace_results(
    work: Generator[Any, None, None], pace: FrameAcknowledger, place: Callable[[Any], Hashable] | None = None
) -> Generator[Any, None, None]:
    """The results of `work` that the page has time for, and None for the others.

    The first is yielded at once, a further one when the page has drawn those before, the last in any case. Of what
    comes meanwhile the newest of each `place` is kept. An answer to the hand, a single result, waits for nobody. What
    the work waits for itself, an `Awaited`, is passed on.
    """
    kept: dict[Hashable, Any] = {}
    sent, owed = 0, False
    with closing(work):
        for result in work:
            if isinstance(result, Awaited):
                yield result  # nothing to draw: the next step waits for it
                continue
            if owed:
                pace.sent()
                owed = False
            if result is not None:
                key = place(result) if place else None
                kept.pop(key, None)  # the newest stands last
                kept[key] = result
            if not kept or (sent and not pace.ready):
                pace.remind()
                yield None
                continue
            for key in list(kept):
                yield kept.pop(key)
            sent += 1
            owed = sent > 1
        for key in list(kept):
            yield kept.pop(key)
