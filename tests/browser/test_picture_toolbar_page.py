"""The picture widget's toolbar, in a real Chromium and without a kernel."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.fake_page import FakePage
from tests.support.picture_card import PALE, Shown, heatmap, occluded, open_settings, show, traits


@pytest.fixture
def heat(fake_page: FakePage) -> Shown:
    """A map that rises from left to right, 0 to 4, over the pale picture; no window."""
    canvas = occluded(mode="view")
    rising = np.array([[0, 1, 2, 3, 4]], np.float32)
    canvas.overlay(rising, "drop", scales=[("this map", 0, 4), ("all layers", 0, 8)])
    canvas.view_state = {"even": True}
    shown = show(fake_page, canvas)
    open_settings(fake_page.page)
    return shown


def slide(shown: Shown, name: str, value: int) -> None:
    shown.page.get_by_role("slider", name=name).nth(shown.view).fill(str(value))


def test_colours_are_set_without_a_kernel(heat: Shown) -> None:
    slide(heat, "Opacity", 100)
    assert heat.color(50, 95) == (253, 231, 37)
    heat.page.get_by_role("combobox", name="Colours").select_option("grey")
    assert heat.color(50, 95) == (255, 255, 255)
    heat.page.get_by_role("combobox", name="Scale").select_option("all layers")
    assert heat.color(50, 95) == (128, 128, 128)
    expect(heat.page.locator(".cnnviz-picture-tick").last).to_have_text("8")
    slide(heat, "Hide weak", 40)
    assert heat.color(50, 50) == PALE
    expect(heat.page.locator("output")).to_have_text("< 3.2")
    between = heat.color(50, 88)
    heat.page.get_by_role("button", name="Cells", exact=True).click()
    assert heat.color(50, 82) == heat.color(50, 98) == (128, 128, 128) != between
    assert heat.color(50, 80) == heat.color(50, 90)  # a cell's very edge
    slide(heat, "Opacity", 0)
    assert heat.color(50, 95) == PALE
    assert heat.fake.sent == []


def test_signed_values_have_zero_in_the_middle(heat: Shown) -> None:
    heat.fake.update(_map=heatmap([[-1, 0, 2]], "x", signed=True, scale=["s", -1, 2]))
    ticks = heat.page.locator(".cnnviz-picture-tick")
    expect(ticks).to_have_text(["\N{MINUS SIGN}2", "0", "2"])
    slide(heat, "Opacity", 100)
    assert min(heat.color(50, 50)) > 235
    assert heat.color(50, 98)[0] > heat.color(50, 98)[2]
    assert heat.color(50, 2)[2] > heat.color(50, 2)[0]
    colours = heat.page.get_by_role("combobox", name="Colours")
    expect(colours.locator("option")).to_have_text(["blue-white-red", "green-white-purple"])


def test_hold_keeps_the_scale_for_the_next_maps_of_the_same_quantity(heat: Shown) -> None:
    hold, ticks = heat.page.get_by_role("button", name="Hold"), heat.page.locator(".cnnviz-picture-tick")
    hold.click()
    expect(hold).to_have_attribute("aria-pressed", "true")

    def show(high: float, quantity: str) -> None:
        heat.fake.update(_map=heatmap([[-1, high]], quantity, scale=["s", 0, high]))

    show(10, "drop")
    expect(ticks).to_have_text(["≤ 0", "", "≥ 4"])
    expect(heat.page.get_by_role("combobox", name="Scale")).to_have_value("fixed")
    show(10, "activation")
    expect(ticks).to_have_text(["≤ 0", "", "10"])
    show(7, "drop")
    hold.click()
    expect(ticks).to_have_text(["≤ 0", "", "7"])


def test_the_value_under_the_pointer_is_read_out(heat: Shown) -> None:
    value, needle = heat.page.locator(".cnnviz-picture-value"), heat.page.locator(".cnnviz-picture-needle")
    expect(needle).to_be_hidden()
    heat.page.mouse.move(*heat.at(12.5, 50.5))
    expect(value).to_have_text("row 12, col 50 · drop 2.03")
    expect(needle).to_be_visible()
    heat.page.mouse.move(0, 0)
    expect(value).to_have_text("")
    expect(needle).to_be_hidden()


def test_settings_are_saved_once_and_found_again(fake_page: FakePage) -> None:
    fake_page.page.clock.install()
    canvas = occluded()
    canvas.overlay(np.ones((2, 2), np.float32), "x", scales=[("s", 0, 1)])
    fake_page.load("picture", traits(canvas), views=2)
    open_settings(fake_page.page)
    first, second = Shown(fake_page, 0), Shown(fake_page, 1)
    for value in (10, 20, 30):
        slide(first, "Opacity", value)
    expect(fake_page.page.get_by_role("slider", name="Opacity").nth(1)).to_have_value("30")
    assert fake_page.saved == []
    fake_page.page.clock.fast_forward(400)
    (saved,) = fake_page.saved
    assert saved["view_state"]["opacity"] == 0.3
    second.page.get_by_role("button", name="Cells", exact=True).nth(1).click()
    fake_page.unmount(1)
    assert fake_page.saved[-1]["view_state"] == {**saved["view_state"], "cells": True}

    fake_page.load("picture", traits(canvas) | {"view_state": saved["view_state"]})
    open_settings(fake_page.page)
    expect(fake_page.page.get_by_role("slider", name="Opacity")).to_have_value("30")


def test_text_is_never_markup(fake_page: FakePage) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    canvas = occluded(label=evil)
    canvas.overlay(np.ones((1, 1), np.float32), evil, scales=[(evil, 0, 1)])
    fake_page.load("picture", traits(canvas))
    expect(fake_page.page.locator(".cnnviz-picture-quantity")).to_have_text(evil)
    open_settings(fake_page.page)
    expect(fake_page.page.get_by_role("combobox", name="Scale").locator("option")).to_have_text(evil)
    assert fake_page.page.locator("img, #views script").count() == 0


HOSTS = {
    "plain": ("", ""),
    "plain dark": ("", ""),
    "JupyterLab": ('data-jp-theme-light="true"', "--jp-ui-font-color1: #222; --jp-layout-color1: #fff"),
    "JupyterLab dark": ('data-jp-theme-light="false"', "--jp-ui-font-color1: #eee; --jp-layout-color1: #111"),
    "VS Code dark": (
        'class="vscode-dark"',
        "--vscode-foreground: #ccc; --vscode-dropdown-background: #222; --vscode-editor-background: #1e1e1e;"
        "--jp-ui-font-color1: #000; --jp-layout-color1: #fff",
    ),
}


@pytest.mark.parametrize("host", HOSTS)
def test_the_toolbar_is_legible_in_every_theme(fake_page: FakePage, host: str) -> None:
    attributes, variables = HOSTS[host]
    dark = "dark" in host
    canvas = occluded()
    canvas.overlay(np.ones((1, 1), np.float32), "drop", scales=[("s", 0, 1)])
    css = f"body {{ {variables}; background: {'#16191d' if dark else '#fff'} }}"
    fake_page.load("picture", traits(canvas), dark=host == "plain dark", attributes=attributes, css=css)
    luminance = """(element, property) => {
      const canvas = document.createElement('canvas').getContext('2d');
      canvas.fillStyle = getComputedStyle(element)[property];
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
        const share = byte / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }"""

    def contrast(text: float, ground: float) -> float:
        return (max(text, ground) + 0.05) / (min(text, ground) + 0.05)

    open_settings(fake_page.page)
    page = fake_page.page.locator("body").evaluate(luminance, "backgroundColor")
    for name in [".cnnviz-picture-quantity", ".cnnviz-picture-where", ".cnnviz-picture-tick >> nth=0"]:
        text = fake_page.page.locator(name).evaluate(luminance, "color")
        assert contrast(text, page) > 4.5, name
    button = fake_page.page.get_by_role("button", name="Hold")
    ground = button.evaluate(luminance, "backgroundColor")
    assert contrast(button.evaluate(luminance, "color"), ground) > 4.5
    assert (ground < 0.2) is dark


def test_the_settings_open_and_close_without_moving_the_page(fake_page: FakePage) -> None:
    canvas = occluded()
    canvas.overlay(np.ones((2, 2), np.float32), "x", scales=[("s", 0, 1)])
    fake_page.load("picture", traits(canvas))
    opacity, dots = fake_page.page.get_by_role("slider", name="Opacity"), fake_page.page.locator("summary")
    expect(opacity).to_be_hidden()
    before = fake_page.page.locator(".cnnviz-picture").bounding_box()
    dots.click()
    expect(opacity).to_be_visible()
    assert fake_page.page.locator(".cnnviz-picture").bounding_box() == before
    dots.press("Enter")
    expect(opacity).to_be_hidden()


def test_weak_values_let_the_picture_through(heat: Shown) -> None:
    slide(heat, "Opacity", 100)
    even = heat.page.get_by_role("button", name="Even")
    expect(even).to_have_attribute("aria-pressed", "true")
    assert heat.color(50, 2) == (68, 1, 84)
    even.click()
    assert heat.color(50, 2) == PALE  # zero is clear
    assert heat.color(50, 98) == (253, 231, 37)


def test_the_settings_close_on_a_press_elsewhere_and_on_escape(heat: Shown) -> None:
    settings = heat.page.locator(".cnnviz-picture-settings")
    expect(settings).to_be_visible()
    heat.page.get_by_role("slider", name="Opacity").press("Escape")
    expect(settings).to_be_hidden()
    expect(heat.page.locator("summary")).to_be_focused()
    heat.page.locator("summary").press("Enter")
    expect(settings).to_be_visible()
    heat.page.get_by_role("button", name="Cells", exact=True).click()
    expect(settings).to_be_visible()
    heat.page.mouse.click(5, 5)
    expect(settings).to_be_hidden()
