"""Results no faster than the page draws them: what nobody reads would pile up in the server's memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from contextlib import closing
from typing import Any

from cnnviz_widgets.schedule import Awaited
from cnnviz_widgets.widgets.pace import FrameAcknowledger


def pace_results(
    work: Generator[Any, None, Any], pace: FrameAcknowledger, place: Callable[[Any], Hashable] | None = None
) -> Generator[Any, None, Any]:
    """The results of `work` that the page has time for, and None for the others.

    The first is yielded at once, a further one when the page has drawn those before, the last in any case: what the
    work returns, or has yielded and is still kept, is returned. Of what comes meanwhile the newest of each `place` is
    kept. An answer to the hand, a single result, waits for nobody. What the work waits for itself, an `Awaited`, is
    passed on.
    """
    returned: list[Any] = []
    kept: dict[Hashable, Any] = {}
    sent, owed = 0, False
    with closing(work):
        for result in _noting_return(work, returned):
            if isinstance(result, Awaited):
                yield result  # nothing to draw: the next step waits for it
                continue
            if owed:
                pace.sent()
                owed = False
            _keep(kept, result, place)
            if not kept or (sent and not pace.ready):
                pace.remind()
                yield None
                continue
            for key in list(kept):
                yield kept.pop(key)
            sent += 1
            owed = sent > 1
        _keep(kept, returned[0], place)
        for key in list(kept)[:-1]:
            yield kept.pop(key)
    return next(iter(kept.values()), None)


def _keep(kept: dict[Hashable, Any], result: Any, place: Callable[[Any], Hashable] | None) -> None:
    """Put a result, unless it is None, behind those that are `kept`, and in place of an older one of its place."""
    if result is not None:
        key = place(result) if place else None
        kept.pop(key, None)
        kept[key] = result


def _noting_return(work: Generator[Any, None, Any], returned: list[Any]) -> Generator[Any, None, None]:
    """What `work` yields; what it returns is put into `returned`."""
    returned.append((yield from work))
