"""scripts/environment.sh: which builds of PyTorch it installs; and the lowest versions that pyproject.toml declares."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Stands for the environment's Python: it knows no torch, writes down what pip is to install, and installs nothing.
PYTHON = """#!/usr/bin/env bash
case "$*" in
  "-m pip config list") echo "$PIP_SOURCES" ;;
  "-m pip install"*" uv") echo "pip uv" >>"$LOG"; exit "$NO_UV" ;;
  "-m pip install"*) echo "pip project" >>"$LOG" ;;
  "-c import pip"*) ;;
  *) exec "$REAL_PYTHON" -S "$@" ;;
esac
"""
UV = """#!/usr/bin/env bash
case "$*" in
  *--torch-backend=cpu*--dry-run*) echo "uv asked" >>"$LOG"; exit "$NO_CPU_BUILDS" ;;
  *--torch-backend=cpu*) echo "uv torch" >>"$LOG" ;;
esac
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have one build of torch")


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("circumstances", "expected"),
    [
        ({}, ["uv asked", "uv torch", "pip project"]),
        ({"NO_CPU_BUILDS": "2"}, ["uv asked", "pip project"]),
        ({"GPU": "0"}, ["pip project"]),
        ({"PIP_SOURCES": "global.find-links='/opt/wheels'"}, ["pip project"]),
        ({"PIP_SOURCES": ":env:.index-url='file:///mirror'"}, ["pip project"]),
        ({"PIP_SOURCES": "global.timeout='60'"}, ["uv asked", "uv torch", "pip project"]),
        ({"CNNVIZ_TORCH": "default"}, ["pip project"]),
        ({"MACHINE": "Linux aarch64"}, ["pip project"]),
        ({"UV_ON_PATH": "", "NO_UV": "1"}, ["pip uv", "pip project"]),
    ],
)
def test_builds_for_cpus_are_taken_where_they_can_be_had(
    circumstances: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    clone = tmp_path / "a clone"
    (clone / "scripts").mkdir(parents=True)
    for name in ("scripts/environment.sh", "scripts/constraints.txt", "pyproject.toml"):
        shutil.copyfile(ROOT / name, clone / name)
    executable(clone / ".venv" / "bin" / "python", PYTHON)
    tools = tmp_path / "bin"
    tools.mkdir()
    if circumstances.get("UV_ON_PATH", "yes"):
        executable(tools / "uv", UV)
    environment = {
        "GPU": "1",
        "LOG": str(tmp_path / "log"),
        "MACHINE": "Linux x86_64",
        "NO_CPU_BUILDS": "0",
        "NO_UV": "0",
        "PATH": f"{tools}:/usr/bin:/bin",
        "PIP_SOURCES": "",
        "REAL_PYTHON": sys.executable,
        **circumstances,
    }
    script = f"""set -euo pipefail
source '{clone}/scripts/environment.sh'
has_nvidia_gpu() {{ return "$GPU"; }}
uname() {{ echo "$MACHINE"; }}
install demo
install demo"""
    subprocess.run(["bash", "-c", script], env=environment, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "log").read_text().splitlines() == expected  # and the second time nothing


@pytest.fixture(scope="module")
def lowest() -> dict[str, str]:
    script = runpy.run_path(str(ROOT / "scripts" / "lowest_versions.py"))
    found: dict[str, str] = script["lowest"](tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])
    return found


def test_every_dependency_declares_its_lowest_version(lowest: dict[str, str]) -> None:
    assert {"torch", "bqplot", "voila", "jupyterlab", "lancedb"} <= set(lowest)
    assert lowest["opentsne"] == "1.0.2"


def test_a_dependency_without_one_is_an_error() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "lowest_versions.py"))
    project = {"dependencies": ["numpy"], "optional-dependencies": {name: [] for name in script["EXTRAS"]}}
    with pytest.raises(ValueError, match="'numpy' declares no lowest version"):
        script["lowest"](project)
