"""Servers of the notebooks for this machine only: as a page (Voila) or in JupyterLab."""

from __future__ import annotations

import importlib.util
import locale
import os
import re
import shutil
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cnnviz_widgets.words import LANGUAGES

PACKAGE = Path(__file__).parent
#: The loopback address, which other machines cannot reach.
ADDRESS = "127.0.0.1"

#: Largest websocket message, in bytes. With a smaller limit a browser could not upload a photograph that the upload
#: widget accepts.
LARGEST_MESSAGE = 64 * 2**20

#: The front-end extensions that the notebooks use. Others would slow the page and might send requests elsewhere.
EXTENSIONS = (
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
    "ipycanvas",
    "jupyterlab_pygments",
)

#: Class of the connection between a page and its kernel.
CONNECTION = "cnnviz_widgets.websocket.Connection"


class ServeError(RuntimeError):
    """The demo cannot be served; the message is one sentence that says why and what to do."""


def notebooks() -> Path:
    """The folder of the notebooks: in an installed package inside it, in a clone of the repository beside it."""
    installed = PACKAGE / "notebooks"
    return installed if installed.is_dir() else PACKAGE.parent / "notebooks"


def notebook(name: str, language: str = LANGUAGES[0]) -> Path:
    """The notebook `name` in a language; those that are not in English are in a folder of their own."""
    return notebooks().joinpath(*_folder_of(language), f"{name}.ipynb")


def _folder_of(language: str) -> list[str]:
    return [] if language == LANGUAGES[0] else [language]


def system_language() -> str:
    """The language of the system's messages, where there are notebooks in it; else English."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    # Such as "ko_KR.UTF-8"; on Windows, where no variable says it, such as "Korean_Korea".
    said = next(filter(None, named), None) or locale.getlocale()[0] or ""
    return "ko" if re.match(r"ko(rean)?([_.@-]|$)", said, re.IGNORECASE) else LANGUAGES[0]


def free_port(wanted: int | None = None) -> int:
    """The port `wanted`; or if None, the first free one from 8866 to 8885, or any. Raises ServeError if in use."""
    for port in [wanted] if wanted else [*range(8866, 8886), 0]:
        with socket.socket() as probe:
            if os.name == "posix":  # on Windows the option would let two servers share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServeError(f"Port {wanted} is not free: stop what listens there, or choose another with --port.")


def voila_configuration(port: int, theme: str, preheated: int = 0) -> dict[str, dict[str, Any]]:
    """Voila's configuration: the loopback address, the template of this package, and no options for visitors."""
    # With this policy the browser sends no request to another machine, even if the page links to one.
    policy = (
        "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
        f"connect-src 'self' data: blob: ws://{ADDRESS}:{port} ws://localhost:{port}; frame-ancestors 'self'"
    )
    settings = {
        "allow_remote_access": False,  # prevents DNS rebinding: a page of another host gets no kernel
        "disable_check_xsrf": True,  # Voila sets no cookie; the only POST shuts a kernel down, and needs its id
        "headers": {"Content-Security-Policy": policy},
        "websocket_max_message_size": LARGEST_MESSAGE,
        "ws_ping_timeout": 30_000,  # Voila's default exceeds the ping interval, and tornado warns
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
            **_preheating(preheated),
            "show_tracebacks": True,  # the visitor is the person who started the server
            "strip_sources": True,
            "template": "cnnviz",
            "theme": theme,
        },
        # In seconds. A page ends its kernel when it is closed; this is for crashed browsers and pages never opened.
        "MappingKernelManager": {"cull_idle_timeout": 3600, "cull_interval": 10},
    }


def _preheating(kernels: int) -> dict[str, Any]:
    """Voila's settings for so many kernels that have run a page before its visitor comes."""
    return {"default_pool_size": kernels, "preheat_kernel": kernels > 0}


