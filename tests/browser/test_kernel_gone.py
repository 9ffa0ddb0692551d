"""A kernel that ends under a real page: said once, in words, and nothing fails in the page."""

from __future__ import annotations

import psutil
import pytest
from playwright.sync_api import expect

from tests.support.servers import Opener, OpenNotebook, until

pytestmark = pytest.mark.browser

CELL = """
from cnnviz_widgets import OcclusionView, demo
view = OcclusionView(demo.shapes_classifier(), demo.shapes(1).pictures[0])
view
"""
SENTENCES = {
    "voila": "The kernel has ended: reload the page.",
    "lab": "The kernel of the pale panels has ended: run their cells again.",
}


def kill_kernel(nb: OpenNotebook) -> None:
    kernel = psutil.Process(nb.kernel.value("__import__('os').getpid()"))
    kernel.kill()
    until(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE, 30, "the kernel to be dead")


def use_everything(nb: OpenNotebook) -> None:
    """Drag the patch, press keys, and try every control."""
    box = nb.page.locator("canvas.cnnviz-picture-canvas").bounding_box()
    assert box is not None
    for share in (0.3, 0.5, 0.7):
        nb.page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        nb.page.mouse.down()
        nb.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + share * box["height"], steps=3)
        nb.page.mouse.up()
    for control in nb.page.locator(".cnnviz-view :is(button, input, select, canvas):visible").all():
        place = control.bounding_box()
        if place is not None:
            nb.page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    for key in ("ArrowRight", "ArrowDown", "Home", "Escape"):
        nb.page.locator("canvas.cnnviz-picture-canvas").press(key)


def test_a_killed_kernel_is_said_in_words(any_page: Opener) -> None:
    nb = any_page([CELL], ready="canvas.cnnviz-picture-canvas")
    nb.kernel.until("view.probe is not None and not view.busy")
    expect(nb.page.locator(".cnnviz-notice")).to_have_count(0)
    kill_kernel(nb)
    alert = nb.page.locator(".cnnviz-notice[role=alert]")
    expect(alert).to_have_text(SENTENCES[nb.host], timeout=30_000)
    use_everything(nb)
    expect(alert).to_have_count(1)
    panel = nb.page.locator(".cnnviz-view").first
    expect(panel).to_have_css("opacity", "0.55")
