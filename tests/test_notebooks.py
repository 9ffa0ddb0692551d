"""Every notebook runs from top to bottom, and is committed clean."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_every_technique_has_one() -> None:
    techniques = {"activation", "cam", "class_visual", "embedding", "filters", "gradcam"}
    techniques |= {"neighbours", "occlusion", "patches", "saliency", "sketch"}
    assert {"explorer", *techniques} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": FOLDER}}).execute()
    printed = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in printed if output.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_committed_without_results(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_the_hunt_gives_nothing_away() -> None:
    """Neither what is shown after *Run All* nor what stands in any widget tells which network is which."""
    notebook = nbformat.read(FOLDER / "catch_the_shortcut.ipynb", as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": FOLDER}}).execute()
    shown = [cell.get("outputs", []) for cell in notebook.cells] + [notebook.metadata.get("widgets", {})]
    text = json.dumps(shown)
    assert "network A" in text and "network B" in text
    for telltale in ("biased", "clean", "cheat", "it is the other one", "on the mark"):
        assert telltale not in text, telltale
