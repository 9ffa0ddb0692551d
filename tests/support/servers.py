"""Real JupyterLab and Voila servers, and notebooks opened from them in a real Chromium."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import nbformat
import psutil
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Browser, ConsoleMessage, Page

from cnnviz_widgets.serve import ADDRESS
from tests.support.ports import unused_port

TOKEN = "tests"
SECONDS_TO_START = 60
SECONDS_TO_RENDER = 180  # importing torch and a first forward pass on a busy machine

#: What a cell raised or wrote to stderr, in the page: as JupyterLab and as Voila show it.
ERROR = "[data-mime-type='application/vnd.jupyter.error'], [data-mime-type='application/vnd.jupyter.stderr']"

#: Console errors that are not ours and that do no harm.
HARMLESS: tuple[str, ...] = (
    # anywidget's patience on a busy machine; js/src/core/reconnect.ts repairs it, test_slow_page.py provokes it
    r"\[anywidget\] Failed to initialize model",
    # The page's own widget manager closes its control channel twice on a busy machine. The dashes tell it from
    # channels of widgets, whose names the kernel makes without any.
    r"No such comm: [0-9a-f]{8}-[0-9a-f]{4}-",
    # The reset button of bqplot's own toolbar, on a figure that nobody has moved.
    r"Cannot read properties of undefined \(reading 'reset_scales'\)",
)


class Server:
    """A server process in a session of its own, the folder it serves and its log; `call` is from serve.py."""

    def __init__(self, call: str, folder: Path, arguments: Sequence[str]) -> None:
        port = unused_port()
        self.url = f"http://{ADDRESS}:{port}"
        self.folder = folder
        self.log = folder.parent / "log"
        code = call.format(folder=str(folder), port=port, more=list(arguments))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from cnnviz_widgets.serve import *; {code}"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until(self._answers, SECONDS_TO_START, f"{call} to answer")
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"The server ended:\n{self.log.read_text()}")
        try:
            urllib.request.urlopen(f"{self.url}/favicon.ico", timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def stop(self) -> None:
        """End the server and its kernels, which live in process groups of their own."""
        try:
            family = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        for sign, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
            if self._process.poll() is None:
                os.killpg(self._process.pid, sign)
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        for process in psutil.wait_procs(family, timeout=5)[1]:
            process.kill()


def start_voila(folder: Path) -> Server:
    """Voila as `cnnviz demo` runs it, over a folder instead of one notebook."""
    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    runtime.mkdir(parents=True, exist_ok=True)
    more = [f"--Voila.connection_dir_root={runtime}"]
    return Server("run_voila({folder!r}, {port}, print, arguments={more!r})", folder, more)


def start_lab(folder: Path) -> Server:
    """JupyterLab as `cnnviz demo --lab` runs it, its application object in reach of scripts."""
    more = ["--no-browser", "--LabApp.expose_app_in_browser=True", f"--IdentityProvider.token={TOKEN}"]
    return Server("run_lab({folder!r}, {port}, {more!r})", folder, more)


class Kernel:
    """The kernel behind a page, reached past the browser.

    What cells and callbacks raise or write to stderr is kept: `ipywidgets` swallows what callbacks raise.
    """

    def __init__(self, kernel_id: str) -> None:
        (self.connection_file,) = Path(os.environ["JUPYTER_RUNTIME_DIR"]).rglob(f"kernel-{kernel_id}.json")
        self._client = BlockingKernelClient(connection_file=str(self.connection_file))
        self._client.load_connection_file()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=SECONDS_TO_START)
        self._complaints: list[str] = []

    def run(self, code: str, seconds: float = 60) -> None:
        """Execute `code`; AssertionError with its traceback if it raises."""
        self._evaluate(code, {}, seconds)

    def value(self, expression: str, seconds: float = 60) -> Any:
        """The value of a Python expression that JSON can carry."""
        wanted = {"value": f"__import__('json').dumps({expression})"}
        answer = self._evaluate("", wanted, seconds)["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise AssertionError(_plain(answer["traceback"]))
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def until(self, expression: str, seconds: float = 30) -> Any:
        """Wait until a Python expression is true, and return its value."""
        return until(lambda: self.value(expression), seconds, expression)

    def complaints(self) -> list[str]:
        """What the kernel raised or wrote to stderr since the page was opened."""
        while self._client.iopub_channel.msg_ready():
            message = self._client.get_iopub_msg(timeout=1)
            content = message["content"]
            if message["msg_type"] == "error":
                self._complaints.append(_plain(content["traceback"]))
            elif message["msg_type"] == "stream" and content["name"] == "stderr":
                self._complaints.append(content["text"])
        return self._complaints

    def has_ended(self) -> None:
        """Wait until the kernel has ended."""
        until(lambda: not self.connection_file.exists(), 30, "the kernel to end")

    def close(self) -> None:
        """Leave the kernel, without ending it."""
        self._client.stop_channels()

    def _evaluate(self, code: str, expressions: dict[str, str], seconds: float) -> dict[str, Any]:
        reply = self._client.execute(
            code, store_history=False, user_expressions=expressions, reply=True, timeout=seconds
        )
        content: dict[str, Any] = reply["content"]
        if content["status"] != "ok":
            raise AssertionError(_plain(content.get("traceback", [content["status"]])))
        return content


class OpenNotebook:
    """A notebook whose cells have run, in a page of Voila (`host` is "voila") or JupyterLab ("lab")."""

    page: Page
    kernel: Kernel

    def __init__(self, host: str, server: Server, chromium: Browser, path: Path, options: dict[str, Any]) -> None:
        self.host = host
        self.requests: list[str] = []
        self._server = server
        self._path = path
        self._console: list[str] = []
        script = options.pop("init_script", "")  # runs before the page's own
        context = chromium.new_context(**{"viewport": {"width": 1400, "height": 1000}, **options})
        context.add_init_script(script)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._listen)
        context.on("weberror", lambda error: self._console.append(f"uncaught: {error.error}"))
        self.page = context.new_page()
        self.page.on("websocket", lambda channel: self.requests.append(channel.url))

    def open(self, ready: str = ".jupyter-widgets") -> None:
        """Load the page and wait until all cells have run and `ready`, a CSS selector, is there."""
        if self.host == "voila":
            self.page.goto(f"{self._server.url}/voila/render/{self._path.name}", timeout=SECONDS_TO_RENDER * 1000)
        else:
            self.page.goto(f"{self._server.url}/lab/tree/{self._path.name}?token={TOKEN}&reset")
        self._attach(run_all=True)
        self._wait_for(ready)

    def reload(self, ready: str = ".jupyter-widgets") -> None:
        """Reload the page: Voila runs the cells in a new kernel, JupyterLab finds its kernel again."""
        if self.host == "lab":
            self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        self.kernel.close()
        self.page.reload(timeout=SECONDS_TO_RENDER * 1000)
        self._attach(run_all=False)
        self._wait_for(ready)

    def _attach(self, run_all: bool) -> None:
        if self.host == "voila":
            self.page.wait_for_selector("#rendered_cells", timeout=SECONDS_TO_RENDER * 1000)
            config = "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
            self.kernel = Kernel(self.page.evaluate(config))
            return
        self.page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=SECONDS_TO_RENDER * 1000,
        )
        self.kernel = Kernel(self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.id"))
        if run_all:
            self.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")

    def _wait_for(self, ready: str) -> None:
        self.page.locator(f"{ready}, {ERROR}").first.wait_for(timeout=SECONDS_TO_RENDER * 1000)
        raised = self.page.locator(ERROR).all_inner_texts()
        assert not raised, raised

    def complaints(self, allowed: Sequence[str]) -> list[str]:
        """Console errors, uncaught exceptions, kernel errors, foreign requests; without those `allowed`."""
        raised = self.page.locator(ERROR).all_inner_texts()  # first: this delivers the page's events too
        found = [*self._console, *(f"request to {url}" for url in self.requests if not _is_local(url))]
        if hasattr(self, "kernel"):
            found += [f"kernel: {text}" for text in self.kernel.complaints()]
        found += [f"cell: {text}" for text in raised]
        return [text for text in found if not any(re.search(rule, text) for rule in (*HARMLESS, *allowed))]

    def close(self) -> None:
        """Leave the page and see its kernel end."""
        if hasattr(self, "kernel"):
            self.kernel.close()
            if self.host == "lab":
                self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
            else:
                self.page.close(run_before_unload=True)  # Voila's page ends its kernel when it is left
            self.kernel.has_ended()
        self.page.context.close()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._console.append(f"console: {message.text} ({message.location['url']})")


class Opener(Protocol):
    """Opens a notebook, given as the source of its cells or as the path of an .ipynb, and waits for `ready`.

    The test fails afterwards on console errors, uncaught exceptions, exceptions and stderr of the kernel, and
    requests to other machines; `allow` has regular expressions for those it provokes. `options` are
    Playwright's for a browser context, e.g. `device_scale_factor=2`.
    """

    def __call__(
        self,
        notebook: Sequence[str] | Path,
        *,
        ready: str = ".jupyter-widgets",
        allow: Sequence[str] = (),
        **options: Any,
    ) -> OpenNotebook: ...


def write_notebook(cells: Sequence[str], path: Path) -> Path:
    """Write code cells to `path`; a cell whose first line is `%%markdown` becomes Markdown."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    for cell in cells:
        first, _, rest = cell.partition("\n")
        is_text = first == "%%markdown"
        notebook.cells.append(nbformat.v4.new_markdown_cell(rest) if is_text else nbformat.v4.new_code_cell(cell))
    nbformat.write(notebook, path)
    return path


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for `condition()` to be true and return it; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"Waited {seconds} s in vain for {what}.")
        time.sleep(0.02)
    return value


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname in {ADDRESS, "localhost", "::1"}


def _plain(traceback: Sequence[str]) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))
