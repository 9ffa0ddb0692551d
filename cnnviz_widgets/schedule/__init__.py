"""Scheduling of the panels' work on one thread, where the newest request of a panel replaces its older one.

No asyncio loop and no particular thread is relied on: the thread on which Jupyter runs a callback differs between front
ends, and with ipykernel 7.4.0 from one event to the next.
"""

from cnnviz_widgets.schedule.executors import (
    WORKER,
    Executor,
    InlineExecutor,
    SpareTime,
    Worker,
    current_executor,
    inline,
    spare_executor,
)
from cnnviz_widgets.schedule.latest import Awaited, LatestWins
from cnnviz_widgets.schedule.turns import (
    Job,
    after_callbacks,
    at_end_of_turn,
    between_callbacks,
    in_turn,
    is_between_callbacks,
)

__all__ = [
    "WORKER",
    "Awaited",
    "Executor",
    "InlineExecutor",
    "Job",
    "LatestWins",
    "SpareTime",
    "Worker",
    "after_callbacks",
    "at_end_of_turn",
    "between_callbacks",
    "current_executor",
    "in_turn",
    "inline",
    "is_between_callbacks",
    "spare_executor",
]
