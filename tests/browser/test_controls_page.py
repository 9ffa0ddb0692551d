"""OptionSlider and picker in a real Chromium, over a model without a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.fake_page import FakePage

LAYERS = [f"layer{number}" for number in range(20)] + ["<img src=x onerror=alert(1)>"]
SLIDER = {
    "options": LAYERS,
    "details": [f"{2**number} x 7 x 7" for number in range(20)],
    "index": 0,
    "description": "Layer",
    "disabled": False,
}
CLASSES = [
    "tench",
    "Café au lait",
    "tiger cat",
    "Egyptian cat",
    *(f"class {number}" for number in range(4, 1000)),
]
PICKER = {
    "options": CLASSES,
    "hints": ["", "", "12 %", "43 %"],
    "order": [3, 2],
    "index": 3,
    "placeholder": "search classes",
    "description": "Class",
    "searchable": True,
    "disabled": False,
}


def indices(page: FakePage) -> list[tuple[int, bool]]:
    return [(message["index"], message["final"]) for message in page.sent]


def press_at(page: FakePage, slider: Locator, index: int) -> None:
    """Move the mouse to where the thumb of `slider` stands at `index`."""
    box = slider.bounding_box()
    assert box is not None
    share = index / (len(LAYERS) - 1)
    page.page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2)


@pytest.fixture
def slider(fake_page: FakePage) -> Locator:
    fake_page.load("slider", SLIDER)
    return fake_page.page.get_by_role("slider", name="Layer")


def test_a_drag_without_answers_sends_one_message_and_the_slider_follows_the_hand(
    fake_page: FakePage,
) -> None:
    fake_page.page.clock.install(time=0)
    fake_page.load("slider", SLIDER)
    fake_page.page.clock.pause_at(1000)  # no answer is ever overdue, however slow this machine
    slider = fake_page.page.get_by_role("slider")
    press_at(fake_page, slider, 0)
    fake_page.page.mouse.down()
    for index in range(1, 16):
        press_at(fake_page, slider, index)
        expect(slider).to_have_value(str(index))
        expect(fake_page.page.locator(".cnnviz-slider-name")).to_have_text(LAYERS[index])
    assert indices(fake_page) == [(1, False)]
    fake_page.ack()
    assert indices(fake_page) == [(1, False), (15, False)]
    press_at(fake_page, slider, 17)
    fake_page.page.mouse.up()
    assert len(fake_page.sent) == 2
    fake_page.ack()
    assert indices(fake_page) == [(1, False), (15, False), (17, True)]
    assert fake_page.sent[-1]["option"] == LAYERS[17]
    waiting = fake_page.page.locator(".cnnviz[data-waiting]")
    expect(waiting).to_have_count(0)
    fake_page.page.clock.run_for(1500)  # the last answer is lost
    expect(waiting).to_have_count(1)
    press_at(fake_page, slider, 3)
    fake_page.page.mouse.down()
    fake_page.page.mouse.up()
    assert indices(fake_page)[3] == (3, False)
    fake_page.ack()
    expect(waiting).to_have_count(0)
    assert fake_page.saved == []


def test_a_drag_that_ends_where_it_began_still_sends_its_end(fake_page: FakePage, slider: Locator) -> None:
    fake_page.acknowledge_all()
    press_at(fake_page, slider, 0)
    fake_page.page.mouse.down()
    press_at(fake_page, slider, 9)
    press_at(fake_page, slider, 0)
    fake_page.page.mouse.move(0, 0)  # released far away from the slider
    fake_page.page.mouse.up()
    fake_page.page.wait_for_function("() => model.sent.at(-1)?.final")
    assert indices(fake_page)[-1] == (0, True)


def test_the_kernel_does_not_move_a_slider_in_hand_and_has_the_last_word(fake_page: FakePage, slider: Locator) -> None:
    press_at(fake_page, slider, 0)
    fake_page.page.mouse.down()
    press_at(fake_page, slider, 8)
    fake_page.ack()
    fake_page.ack()
    fake_page.update(index=3)
    expect(slider).to_have_value("8")
    fake_page.page.mouse.up()
    fake_page.update(index=8)
    fake_page.update(index=4)  # the kernel's own idea, before it has answered the end of the drag
    fake_page.ack()
    fake_page.ack()
    expect(slider).to_have_value("4")
    fake_page.update(index=6)
    expect(slider).to_have_value("6")


def test_what_the_kernel_says_of_an_older_event_does_not_pull_the_slider_back(
    fake_page: FakePage, slider: Locator
) -> None:
    for _ in range(3):
        slider.press("ArrowRight")
    fake_page.update(index=1)
    expect(slider).to_have_value("3")
    fake_page.ack()
    fake_page.update(index=3)
    fake_page.ack()
    expect(slider).to_have_value("3")
    assert indices(fake_page) == [(1, True), (3, True)]


def test_a_refused_event_puts_the_slider_back(fake_page: FakePage, slider: Locator) -> None:
    slider.press("End")
    expect(slider).to_have_value("20")
    fake_page.ack()
    expect(slider).to_have_value("0")


def test_keys_and_buttons_step(fake_page: FakePage, slider: Locator) -> None:
    fake_page.acknowledge_all()
    page = fake_page.page
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    page.locator("#before").focus()
    page.keyboard.press("Tab")  # to "Previous" were it enabled, so to the slider
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.evaluate("() => update({index: 1})")
    page.get_by_role("button", name="Next").click()
    page.evaluate("() => update({index: 2})")
    page.get_by_role("button", name="Previous").click()
    assert indices(fake_page) == [(1, True), (2, True), (1, True)]
    slider.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#after")).to_be_focused()


def test_labels_are_text_and_read_out(fake_page: FakePage, slider: Locator) -> None:
    fake_page.update(index=20)
    expect(fake_page.page.locator(".cnnviz-slider-name")).to_have_text(LAYERS[20])
    assert fake_page.page.locator("img").count() == 0
    fake_page.update(index=2)
    expect(slider).to_have_attribute("aria-valuetext", "layer2, 4 x 7 x 7, 3 of 21")


def test_options_may_change_under_the_slider(fake_page: FakePage, slider: Locator) -> None:
    fake_page.update(index=15)
    fake_page.update(options=["a", "b"], details=[])
    expect(slider).to_have_value("1")
    fake_page.update(index=1)
    fake_page.update(options=[])
    expect(slider).to_be_disabled()
    fake_page.update(options=["a", "b", "c"], index=2, disabled=True)
    expect(slider).to_be_disabled()
    expect(slider).to_have_value("2")


def test_two_sliders_of_one_model_agree(fake_page: FakePage) -> None:
    fake_page.load("slider", SLIDER, views=2)
    first, second = fake_page.page.get_by_role("slider").all()
    assert first.get_attribute("id") != second.get_attribute("id")
    first.press("ArrowRight")
    fake_page.update(index=1)  # what the kernel writes on the event
    expect(second).to_have_value("1")
    fake_page.ack()
    second.press("ArrowRight")
    fake_page.update(index=2)
    fake_page.ack()
    expect(first).to_have_value("2")
    expect(second).to_have_value("2")


def test_a_finger_drags_the_slider(open_fake_page: Callable[..., FakePage]) -> None:
    fake = open_fake_page(has_touch=True)
    fake.load("slider", SLIDER)
    fake.acknowledge_all()
    box = fake.page.get_by_role("slider").bounding_box()
    assert box is not None
    touch = fake.page.context.new_cdp_session(fake.page)

    def finger(kind: str, share: float) -> None:
        points = (
            [{"x": box["x"] + share * box["width"], "y": box["y"] + box["height"] / 2}] if kind != "touchEnd" else []
        )
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", 0.02)
    for step in range(1, 10):
        finger("touchMove", step / 10)
    finger("touchEnd", 0)
    fake.page.wait_for_function("() => model.sent.at(-1)?.final")
    assert indices(fake)[-1] == (18, True)


@pytest.fixture
def picker(fake_page: FakePage) -> Locator:
    fake_page.load("picker", PICKER)
    return fake_page.page.get_by_role("combobox", name="Class")


def shown(fake_page: FakePage) -> list[str]:
    """Labels of the options that exist, in order, the cursor's first marked with >."""
    return fake_page.page.locator("[role=option]").evaluate_all(
        "options => options.map(o => (o.classList.contains('cnnviz-picker-active') ? '>' : '')"
        " + o.querySelector('.cnnviz-picker-label').textContent)"
    )


