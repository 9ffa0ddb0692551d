"""The head of a view in a real Chromium, over a model without a kernel."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from cnnviz_widgets import words
from cnnviz_widgets.views.wording import HELP, head_of
from tests.support.fake_page import FakePage

ACTIONS = [{"id": "back", "icon": True, "disabled": True}, {"id": "test"}, {"id": "save", "items": ["png", "csv"]}]
TOOLTIP = "Check whether this map can be trusted"


def load(page: FakePage, language: str | None = "en", views: int = 1) -> None:
    head = head_of("cam", language)
    texts = {each: {**known, "labels": {**known["labels"], "csv": "<b>CSV</b>"}} for each, known in head.texts.items()}
    page.load("head", {"texts": texts, "language": head.language, "actions": ACTIONS}, views=views)
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
    expect(test).to_have_attribute("title", TOOLTIP)
    expect(test).to_have_attribute("aria-description", TOOLTIP)
    test.click()
    assert [message["id"] for message in fake_page.sent] == ["test"]
    expect(fake_page.page.locator(".cnnviz-head-item").last).to_have_text("<b>CSV</b>")
    expect(fake_page.page.get_by_role("button", name="Back")).to_be_disabled()
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


def test_a_menu_is_gone_through_by_keys_and_closes_elsewhere(fake_page: FakePage) -> None:
    load(fake_page)
    fake_page.acknowledge_all()
    save, items = fake_page.page.get_by_role("button", name="Save"), fake_page.page.get_by_role("menuitem")
    expect(save).to_have_attribute("aria-expanded", "false")
    save.press("Enter")
    expect(items.first).to_be_focused()
    items.first.press("ArrowDown")
    expect(items.last).to_be_focused()
    items.last.press("Enter")
    expect(fake_page.page.get_by_role("menu")).to_have_count(0)
    expect(save).to_be_focused()
    (message,) = fake_page.sent
    assert message["id"] == "csv" and message["view"].startswith("cnnviz-")
    save.click()
    fake_page.page.keyboard.press("Escape")
    expect(save).to_be_focused()
    expect(items).to_have_count(0)
    save.click()
    fake_page.page.mouse.click(5, 700)
    expect(items).to_have_count(0)


SEND = """([view, data]) => model.emit("msg:custom", { kind: "download", view, name: "map.csv", type: "text/csv" },
  [new DataView(new TextEncoder().encode(data).buffer)])"""


def test_a_file_is_saved_by_the_view_that_asked(fake_page: FakePage) -> None:
    load(fake_page, views=2)
    fake_page.page.get_by_role("button", name="Save").last.click()
    fake_page.page.get_by_role("menuitem").last.click()
    with fake_page.page.expect_download() as download:
        fake_page.page.evaluate(SEND, [fake_page.sent[-1]["view"], "a,b"])
    assert download.value.suggested_filename == "map.csv" and download.value.path().read_text() == "a,b"
    expect(fake_page.page.get_by_role("status").last).to_have_text("Saved")
    expect(fake_page.page.get_by_role("status").first).to_have_text("")


def test_code_is_copied_or_saved_where_the_clipboard_is_refused(open_fake_page: Callable[..., FakePage]) -> None:
    page = open_fake_page(permissions=["clipboard-read", "clipboard-write"])
    load(page)
    page.page.get_by_role("button", name="Save").click()
    page.page.get_by_role("menuitem").first.click()
    view = page.sent[-1]["view"]
    tell = "view => model.receive({ kind: 'copy', view, text: 'view = 1' })"
    page.page.evaluate(tell, view)
    expect(page.page.get_by_role("status")).to_have_text("Copied")
    page.page.wait_for_function("async () => (await navigator.clipboard.readText()) === 'view = 1'")
    page.page.evaluate("() => { navigator.clipboard.writeText = async () => { throw new Error('refused'); }; }")
    with page.page.expect_download() as download:
        page.page.evaluate(tell, view)
    assert download.value.suggested_filename == "view.py" and download.value.path().read_text() == "view = 1"
