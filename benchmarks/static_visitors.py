"""A hundred visitors of a page without a kernel: what they wait for, and what the server takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from benchmarks.table import Row

VISITORS = 100
#: Python's file server, with room for all who knock at once.
SERVER = """
import functools, http.server, sys
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
server = Server(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]))
print(server.server_address[1])
server.serve_forever()
"""
#: A process that holds the view, as the kernel of a visitor does; it says its memory in MiB.
KERNEL = """
import os, psutil
from cnnviz_widgets import demo
from cnnviz_widgets.views.occlusion import OcclusionView
view = OcclusionView(demo.shapes_classifier(), demo.pictures()[0])
print(psutil.Process().memory_info().rss / 2**20)
os._exit(0)
"""


def rows() -> Iterable[Row]:
    from cnnviz_widgets import demo, schedule
    from cnnviz_widgets.views.occlusion import OcclusionView

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with schedule.inline():
            view = OcclusionView(demo.shapes_classifier(), demo.pictures()[0])
            size = view.to_html(folder / "page.html", live="network", tell=None).size
        alone, _ = _visited(folder, 1)
        together, memory = _visited(folder, VISITORS)
    said = f"a page of {size:.1f} MB with its network, the median of {VISITORS} visitors at once"
    yield Row(said, together, VISITORS * alone, f"{VISITORS} times one visitor alone")
    kernels = VISITORS * _kernel_memory()
    yield Row(
        f"memory of the file server, for {VISITORS} visitors",
        memory,
        kernels,
        f"{VISITORS} kernels with the same view in them, reckoned from one",
        unit="MiB",
    )


def _visited(folder: Path, count: int) -> tuple[float, float]:
    """Seconds that the median of `count` visitors waits for the page, and MiB that the server takes then."""
    command = [sys.executable, "-u", "-c", SERVER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline())}/page.html"
            with ThreadPoolExecutor(count) as pool:
                waits = list(pool.map(_visit, [address] * count))
            process = psutil.Process(server.pid)
            assert not process.children()  # no kernel, no other process
            return statistics.median(waits), process.memory_info().rss / 2**20
        finally:
            server.terminate()


def _visit(address: str) -> float:
    began = time.perf_counter()
    with urllib.request.urlopen(address) as answer:
        while answer.read(2**16):
            pass
    return time.perf_counter() - began


def _kernel_memory() -> float:
    done = subprocess.run([sys.executable, "-u", "-c", KERNEL], check=True, capture_output=True, text=True)
    return float(done.stdout)
