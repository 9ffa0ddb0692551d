"""The app on one screen: nothing beyond its column, no text cut, and what matters in view without scrolling."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cnnviz_widgets import words
from cnnviz_widgets.views.explorer import TABS
from tests.support.servers import Opener

pytestmark = pytest.mark.browser

SIZES = [(1280, 720), (768, 900), (390, 844)]
#: Python that is true once a tab shows what it opens with.
READY = {
    "Occlusion": "app.view.probe is not None",
    "CAM": "app.view.heatmap is not None",
    "Saliency": "app.view.heatmap is not None",
    "Activations": "app.view.activations is not None",
    "Filters": "app.view.filters is not None",
    "Top patches": "app.view.sheet is not None",
    "Class image": "app.view.visual is not None",
    "Neighbours": "app.view.neighbours is not None",
    "Map": "app.view.store is not None",
}
assert list(READY) == list(TABS)

#: What is wrong with the page, as texts. Boxes that scroll inside themselves may be wider inside.
FAULTS = """() => {
  const faults = [];
  const name = (element) => `${element.className}: ${(element.textContent ?? '').slice(0, 40)}`;
  const hidden = (element) => element.closest('.cnnviz-hidden, .cnnviz-upload-line, .cnnviz-upload-button span');
  for (const element of document.querySelectorAll('.cnnviz-explorer *')) {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (box.width < 2 || box.height < 2 || style.visibility === 'hidden' || hidden(element)) continue;
    if (element.closest('.cnnviz-tiles-content, .cnnviz-tabs, svg, .cnnviz-head-help, .jscatter, canvas')) continue;
    const column = element.parentElement.closest('.cnnviz-column, .cnnviz-body, .cnnviz-explorer');
    const edge = column ? column.getBoundingClientRect().right : innerWidth;
    if (box.right > edge + 1) faults.push(`beyond its column: ${name(element)}`);
    if (box.right > innerWidth + 1) faults.push(`beyond the page: ${name(element)}`);
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!says || element.tagName === 'STYLE' || element.tagName === 'OPTION') continue;
    if (parseFloat(style.fontSize) < 12) faults.push(`small: ${name(element)}`);
    const told = style.textOverflow === 'ellipsis' && element.title;
    const clips = style.display !== 'inline' && style.overflowX !== 'visible';
    if (clips && !told && element.scrollWidth > element.clientWidth + 1) faults.push(`cut: ${name(element)}`);
  }
  return [...new Set(faults)];
}"""
#: What has to be seen without scrolling, and how far down it ends, for those that are there.
BOTTOMS = """() => Object.fromEntries(
  Object.entries({
    picture: '.cnnviz-body .cnnviz-picture-canvas',
    legend: '.cnnviz-body .cnnviz-picture-ticks',
    sentence: '.cnnviz-page .cnnviz-answer > :last-child',
    button: '.cnnviz-page :is(.cnnviz-step-button, .cnnviz-of-class_image .mod-primary)',
  }).map(([name, where]) => [name, document.querySelector(where)?.getBoundingClientRect().bottom ?? 0]))"""


def tab(page: Page, title: str) -> None:
    page.get_by_role("tab", name=title, exact=True).click()


def test_every_tab_fits_on_every_screen(voila_page: Opener) -> None:
    nb = voila_page(["from cnnviz_widgets import explore", "app = explore()", "app"], ready=".cnnviz-tabs")
    faults: list[str] = []
    for title in TABS:
        nb.page.set_viewport_size({"width": 1280, "height": 720})
        tab(nb.page, title)
        question = words.text(f"tab.{TABS[title].topic}.question")
        expect(nb.page.get_by_role("heading", level=2)).to_have_text(question, timeout=60_000)
        if title == "Class image":
            nb.page.get_by_role("button", name="Start", exact=True).click()
        nb.kernel.until(READY[title])
        for width, height in SIZES:
            for scheme in ("light", "dark"):
                nb.page.emulate_media(color_scheme=scheme)
                nb.page.set_viewport_size({"width": width, "height": height})
                nb.page.evaluate(
                    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
                )
                faults += [f"{title} at {width}, {scheme}: {fault}" for fault in nb.page.evaluate(FAULTS)]
                if width == 1280:
                    bottoms: dict[str, Any] = nb.page.evaluate(BOTTOMS)
                    faults += [f"{title}: {name} ends at {y:.0f}" for name, y in bottoms.items() if y > height]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_tabs_questions_and_help_are_in_one_language(voila_page: Opener, language: str) -> None:
    cells = ["from cnnviz_widgets import explore", "app = explore(language=None)", "app"]
    nb = voila_page(cells, ready=".cnnviz-tabs", locale={"en": "en-US", "ko": "ko-KR"}[language])
    names = [words.text(f"tab.{view.topic}.name", language) for view in TABS.values()]
    expect(nb.page.get_by_role("tab")).to_have_text(names)
    tab(nb.page, names[1])
    expect(nb.page.get_by_role("heading", level=2)).to_have_text(words.text("tab.cam.question", language))
    nb.page.get_by_role("button", name=words.text("help.button", language)).click()
    expect(nb.page.get_by_text(words.text("help.cam.misread", language))).to_be_in_viewport()
    expect(nb.page.get_by_role("heading", level=2)).to_be_in_viewport()
    uncovered = """(drawer) => [0.02, 0.5, 0.98].every((share) => {
      const { left, top, width, height } = drawer.getBoundingClientRect();
      return drawer.contains(document.elementFromPoint(left + width / 2, top + share * height));
    })"""
    assert nb.page.locator(".cnnviz-head-help").evaluate(uncovered)
