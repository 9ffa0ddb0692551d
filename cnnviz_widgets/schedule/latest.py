"""Latest wins: a newer request closes the older one, and panels take turns on one worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from cnnviz_widgets.forks import lock
from cnnviz_widgets.schedule.executors import Executor, current_executor, spare_executor
from cnnviz_widgets.schedule.turns import Job, between_callbacks

_log = logging.getLogger("cnnviz_widgets")


class Awaited:
    """What a step yields when the next one must wait for something that is made elsewhere; it is not delivered."""

    def begin(self, go_on: Job, wanted: Callable[[], bool]) -> None:
        """Begin to make it, and call `go_on` once it is there, from any thread, unless it is no longer `wanted`."""
        raise NotImplementedError


class LatestWins:
    """Advances the newest of the generators it was given, one step at a time, and closes the others.

    After each step the rest queues up again behind the other panels' work, after one that yields an `Awaited` once
    that is there; with `spare`, no step is taken while there
    is any other work, and in an open `inline()` block none at all. Steps run without a lock; what is called
    back, by this or any other LatestWins, is never called by two threads at a time.
    """

    def __init__(self, executor: Executor | None = None, spare: bool = False) -> None:
        self._executor = executor
        self._spare = spare
        self._newest: _Request | None = None
        self._changing = lock()
        self._delivering = 0

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._newest is not None

    def submit(
        self,
        steps: Generator[Any, None, None],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Replace the request under way by `steps` and deliver what it yields until it ends or is replaced.

        `fail` gets an exception of the work or of `deliver`. `ended` is called exactly once: after the last
        delivery, after `fail`, or when the request was replaced or cancelled. Of the replaced request nothing is
        delivered after this returns; it waits for a delivery that another thread has begun.
        """
        executor = self._executor or (spare_executor() if self._spare else current_executor())
        if executor is None:
            self._replace(None)
            steps.close()
            if ended is not None:
                ended()
            return
        request = _Request(self, executor, steps, deliver, fail, ended)
        self._replace(request)
        request.queue()

    def cancel(self) -> None:
        """Drop the request under way; nothing of it is delivered after this returns."""
        self._replace(None)

    def _replace(self, request: _Request | None) -> None:
        with self._changing:
            before, self._newest = self._newest, request
        if before is not None:
            before.go_on()  # to its end, where it was waiting
        # From here on no delivery of an older request begins; one that has begun is waited for, unless this is it.
        if self._delivering:
            with between_callbacks():
                pass


class _Request:
    """One generator and who is told about it. No reference to it is left once it has ended."""

    def __init__(
        self,
        owner: LatestWins,
        executor: Executor,
        steps: Generator[Any, None, None],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
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
        more = False
        try:
            more = self._is_newest and self._step()
        except Exception as error:
            self._report(error)
        except BaseException as error:
            self._report(RuntimeError(f"The work was stopped by {type(error).__name__}."))
            raise
        finally:
            if not more:
                self._end()
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
        """Queue up again, if this waits for something."""
        with self._owner._changing:
            waited, self._waiting = self._waiting, False
        if waited:
            self.queue()

    def _step(self) -> bool:
        """Take one step and deliver its result; whether there is more to do."""
        try:
            result = next(self._steps)
        except StopIteration:
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

    def _call_if_newest(self, callback: Callable[[Any], None], argument: object) -> None:
        with between_callbacks():
            # Said before the check: whoever replaces the request after the check will see it.
            self._owner._delivering += 1
            try:
                if self._is_newest:
                    callback(argument)
            finally:
                self._owner._delivering -= 1

    def _end(self) -> None:
        try:
            self._steps.close()
        except Exception:
            _log.exception("The work failed while it was being closed.")
        finally:
            with self._owner._changing:
                if self._is_newest:
                    self._owner._newest = None
            ended, self._ended = self._ended, None
            try:
                if ended is not None:
                    with between_callbacks():
                        ended()
            except Exception:
                _log.exception("The end of the work could not be reported.")
