"""Exported pages in a real Chromium: from disk, without a kernel, a server or a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from cnnviz_widgets import export, schedule
from cnnviz_widgets.export import recording_of
from cnnviz_widgets.widgets.base import BaseWidget
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.status import Status
from cnnviz_widgets.widgets.tabs import Tabs
from cnnviz_widgets.widgets.tiles import Tiles
from tests.support.exported import cam_view
from tests.support.picture_card import open_settings

Opener = Callable[..., Page]
SLIDER = "input[type=range][aria-valuetext]"


@pytest.fixture
def open_page(chromium: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Open a document from disk in a browser that is offline; no error and no request may come of it."""
    problems: list[str] = []
    allowed = ["request: blob:"]  # scripts of widgets come as objects of the page's own
    contexts = []

    def opened(document: str, allow: str | None = None, **options: Any) -> Page:
        allowed.extend([allow] if allow else [])
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_bytes(document.encode())
        contexts.append(
            chromium.new_context(**{"viewport": {"width": 1000, "height": 800}, "offline": True, **options})
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
        page.on("console", lambda entry: problems.append(f"console: {entry.text}"))
        page.on("request", lambda request: problems.append(f"request: {request.url}"))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-cnnviz]", state="attached")
        problems.remove(f"request: {path.as_uri()}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [problem for problem in problems if not problem.startswith(tuple(allowed))] == []


def pixels(page: Page) -> str:
    """The picture with its map as it is drawn, when it has been."""
    return str(
        page.evaluate(
            """() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() =>
              resolve(document.querySelector("canvas.cnnviz-picture-canvas").toDataURL()))))"""
        )
    )


def test_the_keyboard_goes_through_the_recorded_layers(open_page: Opener) -> None:
    view, recording = cam_view()
    page = open_page(export.page(view, title="shapes", recorded=[recording]))
    slider = page.locator(SLIDER)
    slider.focus()
    drawn = {}
    for index in reversed(range(len(recording.states))):
        expect(page.locator(".cnnviz-slider-name")).to_have_text(view.layer_slider.options[index])
        text = recording.states[index][view.status]["text"]
        expect(page.locator(".cnnviz-status").last).to_contain_text(text)
        drawn[index] = pixels(page)
        page.keyboard.press("ArrowLeft")
    assert len(set(drawn.values())) == len(recording.states)
    for index in (0, 2):  # what was recorded is what a page shows that was made there
        with schedule.inline():
            export.hand_on(view.layer_slider)(index)
        assert pixels(open_page(export.page(view, title="shapes"))) == drawn[index]


def test_the_slider_stays_where_the_hand_leaves_it(open_page: Opener) -> None:
    view, recording = cam_view()
    page = open_page(export.page(view, title="shapes", recorded=[recording]))
    page.locator(SLIDER).fill("1")
    page.locator("button[aria-label=Previous]").click()
    expect(page.locator(SLIDER)).to_have_value("0")
    expect(page.locator(".cnnviz-status").last).to_contain_text(recording.states[0][view.status]["text"])
    expect(page.locator("[data-waiting]")).to_have_count(0)


def test_the_settings_of_the_map_need_no_kernel(open_page: Opener) -> None:
    view, _ = cam_view()
    page = open_page(export.page(ipywidgets.HBox([view.canvas, view.canvas]), title="shapes"))
    drawn = {pixels(page)}
    open_settings(page)
    page.get_by_label("Colours").first.select_option("magma")
    drawn.add(pixels(page))
    page.get_by_label("Hide weak values").first.fill("60")
    drawn.add(pixels(page))
    page.get_by_role("button", name="Cells").first.click()
    drawn.add(pixels(page))
    assert len(drawn) == 4
    expect(page.get_by_label("Colours").last).to_have_value("magma")  # a second view of the same picture


def test_a_picker_is_recorded_like_a_slider(open_page: Opener) -> None:
    picker = Picker(options=["first", "second"], index=0, description="letter")
    line, text = Status(text="one"), ipywidgets.HTML("<b>one</b>")
    states = [{line: {"text": word}, text: {"value": f"<b>{word}</b>", "layout": layout}} for word, layout in
              (("one", {}), ("two", {"margin-left": "7px"}))]  # fmt: skip
    recording = recording_of(picker, tuple(states))
    page = open_page(export.page(ipywidgets.VBox([picker, line, text]), title="t", recorded=[recording]))
    html = page.locator(".widget-html")
    for word, margin in (("two", "7px"), ("one", "2px")):
        page.get_by_label("letter").select_option("second" if word == "two" else "first")
        expect(page.locator(".cnnviz-status")).to_have_text(word)
        expect(html.locator("b")).to_have_text(word)
        expect(html).to_have_css("margin-left", margin)


def test_what_would_ask_a_kernel_is_not_there(open_page: Opener) -> None:
    canvas = PictureCanvas(mode="window")
    canvas.show(np.zeros((40, 40, 3), np.uint8))
    parts = [OptionSlider(options=["a", "b"]), ipywidgets.Button(description="Go"), Tabs(titles=["x", "y"]), canvas]
    parts += [ipywidgets.Label("3.5"), bqplot.Figure(layout={"height": "400px"})]
    page = open_page(export.page(ipywidgets.VBox(parts), title="t"))
    expect(page.locator(f"{SLIDER}, button:has-text('Go'), [role=tab]")).to_have_count(0)
    absent = page.locator(".widget-absent")
    expect(absent).to_have_text("This part needs a kernel: Figure.")
    assert absent.locator("..").evaluate("part => part.offsetHeight") < 100  # no room for the chart
    assert page.locator("canvas").first.get_attribute("data-mode") == "view"
    expect(page.locator("footer")).to_contain_text("Left out, as it needs a kernel: OptionSlider, Go, Tabs.")


def test_layouts_are_those_of_the_notebook(open_page: Opener) -> None:
    inner = ipywidgets.VBox([ipywidgets.Label("a"), ipywidgets.Label("b")], layout={"width": "200px"})
    hidden = ipywidgets.Label("hidden", layout={"display": "none"})
    box = ipywidgets.HBox([inner, hidden, ipywidgets.Label("c")], layout={"grid_gap": "40px", "flex_flow": "row wrap"})
    page = open_page(export.page(box, title="t"))
    a, b, c = (page.locator(".widget-label", has_text=text).bounding_box() for text in "abc")
    assert a and b and c
    assert a["x"] == b["x"] and b["y"] > a["y"]
    assert c["x"] >= a["x"] + 240
    expect(page.get_by_text("hidden")).to_be_hidden()


HOSTILE = "</script><script>globalThis.hacked = 1</script><img src=x onerror='globalThis.hacked = 1'>"


def test_hostile_labels_are_text(open_page: Opener) -> None:
    picker = Picker(options=[HOSTILE, "b"], index=0, description=HOSTILE)
    tiles = Tiles(description=HOSTILE)
    tiles.show(np.zeros((2, 8, 8), np.uint8), labels=[HOSTILE, "b"])
    parts = [picker, tiles, ipywidgets.Label(HOSTILE), Status(text=HOSTILE)]
    recording = recording_of(picker, ({parts[2]: {"value": HOSTILE}}, {parts[2]: {"value": f"{HOSTILE} again"}}))
    page = open_page(export.page(ipywidgets.VBox(parts), title=HOSTILE, recorded=[recording]))
    assert page.title() == page.locator("h1").text_content() == HOSTILE
    expect(page.locator(".cnnviz-status")).to_have_text(HOSTILE)
    page.locator("select").select_option("b")
    expect(page.locator(".widget-label")).to_have_text(f"{HOSTILE} again")
    assert page.evaluate("globalThis.hacked") is None
    assert page.locator("img").count() == 0


def test_text_with_tags_runs_and_loads_nothing(open_page: Opener) -> None:
    source = (
        f"<p style='color: rgb(1, 2, 3)' onclick='globalThis.hacked = 1'>kept <font>text</font></p>{HOSTILE}"
        "<style>p { display: none }</style><iframe src='https://a.example/'></iframe><svg onload='hacked = 1'></svg>"
        "<a href='javascript:hacked = 1'>bad</a><a href='https://a.example/'>good</a>"
        "<p style='background: u\\72l(https://a.example/x)'>styled</p><img src='https://a.example/x' alt='none'>"
    )
    # The browser says what it refuses while it reads the text, before the page leaves it out.
    refused = "console: Executing inline event handler violates"
    page = open_page(export.page(ipywidgets.HTML(source), title="t"), allow=refused)
    html = page.locator(".widget-html")
    expect(html.locator("p").first).to_have_text("kept text")
    expect(html.locator("p").first).to_have_css("color", "rgb(1, 2, 3)")
    html.locator("p").first.click()
    assert html.locator("a").evaluate_all("all => all.map((a) => a.getAttribute('href'))") == [
        None,
        "https://a.example/",
    ]
    assert html.locator("script, style, iframe, [onclick], [onerror], [onload]").count() == 0
    assert html.locator("img").evaluate_all("all => all.map((a) => a.getAttribute('src'))") == [None, None]
    assert page.evaluate("globalThis.hacked") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_dark_where_the_reader_wants_it(open_page: Opener, scheme: str) -> None:
    page = open_page(
        export.page(
            ipywidgets.VBox([Status(text="text")]),
            title="t",
        ),
        color_scheme=scheme,
    )
    text = page.locator(".cnnviz-status").evaluate("node => getComputedStyle(node).color")
    background = page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    expected = (
        ("rgb(31, 35, 40)", "rgb(255, 255, 255)") if scheme == "light" else ("rgb(230, 233, 237)", "rgb(22, 25, 29)")
    )
    assert (text, background) == expected


def test_a_page_that_arrived_damaged_says_so(chromium: Browser, tmp_path: Path) -> None:
    head, block = export.page(Status(text="text"), title="t").split('id="cnnviz-block">')
    path = tmp_path / "damaged.html"
    path.write_text(head + 'id="cnnviz-block">AAAA' + block[4:])
    page = chromium.new_page()
    page.goto(path.as_uri())
    expect(page.locator("main")).to_contain_text("This page could not be shown")
    page.close()


def test_a_widget_that_fails_leaves_the_others(chromium: Browser, tmp_path: Path) -> None:
    class Failing(BaseWidget):
        _esm = "export { missing };"

    path = tmp_path / "page.html"
    path.write_text(export.page(ipywidgets.VBox([Failing(), ipywidgets.Label("two")]), title="t"))
    page = chromium.new_page()
    page.goto(path.as_uri())
    expect(page.locator(".widget-label")).to_have_text("two")
    expect(page.locator(".widget-absent")).to_contain_text("Failing could not be drawn")
    page.close()
