"""Which notebook cells are running, so that work on other threads can wait for them."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cnnviz_widgets.forks import Renewed, lock

#: Held while a network runs, because hooks and modes set for one run apply to all threads that run the same modules.
LOCK = lock()
#: Longest wait for a cell, in seconds. The cell may itself wait for the work, in a way that is not detected; with a
#: larger value it would hang for longer.
PATIENCE = 10.0


class Cells(Renewed):
    """The cells that run now, by thread, and those of them that wait for work of this package."""

    def __init__(self) -> None:
        super().__init__()
        self.renew()
        self._shell: Any = None

    def renew(self) -> None:
        # A condition of that lock: waiting for it releases the lock, however often this thread has acquired it.
        self._changed = threading.Condition(LOCK)
        self._running: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()

    def follow(self) -> None:
        """Observe the cells of this notebook from now on; each begins after the forward pass that is running."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        if shell is None or shell is self._shell:
            return
        self._shell = shell
        shell.events.register("pre_run_cell", lambda *_: self.begun())
        shell.events.register("post_run_cell", lambda *_: self.ended())

    def begun(self) -> None:
        """Record that a cell begins on this thread."""
        with self._changed:
            self._running[threading.get_ident()] += 1

    def ended(self) -> None:
        """Record that a cell has ended on this thread."""
        thread = threading.get_ident()
        with self._changed:
            self._running[thread] -= 1
            if self._running[thread] <= 0:
                del self._running[thread]
            self._changed.notify_all()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Within the block, this thread waits for work of this package, which need not give way to its cell."""
        thread = threading.get_ident()
        if thread not in self._running:
            yield
            return
        with self._changed:
            self._waiting[thread] += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._waiting[thread] -= 1

    def give_way(self, patience: float = PATIENCE) -> bool:
        """Wait until no cell runs on another thread, except cells that are `waiting`; return whether that is so.

        Waits at most `patience` seconds.
        """
        thread = threading.get_ident()
        with self._changed:
            return self._changed.wait_for(
                lambda: all(other == thread or self._waiting[other] > 0 for other in self._running), patience
            )


#: The cells of this process.
CELLS = Cells()
