"""Work in the background of which only what was asked for last counts."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Generator, Hashable
from typing import Any, ParamSpec, Protocol

from cnnviz_widgets.schedule import LatestWins
from cnnviz_widgets.views.pacing import pace_results
from cnnviz_widgets.widgets.pace import FrameAcknowledger

_log = logging.getLogger("cnnviz_widgets")
#: A generator of ever better results. None is no result, but a point at which the work can be dropped. A last result
#: that is returned is drawn in one turn with the end of the work, and so with the acknowledgement.
Steps = Generator[Any, None, Any]
_P = ParamSpec("_P")


def one_step(function: Callable[_P, object]) -> Callable[_P, Steps]:
    """A decorator: a call of `function` becomes work of one step, whose result is what `function` returns."""

    @functools.wraps(function)
    def steps(*arguments: _P.args, **options: _P.kwargs) -> Steps:
        return function(*arguments, **options)
        yield  # makes this a generator

    return steps


class _Owner(Protocol):
    """The panel that a job belongs to."""

    pace: FrameAcknowledger

    def fail(self, error: Exception) -> None: ...
    def tell_busy(self) -> None: ...


class Job:
    """Work in the background that `deliver` shows; of several requests only the newest counts.

    All methods are called in turn (`schedule.between_callbacks`). Results are delivered as fast as the page draws
    them: of those that come meanwhile the newest for each `place_of(result)`; without `waits_for_page` all are. An
    exception goes to the panel's `fail`, unless the job is `idle`: such work nobody asked for, and it runs only while
    there is no other. A job that `rests` is dropped while the panel is hidden; `refresh` begins it anew.
    """

    def __init__(
        self,
        panel: _Owner,
        deliver: Callable[[Any], None],
        *,
        idle: bool = False,
        rests: bool = True,
        waits_for_page: bool = True,
        place_of: Callable[[Any], Hashable] | None = None,
    ) -> None:
        self.idle = idle
        #: Whether it is dropped while the panel is hidden.
        self.rests = rests
        #: Whether what was started last has delivered a result.
        self.answered = False
        self._panel = panel
        self._deliver = deliver
        self._waits_for_page = waits_for_page
        self._place_of = place_of
        self._requests = LatestWins(spare=idle)
        self._waiting: list[Callable[[], None]] = []

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._requests.busy

    def start(self, steps: Steps, ended: Callable[[], None] | None = None) -> Job:
        """Do `steps` in place of what is under way; `ended` is called once, after the last of them or when replaced."""
        waiting: list[Callable[[], None]] = []

        def end() -> None:
            if ended is not None:
                ended()
            self._panel.tell_busy()
            for done in waiting:
                done()

        self._waiting, self.answered = waiting, False
        if self._waits_for_page:
            steps = pace_results(steps, self._panel.pace, self._place_of)
        self._requests.submit(steps, self._show, self._fail, end)
        self._panel.tell_busy()
        return self

    def cancel(self) -> None:
        """Drop the work under way; what it has delivered stays."""
        self._requests.cancel()
        self._panel.tell_busy()

    def then(self, done: Callable[[], None]) -> None:
        """Call `done` when what was started last has ended or was replaced, or at once."""
        if self.busy:
            self._waiting.append(done)
        else:
            done()

    def _show(self, result: Any) -> None:
        if result is not None:
            self.answered = True
            self._deliver(result)

    def _fail(self, error: Exception) -> None:
        if self.idle:  # the hand's own work will say so
            _log.debug("Work that nobody asked for failed: %s", error)
        else:
            self._panel.fail(error)