def test_typing_filters_and_enter_picks(fake_page: FakePage, picker: Locator) -> None:
    expect(picker).to_have_value("Egyptian cat")
    expect(picker).to_have_attribute("aria-expanded", "false")
    picker.click()
    expect(picker).to_have_attribute("aria-expanded", "true")
    assert shown(fake_page)[:3] == [">Egyptian cat", "tiger cat", "tench"]
    fake_page.page.keyboard.type("CAT tig")  # the old text was selected, so this replaces it
    assert shown(fake_page) == [">tiger cat"]
    active = picker.get_attribute("aria-activedescendant")
    assert fake_page.page.locator(f"#{active}").get_attribute("role") == "option"
    fake_page.page.keyboard.press("Enter")
    expect(picker).to_have_value("tiger cat")
    expect(picker).to_have_attribute("aria-expanded", "false")
    message = fake_page.sent[-1]
    assert (message["index"], message["option"], message["final"]) == (2, "tiger cat", True)
    assert len(fake_page.sent) == 1 and fake_page.saved == []


def test_search_ignores_diacritics(fake_page: FakePage, picker: Locator) -> None:
    picker.fill("cafe")
    assert shown(fake_page) == [">Café au lait"]
    picker.fill("nothing like it")
    expect(fake_page.page.get_by_text("Nothing matches.")).to_be_visible()
    fake_page.page.keyboard.press("Enter")
    assert fake_page.sent == []


