"""How long until there is something to touch: importing the package, opening the app. Each in a fresh interpreter."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.table import Row

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 5

#: Seconds from the first line to the last, without the interpreter's own start.
_TIMED = """
import json, resource, time
begin = time.perf_counter()
{code}
end = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([end - begin, peak]))
"""
IMPORT = "import cnnviz_widgets"
RIVAL_IMPORT = "import ipywidgets"
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


def rows() -> Iterable[Row]:
    alone, least, opened = (_measured(code) for code in (IMPORT, LEAST, OPEN))
    yield Row("import cnnviz_widgets", alone[0], _measured(RIVAL_IMPORT)[0], "import ipywidgets")
    yield Row("explore(), scores shown", opened[0], least[0] + 2, "torch and weights, + 2 s", 1.0)
    print(f"peak memory of explore(): {opened[1] / 1024:.0f} MiB; of torch and the network: {least[1] / 1024:.0f} MiB")


def _measured(code: str) -> tuple[float, float]:
    """Median seconds, and kibibytes at the peak, of `code` in fresh interpreters; the first one warms the disk."""
    found = [
        json.loads(subprocess.run(
            [sys.executable, "-c", _TIMED.format(code=code)], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout)
        for _ in range(REPEATS + 1)
    ][1:]  # fmt: skip
    seconds, peaks = (statistics.median(column) for column in zip(*found, strict=True))
    return seconds, peaks
