"""Filters, activations and the sketch pad in a real page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from tests.support.servers import Opener

pytestmark = pytest.mark.browser

LINKED = """
import numpy as np
import torch
from torch import nn
from cnnviz_widgets import ActivationView, Classifier, FilterView, Session, SketchView

torch.manual_seed(0)
body = nn.Sequential(nn.Conv2d(3, 12, 5, 2, 2), nn.ReLU(), nn.Conv2d(12, 16, 3, 2, 1), nn.ReLU())
network = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))
classifier = Classifier(network, class_names=["ant", "bee", "<script>alert(1)</script>", "dog"], input_size=64)
picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
session = Session(classifier, picture, layer="0.1")
filters, activation = FilterView(session), ActivationView(session)
filters
"""
SKETCH = """
import time
import torch
from torch import nn
from cnnviz_widgets import Classifier, SketchView

class Counting(nn.Module):
    calls = 0
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)
    def forward(self, x):
        Counting.calls += 1
        time.sleep(0.1)
        return self.head(self.body(x).relu().mean((2, 3)))

view = SketchView(Classifier(Counting(), input_size=32))
view
"""


def center(target: Locator, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def test_one_channel_in_all_panels_and_a_cell_s_receptive_field(voila_page: Opener) -> None:
    nb = voila_page([LINKED, "activation"], ready=".cnnviz-picture canvas")
    nb.kernel.until("activation.activations is not None and filters.filters is not None")
    mouse, tiles = nb.page.mouse, nb.page.locator(".cnnviz-tiles-scroll:visible")
    tiles.nth(1).wait_for()
    box = tiles.last.bounding_box()
    assert box is not None
    mouse.move(box["x"] + 40, box["y"] + 40)
    nb.kernel.until("activation.canvas.map_size == (32, 32)")
    mouse.down()
    mouse.up()
    channel = nb.kernel.until("session.channel")
    assert nb.kernel.value("activation.tiles.labels[0]") == f"#{channel}"
    nb.kernel.until(f"filters.tiles.labels[filters.tiles.selected] == '#{channel}'")
    nb.page.get_by_role("button", name="Switch channel off").click()
    nb.kernel.until(f"activation.off == {{{channel}}} and activation.on_button.disabled is False")
    assert nb.kernel.value("activation.bars.now != activation.bars.before")
    canvas = nb.page.locator("canvas.cnnviz-picture-canvas")
    mouse.click(*center(canvas, 0.76, 0.26))
    # The cell (8, 24) of a convolution of 5 x 5 with stride 2.
    nb.kernel.until("activation.canvas.box == (14, 46, 19, 51)")
    nb.page.get_by_text("Cell (8, 24) of 0.1 can see 5 x 5 pixels from row 14, column 46").wait_for()
    nb.page.locator(".bqplot").wait_for()


def test_what_is_drawn_is_on_the_sheet_and_in_the_kernel(voila_page: Opener) -> None:
    nb = voila_page([SKETCH], ready=".jupyter-widgets canvas")
    sheet = nb.page.locator("canvas.lm-Widget")
    ink = """canvas => [[160, 60], [160, 160], [20, 160]].map(
        ([x, y]) => canvas.getContext('2d').getImageData(x, y, 1, 1).data[0])"""
    x, y = center(sheet)
    mouse = nb.page.mouse
    mouse.move(x, y - 100)
    mouse.down()
    mouse.move(x, y + 100, steps=60)
    mouse.up()
    nb.kernel.until("view.strokes and view.strokes[0].points[-1][1] > 255")
    calls = nb.kernel.value("Counting.calls")
    nb.kernel.until("view.session.picture is not None and not view.busy")
    # The one under way when the last place arrived, and the last.
    assert nb.kernel.value("Counting.calls") <= calls + 2
    seen = "view.session.example.appearance[..., 0]"
    assert nb.kernel.value(f"[int(v) for v in ({seen}[6, 16], {seen}[16, 16], {seen}[16, 2])]") == [255, 255, 0]
    assert sheet.evaluate(ink) == [255, 255, 0]
