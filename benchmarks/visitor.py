"""What one visitor of a Voila page waits for, and what memory two of them take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.browser import voila
from benchmarks.startup import LEAST
from benchmarks.table import Row

REPEATS = 5
APP = """
from cnnviz_widgets import explore
app = explore()
app"""
#: The same kernel, without anything of ours but the loaded network, and one line to wait for.
BARE = f"""
{LEAST}
import ipywidgets
ipywidgets.Label('ready').add_class('ready')"""
CELLS = {"app": (APP, "canvas.cnnviz-picture-canvas"), "bare": (BARE, ".ready")}
#: The picture is drawn, and the scores of what is covered are beside it.
DRAWN = """selector => {
    const canvas = document.querySelector(selector);
    if (!(canvas instanceof HTMLCanvasElement)) return canvas !== null;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some(value => value !== 0) && document.querySelector('.cnnviz-class-bars-row') !== null;
}"""


def rows() -> Iterable[Row]:
    seconds: dict[str, list[float]] = {name: [] for name in CELLS}
    memory: dict[str, list[dict[str, float]]] = {}
    with voila() as page_of:
        for name in CELLS:
            _opened(page_of, name)[0].close()  # the disk is warm from now on
        for _ in range(REPEATS):
            for name, found in seconds.items():
                notebook, waited = _opened(page_of, name)
                found.append(waited)
                notebook.close()
        for name in CELLS:
            both = [_opened(page_of, name)[0] for _ in range(2)]
            memory[name] = [_memory(notebook.kernel.value("__import__('os').getpid()")) for notebook in both]
            for notebook in both:
                notebook.close()
    ours, bare = (statistics.median(seconds[name]) for name in CELLS)
    least = "torch and the network in a page"
    yield Row("opening the app, picture and scores drawn", ours, bare + 2, f"{least}, + 2 s", 1.0)
    for field, name in (("Rss", "kernel of one visitor, RSS"), ("Pss", "kernel of each of two visitors, PSS")):
        app, alone = (statistics.mean(entry[field] for entry in memory[key]) for key in CELLS)
        yield Row(name, app, alone, least, unit="MiB")


def _opened(page_of: Any, name: str) -> tuple[Any, float]:
    """A page, and the seconds from its address to what can be touched."""
    cell, selector = CELLS[name]
    notebook = page_of(name, cell)
    begin = time.perf_counter()
    notebook.open(ready=selector)
    notebook.page.wait_for_function(DRAWN, arg=selector, timeout=60_000)
    return notebook, time.perf_counter() - begin


def _memory(process: int) -> dict[str, float]:
    """Memory of a process in MiB by the kernel's names: Rss all, Pss with shared pages divided by their users."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
    return {name: int(value.split()[0]) / 1024 for name, _, value in (line.partition(":") for line in lines)}
