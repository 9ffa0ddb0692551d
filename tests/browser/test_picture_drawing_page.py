"""What the picture widget draws, in a real Chromium and without a kernel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from cnnviz_widgets.paint import colorize
from cnnviz_widgets.widgets.picture import PictureCanvas
from tests.support.fake_page import FakePage
from tests.support.picture_card import DARK, PALE, RED, SIZE, Shown, flat, heatmap, occluded, show, traits
from tests.support.servers import until


@pytest.fixture
def card(fake_page: FakePage) -> Shown:
    return show(fake_page, occluded())


def bilinear(length: int, cells: int) -> np.ndarray:
    """(length, cells): the weights of `cells` cells in `length` pixels, half-pixel centres, edges clamped."""
    centres = np.clip((np.arange(length) + 0.5) * cells / length - 0.5, 0, cells - 1)
    return np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(cells)))


def nearest(length: int, cells: int) -> np.ndarray:
    """(length, cells): 1 for the cell over each pixel's centre."""
    return np.eye(cells)[((np.arange(length) + 0.5) * cells / length).astype(int)]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("cells", [False, True])
def test_the_blend_is_the_one_of_numpy(fake_page: FakePage, signed: bool, cells: bool) -> None:
    random = np.random.default_rng(3)
    picture = random.integers(0, 256, (60, 48, 3), dtype=np.uint8)
    values = random.normal(0.4, 0.5, (7, 5)).astype(np.float32)
    canvas = PictureCanvas(display_width=48)
    canvas.show(picture)
    canvas.overlay(values, "x", signed, [("fixed", -0.2, 0.8)])
    canvas.view_state = {"opacity": 0.6, "threshold": 0.3, "cells": cells, "even": True}
    fake_page.load("picture", traits(canvas))

    weights = nearest if cells else bilinear
    spread = weights(60, 7) @ values @ weights(48, 5).T
    low, high = (-0.8, 0.8) if signed else (-0.2, 0.8)
    color = colorize(spread, low, high, "blue-white-red" if signed else "viridis").astype(float)
    weak = np.abs(spread) < 0.3 * 0.8 if signed else spread < low + 0.3 * (high - low)
    picture = (picture @ [0.2126, 0.7152, 0.0722])[..., None].repeat(3, -1)  # grey under a map
    expected = np.where(weak[..., None], picture, 0.4 * picture + 0.6 * color)
    drawn = Shown(fake_page).drawn().astype(float)
    assert drawn.shape == expected.shape
    # Float32 in the browser puts a few values on the other side of a colour step or of the threshold.
    off = np.abs(drawn - expected).max(axis=-1) > 2
    assert off.mean() < 0.005


def test_small_pictures_are_sharp_squares(fake_page: FakePage) -> None:
    canvas = PictureCanvas(display_width=448)
    picture = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    canvas.show(picture)
    drawn = show(fake_page, canvas).drawn()
    assert (drawn == picture.repeat(16, 0).repeat(16, 1)).all()


