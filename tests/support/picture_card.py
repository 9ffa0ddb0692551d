"""A test card in the picture widget, and a hand on it."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from cnnviz_widgets import words
from cnnviz_widgets.views import covering
from cnnviz_widgets.widgets.picture import PictureCanvas
from tests.support.fake_page import FakePage

SIZE = 100
#: The texts of the brush.
BRUSH = {"en": {name: words.catalogue("en")[f"brush.{name}"] for name in covering.BRUSH}}
PALE, DARK, RED = (220, 220, 220), (20, 40, 60), (200, 30, 30)


def traits(canvas: PictureCanvas) -> dict[str, Any]:
    """What the browser is told of `canvas`."""
    return {name: getattr(canvas, name) for name in canvas.traits(sync=True) if name in vars(PictureCanvas)}


def flat(color: tuple[int, int, int], size: int = SIZE) -> np.ndarray:
    return np.full((size, size, 3), color, np.uint8)


def occluded(**options: Any) -> PictureCanvas:
    """A pale picture, dark under the window, at 2 CSS pixels to a pixel; the window at (30, 40), 20 x 20."""
    canvas = PictureCanvas(**{"mode": "window", "display_width": 2 * SIZE, "label": "a test card", **options})
    canvas.show(flat(PALE))
    canvas.baseline = flat(DARK).tobytes()
    canvas.place_window((30, 40, 20, 20), (4, 60))
    return canvas


def heatmap(
    values: list[list[float]], quantity: str, *, signed: bool = False, scale: list[Any] | None = None
) -> dict[str, Any]:
    """A map as the kernel sends it."""
    cells = np.array(values, "<f4")
    return {
        "values": cells.tobytes(),
        "size": list(cells.shape),
        "quantity": quantity,
        "signed": signed,
        "scales": [scale] if scale else [],
    }


def open_settings(page: Page) -> None:
    """Open what stands behind the dots of each picture's legend."""
    page.locator(".cnnviz-picture-more").evaluate_all("(all) => { for (const each of all) each.open = true; }")


def close_settings(page: Page) -> None:
    """Close them: they float over what stands below."""
    page.locator(".cnnviz-picture-more").evaluate_all("(all) => { for (const each of all) each.open = false; }")


class Shown:
    """One view on the page; positions are in picture pixels."""

    def __init__(self, fake: FakePage, view: int = 0) -> None:
        self.fake, self.page, self.view = fake, fake.page, view
        self.canvas: Locator = fake.page.locator("canvas.cnnviz-picture-canvas").nth(view)

    def at(self, row: float, column: float) -> tuple[float, float]:
        box = self.canvas.bounding_box()
        rows, columns = self.page.evaluate("() => model.get('_picture').size")
        assert box is not None
        return box["x"] + column * box["width"] / columns, box["y"] + row * box["height"] / rows

    def press(self, row: float, column: float) -> None:
        self.page.mouse.move(*self.at(row, column))
        self.page.mouse.down()

    def move(self, row: float, column: float, steps: int = 4) -> None:
        self.page.mouse.move(*self.at(row, column), steps=steps)

    def release(self) -> None:
        self.page.mouse.up()

    def drag(self, *path: tuple[float, float]) -> None:
        self.press(*path[0])
        for place in path[1:]:
            self.move(*place)
        self.release()

    def frame(self) -> None:
        """Wait until what has happened is drawn."""
        for _ in range(2):
            self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def is_at(self, top: int, left: int, height: int = 20, width: int = 20) -> None:
        words = f"window {height} by {width} at row {top}, column {left}"
        expect(self.canvas).to_have_attribute("aria-label", re.compile(re.escape(words)))

    def color(self, row: float, column: float) -> tuple[int, int, int]:
        """Of the canvas' own pixel at a place of the picture."""
        self.frame()
        rgb = self.canvas.evaluate(
            """(canvas, [row, column]) => {
              const [rows, columns] = model.get('_picture').size;
              const x = Math.floor((column * canvas.width) / columns);
              const y = Math.floor((row * canvas.height) / rows);
              return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data.slice(0, 3)];
            }""",
            [row, column],
        )
        return tuple(rgb)

    def drawn(self) -> np.ndarray:
        """Every canvas pixel, uint8 (H, W, 3)."""
        self.frame()
        png = self.canvas.evaluate("(canvas) => canvas.toDataURL('image/png')").partition(",")[2]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def show(fake: FakePage, canvas: PictureCanvas, **options: Any) -> Shown:
    """Show `canvas` on a page; `options` are those of `FakePage.load`."""
    fake.load("picture", traits(canvas), **options)
    return Shown(fake)


class Finger:
    """A finger on a card; positions are in picture pixels."""

    def __init__(self, card: Shown) -> None:
        self.card, self.fake = card, card.fake
        self._session = card.page.context.new_cdp_session(card.page)

    def drag(self, *path: tuple[float, float]) -> None:
        """Put it down, move it along the path, and lift it."""
        places = [dict(zip("xy", self.card.at(*place), strict=True)) for place in path]
        for number, place in enumerate(places):
            kind = "touchMove" if number else "touchStart"
            self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        self._session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
