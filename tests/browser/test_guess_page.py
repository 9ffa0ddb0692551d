"""Guess first, in Voila: a box is drawn, then the truth is revealed beside it."""

from __future__ import annotations

import pytest

from cnnviz_widgets.views.evaluation import SECTIONS
from tests.support.servers import Opener

from .test_views import NETWORK, Hand, middle, path

pytestmark = pytest.mark.browser


def test_a_box_is_guessed_and_what_is_true_is_revealed(voila_page: Opener) -> None:
    cells = [
        NETWORK,
        "from cnnviz_widgets.explain import Occlusion",
        "view = OcclusionView(classifier, picture, technique=Occlusion(16, 8), guess=True)",
        "view",
    ]
    nb = voila_page(cells, ready=".cnnviz-guess canvas.cnnviz-picture-canvas")
    page = nb.page
    page.get_by_text("Where does").wait_for()
    # Run All has shown the question and nothing of the answer: no bars, no map, no sentence of the probe.
    assert page.locator("canvas.cnnviz-picture-canvas").count() == 1
    assert (
        page.locator(".cnnviz-class-bars-row").count() == 0 and "drop of the" not in page.locator("body").inner_text()
    )
    nb.kernel.run("canvas = view.canvas; view.canvas = view.guessing.stage.canvas")
    start = middle(nb)
    nb.kernel.run("view.canvas = canvas")
    Hand(page).drag(path(start, (20, 44), 6))
    nb.kernel.until("view.guessing.stage.guess is not None")
    page.get_by_role("spinbutton").nth(1).fill("19")
    page.get_by_role("spinbutton").nth(1).press("Tab")
    nb.kernel.until("view.guessing._hands['B'].value == 19")
    page.get_by_role("button", name="Reveal").click()
    nb.kernel.until("len(view.guesses) == 1 and not view.guessing.hidden", 60)
    page.get_by_text("19 of 19 hands said B. It is").wait_for()
    assert "Guess kept as no. 1" in page.locator(".cnnviz-guess").inner_text()
    page.locator(".cnnviz-class-bars-row").first.wait_for()
    row = nb.kernel.value("view.guesses.drop(columns='time').to_dict('records')[0]")
    assert row["kind"] == "box" and row["view"] == "OcclusionView" and row["hands"]["B"] == 19
    assert row["truth"] in "ABCD" and 0 <= row["score"] <= 1
    top, left, height, width = row["guess"]
    assert abs(top + height / 2 - 20) <= 1.5 and abs(left + width / 2 - 44) <= 1.5
    nb.kernel.until("view.heatmap is not None and view.canvas.box is not None")
    page.get_by_role("button", name="Guess").click()
    page.get_by_text("Where does").wait_for()
    assert page.locator("canvas.cnnviz-picture-canvas").count() == 1
    page.get_by_role("button", name="Skip").click()
    page.locator(".cnnviz-class-bars-row").first.wait_for()
    page.get_by_role("button", name="Test", exact=True).click()
    page.get_by_role("tab", name=next(iter(SECTIONS.values()))).wait_for()
