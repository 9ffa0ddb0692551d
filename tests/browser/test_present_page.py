"""One view over the whole screen, by button and keys, in Voila and JupyterLab."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from cnnviz_widgets import words
from cnnviz_widgets.views.wording import head_of
from tests.support.fake_page import FakePage
from tests.support.servers import Opener

SETUP = """
import numpy as np
from cnnviz_widgets import demo, explore

pictures = list(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8))
app = explore(demo.shapes_classifier(), pictures, language="{language}")
app
"""
REFUSED = "() => { Element.prototype.requestFullscreen = () => Promise.reject(new Error('refused')); }"


def present(page: Page, language: str = "en") -> None:
    page.get_by_role("button", name=words.text("action.present", language), exact=True).click()


def test_a_view_is_presented_and_left_by_keys(any_page: Opener) -> None:
    nb = any_page([SETUP.replace("{language}", "ko")], ready=".cnnviz-tabs")
    nb.kernel.until("app.view.probe is not None")
    view = nb.page.locator(".cnnviz-page .cnnviz-view")
    present(nb.page, "ko")
    expect(view).to_have_attribute("data-cnnviz-presenting", re.compile("screen|window"))
    expect(view).to_be_focused()
    expect(nb.page.get_by_role("heading", level=2)).to_have_css("font-size", "32px")
    nb.page.keyboard.press("ArrowRight")
    nb.kernel.until("app.session.picture is app.pictures[1] and app.view.probe.example is app.session.example")
    nb.page.keyboard.press("ArrowLeft")
    nb.kernel.until("app.session.picture is app.pictures[0] and app.view.probe.example is app.session.example")
    nb.page.get_by_role("button", name=words.text("action.leave", "ko"), exact=True).focus()
    nb.page.keyboard.press("Escape")
    expect(nb.page.locator("[data-cnnviz-presenting]")).to_have_count(0)
    expect(nb.page.get_by_role("button", name=words.text("action.present", "ko"), exact=True)).to_be_visible()
    assert nb.page.evaluate("() => document.fullscreenElement === null")


def test_where_the_whole_screen_is_refused_the_view_covers_the_window(any_page: Opener) -> None:
    nb = any_page([SETUP.replace("{language}", "en")], ready=".cnnviz-tabs")
    nb.kernel.until("app.view.probe is not None")
    nb.page.evaluate(REFUSED)
    present(nb.page)
    view = nb.page.locator("[data-cnnviz-presenting=window]")
    expect(view).to_be_visible()
    size = nb.page.viewport_size
    assert size is not None
    box = view.bounding_box()
    assert box == {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
    on_top = "(view) => view.contains(document.elementFromPoint(innerWidth / 2, innerHeight - 8))"
    assert view.evaluate(on_top)
    # On the picture the keys are the patch's.
    nb.page.locator(".cnnviz-page canvas.cnnviz-picture-canvas").first.focus()
    nb.page.keyboard.press("ArrowRight")
    nb.kernel.until("app.view.settled and app.view.probe.box == app.view.window")
    assert nb.kernel.value("app.session.picture is app.pictures[0]")
    nb.page.get_by_role("button", name="Leave", exact=True).click()
    expect(nb.page.locator("[data-cnnviz-presenting]")).to_have_count(0)


VIEW = """() => {
  const view = document.getElementById("views");
  view.classList.add("cnnviz-view");
  view.insertAdjacentHTML("beforeend",
    `<div class="cnnviz-guess"><button class="jupyter-button mod-primary">Reveal</button><input></div>`);
  globalThis.revealed = 0;
  view.querySelector(".cnnviz-guess button").addEventListener("click", () => globalThis.revealed++);
}"""


def test_r_reveals_an_open_guess_and_letters_in_a_field_are_the_fields(fake_page: FakePage) -> None:
    head = head_of("cam", "en")
    fake_page.load("head", {"texts": head.texts, "language": "en", "actions": []})
    head.close()
    page = fake_page.page
    page.evaluate(VIEW)
    revealed = "() => globalThis.revealed"
    page.keyboard.press("r")
    assert page.evaluate(revealed) == 0  # nothing is presented
    present(page)
    expect(page.locator("[data-cnnviz-presenting]")).to_be_focused()
    page.keyboard.press("r")
    assert page.evaluate(revealed) == 1
    page.locator("input").press("r")
    page.locator("input").press("f")
    assert page.evaluate(revealed) == 1 and page.locator("input").input_value() == "rf"
    page.locator("input").press("Escape")
    expect(page.locator("[data-cnnviz-presenting]")).to_have_count(0)
    page.get_by_role("button", name="Present", exact=True).press("f")
    expect(page.locator("[data-cnnviz-presenting]")).to_have_count(1)
    page.keyboard.press("f")
    expect(page.locator("[data-cnnviz-presenting]")).to_have_count(0)
