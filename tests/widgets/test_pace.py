"""A frame waits until the page has drawn the one before."""

from __future__ import annotations

import pytest

from cnnviz_widgets.widgets.pace import FrameAcknowledger


def test_it_is_ready_again_when_the_page_has_answered() -> None:
    pace = FrameAcknowledger()
    pace.patience = 1000
    assert pace.ready
    pace.sent()
    pace.sent()
    assert not pace.ready
    pace._answered(None, {"kind": "drawn", "frame": 1}, [])
    assert not pace.ready
    pace._answered(None, {"kind": "drawn", "frame": 2}, [])
    assert pace.ready


@pytest.mark.parametrize(
    "content", ["drawn", {"kind": "drawn"}, {"kind": "drawn", "frame": 9}, {"kind": "drawn", "frame": True}]
)
def test_a_wrong_answer_is_none(content: object) -> None:
    pace = FrameAcknowledger()
    pace.patience = 1000
    pace.sent()
    pace._answered(None, content, [])
    assert not pace.ready


def test_patience_with_a_page_that_has_not_come_ends() -> None:
    pace = FrameAcknowledger()
    pace.patience = 0
    pace.sent()
    assert pace.ready


def test_a_page_that_is_there_and_sleeps_is_waited_for() -> None:
    pace = FrameAcknowledger()
    pace.patience = 0
    pace._answered(None, {"kind": "here"}, [])
    pace.sent()
    assert not pace.ready
    pace._answered(None, {"kind": "drawn", "frame": 1}, [])
    assert pace.ready


def test_a_page_that_is_loaded_anew_has_nothing_to_answer_for() -> None:
    pace = FrameAcknowledger()
    pace._answered(None, {"kind": "here"}, [])
    pace.sent()
    pace._answered(None, {"kind": "here"}, [])
    assert pace.ready


def test_a_page_arrives_or_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = FrameAcknowledger()
    assert not pace.arrived
    pace._answered(None, {"kind": "here"}, [])
    assert pace.arrived
    monkeypatch.setattr(FrameAcknowledger, "arrival", 0.0)
    assert FrameAcknowledger().arrived
