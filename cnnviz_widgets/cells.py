"""Notebook cells: whether one runs that work on another thread should give way to."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cnnviz_widgets.forks import Renewed, lock

#: Held while a network is run: what is set for one run is set for all threads that run the same modules.
LOCK = lock()
#: Seconds after which work goes on beside a cell, in case that waits for it in a way that is not known here.
PATIENCE = 10.0


class Cells(Renewed):
    """The cells that run now, by thread, and those whose thread waits for work of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.renew()
        self._shell: Any = None

    def renew(self) -> None:
        # Of that lock: who gives way lets go of it, however often it was taken.
        self._changed = threading.Condition(LOCK)
        self._running: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()

    def follow(self) -> None:
        """From now on be told of the cells of this notebook; each begins when the pass that is under way has ended."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        if shell is None or shell is self._shell:
            return
        self._shell = shell
        shell.events.register("pre_run_cell", lambda *_: self.begun())
        shell.events.register("post_run_cell", lambda *_: self.ended())

    def begun(self) -> None:
        """A cell begins on this thread."""
        with self._changed:
            self._running[threading.get_ident()] += 1

    def ended(self) -> None:
        """A cell has ended on this thread."""
        thread = threading.get_ident()
        with self._changed:
            self._running[thread] -= 1
            if self._running[thread] <= 0:
                del self._running[thread]
            self._changed.notify_all()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside, this thread waits for work of ours: that need not give way to its cell."""
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
        """Wait until no cell runs on another thread, but for cells that wait for work of ours; whether that is so."""
        thread = threading.get_ident()
        with self._changed:
            return self._changed.wait_for(
                lambda: all(other == thread or self._waiting[other] > 0 for other in self._running), patience
            )


CELLS = Cells()
