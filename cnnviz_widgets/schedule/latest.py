"""LatestWins: runs the newest request of a panel step by step, in turn with other panels, and closes older ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from cnnviz_widgets.forks import lock
from cnnviz_widgets.schedule.executors import Executor, current_executor, spare_executor
from cnnviz_widgets.schedule.turns import Job, between_callbacks

_log = logging.getLogger("cnnviz_widgets")


class Awaited:
    """Yielded by a generator whose next step needs a result that is computed elsewhere. It is not delivered."""

    def begin(self, go_on: Job, wanted: Callable[[], bool]) -> None:
        """Start the computation, and call `go_on` from any thread when it is done.

        When `wanted()` is False, both may be left out.
        """
        raise NotImplementedError


class LatestWins:
    """Runs the newest of the generators submitted to it one step at a time, and closes the others.

    After each step the next one is queued behind the work of other panels; after a step that yields an `Awaited`, as
    soon as that is done. With `spare`, steps run only while there is no other work, and within an `inline()` block not
    at all. Steps run without a lock. Two threads never run callbacks at the same time, even of different LatestWins.
    """

    def __init__(self, executor: Executor | None = None, spare: bool = False) -> None:
        self._executor = executor
        self._spare = spare
        self._newest: _Request | None = None
        self._changing = lock()
        self._delivering = 0

    @property
    def busy(self) -> bool:
        """Whether there is a request that has not ended."""
        return self._newest is not None

    def submit(
        self,
        steps: Generator[Any, None, Any],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Replace the current request by `steps`; call `deliver` with what they yield until they end or are replaced.

        What they return, unless None, is delivered too, in one turn with `ended`: no other callback is between them.
        `fail` is called with an exception of the steps or of `deliver`. `ended` is called exactly once: after the last
        delivery, after `fail`, or when the request has been replaced or cancelled. If another thread is delivering a
        result of the replaced request, this waits; nothing of that request is delivered after this returns.
        """
        executor = self._executor or (spare_executor() if self._spare else current_executor())
        if executor is None:
            self._replace(None)
            steps.close()
            if ended is not None:
                ended()
            return
        request = _Request(self, executor, steps, deliver, fail, ended=ended)
        self._replace(request)
        request.queue()

    def cancel(self) -> None:
        """Close the current request; nothing of it is delivered after this returns."""
        self._replace(None)

    def _replace(self, request: _Request | None) -> None:
        with self._changing:
            before, self._newest = self._newest, request
        if before is not None:
            before.go_on()  # if it waits for an Awaited: it then finds itself replaced, and ends
        # No delivery of an older request begins from here on. Wait for one that has begun, unless it is the caller.
        if self._delivering:
            with between_callbacks():
                pass


class _Request:
    """A submitted generator with its callbacks. Nothing refers to it once it has ended."""

    def __init__(
        self,
        owner: LatestWins,
        executor: Executor,
        steps: Generator[Any, None, Any],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
        *,
        ended: Callable[[], None] | None,
    ) -> None:
        self._owner = owner
        self._executor = executor
        self._steps = steps
        self._deliver = deliver
        self._fail = fail
        self._ended = ended
        self._awaited: Awaited | None = None
        self._waiting = False
        #: What the steps returned.
        self._returned: Any = None

    @property
    def _is_newest(self) -> bool:
        return self._owner._newest is self

    def queue(self) -> None:
        try:
            self._executor.submit(self._advance)
        except BaseException:
            self._end()
            raise

    def _advance(self) -> None:
        more, failure = False, None
        try:
            more = self._is_newest and self._step()
        except Exception as error:
            failure = error
        except BaseException as error:
            failure = RuntimeError(f"The work was stopped by {type(error).__name__}.")
            raise
        finally:
            if not more:
                self._end(failure)
            failure = None  # its traceback holds this frame
        if more and self._awaited is None:
            self.queue()
        elif more:
            self._wait()

    def _wait(self) -> None:
        awaited, self._awaited = self._awaited, None
        assert awaited is not None
        self._waiting = True
        try:
            awaited.begin(self.go_on, lambda: self._is_newest)
        except BaseException:
            self._waiting = False
            self._end()
            raise
        if not self._is_newest:
            self.go_on()

    def go_on(self) -> None:
        """Queue the next step, if this waits for an Awaited."""
        with self._owner._changing:
            waited, self._waiting = self._waiting, False
        if waited:
            self.queue()

    def _step(self) -> bool:
        """Run one step and deliver its result; return whether there is more to do."""
        try:
            result = next(self._steps)
        except StopIteration as end:
            self._returned = end.value
            return False
        if isinstance(result, Awaited):
            self._awaited = result
        else:
            self._call_if_newest(self._deliver, result)
        return self._is_newest

    def _report(self, error: Exception) -> None:
        try:
            self._call_if_newest(self._fail, error)
        except Exception:
            _log.exception("A failure could not be reported.")

    def _deliver_returned(self) -> None:
        returned, self._returned = self._returned, None
        if returned is None:
            return
        try:
            self._call_if_newest(self._deliver, returned)
        except Exception as error:
            self._report(error)

    def _call_if_newest(self, callback: Callable[[Any], None], argument: object) -> None:
        with between_callbacks():
            # Before the check, so that a thread which replaces the request after the check waits for this delivery.
            self._owner._delivering += 1
            try:
                if self._is_newest:
                    callback(argument)
            finally:
                self._owner._delivering -= 1

    def _end(self, failure: Exception | None = None) -> None:
        """In one turn, deliver what the steps returned, or a failure, and say that this ended."""
        if failure is None:
            self._close()
        try:
            with between_callbacks():
                if failure is not None:
                    self._report(failure)
                    self._close()
                self._deliver_returned()
                self._say_ended()
        except Exception:
            _log.exception("The end of the work could not be reported.")

    def _close(self) -> None:
        try:
            self._steps.close()
        except Exception:
            _log.exception("The work failed while it was being closed.")

    def _say_ended(self) -> None:
        with self._owner._changing:
            if self._is_newest:
                self._owner._newest = None
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()
