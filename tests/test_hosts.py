"""The self-check, in hosts that are made up, and the table of hosts in the documentation."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cnnviz_widgets
from cnnviz_widgets import hosts


class ZMQInteractiveShell:
    def __init__(self, **names: object) -> None:
        self.user_ns = names


class TerminalInteractiveShell:
    pass


KERNEL = ZMQInteractiveShell()
MARIMO = SimpleNamespace(running_in_notebook=lambda: True)


@pytest.mark.parametrize(
    ("name", "environment", "modules", "shell", "parent"),
    [
        ("lab", {}, {}, KERNEL, "python -m jupyter lab"),
        ("notebook", {}, {}, KERNEL, "python bin/jupyter-notebook --port 1"),
        ("nbclassic", {}, {}, KERNEL, "python bin/jupyter-nbclassic"),
        ("voila", {"SERVER_SOFTWARE": "voila/0.5.8"}, {}, KERNEL, ""),
        ("vscode", {}, {}, ZMQInteractiveShell(__vsc_ipynb_file__="a.ipynb"), ""),
        ("vscode", {"VSCODE_PID": "7"}, {}, KERNEL, ""),
        ("colab", {"COLAB_RELEASE_TAG": "1"}, {}, KERNEL, ""),
        ("marimo", {}, {"marimo": MARIMO}, None, ""),
        ("solara", {}, {"solara.server": object()}, None, ""),
        ("panel", {}, {"panel": SimpleNamespace(state=SimpleNamespace(curdoc=object()))}, None, ""),
        ("terminal", {}, {"panel": SimpleNamespace(state=SimpleNamespace(curdoc=None))}, None, ""),
        ("terminal", {}, {}, TerminalInteractiveShell(), ""),
        ("terminal", {}, {}, None, ""),
    ],
)
def test_a_host_is_known_by_what_it_leaves(
    name: str, environment: dict[str, str], modules: dict[str, Any], shell: Any, parent: str
) -> None:
    assert hosts._host(environment, modules, shell, parent) == name


@pytest.fixture
def in_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """JupyterLab with the widgets' front ends; the folder they are in."""
    monkeypatch.setattr(hosts, "_host", lambda *_: "lab")
    monkeypatch.setattr(hosts, "_folders", lambda kind: [tmp_path])
    for name in hosts._LAB:
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_where_all_is_there_it_is_true(in_lab: Path) -> None:
    found = cnnviz_widgets.check()
    assert found and found.host.name == "JupyterLab 4" and not [f for f in found.missing if f.needed]
    assert repr(found).startswith("JupyterLab 4: all that views need is here.")
    assert {"anywidget", "ipywidgets", "torch", "GPU"} <= {f.what for f in found.findings}
    assert found._repr_html_().count("<tr>") == len(found.findings)


def test_a_front_end_that_is_missing_is_named_with_its_command(in_lab: Path) -> None:
    (in_lab / "anywidget").rmdir()
    found = hosts.check()
    assert not found and found.missing[0].what == "front end anywidget"
    assert (
        "missing front end anywidget: is not in this environment; install it where the server runs -> pip install "
        in (repr(found))
    )
    assert "<code>pip install anywidget</code>" in found._repr_html_()


def test_versions_that_do_not_fit(in_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["anywidget>=0.11", "ipywidgets<9,>=8.1.5", "gone>=1; extra == 'lab'", "traitlets>=5.14", "numpy>=1.26.4"]
    versions = {"anywidget": "0.9.21", "ipywidgets": "9.0", "numpy": "2.0.1+cpu"}
    monkeypatch.setattr(hosts.metadata, "requires", lambda _: lines)
    monkeypatch.setattr(hosts, "_version", versions.get)
    found = {finding.what: finding for finding in hosts._packages()}
    assert list(found) == ["anywidget", "ipywidgets", "traitlets", "numpy"]
    assert [finding.ok for finding in found.values()] == [False, False, False, True]
    assert found["ipywidgets"].mend == 'pip install "ipywidgets>=8.1.5,<9"'
    assert found["traitlets"].said == "is not installed"


def test_an_extra_that_is_missing_hinders_no_view(in_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_EXTRAS", (("scale", "features on disk", ("no_such_module",)),))
    found = hosts.check()
    assert found and found.missing[-1].mend == 'pip install "cnnviz-widgets[scale]"'
    assert "optional extra scale: features on disk: lacks no_such_module -> pip" in repr(found)


@pytest.mark.parametrize(("name", "said"), [("marimo", "mo.ui.anywidget(view.canvas)"), ("terminal", "jupyter lab")])
def test_hosts_without_views_say_what_goes_instead(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_host", lambda *_: name)
    found = hosts.check()
    assert not found and found.missing[0].mend == said


def test_of_colab_the_line_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_host", lambda *_: "colab")
    assert "enable_custom_widget_manager()" in repr(hosts.check())


def test_here_it_runs() -> None:
    assert hosts.check().host.name == "Python without a notebook"


def test_the_documentation_has_the_table() -> None:
    page = Path(hosts.__file__).parent.parent / "docs" / "howto" / "hosts.md"
    assert hosts.table() in page.read_text(encoding="utf-8")
