"""Random gestures on the page of every view: the console stays clean, and the page answers as before."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.sync_api import Error, Locator, Page

from tests.support.servers import Opener

pytestmark = pytest.mark.browser

APP = """
import numpy as np
import torch
from torch import nn
from cnnviz_widgets import Classifier, explore

torch.manual_seed(0)
network = nn.Sequential(
    nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4),
)
noise = np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
names = ["ant", "bee", "<img src=x onerror=alert(1)>", "dog"]
app = explore(Classifier(network, class_names=names, input_size=(48, 64)), list(noise[:4]), source=list(noise))
"""
_KEYS = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End", "PageUp", "Enter", "Escape", "a"]


def shown(page: Page, selector: str) -> list[Locator]:
    return [found for found in page.locator(selector).all() if found.is_visible()]


def gesture(page: Page, hand: random.Random) -> None:
    """Click, drag or press a key somewhere; what vanishes under the hand is let go."""
    kind = hand.random()
    if kind < 0.12:
        hand.choice(shown(page, "[role=tab]")).click(timeout=3000)
    elif kind < 0.6:
        box = hand.choice(shown(page, ".cnnviz-view canvas, .cnnviz-explorer canvas")).bounding_box()
        if box is None:
            return
        places = [(box["x"] + hand.random() * box["width"], box["y"] + hand.random() * box["height"]) for _ in range(4)]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1 : hand.randint(1, 4)]:
            page.mouse.move(*place, steps=3)
        page.mouse.up()
    elif kind < 0.8:
        buttons = [one for one in shown(page, ".cnnviz-view button") if one.is_enabled()]
        if buttons:
            hand.choice(buttons).click(timeout=1500)
    else:
        hand.choice(shown(page, ".cnnviz-view [role=slider], .cnnviz-view input, .cnnviz-view select")).focus()
        for _ in range(hand.randint(1, 4)):
            page.keyboard.press(hand.choice(_KEYS))


@pytest.mark.timeout(0)
def test_no_gesture_leaves_an_error_or_a_page_that_does_not_answer(
    voila_page: Opener, request: pytest.FixtureRequest
) -> None:
    hand = random.Random(request.config.getoption("--seed"))
    opened = voila_page([APP, "app"], ready=".cnnviz-explorer canvas")
    dialogs: list[Any] = []
    opened.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    opened.kernel.until("app.view.probe is not None")
    for _ in range((request.config.getoption("--soak") or 400) // 10):
        try:
            gesture(opened.page, hand)
        except (Error, IndexError):
            continue  # it went away under the hand
    assert dialogs == []
    opened.page.locator("[role=tab]").first.click()
    opened.kernel.until("app.view is app._views['Occlusion'] and not app.view.busy")
    opened.kernel.run("app.view.set_trait('probe', None)")
    canvas = shown(opened.page, ".cnnviz-view canvas.cnnviz-picture-canvas")[0]
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3, steps=4)
    opened.page.mouse.up()
    opened.kernel.until("app.view.probe is not None")
