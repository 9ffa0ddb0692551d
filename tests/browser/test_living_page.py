"""Pages that live without a kernel: what the hand does there gives what it gives in the notebook."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from cnnviz_widgets import demo, explore, schedule
from cnnviz_widgets.views.explorer import Explorer
from tests.support.exported import content_of
from tests.support.living import LivingPage, open_from_disk, open_from_server

CLASSES = 3


@pytest.fixture(scope="module")
def app() -> Iterator[Explorer]:
    """The app of a small network, with all of its tabs opened."""
    with schedule.inline():
        made = explore(demo.shapes_classifier(), demo.pictures()[:3], source=demo.pictures())
        for title in made.tabs.titles:
            made.open_tab(title)
        made.open_tab("Class image").go_on()  # type: ignore[attr-defined]
        made.open_tab("Occlusion")
    yield made
    made.close()


@pytest.fixture(scope="module")
def written(app: Explorer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "app.html"
    before = app.state
    visual = app.views["Class image"].visual  # type: ignore[attr-defined]
    with schedule.inline():
        saved = app.to_html(path, classes=CLASSES, live="tables", tell=None)
        assert app.state == before
        assert app.views["Class image"].visual.step == visual.step  # type: ignore[attr-defined]
    assert saved.path == path and saved.size == path.stat().st_size / 1e6 < 3
    return path


@pytest.fixture(params=["from disk", "from a server"])
def living(request: pytest.FixtureRequest, chromium: Browser, written: Path) -> Iterator[LivingPage]:
    opener = open_from_disk if request.param == "from disk" else open_from_server
    with opener(chromium, written) as page:
        yield page
    assert page.problems == []
    assert len(page.requests) == 1, page.requests


def numbers_of(path: Path, **traits: Any) -> list[int]:
    """The numbers of the widgets whose packed form has these values."""
    widgets = content_of(path.read_text(encoding="utf-8"))["widgets"]
    return [at for at, widget in enumerate(widgets) if all(widget.get(name) == value for name, value in traits.items())]


def test_every_tab_shows_its_technique(living: LivingPage, app: Explorer) -> None:
    page = living.page
    tabs = page.locator("[role=tab]")
    expect(tabs).to_have_count(len(app.tabs.titles))
    for number, title in enumerate(app.tabs.titles):
        tabs.nth(number).click()
        shown = page.locator(".cnnviz-page:visible")
        expect(shown).to_have_count(1)
        topic = type(app.views[title]).topic
        expect(shown.locator(f".cnnviz-of-{topic}")).to_be_visible()
        expect(
            shown.locator("canvas:visible, .cnnviz-tiles canvas:visible, .chart-points:visible").first
        ).to_be_visible()
        shown.get_by_role("button", name="Help").first.click()  # the help needs no kernel
        expect(shown.locator(".cnnviz-head-help, [role=dialog], dialog").first).to_be_visible()
        shown.get_by_role("button", name="Help").first.click()


def test_interactions_give_what_they_give_in_the_notebook(living: LivingPage, app: Explorer, written: Path) -> None:
    content = content_of(written.read_text(encoding="utf-8"))
    names = [axis["name"] for axis in content["axes"]]
    picture, target, layer = (content["axes"][names.index(name)] for name in ("picture", "class", "layer"))
    cam = app.views["CAM"]
    statuses = numbers_of(written, script="status")
    canvases = numbers_of(written, script="picture")
    hand = random.Random(0)
    with schedule.inline():
        app.open_tab("CAM")
        for _ in range(10):
            at, index, stop = hand.randrange(3), hand.randrange(CLASSES), hand.randrange(layer["count"])
            app.session.picture = app.pictures[at]
            best = np.argsort(-app.session.example.logits, kind="stable")
            app.session.target = int(best[index])
            app.session.layer = cam.layer_slider.names[stop]  # type: ignore[attr-defined]
            for axis, option in ((picture, at), (target, index), (layer, stop)):
                living.send(axis["controls"][0]["widget"], index=option, name="picked")
            said = [living.trait(number, "text") for number in statuses]
            assert cam.status.text in said
            maps = [living.trait(number, "_map") for number in canvases]
            cells = np.frombuffer(cam.canvas.map, "<f4").reshape(cam.canvas.map_size)  # type: ignore[attr-defined]
            found = [
                np.frombuffer(bytes(one["values"]), "<f4").reshape(one["size"])
                for one in maps
                if one and one["quantity"] == cam.canvas.quantity  # type: ignore[attr-defined]
            ]
            assert any(one.shape == cells.shape and np.abs(one - cells).max() <= np.ptp(cells) / 250 for one in found)


def test_a_patch_says_the_same_as_in_the_notebook(living: LivingPage, app: Explorer, written: Path) -> None:
    content = content_of(written.read_text(encoding="utf-8"))
    (patch,) = [player for player in content["players"] if player["kind"] == "patch"]
    view: Any = app.views["Occlusion"]
    hand = random.Random(1)
    with schedule.inline():
        app.session.target = None
        app.session.picture = app.pictures[0]
        app.open_tab("Occlusion")
        view.resting.drop_map()
        table = content["values"][patch["tables"][0]]
        height, width = table["window"]
        for _ in range(6):
            window = (hand.choice(table["tops"]), hand.choice(table["lefts"]), height, width)
            view.window = window
            living.send(patch["canvas"], name="moved", window=list(window))
            assert living.trait(patch["status"], "text") == f"{view.status.text} (exact: recorded at this place)"
            assert living.trait(patch["bars"], "names") == view.bars.names
            assert living.trait(patch["bars"], "texts") == view.bars.texts
            for bars in ("now", "before"):
                np.testing.assert_allclose(living.trait(patch["bars"], bars), getattr(view.bars, bars), atol=2e-6)
        near = [table["tops"][2] + 1, table["lefts"][3] + 1, height, width]
        living.send(patch["canvas"], name="moved", window=near, final=False)
        assert living.trait(patch["status"], "text").endswith("(interpolated between recorded places)")
        living.send(patch["canvas"], name="moved", window=near)
        assert living.trait(patch["canvas"], "_window_final") == [table["tops"][2], table["lefts"][3], height, width]
        assert living.trait(patch["status"], "text").endswith("(exact: recorded at this place)")


def test_a_lasso_lists_pictures_and_a_click_their_neighbours(living: LivingPage, app: Explorer) -> None:
    page = living.page
    page.locator("[role=tab]").nth(app.tabs.titles.index("Map")).click()
    chart = page.locator(".chart-points:visible")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    count = chart.locator("[data-point]").count()
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.02)]
    page.mouse.move(box["x"] + corners[0][0] * box["width"], box["y"] + corners[0][1] * box["height"])
    page.mouse.down()
    for across, down in corners[1:]:
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    page.mouse.up()
    line = page.locator(".cnnviz-page:visible .cnnviz-status").filter(has_text=f"{count} pictures: ")
    expect(line).to_have_count(1)
    chart.locator("[data-point='0']").click(force=True)
    expect(
        page.locator(".cnnviz-page:visible .cnnviz-status").filter(has_text="in the features, by cosine")
    ).to_have_count(1)


def test_the_growth_of_a_picture_can_be_gone_through(living: LivingPage, app: Explorer) -> None:
    page = living.page
    page.locator("[role=tab]").nth(app.tabs.titles.index("Class image")).click()
    slider = page.locator(".cnnviz-page:visible").get_by_role("slider", name="step")
    slider.focus()
    seen = set()
    for _ in range(4):
        seen.add(
            page.locator(".cnnviz-page:visible canvas.cnnviz-picture-canvas").first.evaluate(
                "canvas => canvas.toDataURL()"
            )
        )
        page.keyboard.press("ArrowLeft")
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    assert len(seen) > 2
