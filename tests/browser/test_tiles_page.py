"""The tile grid in a real Chromium, over a model without a kernel."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.support.fake_page import FakePage

# Counts every tile that reaches the screen.
COUNT_DRAWS = """
const draw = CanvasRenderingContext2D.prototype.drawImage;
globalThis.draws = 0;
CanvasRenderingContext2D.prototype.drawImage = function (...args) {
  globalThis.draws++;
  return draw.apply(this, args);
};
"""


def state(tiles: np.ndarray, **more: Any) -> dict[str, Any]:
    """Traits for uint8 tiles (n, h, w, c)."""
    count, height, width, channels = tiles.shape
    return {
        "sheet": tiles.tobytes(),
        "tile_size": [height, width],
        "channels": channels,
        "count": count,
        "revision": 1,
        "colormap": "viridis",
        "labels": [],
        "badges": [],
        "selected": None,
        "columns": 0,
        "tile_width": 48,
        "height": 240,
        "pixelated": True,
        "captions": True,
        "description": "Tiles",
        "placeholder": "",
    } | more


def plain(count: int) -> np.ndarray:
    """Tiles of one colour each: red tells the index."""
    tiles = np.zeros((count, 4, 4, 3), np.uint8)
    tiles[..., 0] = (np.arange(count) * 20 % 256)[:, None, None]
    tiles[..., 1] = 100
    return tiles


def load(fake: FakePage, tiles: np.ndarray, **more: Any) -> Locator:
    fake.load("tiles", state(tiles, **more))
    fake.page.evaluate("() => new Promise(requestAnimationFrame)")
    fake.page.evaluate("() => new Promise(requestAnimationFrame)")
    return fake.page.get_by_role("listbox")


def middle(fake: FakePage, index: int, columns: int = 12) -> tuple[float, float]:
    """Page coordinates of the middle of tile `index` (48 px wide, unlabelled) before any scrolling."""
    box = fake.page.locator(".cnnviz-tiles-content").bounding_box()
    assert box is not None
    return box["x"] + 6 + index % columns * 56 + 24, box["y"] + 6 + index // columns * 56 + 24


def colour(fake: FakePage, x: float, y: float, scale: float = 1) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(fake.page.screenshot())).convert("RGB")
    red, green, blue = np.asarray(picture)[int(y * scale), int(x * scale)]
    return int(red), int(green), int(blue)


def picks(fake: FakePage) -> list[Any]:
    return [message["index"] for message in fake.sent if message["name"] == "picked"]


def entries(fake: FakePage) -> list[Any]:
    return [message["index"] for message in fake.sent if message["name"] == "entered"]


def test_each_tile_is_drawn_in_its_place(fake_page: FakePage) -> None:
    load(fake_page, plain(20))
    for index in (0, 7, 11, 12, 19):
        assert colour(fake_page, *middle(fake_page, index)) == (index * 20 % 256, 100, 0)


def test_one_channel_goes_through_the_colour_table(fake_page: FakePage) -> None:
    tiles = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    load(fake_page, tiles)
    assert colour(fake_page, *middle(fake_page, 0, 2)) == (0x44, 0x01, 0x54)  # the ends of viridis
    assert colour(fake_page, *middle(fake_page, 1, 2)) == (0xFD, 0xE7, 0x25)
    fake_page.update(colormap="grey")
    fake_page.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert colour(fake_page, *middle(fake_page, 0, 2)) == (0, 0, 0)


def test_the_screens_own_pixels_are_used(open_fake_page: Callable[..., FakePage]) -> None:
    fake = open_fake_page(device_scale_factor=2)
    checks = np.indices((48 * 2, 48 * 2)).sum(axis=0) % 2 * 255
    load(fake, checks.astype(np.uint8)[None, ..., None], colormap="grey")
    x, y = middle(fake, 0, 1)
    neighbours = {colour(fake, x, y, 2), colour(fake, x + 0.5, y, 2)}
    assert neighbours == {(0, 0, 0), (255, 255, 255)}


def test_two_thousand_tiles_scroll_with_few_draws(fake_page: FakePage) -> None:
    fake_page.page.add_init_script(COUNT_DRAWS)
    maps = np.random.default_rng(0).integers(0, 256, (2048, 14, 14, 1), np.uint8)
    listbox = load(fake_page, maps, labels=[str(index) for index in range(2048)])
    first = fake_page.page.evaluate("() => draws")
    assert 0 < first <= 12 * 8  # the four rows in sight and as many below
    listbox.evaluate("""async scroller => {
      for (let step = 0; step < 60; step++) {
        scroller.scrollTop += 8;
        await new Promise(requestAnimationFrame);
      }
    }""")
    assert fake_page.page.evaluate("() => draws") - first <= 3 * 12 * 13  # 480 px: three bands of 12 rows, not 60
    listbox.evaluate("scroller => scroller.scrollTo(0, scroller.scrollHeight)")
    expect(fake_page.page.get_by_text("2047", exact=True)).to_be_visible()
    assert fake_page.page.locator(".cnnviz-tiles-caption").count() < 200
    size = fake_page.page.locator("canvas").evaluate("canvas => canvas.width * canvas.height")
    assert size < 700 * 800


def test_hover_is_one_message_in_flight_and_leaving_is_told(fake_page: FakePage) -> None:
    fake_page.page.clock.install(time=0)
    fake_page.load("tiles", state(plain(12)))
    fake_page.page.clock.run_for(100)
    fake_page.page.clock.pause_at(1000)
    for index in range(6):
        fake_page.page.mouse.move(*middle(fake_page, index))
    assert entries(fake_page) == [0]
    fake_page.ack()
    assert entries(fake_page) == [0, 5]
    fake_page.page.mouse.move(5, 5)
    fake_page.page.mouse.click(*middle(fake_page, 3))  # a pick does not wait behind the hovering
    assert picks(fake_page) == [3]
    fake_page.page.mouse.move(5, 5)
    fake_page.ack(next(message["seq"] for message in reversed(fake_page.sent) if message["name"] == "entered"))
    assert entries(fake_page) == [0, 5, None]
    assert fake_page.sent[-1]["final"] is True
    assert fake_page.saved == []


def test_a_click_picks_with_its_modifiers_and_gaps_are_not_tiles(fake_page: FakePage) -> None:
    listbox = load(fake_page, plain(20))
    x, y = middle(fake_page, 13)
    fake_page.page.mouse.click(x + 28, y)
    assert picks(fake_page) == []
    fake_page.page.keyboard.down("Shift")
    fake_page.page.mouse.click(x, y)
    fake_page.page.keyboard.up("Shift")
    picked = next(message for message in fake_page.sent if message["name"] == "picked")
    assert (picked["index"], picked["modifiers"], picked["revision"], picked["final"]) == (
        13,
        ["shift"],
        1,
        True,
    )
    expect(listbox).to_be_focused()
    ring = fake_page.page.locator(".cnnviz-tiles-selected").bounding_box()
    assert ring is not None
    assert abs(ring["x"] + 24 - x) < 1 and abs(ring["y"] + 24 - y) < 1


def test_the_keyboard_walks_picks_and_gets_out(fake_page: FakePage) -> None:
    listbox = load(fake_page, plain(100), labels=[f"map {index}" for index in range(100)])
    page = fake_page.page
    page.locator("#before").focus()
    page.keyboard.press("Tab")
    expect(listbox).to_be_focused()
    for key in ["ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"]:
        page.keyboard.press(key)
    option = page.get_by_role("option")
    expect(option).to_have_text("map 24")
    expect(option).to_have_attribute("aria-posinset", "25")
    expect(option).to_have_attribute("aria-selected", "false")
    assert listbox.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Enter")
    assert picks(fake_page) == [24]
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(option).to_have_text("map 99")
    assert listbox.evaluate("scroller => scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1")
    page.keyboard.press("Tab")
    expect(page.locator("#after")).to_be_focused()


def test_a_new_sheet_is_drawn_and_named_in_events(fake_page: FakePage) -> None:
    load(fake_page, plain(20))
    fake_page.update(sheet=plain(3)[::-1].tobytes(), count=3, revision=2, selected=None)
    fake_page.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert colour(fake_page, *middle(fake_page, 0)) == (40, 100, 0)
    fake_page.page.mouse.click(*middle(fake_page, 2))
    assert fake_page.sent[-1]["revision"] == 2
    fake_page.update(count=0, placeholder="No pictures yet.")
    expect(fake_page.page.get_by_text("No pictures yet.")).to_be_visible()
    expect(fake_page.page.get_by_role("listbox")).to_be_hidden()


def test_selected_follows_the_kernel_and_a_refused_pick_goes_back(fake_page: FakePage) -> None:
    load(fake_page, plain(20), selected=2)
    ring = fake_page.page.locator(".cnnviz-tiles-selected")
    fake_page.page.mouse.click(*middle(fake_page, 5))
    fake_page.ack(next(message["seq"] for message in fake_page.sent if message["name"] == "picked"))
    box = ring.bounding_box()
    assert box is not None and abs(box["x"] + 24 - middle(fake_page, 2)[0]) < 1
    fake_page.update(selected=7)
    box = ring.bounding_box()
    assert box is not None and abs(box["x"] + 24 - middle(fake_page, 7)[0]) < 1
    fake_page.update(selected=None)
    expect(ring).to_be_hidden()


def test_labels_and_badges_are_text(fake_page: FakePage) -> None:
    label = "<img src=x onerror=alert(1)>"
    listbox = load(fake_page, plain(2), labels=[label, "b"], badges=["<b>9</b>"], tile_width=300)
    expect(fake_page.page.locator(".cnnviz-tiles-caption").first).to_have_text(label)
    expect(fake_page.page.locator(".cnnviz-tiles-badge")).to_have_text("<b>9</b>")
    listbox.hover(position={"x": 100, "y": 100})
    expect(listbox).to_have_attribute("title", f"{label} · <b>9</b>")
    assert fake_page.page.locator(".view img, .view b").count() == 0


def test_the_columns_follow_the_width(fake_page: FakePage) -> None:
    load(fake_page, plain(40))
    rows = "() => document.querySelector('.cnnviz-tiles-content').offsetHeight"
    assert fake_page.page.evaluate(rows) == 4 * 56 - 8 + 12
    fake_page.page.set_viewport_size({"width": 390, "height": 700})
    fake_page.page.wait_for_function(f"({rows})() === 7 * 56 - 8 + 12")  # 390 - 32 - 12: six columns
    fake_page.update(columns=40)
    fake_page.page.wait_for_function(f"({rows})() === 56 - 8 + 12")
    listbox = fake_page.page.get_by_role("listbox")
    listbox.evaluate("scroller => scroller.scrollTo(scroller.scrollWidth, 0)")
    x = fake_page.page.evaluate("() => document.querySelector('.cnnviz-tiles-content').getBoundingClientRect().right")
    fake_page.page.mouse.click(x - 30, middle(fake_page, 0)[1])
    assert picks(fake_page) == [39]


def test_a_grid_that_was_hidden_is_drawn_when_it_is_shown(fake_page: FakePage) -> None:
    load(fake_page, plain(20))
    fake_page.page.evaluate("() => { views[0].el.style.display = 'none'; update({revision: 2}) }")
    fake_page.page.evaluate("() => new Promise(requestAnimationFrame)")
    fake_page.page.evaluate("() => { views[0].el.style.display = '' }")
    fake_page.page.wait_for_function(
        "() => document.querySelector('.cnnviz-tiles-content').offsetHeight === 2 * 56 + 4"
    )
    assert colour(fake_page, *middle(fake_page, 13)) == (13 * 20 % 256, 100, 0)


def test_in_a_row_of_widgets_the_grid_asks_for_one_row(fake_page: FakePage) -> None:
    load(fake_page, plain(5), captions=False)
    fake_page.page.evaluate(
        "() => { document.getElementById('views').style.cssText = 'display: flex; flex-flow: row wrap' }"
    )
    fake_page.page.wait_for_function("() => document.querySelector('.cnnviz-tiles-content').offsetHeight === 60")
    width = fake_page.page.locator(".view").evaluate("view => view.offsetWidth")
    assert 5 * 56 <= width <= 5 * 56 + 24
    fake_page.page.set_viewport_size({"width": 200, "height": 700})  # and makes do with less
    fake_page.page.wait_for_function("() => document.querySelector('.cnnviz-tiles-content').offsetHeight === 172")


def test_a_sheet_that_is_too_short_or_of_no_size_is_no_error(fake_page: FakePage) -> None:
    load(fake_page, plain(4), count=9)
    for size in ([0, 0], [4, 0], [1000, 1000]):
        fake_page.update(tile_size=size)
        fake_page.page.evaluate("() => new Promise(requestAnimationFrame)")


def test_a_removed_view_leaves_nothing_behind(fake_page: FakePage) -> None:
    fake_page.load("tiles", state(plain(20)), views=2)
    fake_page.unmount(0)
    fake_page.unmount(1)
    assert fake_page.listeners == 0
    assert fake_page.page.locator(".cnnviz").count() == 0
    fake_page.page.set_viewport_size({"width": 500, "height": 500})
