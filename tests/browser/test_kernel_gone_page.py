"""A kernel that is gone, late, or never was, is said once in words, and nothing fails in the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_controls_page import SLIDER
from tests.support.fake_page import FakePage

ENDED = "The kernel has ended: run the notebook again."
LATE = "The kernel has not answered yet: it is busy, or the connection is lost."


@pytest.fixture
def sliders(fake_page: FakePage) -> FakePage:
    """Two sliders of one model, whose kernel is there; the page's clock stands."""
    fake_page.page.clock.install(time=0)
    fake_page.load("slider", SLIDER, views=2, host="kernel")
    fake_page.page.clock.pause_at(1000)
    return fake_page


def said(fake_page: FakePage) -> list[tuple[str, str]]:
    """Role and text of what the page says about its kernel."""
    return fake_page.page.locator(".cnnviz-notice").evaluate_all("all => all.map(e => [e.role, e.textContent])")


def test_an_ended_kernel_is_said_once_and_nothing_more_is_sent(sliders: FakePage) -> None:
    first, second = sliders.page.get_by_role("slider").all()
    first.press("ArrowRight")
    assert len(sliders.sent) == 1
    sliders.page.evaluate("() => host.end()")
    second.press("End")
    first.press("Home")
    sliders.page.clock.run_for(1000)
    assert said(sliders) == [["alert", ENDED]]
    sliders.page.clock.run_for(20_000)
    assert said(sliders) == [["alert", ENDED]]
    assert len(sliders.sent) == 1
    for view in sliders.page.locator(".cnnviz-slider").all():
        expect(view).to_have_css("opacity", "0.55")
    sliders.unmount(0)
    assert len(said(sliders)) == 1
    sliders.unmount(1)
    assert said(sliders) == []


def test_a_kernel_that_is_found_again_is_not_spoken_of(sliders: FakePage) -> None:
    sliders.page.evaluate("() => { model.widget_manager.kernel.connectionStatus = 'connecting' }")
    sliders.page.clock.run_for(2000)
    assert said(sliders) == [["status", "The connection to the kernel is lost: trying to get it back."]]
    sliders.page.evaluate("() => { model.widget_manager.kernel.connectionStatus = 'disconnected' }")
    sliders.page.clock.run_for(2000)
    assert said(sliders) == [["alert", "The connection to the kernel is lost: reload the page."]]
    sliders.page.evaluate("() => { model.widget_manager.kernel.connectionStatus = 'connected' }")
    sliders.page.clock.run_for(1000)
    assert said(sliders) == []
    sliders.page.get_by_role("slider").first.press("ArrowRight")
    assert len(sliders.sent) == 1


@pytest.mark.parametrize(
    "gone", ["model.widget_manager.kernel.status = 'dead'", "host.comm.jsServicesComm = {isDisposed: true}"]
)
def test_a_kernel_that_goes_without_a_word_is_noticed(sliders: FakePage, gone: str) -> None:
    sliders.page.evaluate(f"() => {{ {gone} }}")
    sliders.page.clock.run_for(2000)
    assert said(sliders) == [["alert", ENDED]]


def test_a_late_answer_is_said_after_a_while_and_forgotten_when_it_comes(sliders: FakePage) -> None:
    sliders.page.get_by_role("slider").first.press("ArrowRight")
    unanswered = sliders.page.locator("[data-cnnviz-unanswered]")
    sliders.page.clock.run_for(1400)
    expect(unanswered).to_have_count(0)
    sliders.page.clock.run_for(200)
    expect(unanswered).to_have_count(1)
    assert said(sliders) == []  # a slow network is no news
    sliders.page.clock.run_for(5000)
    assert said(sliders) == [["status", LATE]]
    sliders.ack()
    assert said(sliders) == []
    expect(unanswered).to_have_count(0)


def test_a_saved_page_says_that_it_is_one(fake_page: FakePage) -> None:
    fake_page.load("slider", SLIDER, host="saved page")
    sentence = "This page has no kernel: it shows what was computed before, and its controls do nothing."
    expect(fake_page.page.get_by_role("status").filter(has_text=sentence)).to_be_visible()
    view = fake_page.page.locator(".cnnviz-slider")
    expect(view).to_have_css("opacity", "1")
    fake_page.page.get_by_role("slider").press("ArrowRight")
    expect(view).to_have_css("opacity", "0.55")  # what it shows does not belong to where the slider is
    assert fake_page.sent == []


def test_a_host_without_models_is_asked_again(fake_page: FakePage) -> None:
    fake_page.load("slider", SLIDER)
    fake_page.page.evaluate(
        "() => { model.working = model.send; model.send = () => { throw new Error('Cannot send') } }"
    )
    slider = fake_page.page.get_by_role("slider")
    slider.press("ArrowRight")
    expect(fake_page.page.get_by_role("alert").filter(has_text=ENDED)).to_be_visible()
    fake_page.page.evaluate("() => { model.send = model.working; model.acknowledging = true }")
    slider.press("ArrowRight")
    expect(fake_page.page.get_by_role("alert")).to_have_count(0)