def run_voila(
    served: Path,
    port: int,
    listening: Callable[[], object],
    theme: str = "light",
    arguments: Sequence[str] = (),
    *,
    preheated: int = 0,
) -> None:
    """Serve the notebook or folder `served` until Ctrl-C; call `listening` when the server accepts requests.

    Of each notebook, `preheated` kernels have run it before a visitor comes, and take memory meanwhile.
    """
    from traitlets.config import Config
    from voila.app import Voila

    from cnnviz_widgets.visitors import guarded

    configuration = Config(voila_configuration(port, theme, preheated))

    class Page(Voila):
        def load_config_file(self, *args: Any, **options: Any) -> None:
            super().load_config_file(*args, **options)
            self.update_config(configuration)  # last, so that it overrides the user's own Voila settings

        def init_handlers(self) -> list[Any]:
            return guarded(super().init_handlers())

        def launch_browser(self) -> None:
            listening()

    _use_this_environment()
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(PACKAGE / "jupyter"), others]))
    Page.launch_instance([str(served), *arguments])


def run_lab(folder: Path, port: int, arguments: Sequence[str] = ()) -> None:
    """Serve `folder` in JupyterLab, protected by its token, until Ctrl-C."""
    from jupyterlab.labapp import LabApp

    _use_this_environment()
    LabApp.launch_instance(
        [
            f"--ServerApp.ip={ADDRESS}",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.allow_root=True",  # for containers; the address is loopback and the token is needed
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
    """Make notebooks run in this Python, even if a kernel of the user has the same name and another Python."""
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    # Kernels share the cores. By default OpenMP's threads, which torch uses, keep a core busy while they wait for each
    # other, and two kernels at work would take ten times as long as one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def serve_voila(
    port: int | None = None,
    *,
    browser: bool = True,
    theme: str = "light",
    language: str = LANGUAGES[0],
    preheated: int = 0,
) -> None:
    """Serve the explorer as a page until Ctrl-C; print its address, and open it if `browser`.

    `preheated` kernels wait for visitors with the page made, each with some 400 MiB of memory. Raises ServeError.
    """
    if importlib.util.find_spec("voila") is None:
        raise ServeError("The page needs Voila: pip install 'cnnviz-widgets[demo]'.")
    chosen = free_port(port)
    url = f"http://{ADDRESS}:{chosen}/"

    def listening() -> None:
        print(f"The explorer is at {url}  (Ctrl-C stops it)", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    run_voila(notebook("explorer", language), chosen, listening, theme, preheated=preheated)


def serve_lab(folder: Path, port: int | None = None, *, browser: bool = True, language: str = LANGUAGES[0]) -> None:
    """Serve copies of the notebooks in `folder` in JupyterLab until Ctrl-C, and open it if `browser`.

    Missing notebooks are copied to `folder`, those in Korean to `ko` in it; those that exist there stay as they are.
    It opens at those in `language`. Raises ServeError.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ServeError("The notebooks need JupyterLab: pip install 'cnnviz-widgets[demo,lab]'.")
    copy_notebooks(folder)
    chosen = free_port(port)
    print(f"Your notebooks are in {folder.resolve()}  (Ctrl-C stops JupyterLab)", flush=True)
    first = "/".join(["/lab/tree", *_folder_of(language), "explorer.ipynb"])
    opened = [f"--LabApp.default_url={first}", f"--ServerApp.open_browser={browser}"]
    run_lab(folder.resolve(), chosen, opened)


def copy_notebooks(folder: Path) -> None:
    """Copy the notebooks that are missing in `folder`, which is created if necessary, and their pictures.

    Raises ServeError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted([*notebooks().rglob("*.ipynb"), *notebooks().glob("pictures/*.png")]):
            copy = folder / source.relative_to(notebooks())
            if not copy.exists() and ".ipynb_checkpoints" not in source.parts:
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(source, copy)
    except OSError as error:
        raise ServeError(
            f"No notebooks can be written to {folder} ({error.strerror}): choose another place with --folder."
        ) from None
