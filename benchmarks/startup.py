"""How long until there is something to touch: importing the package, opening the app. Each in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterable

from benchmarks.browser import ROOT
from benchmarks.table import Row

REPEATS = 5

#: Seconds from the first line to the last, without the interpreter's own start.
_TIMED = """
import time
begin = time.perf_counter()
{code}
print(time.perf_counter() - begin)
"""
#: What cannot be avoided: torch, and a network with its weights that answers for one picture.
LEAST = """
import torch
from cnnviz_widgets import demo
classifier = demo.classifier()
classifier.logits(classifier.pixels(demo.pictures()[0]))
"""
#: The app with its first picture and the scores of the covered and of the whole picture.
OPEN = """
from cnnviz_widgets import explore
from cnnviz_widgets.schedule import inline
with inline():
    app = explore()
assert app.view.probe is not None
"""
CODES = ("import cnnviz_widgets", "import ipywidgets", OPEN, LEAST)


def rows() -> Iterable[Row]:
    for code in CODES:
        _seconds(code)  # the disk is warm from now on
    runs = [[_seconds(code) for code in CODES] for _ in range(REPEATS)]
    package, widgets, opened, least = (statistics.median(column) for column in zip(*runs, strict=True))
    yield Row("import cnnviz_widgets", package, widgets, "import ipywidgets")
    yield Row("explore(), scores shown", opened, least + 2, "torch and the network, + 2 s", 1.0)


def _seconds(code: str) -> float:
    """Seconds that `code` takes in a fresh interpreter."""
    command = [sys.executable, "-c", _TIMED.format(code=code)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
