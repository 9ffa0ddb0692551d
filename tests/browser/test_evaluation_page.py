"""The test of a map in JupyterLab and Voila: opened by its button, dragged along the curve, and closed again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_views import NETWORK
from tests.support.servers import Opener, until

pytestmark = pytest.mark.browser


def test_a_map_is_tested_below_it(any_page: Opener) -> None:
    opened = any_page([NETWORK, "view = CAMView(classifier, picture)\nview"], ready=".cnnviz-picture canvas")
    page, kernel = opened.page, opened.kernel
    kernel.until("view.heatmap is not None")
    assert kernel.value("view.tester.panel is None")
    page.get_by_role("button", name="Test", exact=True).click()
    kernel.until("view.tester.panel is not None and getattr(view.tester.panel.evaluation, 'progress', 0) == 1")
    expect(page.get_by_role("tab", name="Reveal and cover")).to_be_in_viewport()
    slider = page.get_by_role("slider", name="revealed")
    until(lambda: page.get_by_role("img", name="Reveal the most important first").count(), 30, "the chart")
    slider.evaluate("element => element.scrollIntoView({block: 'center'})")
    kernel.run("before = view.tester.panel.order.canvas.picture")
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 4, middle)
    page.mouse.down()
    for share in (0.4, 0.6, 0.75):
        page.mouse.move(box["x"] + box["width"] * share, middle)
    page.mouse.up()
    kernel.until("view.tester.panel.step == 6 and view.tester.panel.order.canvas.picture != before")
    # On the curve itself, of the other test: the picture and both charts go along.
    curve = page.get_by_role("slider", name="deletion curve")
    over = curve.bounding_box()
    assert over is not None and over["height"] > 100
    page.mouse.move(over["x"] + 1, over["y"] + over["height"] / 2)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] / 4, over["y"] + over["height"] / 2, steps=4)
    page.mouse.up()
    kernel.until("view.tester.panel.mode == 'deletion' and view.tester.panel.step == 2")
    curve.press("ArrowRight")
    kernel.until("view.tester.panel.step == 3 and view.tester.panel.order.slider.index == 3")
    area = kernel.value("f'{view.tester.panel.evaluation.insertion.area:.2f} against'")
    until(lambda: page.get_by_text(area).count(), 30, "the answer")
    for chart in page.get_by_role("img", name="most important first").all():
        drawn, column = chart.bounding_box(), chart.locator("xpath=..").bounding_box()
        assert drawn is not None and column is not None and drawn["width"] == pytest.approx(column["width"], abs=1)
    page.get_by_role("tab", name="Forget the weights").click()
    kernel.until("view.tester.panel.randomization and view.tester.panel.randomization[-1].count == 3", 60)
    page.get_by_role("button", name="Test", exact=True).click()
    kernel.until("view.tester.panel is None")
    until(lambda: page.locator(".cnnviz-view").count() == 1, 30, "the test to go")