def test_large_pictures_are_smooth(fake_page: FakePage) -> None:
    canvas = PictureCanvas(display_width=100)
    canvas.show((np.indices((300, 300)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2))
    drawn = show(fake_page, canvas).drawn()
    assert drawn.min() > 100
    assert drawn.max() < 160


@pytest.mark.parametrize("density", [1, 1.5, 2, 3])
def test_the_canvas_has_the_screens_own_pixels(open_fake_page: Callable[..., FakePage], density: float) -> None:
    fake = open_fake_page(device_scale_factor=density)
    card = show(fake, occluded())
    height, width, _ = card.drawn().shape
    assert (height, width) == (200 * density, 200 * density)
    assert card.color(40, 50) == DARK
    colors = {tuple(color.tolist()) for color in card.drawn()[round(40 * 2 * density)]}
    # The outline is on whole pixels: there are no shades between.
    assert colors == {PALE, DARK, (0, 0, 0), (255, 255, 255)}


def test_a_narrow_container_shrinks_the_picture(fake_page: FakePage) -> None:
    card = show(fake_page, occluded(), css="#views { width: 120px }")
    assert card.drawn().shape[:2] == (114, 114)
    card.page.evaluate("() => { document.getElementById('views').style.width = '90px' }")
    expect(card.canvas).to_have_css("height", "84px")
    assert card.drawn().shape[:2] == (84, 84)
    card.drag((40, 50), (60, 70))
    card.is_at(50, 60)


def test_values_that_are_no_numbers_are_hatched(fake_page: FakePage) -> None:
    canvas = occluded(mode="view")
    values = np.ones((SIZE, SIZE), np.float32)
    values[:50, :50] = np.nan
    values[:50, 50:] = np.inf
    canvas.overlay(values, "x", scales=[("s", 0, 1)])
    canvas.view_state = {"opacity": 1}
    card = show(fake_page, canvas)
    drawn = card.drawn()
    for part in (drawn[10:90, 10:90], drawn[10:90, 110:190]):
        assert part.max() == PALE[0] and part.min() < PALE[0] - 30
    assert card.color(75, 50) == (253, 231, 37)
    card.page.mouse.move(*card.at(20, 20))
    expect(card.page.locator(".cnnviz-picture-value")).to_have_text("row 20, col 20 · x no value")


def test_a_box_beyond_the_picture_is_seen_at_its_border(fake_page: FakePage) -> None:
    card = show(fake_page, occluded(mode="view", box=(-50, 30, 60, 400), marker=(20, 70)))

    def yellow(part: np.ndarray) -> bool:
        return bool(((part[..., 0] > 200) & (part[..., 2] < 120)).any())

    drawn = card.drawn()
    assert yellow(drawn[:4, 60:]) and yellow(drawn[:120, -4:])  # beyond
    assert yellow(drawn[:120, 57:64]) and yellow(drawn[116:124, 60:])  # inside
    assert not yellow(drawn[8:112, 68:130])
    assert (drawn[25:55, 125:155] == 255).all(-1).any()  # the marker
    card.fake.update(box=None, marker=None)
    assert (card.drawn() == PALE).all()


def test_what_does_not_fit_is_not_drawn(fake_page: FakePage) -> None:
    """A page may be late, a baseline early: nothing may throw or show rubbish."""
    card = show(fake_page, PictureCanvas(mode="window"))
    expect(card.canvas).to_be_hidden()
    fake_page.update(_map=heatmap([[0, 0], [0, 0]], "x"))
    expect(card.page.locator(".cnnviz-picture-tools")).to_be_hidden()
    fake_page.update(baseline=flat(DARK).tobytes())
    fake_page.update(_picture={"pixels": flat(PALE).tobytes()[:-1], "size": [SIZE, SIZE]})
    expect(card.canvas).to_be_hidden()
    fake_page.update(**{name: value for name, value in traits(occluded()).items() if name != "baseline"})
    expect(card.canvas).to_be_visible()
    expect(card.page.locator(".cnnviz-picture-tools")).to_be_hidden()
    assert card.color(40, 50) == DARK
    fake_page.update(baseline=b"\0\0\0")
    assert card.color(40, 50) == (128, 128, 128)
    fake_page.update(_picture={"pixels": flat(RED, 50).tobytes(), "size": [50, 50]})
    assert card.color(10, 10) == RED
    card.is_at(30, 30)


def test_bytes_may_come_as_an_array(card: Shown) -> None:
    """Colab hands over a Uint8Array where Jupyter has a DataView."""
    card.page.evaluate("n => model.write({_picture: {pixels: new Uint8Array(3 * n * n).fill(9), size: [n, n]}})", SIZE)
    assert card.color(5, 5) == (9, 9, 9)


def test_a_stale_map_is_faint_until_the_next_is_there(fake_page: FakePage) -> None:
    canvas = PictureCanvas(display_width=48)
    canvas.show(np.zeros((48, 48, 3), np.uint8))
    canvas.overlay(np.ones((4, 4), np.float32), "x", False, [("fixed", 0.0, 1.0)])
    canvas.view_state = {"opacity": 1.0, "threshold": 0.0, "cells": True}
    canvas.stale = True
    fake_page.load("picture", traits(canvas))
    shown = Shown(fake_page)
    full = colorize(np.ones((1, 1), np.float32), 0, 1, "viridis").astype(float).max()
    until(lambda: 0 < shown.drawn().max() < 0.5 * full, 10, "the map to be faint")
    canvas.overlay(np.ones((4, 4), np.float32), "x", False, [("fixed", 0.0, 1.0)])
    assert not canvas.stale
