"""Two views under one hand in Voila: a drag in A moves the patch of B, and what is said of both."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_views import NETWORK
from tests.support.picture_card import open_settings
from tests.support.servers import Opener, until

pytestmark = pytest.mark.browser

COMPARISON = [
    """
import numpy as np
import torch
from torch import nn
from cnnviz_widgets import Classifier, OcclusionView, compare
from cnnviz_widgets.explain import Occlusion

class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.head = nn.Linear(16, 4)
    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)) * 50)

def made(seed):
    torch.manual_seed(seed)
    return Classifier(Small(), class_names=["ant", "bee", "cow", "dog"], input_size=64, name=f"network {seed}")

picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
picture[20:40, 10:30] = (250, 20, 20)
views = [OcclusionView(made(seed), picture, technique=Occlusion(16, 8), window=(24, 24, 16, 16)) for seed in (0, 1)]
view = compare(*views)
view.sessions[0].target = "bee"
view
"""
]


def texts(page: Page) -> list[str]:
    """Every line of the page that says how something stands."""
    return [" ".join(text.split()) for text in page.locator(".cnnviz-status").all_inner_texts() if text.strip()]


def test_a_drag_in_one_moves_the_patch_and_the_sentence_of_both(voila_page: Opener) -> None:
    opened = voila_page(COMPARISON, ready=".cnnviz-picture canvas")
    opened.kernel.until("all(v.probe is not None and not v.busy for v in views)")
    page = opened.page
    until(lambda: any("Covering this spot" in text for text in texts(page)), 30, "a sentence about both")
    before = texts(page)
    before_said = opened.kernel.value("[v.status.text for v in views]")
    canvas = page.locator("canvas.cnnviz-picture-canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None

    def to(row: float, column: float) -> None:
        page.mouse.move(box["x"] + column / 64 * box["width"], box["y"] + row / 64 * box["height"])

    to(32, 32)
    page.mouse.down()
    for step in range(1, 9):
        to(32 - step, 32 - 2 * step)
    page.mouse.up()
    opened.kernel.until("views[0].window[:2] == (16, 8) and all(v.probe.box == v.window for v in views)")
    assert opened.kernel.value("views[0].window == views[1].window")
    said = opened.kernel.value("[v.status.text for v in views]")
    assert said[0] != before_said[0] and said[1] != before_said[1]
    until(lambda: texts(page) != before and all(text in " ".join(texts(page)) for text in said), 30, "both sentences")
    # The patch of B stands at the same place on the page.
    labels = page.locator(".cnnviz-picture").nth(1).inner_text()
    assert "row 16, col 8" in labels


def test_both_maps_and_their_difference_are_drawn_on_printed_scales(voila_page: Opener) -> None:
    opened = voila_page(COMPARISON, ready=".cnnviz-picture canvas")
    opened.kernel.until("all(v.probe is not None for v in views)")
    page = opened.page
    page.get_by_role("button", name="Whole map").first.click()
    opened.kernel.until("view.difference is not None and view.difference.progress == 1")
    pictures = page.locator(".cnnviz-picture")
    until(lambda: "in B more than in A" in pictures.nth(2).inner_text(), 30, "the difference")
    scales = opened.kernel.value("[v.canvas.scales[0] for v in views]")
    assert scales[0] == scales[1] and scales[0][0] == "A and B"
    open_settings(page)
    until(lambda: all("A and B" in pictures.nth(i).inner_text() for i in range(2)), 30, "the scale that is shared")
    assert any("The maps agree by" in text for text in texts(page))
    boxes = [pictures.nth(i).bounding_box() for i in range(3)]
    assert len({round(box["y"]) for box in boxes if box}) == 1  # three panes beside each other


def test_the_head_compares_in_place_and_saves_to_the_browser(any_page: Opener) -> None:
    opened = any_page([NETWORK, "view = CAMView(classifier, picture)\nview"], ready=".cnnviz-picture canvas")
    page, kernel = opened.page, opened.kernel
    kernel.until("view.heatmap is not None")
    page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Numbers (CSV)").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 1 + kernel.value("view.heatmap.cells.size")
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("menuitem", name="With another method").click()
    kernel.until("view.comparer.shown is not None and view.comparer.shown.difference is not None")
    expect(page.get_by_text("B minus A").first).to_be_in_viewport()
    expect(page.locator(".cnnviz-comparison .cnnviz-picture-canvas")).to_have_count(3)
    page.get_by_role("button", name="Compare").click()
    kernel.until("view.comparer.shown is None")
    expect(page.locator(".cnnviz-comparison")).to_have_count(0)
    expect(page.locator(".cnnviz-picture-canvas")).to_have_count(1)
