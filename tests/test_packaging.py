"""The wheel and the sdist carry what the demo needs, and the wheel alone runs it."""

from __future__ import annotations

import os
import signal
import site
import subprocess
import sys
import tarfile
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.ports import unused_port

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.xdist_group("packaging")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, stdin=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def package_files() -> set[str]:
    files = (path for path in (ROOT / "cnnviz_widgets").rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_is_the_package_with_its_notebooks(wheel: Path) -> None:
    files = [path for path in (ROOT / "notebooks").rglob("*") if path.suffix in (".ipynb", ".png")]
    notebooks = {f"cnnviz_widgets/{path.relative_to(ROOT).as_posix()}" for path in files}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if name.startswith("cnnviz_widgets/")} == package_files() | notebooks
    assert "cnnviz_widgets/static/picture.js" in names
    assert any(name.endswith("/share/jupyter/nbconvert/templates/cnnviz/index.html.j2") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_sdist_has_the_sources(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert package_files() <= names
    assert {"LICENSE", "README.md", "js/src/picture/index.ts", "notebooks/explorer.ipynb", "scripts/demo"} <= names
    assert not [name for name in names if name.startswith(".venv") or "node_modules" in name]


def test_the_wheel_alone_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "a fresh environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    # Its dependencies are this environment's: installing PyTorch again would show nothing new.
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    environment = {
        **os.environ,
        "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
        "PYTHONPATH": str(ROOT / "tests" / "offline"),
    }
    code = "import cnnviz_widgets; print(cnnviz_widgets.__file__)"
    found = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert Path(found.stdout.strip()).is_relative_to(packages)

    port = unused_port()
    command = [str(home / "bin" / "cnnviz"), "demo", "--no-browser", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=300) as response:
                page = response.read().decode()
        finally:
            os.killpg(process.pid, signal.SIGINT)
    assert "application/vnd.jupyter.widget-view+json" in page
    assert '"output_type": "error"' not in page
    assert "Look inside a network" not in page  # the notebook's heading: on the page the app is first
    assert "cdn." not in page
