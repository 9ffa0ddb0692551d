"""PatchView and MaximisationView in a real page: what a hand does, and what is then in the kernel."""

from __future__ import annotations

import pytest

from tests.support.servers import Opener

pytestmark = pytest.mark.browser

SMALL = "from cnnviz_widgets import MaximisationView, PatchView, Session, demo\nclassifier = demo.shapes_classifier()"


def test_patches_are_shown_and_a_click_chooses_the_picture(any_page: Opener) -> None:
    nb = any_page([SMALL, "view = PatchView(classifier, source=demo.shapes(40))", "view"], ready=".cnnviz-tiles canvas")
    nb.kernel.until("view.patches is not None and view.patches.done == 40 and view.sheet is not None")
    slider = nb.page.get_by_label("among all", exact=False).first
    slider.focus()
    nb.page.keyboard.press("End")
    nb.kernel.until("view.rank == 'random' and view.sheet.rank == 'random'")
    box = nb.page.locator(".cnnviz-tiles canvas").first.bounding_box()
    assert box is not None
    nb.page.mouse.click(box["x"] + 40, box["y"] + 40)
    nb.kernel.until("view.session.picture is not None")
    assert nb.kernel.value("view.session.picture.name == f'item {view.sheet.locations[view.tiles.selected].image}'")


def test_a_picture_grows_stops_and_goes_on(any_page: Opener) -> None:
    nb = any_page(
        [SMALL, "view = MaximisationView(Session(classifier, target='star'))", "view"], ready="button:has-text('Start')"
    )
    nb.page.get_by_role("button", name="Start", exact=True).click()
    nb.kernel.until("view.visuals[0] is not None and view.run_button.description == 'Go on'", 60)
    before = nb.kernel.value("view.visuals[0].step")
    nb.page.get_by_role("button", name="Go on").click()
    nb.kernel.until(f"view.visuals[0].step == {2 * before}", 60)
    nb.page.get_by_role("button", name="Start over").click()
    nb.kernel.until(f"view.visuals[0] is not None and view.visuals[0].step < {2 * before}")
    nb.kernel.until(f"view.visuals[0] is not None and view.visuals[0].step == {before} and not view.busy", 60)
    nb.page.get_by_role("button", name="Use as picture").click()
    nb.kernel.until("view.session.picture is not None")
    assert nb.kernel.value("view.session.example.predicted == view.session.target")
