"""The picture widget by keyboard and by ear, in a real Chromium and without a kernel."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.fake_page import FakePage
from tests.support.picture_card import Shown, occluded, show


def windows(fake: FakePage) -> list[list[int]]:
    return [message["window"] for message in fake.sent]


@pytest.fixture
def card(fake_page: FakePage) -> Shown:
    return show(fake_page, occluded())


def test_keys_move_and_resize(card: Shown) -> None:
    card.canvas.focus()
    keys = [
        ("ArrowDown", (31, 40, 20, 20)),
        ("ArrowRight", (31, 41, 20, 20)),
        ("Shift+ArrowUp", (21, 41, 20, 20)),
        ("Shift+ArrowLeft", (21, 31, 20, 20)),
        ("+", (20, 30, 22, 22)),
        ("-", (21, 31, 20, 20)),
        ("Home", (40, 40, 20, 20)),
        ("Escape", (30, 40, 20, 20)),
    ]
    for key, window in keys:
        card.page.keyboard.press(key)
        card.is_at(*window)


def test_a_key_held_down_is_one_gesture(card: Shown) -> None:
    card.canvas.focus()
    for _ in range(5):
        card.page.keyboard.down("ArrowRight")
    assert [message["final"] for message in card.fake.sent] == [False]
    card.page.keyboard.up("ArrowRight")
    card.fake.ack()
    assert [message["final"] for message in card.fake.sent] == [False, True]
    assert windows(card.fake)[-1] == [30, 45, 20, 20]


def test_handled_keys_stay_here_and_others_go_to_the_host(card: Shown) -> None:
    card.page.evaluate(
        """() => {
          window.heard = [];
          document.addEventListener('keydown', (event) => heard.push([event.key, event.defaultPrevented]));
        }"""
    )
    card.canvas.focus()
    for key in ["ArrowDown", "Home", "Escape", "+", "a", "Control+ArrowDown", "Enter"]:
        card.page.keyboard.press(key)
    heard = [key for key, _ in card.page.evaluate("() => heard")]
    assert heard == ["a", "Control", "ArrowDown", "Enter"]
    assert not any(prevented for _, prevented in card.page.evaluate("() => heard"))


def test_tab_gets_in_and_out_and_focus_is_seen(card: Shown) -> None:
    card.page.locator("#before").focus()
    card.page.keyboard.press("Tab")
    expect(card.canvas).to_be_focused()
    expect(card.canvas).to_have_css("outline-style", "solid")
    card.page.keyboard.press("Tab")
    expect(card.page.locator("#after")).to_be_focused()
    card.page.keyboard.press("Shift+Tab")
    expect(card.canvas).to_be_focused()


def test_a_mere_view_takes_no_focus(fake_page: FakePage) -> None:
    card = show(fake_page, occluded(mode="view"))
    expect(card.canvas).to_have_attribute("role", "img")
    expect(card.canvas).to_have_attribute("aria-label", "a test card")
    card.page.locator("#before").focus()
    card.page.keyboard.press("Tab")
    expect(card.page.locator("#after")).to_be_focused()


def test_what_is_shown_is_said(fake_page: FakePage) -> None:
    canvas = occluded()
    canvas.overlay(np.full((2, 2), 0.25, np.float32), "drop of the logit", scales=[("all", 0, 1)])
    card = show(fake_page, canvas)
    expect(card.canvas).to_have_role("application")
    expect(card.canvas).to_have_accessible_name(
        "a test card. window 20 by 20 at row 30, column 40. drop of the logit 0.25"
    )
    expect(card.canvas).to_have_accessible_description(re.compile("Arrow keys move the window"))
    live = card.page.locator("[aria-live=polite]")
    expect(live).to_have_text("")
    card.canvas.focus()
    card.page.keyboard.press("ArrowDown")
    expect(live).to_have_text("window 20 by 20 at row 31, column 40, drop of the logit 0.25")
