"""The confusion matrix of a labelled data set: over a model without a kernel, and in Voila."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.fake_page import FakePage
from tests.support.servers import Opener

from .test_views import NETWORK

MATRIX: dict[str, Any] = {
    "names": ["ant", "<b>bee</b>", "고양이"],
    "counts": [5, 1, 0, 2, 7, 0, 0, 0, 9],
    "selected": None,
    "revision": 1,
    "placeholder": "no labels yet",
}


def test_cells_and_headers_are_told_to_the_kernel(fake_page: FakePage) -> None:
    fake_page.load("matrix", MATRIX)
    fake_page.acknowledge_all()
    names = ["1 picture of ant, taken for <b>bee</b>", "9 pictures of <b>bee</b>", "7 pictures taken for ant"]
    for name in names:
        fake_page.page.get_by_role("button", name=name, exact=True).click()
    sent = [(event["row"], event["column"], event["revision"], event["final"]) for event in fake_page.sent]
    assert sent == [(0, 1, 1, True), (1, -1, 1, True), (-1, 0, 1, True)]
    assert fake_page.page.locator(".cnnviz b").count() == 0 and fake_page.saved == []


def test_the_keyboard_goes_through_the_table_as_one_stop(fake_page: FakePage) -> None:
    fake_page.load("matrix", MATRIX)
    page = fake_page.page
    page.locator("#before").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="5 pictures of ant, right")).to_be_focused()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="9 pictures of 고양이, right")).to_be_focused()
    page.keyboard.press("Enter")
    assert [(event["row"], event["column"]) for event in fake_page.sent] == [(2, 2)]
    page.keyboard.press("Tab")
    expect(page.locator("#after")).to_be_focused()


def test_the_selected_cell_is_marked_and_an_empty_table_says_why(fake_page: FakePage) -> None:
    fake_page.load("matrix", MATRIX)
    fake_page.update(selected=[0, 1])
    pressed = fake_page.page.locator("[aria-pressed=true]")
    expect(pressed).to_have_text("1")
    fake_page.update(selected=None, names=[], counts=[], revision=2)
    expect(fake_page.page.get_by_text("no labels yet")).to_be_visible()
    expect(fake_page.page.locator("table")).to_be_hidden()


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_can_be_read_on_every_colour(dark: bool, fake_page: FakePage) -> None:
    fake_page.load("matrix", MATRIX | {"counts": [9, 0, 0, 0, 0, 9, 1, 5, 3]}, dark=dark)
    contrasts = fake_page.page.evaluate(
        """() => [...document.querySelectorAll('td button')].filter(b => b.textContent).map(button => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const light = colour => {
            canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
              .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const pair = [light(getComputedStyle(button).color),
            light(getComputedStyle(button.parentElement).backgroundColor)];
          return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05); })"""
    )
    assert len(contrasts) == 5 and min(contrasts) >= 4.5, contrasts


@pytest.mark.browser
def test_a_click_in_the_table_selects_pictures_for_all_tabs(any_page: Opener) -> None:
    nb = any_page(
        [
            NETWORK,
            "random = np.random.default_rng(1)\n"
            "pictures = [random.integers(0, 60 * (1 + i % 4), (64, 64, 3), dtype=np.uint8) for i in range(40)]\n"
            "app = explore(classifier, (pictures, [(i // 4) % 4 for i in range(40)]))",
            "app",
        ],
        ready=".cnnviz-picture canvas",
    )
    nb.page.get_by_role("tab", name="Data", exact=True).click()
    nb.kernel.until("type(app.view).__name__ == 'DataView'")
    nb.kernel.until("app.view.predictions is not None and len(app.view.predictions.items) == 40")
    counts = np.array(nb.kernel.value("app.view.matrix.counts"))
    names = nb.kernel.value("app.view.matrix.names")
    side = len(names)
    at = int(np.argmax(counts * (1 - np.eye(side, dtype=int)).ravel()))
    cell = nb.page.locator(".cnnviz-matrix tr").nth(1 + at // side).locator("td button").nth(at % side)
    expect(cell).to_have_text(str(counts[at]))
    cell.click()
    nb.kernel.until(f"len(app.session.selection) == {counts[at]} == app.view.tiles.count")
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(nb.page.get_by_text(f"of the {counts[at]} selected pictures")).to_be_visible()
    nb.page.get_by_role("tab", name="Map", exact=True).click()
    nb.kernel.until("type(app.view).__name__ == 'EmbeddingView'")
    nb.kernel.until("app.view.embedding is not None and len(app.view.details.rows) == len(app.session.selection)", 60)
    assert nb.page.evaluate("document.querySelectorAll('.cnnviz-matrix script').length") == 0
