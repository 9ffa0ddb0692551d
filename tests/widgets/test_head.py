"""The kernel's half of the head."""

from __future__ import annotations

from typing import Any

import pytest
import traitlets

from cnnviz_widgets.views.wording import head_of
from cnnviz_widgets.widgets.head import ActionPressed, Head

TEST = {"id": "test", "pressed": False}
SAVE = {"id": "save", "items": ["png", "csv"]}


def test_a_pressed_action_is_told_by_its_id() -> None:
    head = Head(actions=[TEST, SAVE, {"id": "back", "disabled": True}])
    heard: list[Any] = []
    head.on_event(lambda event, done: (heard.append(event), done()))
    sent: list[Any] = []
    head.send = lambda content, buffers=None: sent.append(content)
    for wanted in ("test", "png", "other", None, ["test"], "back"):
        head._receive(None, {"kind": "event", "seq": 1, "final": True, "id": wanted, "view": "v"}, [])
    for view in (3, None, "x" * 65):
        head._receive(None, {"kind": "event", "seq": 1, "final": True, "id": "test", "view": view}, [])
    assert heard == [ActionPressed("test", "v"), ActionPressed("png", "v")]
    assert sent == [{"kind": "ack", "seq": 1}] * 9
    head.close()


@pytest.mark.parametrize(
    "actions",
    [[{"icon": True}], [{**TEST, "disabled": 3}], [TEST, TEST], [{"id": "png"}, SAVE], [{**TEST, "html": "<b>"}]],
)
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
    assert korean.texts["ko"]["labels"].keys() == both.texts["en"]["labels"].keys()
    korean.close()


def test_what_is_taken_away_goes_to_the_page_that_asked() -> None:
    head = Head()
    sent: list[Any] = []
    head.send = lambda content, buffers=None: sent.append((content, buffers))
    head.download("v", "map.csv", "text/csv", b"a,b")
    head.copy("v", "view = 1")
    assert sent == [
        ({"kind": "download", "view": "v", "name": "map.csv", "type": "text/csv"}, [b"a,b"]),
        ({"kind": "copy", "view": "v", "text": "view = 1"}, None),
    ]
    head.close()
