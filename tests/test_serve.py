"""The `cnnviz` command."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnviz_widgets.__main__ import main
from cnnviz_widgets.serve import ADDRESS, copy_notebooks, free_port, notebook, notebooks, run_lab, system_language
from tests.support.ports import unused_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server((ADDRESS, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_one_sentence(taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--port", str(taken)]) == 1
    said = capsys.readouterr().err
    assert said == f"cnnviz: Port {taken} is not free: stop what listens there, or choose another with --port.\n"


@pytest.mark.parametrize("count", ["17", "-1", "many"])
def test_a_number_of_preheated_pages_that_is_none_is_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--preheat={count}"])
    assert "is no number from 0 to 16" in capsys.readouterr().err


def test_without_a_wish_a_free_port_is_found() -> None:
    with socket.create_server((ADDRESS, free_port())) as server:
        assert free_port() != server.getsockname()[1]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", ""])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", f"--port={port}"])
    assert stopped.value.code == 2
    assert "is no port: give a number from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "extras"), [([], "[demo]"), (["--lab"], "[demo,lab]")])
def test_what_is_not_installed_is_named(
    arguments: list[str], extras: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["demo", *arguments]) == 1
    assert f"pip install 'cnnviz-widgets{extras}'" in capsys.readouterr().err


def test_copies_of_notebooks_are_yours(tmp_path: Path) -> None:
    folder = tmp_path / "my course"
    copy_notebooks(folder)
    copied = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert {path for path in copied if path.suffix == ".ipynb"} == {
        path.relative_to(notebooks()) for path in notebooks().rglob("*.ipynb")
    }
    assert {Path("ko/explorer.ipynb"), Path("pictures/cam.png")} <= copied
    (folder / "explorer.ipynb").write_text("mine")
    (folder / "cam.ipynb").unlink(missing_ok=True)
    copy_notebooks(folder)
    assert (folder / "explorer.ipynb").read_text() == "mine"
    assert (folder / "cam.ipynb").exists() == (notebooks() / "cam.ipynb").exists()


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "kok_IN"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, "ko"),
    ],
)
def test_the_system_s_language_is_taken(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("locale.getlocale", lambda: (None, None))
    assert system_language() == language
    assert notebook("explorer", language).is_file()


def test_where_no_variable_says_it_the_locale_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("locale.getlocale", lambda: ("Korean_Korea", "949"))
    assert system_language() == "ko"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--lab", "--folder", str(tmp_path / "file" / "folder")]) == 1
    assert "choose another place with --folder" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("arguments", "announced"),
    [
        ([], "The explorer is at http://127.0.0.1:{port}/"),
        (["--lab", "--language=ko"], ":{port}/lab/tree/ko/explorer.ipynb?token="),
    ],
)
def test_ctrl_c_ends_it_cleanly(arguments: list[str], announced: str, tmp_path: Path) -> None:
    port = unused_port()
    # A test run begun in the background ignores the signal, and what it starts would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "cnnviz_widgets", "demo", "--no-browser", f"--port={port}", *arguments]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if announced.format(port=port) in line:
                os.killpg(process.pid, signal.SIGINT)
                break
        lines += process.stdout
    said = "".join(lines)
    assert announced.format(port=port) in said
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.parametrize(("own", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_kernels_leave_each_other_the_cores(
    own: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyterlab.labapp import LabApp

    # Registered for removal at the end, whatever is set meanwhile.
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("OMP_WAIT_POLICY", own or "")
    if own is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    inherited = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda arguments: inherited.append(os.environ["OMP_WAIT_POLICY"]))
    run_lab(tmp_path, 8866)
    assert inherited == [expected]
