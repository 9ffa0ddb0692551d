"""The code in README and CONTRIBUTING runs as it stands, one block after the other."""

from __future__ import annotations

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

ROOT = Path(__file__).parent.parent
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
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)


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


def test_the_view_of_contributing_runs(names: dict[str, Any]) -> None:
    run(python_of("CONTRIBUTING.md"), names)
    with schedule.inline():
        view = names["BrightnessView"](Session(names["network"], names["picture"]))
    assert view.brightness != 0 and f"{view.brightness:.2f}" in view.status.text and view.error == ""
    view.close()
