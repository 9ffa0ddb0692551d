"""The code in README, CONTRIBUTING and the documentation runs as it stands, one block after the other."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnviz_widgets import Session, schedule
from cnnviz_widgets.classifier.preprocess import resize_and_crop
from cnnviz_widgets.views.panel import Panel

ROOT = Path(__file__).parent.parent
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if "```python" in path.read_text(encoding="utf-8")]
WITH_EXAMPLES = [
    path
    for path in sorted((ROOT / "cnnviz_widgets").rglob("*.py"))
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]
NAMES = ["tabby", "tiger cat", "Egyptian cat"]


class Network(nn.Module):
    """A small network that has the layer README names."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU())
        self.layer4 = nn.Sequential(*(nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU()) for _ in range(2)))
        self.fc = nn.Linear(8, len(NAMES))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.fc(self.layer4(self.stem(pixels)).mean((2, 3)))
        return scores


def network(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network()


def python_of(name: str) -> list[str]:
    """The Python blocks of a document."""
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the documents take as given."""
    monkeypatch.chdir(tmp_path)
    pictures = list(np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8))
    return {
        "__name__": __name__,
        "names": NAMES,
        "network": network(0),
        "other_network": network(1),
        "picture": pictures[0],
        "pictures": pictures,
        "weights": SimpleNamespace(transforms=lambda: resize_and_crop((64, 64), 3, None, None)),
    }


def run(blocks: list[str], names: dict[str, Any]) -> None:
    with schedule.inline():
        for block in blocks:
            exec(compile(block, "a document", "exec", dont_inherit=True), names)


def test_the_code_of_readme_runs(names: dict[str, Any], tmp_path: Path) -> None:
    blocks = python_of("README.md")
    assert len(blocks) > 5
    run(blocks, names)
    assert names["heatmap"].values.shape == (64, 64)
    assert names["another"].window == names["occlusion"].window == (8, 8, 24, 24)
    assert names["cam"].error == "" and "Grad-CAM of every layer" in (tmp_path / "gradcam.html").read_text()


def test_the_code_of_the_korean_readme_runs(names: dict[str, Any], tmp_path: Path) -> None:
    run(python_of("README.ko.md"), names)
    assert names["heatmap"].values.shape == (64, 64)
    assert names["cam"].error == "" and (tmp_path / "map.png").is_file()


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_what_a_readme_points_to_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert len(links) > 10
    for link in links:
        assert (ROOT / link).exists(), link


def test_both_readmes_name_the_same_views_and_hosts() -> None:
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))
    for pattern in (r"^\| `(\w+View)` \|", r"notebooks/(?:ko/)?(\w+)\.ipynb"):
        assert set(re.findall(pattern, english, re.MULTILINE)) == set(re.findall(pattern, korean, re.MULTILINE))
    for host in (
        "JupyterLab 4",
        "Voila 0.5",
        "Notebook 7, VS Code, Colab",
        "nbclassic, marimo",
        "cnnviz_widgets.check()",
    ):
        assert host in english and host in korean


def test_the_view_of_contributing_runs(names: dict[str, Any]) -> None:
    run(python_of("CONTRIBUTING.md"), names)
    with schedule.inline():
        view = names["BrightnessView"](Session(names["network"], names["picture"]))
    assert view.brightness != 0 and f"{view.brightness:.2f}" in view.status.text and view.error == ""
    view.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT / "docs").with_suffix("").as_posix())
def test_the_code_of_the_documentation_runs(page: Path, names: dict[str, Any]) -> None:
    run(python_of(page.relative_to(ROOT).as_posix()), names)
    for view in [value for value in names.values() if isinstance(value, Panel)]:
        assert view.error == ""
        view.close()


def test_every_page_with_code_is_found() -> None:
    assert len(PAGES) >= 20


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_in_docstrings_run(path: Path) -> None:
    names = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(names).removesuffix(".__init__"))
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0 and found.failed == 0


def test_the_worked_example_of_the_compiler_is_among_them() -> None:
    assert ROOT / "cnnviz_widgets" / "graph" / "__init__.py" in WITH_EXAMPLES
