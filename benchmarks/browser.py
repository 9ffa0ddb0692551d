"""Notebooks in a Chromium page over Voila or JupyterLab, with the servers of the browser tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
#: "plain lab" is JupyterLab as its users start it, whose server knows nothing of this package.
Host = Literal["voila", "plain lab"]
PageOf = Callable[[str, str], Any]

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
#: A camera that shows a moving test picture.
_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@contextmanager
def voila() -> Iterator[PageOf]:
    """A function that makes a notebook of one cell's source, as a page of a Voila server that is not opened yet."""
    with serving("voila") as page_of:
        yield page_of


@contextmanager
def serving(host: Host, *, script: str = "") -> Iterator[PageOf]:
    """As `voila`, with either server; `script` runs in each page before its own."""
    from playwright.sync_api import sync_playwright

    from tests.support.fake_page import chromium_path
    from tests.support.servers import OpenNotebook, write_notebook

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "notebooks")
        folder.mkdir()
        places = {f"JUPYTER_{what}_DIR": f"{home}/{what}" for what in ("CONFIG", "DATA", "RUNTIME")}
        with patch.dict(os.environ, {**places, "PYTHONPATH": str(ROOT)}):
            server = _start(host, folder)
            try:
                with sync_playwright() as playwright:
                    arguments = ["--no-sandbox", *_CAMERA]
                    chromium = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)

                    def page_of(name: str, cell: str) -> Any:
                        notebook = write_notebook([cell], folder / f"{name}.ipynb")
                        kind = "voila" if host == "voila" else "lab"
                        return OpenNotebook(kind, server, chromium, notebook, {"init_script": script})

                    yield page_of
                    chromium.close()
            finally:
                server.stop()


def _start(host: Host, folder: Path) -> Any:
    from tests.support.servers import TOKEN, Server, start_voila

    if host == "voila":
        return start_voila(folder)
    more = ["--no-browser", "--LabApp.expose_app_in_browser=True", f"--IdentityProvider.token={TOKEN}"]
    theirs = "jupyter_server.services.kernels.connection.channels.ZMQChannelsWebsocketConnection"
    call = f"import cnnviz_widgets.serve as served; served.CONNECTION = {theirs!r}; "
    return Server(call + "run_lab({folder!r}, {port}, {more!r})", folder, more)


def frame(page: Any) -> float:
    """Seconds between two frames of a page at rest."""
    seconds: float = page.evaluate(_FRAME)
    return seconds
