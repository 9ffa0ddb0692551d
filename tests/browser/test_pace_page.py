"""The page's answers to frames, in a real Chromium over a model without a kernel."""

from __future__ import annotations

from tests.support.fake_page import FakePage


def test_a_page_says_that_it_is_there_and_when_it_has_drawn_a_frame(fake_page: FakePage) -> None:
    fake_page.load("pace", {})
    fake_page.page.wait_for_function("() => model.sent.length === 1")
    assert fake_page.sent == [{"kind": "here"}]
    fake_page.page.evaluate(
        """() => {
          globalThis.painted = false;
          model.receive({ kind: "frame", frame: 7 });
          globalThis.answeredBefore = model.sent.length > 1;
          requestAnimationFrame(() => { globalThis.painted = model.sent.length === 1; });
        }"""
    )
    fake_page.page.wait_for_function("() => model.sent.length === 2")
    assert fake_page.sent[1] == {"kind": "drawn", "frame": 7}
    assert fake_page.page.evaluate("() => [answeredBefore, painted]") == [False, True], "not before it was painted"


def test_other_messages_are_left_alone(fake_page: FakePage) -> None:
    fake_page.load("pace", {})
    fake_page.page.evaluate("() => { for (const m of [null, {}, { kind: 'ack', seq: 1 }]) model.receive(m); }")
    fake_page.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    assert [message["kind"] for message in fake_page.sent] == ["here"]
