"""The brush on the picture widget, in a real Chromium and without a kernel; then with one, in both hosts."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cnnviz_widgets import words
from tests.support.fake_page import FakePage
from tests.support.picture_card import BRUSH, DARK, PALE, SIZE, Shown, occluded, show
from tests.support.servers import Opener

CANVAS = "canvas.cnnviz-picture-canvas"


def tool(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


#: A kernel that keeps what a gesture ends with, and acknowledges every event.
KERNEL = """() => {
  const send = model.send.bind(model);
  model.send = (content, callbacks, buffers) => {
    send(content, callbacks, buffers);
    setTimeout(() => {
      const bits = content.name === "painted" ? { bits: new DataView(buffers[0].slice(0)) } : {};
      if (content.window) model.write({ _window_final: content.window });
      if (content.final) model.write({ _mask: { revision: 0, ...bits } });
      model.receive({ kind: "ack", seq: content.seq });
    });
  };
}"""


def with_kernel(fake: FakePage, **options: Any) -> Shown:
    """A card with a brush, before a kernel."""
    shown = show(fake, occluded(brush=BRUSH), **options)
    fake.page.evaluate(KERNEL)
    return shown


def last_mask(fake: FakePage) -> np.ndarray:
    """The mask in the last message to the kernel, once it has ended a gesture."""
    fake.page.wait_for_function("() => model.sent.at(-1).final")
    code = """() => {
      const bytes = new Uint8Array(model.bytes.at(-1)[0]);
      return btoa(String.fromCharCode(...bytes));
    }"""
    bits = np.frombuffer(base64.b64decode(fake.page.evaluate(code)), np.uint8)
    return np.unpackbits(bits, count=SIZE * SIZE).reshape(SIZE, SIZE).astype(bool)


@pytest.fixture
def card(fake_page: FakePage) -> Shown:
    shown = with_kernel(fake_page)
    tool(fake_page.page, "Brush").click()
    return shown


def test_the_brush_covers_and_restores_under_the_pointer_without_a_kernel(card: Shown) -> None:
    assert card.color(35, 45) == PALE  # the window is away
    card.drag((20, 20), (20, 80))
    assert card.color(20, 50) == DARK and card.color(40, 50) == PALE
    mask = last_mask(card.fake)
    assert mask[20, 20:81].all() and not mask[30].any()
    sent = card.fake.sent[-1]
    assert (sent["name"], sent["revision"], sent["final"]) == ("painted", 0, True)
    tool(card.page, "Restore").click()
    card.drag((20, 50), (20, 60))
    assert card.color(20, 50) == PALE and card.color(20, 30) == DARK
    expect(card.canvas).to_have_attribute("aria-label", f"a test card. {covered(card)}")


def covered(card: Shown) -> str:
    share = 100 * last_mask(card.fake).mean()
    return BRUSH["en"]["painted"].replace("{a}", f"{share:.1f}")


def test_strokes_are_taken_back_and_the_patch_comes_back(card: Shown) -> None:
    for row in (20, 60):
        card.drag((row, 20), (row, 80))
    tool(card.page, "Undo").click()
    assert card.color(60, 50) == PALE and card.color(20, 50) == DARK
    tool(card.page, "Clear").click()
    assert card.color(20, 50) == PALE
    expect(tool(card.page, "Clear")).to_be_disabled()
    tool(card.page, "Undo").click()
    assert card.color(20, 50) == DARK
    tool(card.page, "Patch").click()
    card.is_at(30, 40)
    assert card.color(35, 45) == DARK and card.color(20, 50) == PALE
    assert card.fake.sent[-1]["window"] == [30, 40, 20, 20]
    tool(card.page, "Brush").click()
    assert card.color(20, 50) == DARK and card.color(35, 45) == PALE


def test_a_wider_brush_covers_more(card: Shown) -> None:
    slider = card.page.get_by_role("slider", name=BRUSH["en"]["radius"])
    slider.fill("20")
    card.drag((50, 50), (50, 51))
    mask = last_mask(card.fake)
    assert mask[32, 50] and not mask[28, 50]
    assert mask.sum() == pytest.approx(np.pi * 20**2, rel=0.1)


def test_keys_take_the_brush_move_it_and_paint(fake_page: FakePage) -> None:
    card = with_kernel(fake_page)
    keys = card.page.keyboard
    card.canvas.focus()
    keys.press("m")
    expect(tool(card.page, "Brush")).to_have_attribute("aria-pressed", "true")
    keys.press(" ")
    assert last_mask(fake_page)[50, 50]
    keys.down(" ")
    for _ in range(4):
        keys.press("Shift+ArrowRight")
    keys.up(" ")
    first = last_mask(fake_page)
    assert first[50, 50:80].all()
    keys.press("ArrowDown")  # without the space bar nothing is painted
    keys.press("x")
    expect(tool(card.page, "Restore")).to_have_attribute("aria-pressed", "true")
    keys.press(" ")
    assert last_mask(fake_page).sum() < first.sum()
    keys.press("u")
    np.testing.assert_array_equal(last_mask(fake_page), first)
    keys.press("Delete")
    assert not last_mask(fake_page).any()
    keys.press("M")
    card.is_at(30, 40)
    expect(card.canvas).to_have_accessible_description(f"{WINDOW_KEYS} {BRUSH['en']['keys']}")


WINDOW_KEYS = (
    "Arrow keys move the window, with Shift by half its size; plus and minus resize it; Home centres it; Escape puts "
    "it back."
)


def test_escape_half_way_through_a_stroke_undoes_it(card: Shown) -> None:
    card.press(20, 20)
    card.move(20, 80)
    card.page.keyboard.press("Escape")
    assert card.color(20, 50) == PALE
    card.move(60, 80)
    card.release()
    assert card.color(60, 80) == PALE
    assert not last_mask(card.fake).any()


def test_the_kernel_has_the_last_word(card: Shown) -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[70:90, 5:30] = True
    card.fake.update(_mask={"revision": 0, "bits": np.packbits(mask).tobytes()})
    assert card.color(80, 20) == DARK and card.color(20, 50) == PALE
    card.fake.update(_mask={"revision": 0})
    card.is_at(30, 40)


def test_without_a_brush_there_are_no_tools(fake_page: FakePage) -> None:
    card = show(fake_page, occluded())
    assert tool(card.page, "Brush").count() == 0
    card.canvas.focus()
    card.page.keyboard.press("m")
    assert fake_page.sent == []


def test_two_views_of_one_model_paint_together(fake_page: FakePage) -> None:
    first = with_kernel(fake_page, views=2, css="#views { display: flex }")
    second = Shown(fake_page, 1)
    tool(first.page, "Brush").first.click()
    first.drag((20, 20), (20, 80))
    assert second.color(20, 50) == DARK and second.color(35, 45) == PALE


SETUP = """
import numpy as np
from cnnviz_widgets import OcclusionView, demo
picture = np.full((64, 64, 3), 200, np.uint8)
view = OcclusionView(demo.shapes_classifier(), picture, run_ahead=False, language="{language}")
view
"""


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_is_painted_is_asked_of_the_network(any_page: Opener, language: str) -> None:
    notebook = any_page([SETUP.replace("{language}", language)], ready=CANVAS)
    notebook.kernel.until("view.probe is not None")
    texts = words.catalogue(language)
    tool(notebook.page, texts["brush.brush"]).click()
    box = notebook.page.locator(CANVAS).first.bounding_box()
    assert box is not None
    x, y = box["x"], box["y"] + box["height"] / 4
    notebook.page.mouse.move(x + box["width"] / 4, y)
    notebook.page.mouse.down()
    notebook.page.mouse.move(x + 3 * box["width"] / 4, y, steps=8)
    notebook.page.mouse.up()
    notebook.kernel.until(
        "view.settled and view.probe.mask is view.mask and bool(view.mask is not None and view.mask.any())"
    )
    assert notebook.kernel.value("bool(view.mask[16, 16:48].all() and not view.mask[32:].any())")
    notebook.kernel.until("view.history.depth == 2")  # the brush, and a stroke
    notebook.kernel.run("view.back()")
    notebook.kernel.until("view.mask is not None and bool(not view.mask.any()) and view.probe.mask is view.mask")
