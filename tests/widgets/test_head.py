"""The kernel's half of the head."""

from __future__ import annotations

from typing import Any

import pytest
import traitlets

from cnnviz_widgets.views.wording import head_of
from cnnviz_widgets.widgets.head import ActionPressed, Head

TEST = {"id": "test", "label": "Test", "tooltip": "Check whether this map can be trusted"}


def test_a_pressed_action_is_told_by_its_id() -> None:
    head = Head(actions=[TEST])
    heard: list[Any] = []
    head.on_event(lambda event, done: (heard.append(event), done()))
    sent: list[Any] = []
    head.send = lambda content, buffers=None: sent.append(content)
    for wanted in ("test", "save", None, ["test"]):
        head._receive(None, {"kind": "event", "seq": 1, "final": True, "id": wanted}, [])
    assert heard == [ActionPressed("test")]
    assert sent == [{"kind": "ack", "seq": 1}] * 4
    head.close()


@pytest.mark.parametrize("actions", [[{"id": "a"}], [{**TEST, "label": 3}], [TEST, TEST]])
def test_actions_are_told_apart_and_have_texts(actions: list[Any]) -> None:
    with pytest.raises(traitlets.TraitError):
        Head(actions=actions)


def test_a_page_that_chooses_its_language_is_sent_all() -> None:
    both, korean = head_of("cam", None), head_of("cam", "ko")
    assert set(both.texts) == {"en", "ko"} and both.language is None
    assert set(korean.texts) == {"ko"} and korean.language == "ko"
    assert korean.texts["ko"]["question"] == both.texts["ko"]["question"]
    assert len(korean.texts["ko"]["parts"]) == 4
    both.close()
    korean.close()
