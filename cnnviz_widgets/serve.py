"""Serve the notebooks on loopback, as a page (Voila) or to work in (JupyterLab), without other machines."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
ADDRESS = "127.0.0.1"

#: Below this the browser cannot upload a photograph that the upload widget accepts.
LARGEST_MESSAGE = 64 * 2**20

#: The front-end extensions that the notebooks use; others slow the page and may ask the network.
EXTENSIONS = (
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
    "ipycanvas",
    "jupyterlab_pygments",
)


#: How a page is connected to its kernel.
CONNECTION = "cnnviz_widgets.websocket.Connection"


class ServeError(RuntimeError):
    """The demo cannot be served; the message is one sentence that names the mend."""


def notebooks() -> Path:
    """The folder of the notebooks: inside an installed package, beside the package in a clone."""
    installed = PACKAGE / "notebooks"
    return installed if installed.is_dir() else PACKAGE.parent / "notebooks"


def free_port(wanted: int | None = None) -> int:
    """`wanted` if it is free, else ServeError; without a wish the first free one from 8866, or any."""
    for port in [wanted] if wanted else [*range(8866, 8886), 0]:
        with socket.socket() as probe:
            if os.name == "posix":  # elsewhere the option means: share the port with whoever has it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServeError(f"Port {wanted} is not free: stop what listens there, or choose another with --port.")


def voila_configuration(port: int, theme: str) -> dict[str, dict[str, Any]]:
    """Voila's configuration: one address, our template, and nothing that a visitor may choose."""
    # Even a page with a stray link asks no other machine: the browser refuses.
    policy = (
        "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
        f"connect-src 'self' data: blob: ws://{ADDRESS}:{port} ws://localhost:{port}; frame-ancestors 'self'"
    )
    settings = {
        "allow_remote_access": False,  # a foreign page that rebinds its name to this address gets no kernel
        "disable_check_xsrf": True,  # Voila sets no cookie; all one can post is a kernel's end, by its id
        "headers": {"Content-Security-Policy": policy},
        "websocket_max_message_size": LARGEST_MESSAGE,
        "ws_ping_timeout": 30_000,  # Voila's own is longer than the interval, of which tornado warns
    }
    return {
        "Voila": {
            "ip": ADDRESS,
            "log_level": "ERROR",
            "port": port,
            "port_retries": 0,
            "kernel_websocket_connection_class": CONNECTION,
            "tornado_settings": settings,
        },
        "VoilaConfiguration": {
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "extension_allowlist": list(EXTENSIONS),
            "file_allowlist": [],
            "multi_kernel_manager_class": "cnnviz_widgets.visitors.VisitedKernels",
            "preheat_kernel": False,  # nobody comes to a kernel in stock, so it would end
            "show_tracebacks": True,  # the visitor is whoever started it, and wants the reason
            "strip_sources": True,
            "template": "cnnviz",
            "theme": theme,
        },
        # A page ends its kernel when it is left; this is for browsers that crash, and for pages that never came.
        "MappingKernelManager": {"cull_idle_timeout": 3600, "cull_interval": 10},
    }


def run_voila(
    served: Path,
    port: int,
    listening: Callable[[], object],
    theme: str = "light",
    arguments: Sequence[str] = (),
) -> None:
    """Serve the notebook or folder `served` on loopback until Ctrl-C; `listening` is called when it can."""
    from traitlets.config import Config
    from voila.app import Voila

    from cnnviz_widgets.visitors import guarded

    configuration = Config(voila_configuration(port, theme))

    class Page(Voila):
        def load_config_file(self, *args: Any, **options: Any) -> None:
            super().load_config_file(*args, **options)
            self.update_config(configuration)  # last, so that a user's own Voila settings change nothing here

        def init_handlers(self) -> list[Any]:
            return guarded(super().init_handlers())

        def launch_browser(self) -> None:
            listening()

    _use_this_environment()
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(PACKAGE / "jupyter"), others]))
    Page.launch_instance([str(served), *arguments])


def run_lab(folder: Path, port: int, arguments: Sequence[str] = ()) -> None:
    """Serve `folder` in JupyterLab on loopback, behind its token, until Ctrl-C."""
    from jupyterlab.labapp import LabApp

    _use_this_environment()
    LabApp.launch_instance(
        [
            f"--ServerApp.ip={ADDRESS}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.allow_root=True",  # containers; it is loopback, and the token stays on
            "--ServerApp.answer_yes=True",
            f"--ServerApp.kernel_websocket_connection_class={CONNECTION}",
            "--ServerApp.log_level=ERROR",
            "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            "--LabApp.log_level=ERROR",
            "--LabApp.news_url=None",
            *arguments,
        ]
    )


def _use_this_environment() -> None:
    """Run notebooks in this Python, even where the user's own kernel of the same name means another one."""
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    # Kernels share the cores. By default torch's threads keep theirs busy while they wait for each other, and two
    # kernels at work would take ten times as long as one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def serve_voila(port: int | None = None, *, browser: bool = True, theme: str = "light") -> None:
    """Serve the explorer as a page until Ctrl-C; print its address, and open it if `browser`."""
    if importlib.util.find_spec("voila") is None:
        raise ServeError("The page needs Voila: pip install 'cnnviz-widgets[demo]'.")
    chosen = free_port(port)
    url = f"http://{ADDRESS}:{chosen}/"

    def listening() -> None:
        print(f"The explorer is at {url}  (Ctrl-C stops it)", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    run_voila(notebooks() / "explorer.ipynb", chosen, listening, theme)


def serve_lab(folder: Path, port: int | None = None, *, browser: bool = True) -> None:
    """Serve your copies of the notebooks in `folder` in JupyterLab until Ctrl-C; print the address.

    Notebooks that `folder` lacks are copied there; those that are there are yours and stay as they are.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ServeError("The notebooks need JupyterLab: pip install 'cnnviz-widgets[demo,lab]'.")
    copy_notebooks(folder)
    chosen = free_port(port)
    print(f"Your notebooks are in {folder.resolve()}  (Ctrl-C stops JupyterLab)", flush=True)
    opened = ["--LabApp.default_url=/lab/tree/explorer.ipynb", f"--ServerApp.open_browser={browser}"]
    run_lab(folder.resolve(), chosen, opened)


def copy_notebooks(folder: Path) -> None:
    """Copy the notebooks that `folder` does not have yet; create `folder` where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(notebooks().glob("*.ipynb")):
            if not (folder / notebook.name).exists():
                shutil.copyfile(notebook, folder / notebook.name)
    except OSError as error:
        raise ServeError(
            f"No notebooks can be written to {folder} ({error.strerror}): choose another place with --folder."
        ) from None
