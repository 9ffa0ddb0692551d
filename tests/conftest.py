"""For every test: no network, no threads beyond one, no settings of the user."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path

import pytest

from tests.support.slow import is_slow

ROOT = Path(__file__).parent.parent

# Set here, before torch or Jupyter are imported, so that kernels and servers started by tests inherit it.
_HOME = tempfile.TemporaryDirectory(prefix="cnnviz-tests-")
os.environ.update(
    HF_HOME=f"{_HOME.name}/huggingface",
    HF_HUB_OFFLINE="1",
    IPYTHONDIR=f"{_HOME.name}/ipython",
    JUPYTER_CONFIG_DIR=f"{_HOME.name}/config",
    JUPYTER_DATA_DIR=f"{_HOME.name}/data",
    JUPYTER_PATH=str(ROOT / "cnnviz_widgets" / "jupyter"),
    JUPYTER_RUNTIME_DIR=f"{_HOME.name}/runtime",
    OMP_NUM_THREADS="1",
    PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "tests" / "offline")]),
    TORCH_HOME=f"{_HOME.name}/torch",
)


def _forbid_network() -> None:
    spec = importlib.util.spec_from_file_location("offline_guard", ROOT / "tests" / "offline" / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", type=int, help="how many random interactions, messages and rounds tests/soak tries")
    parser.addoption("--seed", type=int, default=0, help="the seed of tests/soak")


def pytest_configure(config: pytest.Config) -> None:
    _forbid_network()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is slow. Browser tests come last: Playwright leaves its event loop running in the main thread."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
        if is_slow(item.nodeid):
            item.add_marker("slow")
    items.sort(key=lambda item: "browser" in item.keywords)