def test_arrows_walk_escape_and_leaving_restore(fake_page: FakePage, picker: Locator) -> None:
    picker.focus()
    expect(picker).to_have_attribute("aria-expanded", "false")
    for key in ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"]:
        fake_page.page.keyboard.press(key)
    assert ">tench" in shown(fake_page)
    fake_page.page.keyboard.press("Escape")
    expect(picker).to_have_value("Egyptian cat")
    assert shown(fake_page) == []
    fake_page.page.keyboard.type("goldf")
    fake_page.page.keyboard.press("Tab")
    expect(fake_page.page.locator("#after")).to_be_focused()
    expect(picker).to_have_value("Egyptian cat")
    assert shown(fake_page) == [] and fake_page.sent == []


@pytest.mark.parametrize("key", ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter"])
def test_no_key_fails_in_an_empty_list(fake_page: FakePage, picker: Locator, key: str) -> None:
    picker.fill("nothing like it")
    fake_page.page.keyboard.press(key)
    fake_page.page.keyboard.press(key)
    expect(picker).to_have_attribute("aria-activedescendant", "")
    assert shown(fake_page) == [] and fake_page.sent == []
    picker.fill("tiger")
    assert shown(fake_page) == [">tiger cat"]


@pytest.mark.parametrize("number", [0, 1])
def test_a_control_with_next_to_nothing_to_choose_takes_every_key(fake_page: FakePage, number: int) -> None:
    states = {
        "slider": SLIDER | {"options": LAYERS[:number], "details": []},
        "picker": PICKER | {"options": CLASSES[:number], "hints": [], "order": [], "index": None},
        "tabs": {"titles": LAYERS[:number], "index": 0},
    }
    for widget, state in states.items():
        fake_page.load(widget, state)
        fake_page.page.locator("#before").focus()
        fake_page.page.keyboard.press("Tab")
        for key in ["ArrowDown", "ArrowRight", "ArrowLeft", "PageDown", "PageUp", "Home", "End", "ArrowUp", "Escape"]:
            fake_page.page.keyboard.press(key)
        assert fake_page.sent == []


def test_all_thousand_options_are_in_reach_and_few_exist(fake_page: FakePage, picker: Locator) -> None:
    picker.click()
    assert len(shown(fake_page)) < 40
    fake_page.page.get_by_role("listbox").evaluate("list => list.scrollTo(0, list.scrollHeight)")
    last = fake_page.page.get_by_role("option", name="class 999")
    expect(last).to_have_attribute("aria-posinset", "1000")
    expect(last).to_have_attribute("aria-setsize", "1000")
    last.click()
    assert fake_page.sent[-1]["index"] == 999
    expect(picker).to_be_focused()
    expect(picker).to_have_value("class 999")


def test_no_output_area_clips_the_list(fake_page: FakePage) -> None:
    clip = ".view { height: 60px; overflow: hidden; transform: translateZ(0); contain: paint }"
    fake_page.load("picker", PICKER, css=clip)
    fake_page.page.get_by_role("combobox").click()
    fifth = fake_page.page.get_by_role("option").nth(5)
    label = fifth.text_content()
    fifth.click()  # fails when something covers or clips it
    assert label == fake_page.sent[-1]["option"]


def test_the_list_opens_upwards_at_the_bottom_and_follows_the_page(fake_page: FakePage) -> None:
    fake_page.load("picker", PICKER, css="body { padding-top: 640px; height: 3000px }")
    box = fake_page.page.locator(".cnnviz-picker-field").bounding_box()
    fake_page.page.get_by_role("combobox").click()
    listbox = fake_page.page.get_by_role("listbox")
    above = listbox.bounding_box()
    assert box is not None and above is not None
    assert above["y"] + above["height"] <= box["y"] and above["y"] >= 0
    fake_page.page.evaluate("() => scrollBy(0, 200)")
    fake_page.page.wait_for_function(
        "() => document.querySelector('[role=listbox]').getBoundingClientRect().bottom"
        " <= document.querySelector('.cnnviz-picker-field').getBoundingClientRect().top"
    )
    fake_page.page.evaluate("() => scrollTo(0, 2000)")
    expect(listbox).to_be_hidden()


def test_the_kernel_may_write_while_somebody_types(fake_page: FakePage, picker: Locator) -> None:
    picker.fill("tiger")
    fake_page.update(index=0, hints=["99 %"], order=[0])
    expect(picker).to_have_value("tiger")
    assert shown(fake_page) == [">tiger cat"]
    fake_page.page.keyboard.press("Escape")
    expect(picker).to_have_value("tench")
    expect(fake_page.page.locator(".cnnviz-picker-field .cnnviz-picker-hint")).to_have_text("99 %")
    fake_page.update(index=None)
    expect(picker).to_have_value("")


def test_hostile_labels_are_text(fake_page: FakePage) -> None:
    label = "<img src=x onerror=alert(1)>"
    fake_page.load("picker", PICKER | {"options": [label, "b"], "hints": ["<b>9</b>"], "order": [], "index": 0})
    fake_page.page.get_by_role("combobox").click()
    assert shown(fake_page) == [f">{label}", "b"]
    fake_page.page.get_by_role("combobox").fill("img")
    assert shown(fake_page) == [f">{label}"]
    assert fake_page.page.locator(".view b, .view img").count() == 0


def test_a_short_list_is_the_browsers_own(fake_page: FakePage) -> None:
    fake_page.load("picker", PICKER | {"options": ["Grad-CAM", "CAM"], "index": None, "searchable": None}, views=2)
    first, second = fake_page.page.locator("select").all()
    assert first.input_value() == ""
    first.select_option(label="CAM")
    assert fake_page.sent[-1]["index"] == 1
    fake_page.update(index=1)
    expect(second).to_have_value("1")
    fake_page.ack()
    fake_page.update(index=0)
    expect(first).to_have_value("0")
    fake_page.update(disabled=True)
    expect(first).to_be_disabled()


@pytest.mark.parametrize(("widget", "state"), [("slider", SLIDER), ("picker", PICKER)])
def test_a_removed_view_leaves_nothing_behind(widget: str, state: dict[str, Any], fake_page: FakePage) -> None:
    fake_page.load(widget, state, views=2)
    both = fake_page.listeners
    fake_page.unmount(0)
    assert 0 < fake_page.listeners < both
    assert fake_page.page.locator(".cnnviz").count() == 1
    fake_page.unmount(1)
    assert fake_page.listeners == 0
    fake_page.page.mouse.click(300, 300)
    fake_page.page.evaluate("() => dispatchEvent(new Event('resize'))")


BARS = {
    "names": ["espresso", "cup", "<img src=x onerror=alert(1)>"],
    "now": [0.52, 0.05, -0.25],
    "before": [0.94, 0.02, 0.0],
    "texts": ["52%", "5.0%", "\N{MINUS SIGN}0.25"],
    "ends": [-0.25, 1.0],
    "chosen": 0,
    "words": {
        "en": {"title": "Class explained", "tooltip": "Explain this class", "now": "patch on", "before": "whole"},
        "ko": {"title": "설명할 클래스", "tooltip": "이 클래스를 설명"},
    },
    "language": "en",
}


def test_bars_stand_for_the_values_and_a_press_tells_the_class(fake_page: FakePage) -> None:
    fake_page.load("class_bars", BARS)
    rows = fake_page.page.get_by_role("radio")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_have_accessible_name("espresso 52%")
    expect(rows.nth(0)).to_be_checked()
    expect(rows.nth(2)).to_have_text("<img src=x onerror=alert(1)>\N{MINUS SIGN}0.25")

    def share(row: int, bar: str) -> tuple[float, float]:
        track = rows.nth(row).locator(".cnnviz-class-bars-track").bounding_box()
        box = rows.nth(row).locator(f".cnnviz-class-bars-{bar}").bounding_box()
        assert track is not None and box is not None
        return (box["x"] - track["x"]) / track["width"], box["width"] / track["width"]

    assert share(0, "now") == pytest.approx((0.2, 0.52 / 1.25), abs=0.02)
    assert share(0, "before") == pytest.approx((0.2, 0.94 / 1.25), abs=0.02)
    assert share(2, "now") == pytest.approx((0.0, 0.2), abs=0.02)
    rows.nth(1).click()
    assert [(message["index"], message["option"]) for message in fake_page.sent] == [(1, "cup")]
    expect(rows.nth(0)).to_be_checked()  # until the kernel says otherwise
    fake_page.ack()
    fake_page.update(chosen=1, now=[0.1, 0.8, 0.0])
    expect(rows.nth(1)).to_be_checked()
    assert share(1, "now") == pytest.approx((0.2, 0.8 / 1.25), abs=0.02)
    assert fake_page.saved == []


def test_bars_are_gone_through_by_arrow_keys_and_follow_the_language(fake_page: FakePage) -> None:
    fake_page.load("class_bars", BARS)
    rows = fake_page.page.get_by_role("radio")
    fake_page.page.locator("#before").focus()
    fake_page.page.keyboard.press("Tab")
    expect(rows.nth(0)).to_be_focused()
    fake_page.page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    assert fake_page.sent == []
    fake_page.page.keyboard.press("Enter")
    assert [message["index"] for message in fake_page.sent] == [1]
    fake_page.page.keyboard.press("Tab")
    expect(fake_page.page.locator("#after")).to_be_focused()
    expect(fake_page.page.get_by_text("patch on")).to_be_visible()
    fake_page.update(language="ko", before=[])
    expect(fake_page.page.get_by_role("radiogroup", name="설명할 클래스")).to_be_visible()
    expect(fake_page.page.get_by_text("patch on")).to_have_count(0)
    expect(fake_page.page.locator(".cnnviz-class-bars-before").first).to_be_hidden()


STEP = {
    "texts": {"en": {"step": "Cover the hot spot", "stop": "Stop"}, "ko": {"step": "가려 보기", "stop": "멈춤"}},
    "language": "en",
    "busy": False,
    "disabled": False,
}


def test_the_main_button_is_stop_only_where_work_takes_longer_than_a_blink(fake_page: FakePage) -> None:
    fake_page.page.clock.install(time=0)
    fake_page.load("step", STEP)
    fake_page.page.clock.pause_at(1000)
    fake_page.acknowledge_all()
    button = fake_page.page.locator(".cnnviz-step-button")
    expect(button).to_have_text("Cover the hot spot")
    button.click()
    fake_page.update(busy=True)
    fake_page.page.clock.run_for(200)
    fake_page.update(busy=False)
    fake_page.page.clock.run_for(400)
    expect(button).to_have_text("Cover the hot spot")
    fake_page.update(busy=True)
    fake_page.page.clock.run_for(400)
    expect(button).to_have_text("Stop")
    button.click()
    assert [message["stop"] for message in fake_page.sent] == [False, True]
    fake_page.update(busy=False, language="ko")
    expect(button).to_have_text("가려 보기")


KOREAN = {
    "Class": "\N{HANGUL SYLLABLE BAN}",
    "tiger cat": "\N{HANGUL SYLLABLE BEOM}",
    "search classes": "\N{HANGUL SYLLABLE CA}",
}


@pytest.mark.parametrize("searchable", [True, False])
def test_options_are_shown_in_a_language_and_told_to_the_kernel_in_english(
    fake_page: FakePage, searchable: bool
) -> None:
    few = {**PICKER, "options": CLASSES[:4], "searchable": searchable, "texts": {"ko": KOREAN}}
    fake_page.load("picker", few)
    box = fake_page.page.get_by_role("combobox", name=KOREAN["Class"])
    if searchable:
        box.fill(KOREAN["tiger cat"])
        box.press("Enter")
        expect(box).to_have_value(KOREAN["tiger cat"])
    else:
        box.select_option(label=f"{KOREAN['tiger cat']}  (12 %)")
    assert [(message["index"], message["option"]) for message in fake_page.sent] == [(2, "tiger cat")]
    fake_page.update(texts={"en": {}})
    expect(fake_page.page.get_by_role("combobox", name="Class")).to_be_visible()


def test_a_page_takes_its_own_language_of_those_it_is_sent(fake_page: FakePage) -> None:
    texts = {"en": {"Layer": "A layer"}, "ko": {"Layer": "\N{HANGUL SYLLABLE CEUNG}"}}
    fake_page.load("slider", {**SLIDER, "texts": texts, "tooltip": "Layer"})
    assert fake_page.page.evaluate("navigator.language").startswith("en")
    expect(fake_page.page.get_by_role("slider", name="A layer")).to_have_attribute("aria-description", "A layer")
    fake_page.update(texts={"ko": texts["ko"]})
    slider = fake_page.page.get_by_role("slider", name=texts["ko"]["Layer"])
    slider.press("ArrowRight")
    fake_page.page.wait_for_function("() => model.sent.length > 0")
    assert fake_page.sent[0]["option"] == LAYERS[1]
