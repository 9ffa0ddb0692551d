"""The configuration for a class that the documentation hands out: every setting exists, and Voila takes it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("voila")

from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
from voila.app import Voila
from voila.configuration import VoilaConfiguration
from voila.voila_kernel_manager import voila_kernel_manager_factory

from tests.support.ports import unused_port

FILE = Path(__file__).parent.parent / "docs" / "howto" / "voila.json"
SETTINGS = json.loads(FILE.read_text(encoding="utf-8"))


def test_every_setting_exists() -> None:
    preheating = voila_kernel_manager_factory(MappingKernelManager, preheat_kernel=True, default_pool_size=1)
    classes = {
        "Voila": Voila,
        "VoilaConfiguration": VoilaConfiguration,
        "VoilaKernelManager": preheating,
        "MappingKernelManager": MappingKernelManager,
    }
    assert SETTINGS.keys() == classes.keys()
    for name, settings in SETTINGS.items():
        known = classes[name].class_traits(config=True)
        assert settings.keys() <= known.keys(), f"{name} has no {settings.keys() - known.keys()}"


def test_a_visitor_sees_the_page_and_no_traceback(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    cells = ["print('said' + ' once')", "secret = 1\nraise ValueError(secret)"]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]  # type: ignore[no-untyped-call]
    nbformat.write(notebook, tmp_path / "lecture.ipynb")  # type: ignore[no-untyped-call]
    (tmp_path / "voila.json").write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    port = unused_port()
    command = [sys.executable, "-m", "voila", "lecture.ipynb", "--no-browser", f"--port={port}"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        page = _opened(f"http://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.wait(30)
    assert "said once" in page
    assert "secret" not in page and "Traceback" not in page


def _opened(address: str) -> str:
    """What a visitor gets, once the server listens."""
    end = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(address, timeout=90) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.2)
