"""Notebooks in a Chromium page over Voila, with the servers of the browser tests."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
BROWSER_TESTS = ROOT / "tests" / "browser"

#: The median time between two frames of the page, in seconds, of 60.
_FRAME = """() => new Promise(resolve => {
    const times = [];
    const step = now => {
        times.push(now);
        if (times.length < 61) requestAnimationFrame(step);
        else resolve(times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b)[30] / 1000);
    };
    requestAnimationFrame(step);
})"""


@contextmanager
def voila() -> Iterator[Callable[[str, str], Any]]:
    """A function that makes a notebook of one cell's source, as a page of a Voila server that is not opened yet."""
    if str(BROWSER_TESTS) not in sys.path:
        sys.path.insert(0, str(BROWSER_TESTS))
    from fake_page import chromium_path
    from playwright.sync_api import sync_playwright
    from servers import OpenNotebook, start_voila, write_notebook

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "notebooks")
        folder.mkdir()
        places = {f"JUPYTER_{what}_DIR": f"{home}/{what}" for what in ("CONFIG", "DATA", "RUNTIME")}
        with patch.dict(os.environ, {**places, "PYTHONPATH": str(ROOT)}):
            server = start_voila(folder)
            try:
                with sync_playwright() as playwright:
                    chromium = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])

                    def page_of(name: str, cell: str) -> Any:
                        notebook = write_notebook([cell], folder / f"{name}.ipynb")
                        return OpenNotebook("voila", server, chromium, notebook, {})

                    yield page_of
                    chromium.close()
            finally:
                server.stop()


def frame(page: Any) -> float:
    """Seconds between two frames of a page at rest."""
    seconds: float = page.evaluate(_FRAME)
    return seconds
