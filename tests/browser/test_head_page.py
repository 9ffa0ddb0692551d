"""The head of a view in a real Chromium, over a model without a kernel."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from cnnviz_widgets import words
from cnnviz_widgets.views.wording import HELP, head_of
from tests.support.fake_page import FakePage

ACTIONS = [
    {"id": "test", "label": "Test", "tooltip": "Check whether this map can be trusted"},
    {"id": "save", "label": "<b>Save</b>", "tooltip": ""},
]


def load(page: FakePage, language: str | None = "en", views: int = 1) -> None:
    head = head_of("cam", language)
    page.load("head", {"texts": head.texts, "language": head.language, "actions": ACTIONS}, views=views)
    head.close()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_question_and_the_help_are_the_catalogues(fake_page: FakePage, language: str) -> None:
    load(fake_page, language)
    page = fake_page.page
    expect(page.get_by_role("heading", level=2)).to_have_text(words.text("tab.cam.question", language))
    expect(page.locator(".cnnviz-head")).to_have_attribute("lang", language)
    page.get_by_role("button", name=words.text("help.button", language)).click()
    expect(page.locator("dt")).to_have_text([words.text(f"help.{part}", language) for part in HELP])
    expect(page.locator("dd")).to_have_text([words.text(f"help.cam.{part}", language) for part in HELP])


@pytest.mark.parametrize("locale", ["ko-KR", "en-GB", "de-DE"])
def test_a_page_that_may_choose_takes_the_readers_language(
    open_fake_page: Callable[..., FakePage], locale: str
) -> None:
    page = open_fake_page(locale=locale)
    load(page, None)
    language = "ko" if locale == "ko-KR" else "en"
    expect(page.page.get_by_role("heading", level=2)).to_have_text(words.text("tab.cam.question", language))


def test_help_opens_and_closes_with_the_keyboard(fake_page: FakePage) -> None:
    load(fake_page)
    button, drawer = fake_page.page.get_by_role("button", name="Help"), fake_page.page.locator("section")
    button.focus()
    expect(drawer).to_be_hidden()
    button.press("Enter")
    expect(drawer).to_be_visible()
    expect(drawer).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    drawer.press("Escape")
    expect(drawer).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    fake_page.page.mouse.click(5, 700)  # beside it
    expect(drawer).to_be_hidden()


def test_actions_are_told_to_the_kernel_and_never_markup(fake_page: FakePage) -> None:
    load(fake_page)
    test = fake_page.page.get_by_role("button", name="Test")
    expect(test).to_have_attribute("title", ACTIONS[0]["tooltip"])
    expect(test).to_have_attribute("aria-description", ACTIONS[0]["tooltip"])
    test.click()
    assert [message["id"] for message in fake_page.sent] == ["test"]
    expect(fake_page.page.locator(".cnnviz-head-action").last).to_have_text("<b>Save</b>")
    assert fake_page.page.locator(".cnnviz-head b").count() == 0
    fake_page.update(actions=[])
    expect(test).to_have_count(0)


def test_two_views_open_their_help_apart(fake_page: FakePage) -> None:
    load(fake_page, views=2)
    fake_page.page.get_by_role("button", name="Help").last.click()
    expect(fake_page.page.locator("section")).to_have_count(2)
    expect(fake_page.page.locator("section").first).to_be_hidden()
    expect(fake_page.page.locator("section").last).to_be_visible()
    ids = fake_page.page.locator("section").evaluate_all("(all) => all.map(({ id }) => id)")
    assert len(set(ids)) == 2 and all(re.fullmatch(r"cnnviz-[\d-]+-help", each) for each in ids)
