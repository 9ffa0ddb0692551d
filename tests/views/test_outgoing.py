"""What a turn changes leaves as one message, which says as much as many would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import numpy as np
import pytest

from cnnviz_widgets import schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.schedule import between_callbacks
from cnnviz_widgets.session import Session
from cnnviz_widgets.views import outgoing
from cnnviz_widgets.views.camera import CameraView
from cnnviz_widgets.views.embedding import EmbeddingView
from cnnviz_widgets.views.maximisation import MaximisationView
from cnnviz_widgets.views.neighbours import NeighbourView
from cnnviz_widgets.views.panel import Panel
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.widgets.acknowledged import Acknowledged
from cnnviz_widgets.widgets.picker import Picker
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.slider import OptionSlider
from cnnviz_widgets.widgets.tiles import Tiles
from tests.views.conftest import Stepping
from tests.views.test_laws import MADE

Message = tuple[Any, dict[str, Any], list[Any]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """What leaves for the page."""
    messages: list[Message] = []
    monkeypatch.setattr(
        outgoing, "_send", lambda widget, data, buffers=None: messages.append((widget, data, list(buffers or [])))
    )
    return messages


@pytest.fixture(autouse=True)
def new_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No event of an earlier test has been heard, and answers come soon enough, however slow the computer is."""
    monkeypatch.setattr(outgoing, "GRACE", 1000.0)
    Acknowledged.await_pages()
    yield
    Acknowledged.await_pages()


@pytest.fixture
def canvas() -> PictureCanvas:
    with between_callbacks():
        return PictureCanvas()


@pytest.fixture
def label() -> ipywidgets.Label:
    with between_callbacks():
        return ipywidgets.Label()


@pytest.fixture
def session(classifier: Classifier, picture: np.ndarray) -> Session:
    return Session(classifier, picture)


def event(widget: Acknowledged, seq: int = 1, takes_answers: bool = True, **content: Any) -> None:
    widget._receive(None, {"kind": "event", "seq": seq, "takes_answers": takes_answers, "final": False, **content}, [])


def parts(message: Message) -> list[tuple[str, dict[str, Any]]]:
    assert message[1]["method"] == "custom" and message[1]["content"]["kind"] == "answer"
    return [(part["id"], part["data"]) for part in message[1]["content"]["parts"]]


def test_an_answer_is_one_message_and_its_acknowledgement_the_last_part(
    canvas: PictureCanvas, label: ipywidgets.Label, sent: list[Message]
) -> None:
    def answer(_: object, done: Callable[[], None]) -> None:
        label.value = "moved"
        canvas.overlay(np.ones((2, 3), np.float32))
        done()

    canvas.show(np.zeros((4, 6, 3), np.uint8))
    canvas.on_event(answer)
    sent.clear()
    event(canvas, seq=7, name="moved", window=[0, 0, 1, 1], takes_answers=True)
    ((carrier, _, buffers),) = sent
    assert carrier is canvas
    (told, first), (drawn, second), (acknowledged, last) = parts(sent[0])
    assert (told, drawn, acknowledged) == (label.model_id, canvas.model_id, canvas.model_id)
    assert first["state"] == {"value": "moved"}
    assert second["buffer_paths"] == [["_map", "values"]] and bytes(buffers[0]) == canvas.map
    assert [part["buffers"] for part in sent[0][1]["content"]["parts"]] == [0, 1, 0]
    assert last == {"method": "custom", "content": {"kind": "ack", "seq": 7}}


def test_a_page_that_hands_nothing_on_gets_a_message_for_each_widget(
    canvas: PictureCanvas, label: ipywidgets.Label, sent: list[Message]
) -> None:
    def answer(_: object, done: Callable[[], None]) -> None:
        label.value = "moved"
        done()

    canvas.show(np.zeros((4, 6, 3), np.uint8))
    canvas.on_event(answer)
    sent.clear()
    event(canvas, takes_answers=False, name="moved", window=[0, 0, 1, 1])
    assert [(widget, data["method"]) for widget, data, _ in sent] == [(label, "update"), (canvas, "custom")]
    sent.clear()
    event(canvas, name="moved", window=[0, 0, 1, 1], seq=2)
    label.value = "told before"
    Acknowledged.await_pages()  # a page is being loaded: its widgets may not listen yet
    sent.clear()
    with between_callbacks():
        label.value, canvas.label = "a", "b"
    assert [widget for widget, *_ in sent] == [label, canvas]


def test_what_a_turn_changes_twice_is_told_once_and_what_follows_it_after_it(
    canvas: PictureCanvas, sent: list[Message]
) -> None:
    first, second = np.zeros((2, 2, 3), np.uint8), np.full((2, 3, 3), 9, np.uint8)
    with between_callbacks():
        canvas.show(first)
        canvas.baseline = b"12"
        canvas.show(second)
        canvas.send({"kind": "other"})
        canvas.label = "after"
        assert sent == []
    (_, state, buffers), (_, custom, _), (_, last, _) = sent
    held = dict(zip(map(tuple, state["buffer_paths"]), buffers, strict=True))
    assert held == {("_picture", "pixels"): second.tobytes(), ("baseline",): b"12"}
    assert state["state"]["_picture"] == {"size": [2, 3]}
    assert custom == {"method": "custom", "content": {"kind": "other"}}
    assert last["state"] == {"label": "after"}


def test_turns_that_answer_no_event_use_the_page_that_was_heard_last(
    canvas: PictureCanvas, label: ipywidgets.Label, sent: list[Message]
) -> None:
    canvas.show(np.zeros((4, 6, 3), np.uint8))
    event(canvas, name="moved", window=[0, 0, 1, 1])
    sent.clear()
    with between_callbacks():
        label.value, canvas.label = "a", "b"
    ((carrier, *_),) = sent
    assert carrier is canvas and [name for name, _ in parts(sent[0])] == [label.model_id, canvas.model_id]
    # Who has lost what was sent to the carrier asks it for the state, and is told the whole.
    sent.clear()
    canvas._tell_state(None, {"kind": "state"}, [])
    assert {widget for widget, *_ in sent} == {label, canvas}
    canvas.close()
    sent.clear()
    with between_callbacks():
        label.value, label.description = "c", "d"
    assert [widget for widget, *_ in sent] == [label]


def test_what_shows_a_widget_hears_before_that_is_closed(label: ipywidgets.Label, sent: list[Message]) -> None:
    with between_callbacks():
        box = ipywidgets.VBox([label])
        box.children = ()
        assert sent == []
        label.close()
        assert [widget for widget, *_ in sent] == [box]


def test_widgets_of_the_user_and_changes_outside_of_turns_are_told_at_once(sent: list[Message]) -> None:
    theirs = ipywidgets.Label()
    with between_callbacks():
        theirs.value = "a"
        assert [widget for widget, *_ in sent] == [theirs]
        ours = ipywidgets.Label()
    sent.clear()
    ours.value = "b"
    assert [widget for widget, *_ in sent] == [ours]


def test_what_a_page_has_set_itself_is_told_to_others_with_the_answer(sent: list[Message]) -> None:
    with between_callbacks():
        slider = OptionSlider(options=["a", "b"])
    sent.clear()
    waiting: list[Callable[[], None]] = []
    slider.on_event(lambda _, done: waiting.append(done))
    event(slider, seq=3, index=1, option="b")
    assert slider.index == 1 and sent == []
    with between_callbacks():
        waiting[0]()
    assert [data.get("state", data.get("content")) for _, data in parts(sent[0])] == [
        {"index": 1},
        {"kind": "ack", "seq": 3},
    ]


def parts_of(message: Message) -> list[tuple[str, dict[str, Any]]]:
    widget, data, _ = message
    return parts(message) if data.get("content", {}).get("kind") == "answer" else [(widget.model_id, data)]


def acknowledged(seq: int) -> dict[str, Any]:
    return {"method": "custom", "content": {"kind": "ack", "seq": seq}}


def test_what_comes_before_an_answer_waits_for_it_but_not_for_long(
    canvas: PictureCanvas, label: ipywidgets.Label, sent: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[Callable[[], None]] = []
    canvas.show(np.zeros((4, 6, 3), np.uint8))
    canvas.on_event(lambda _, done: waiting.append(done))

    def say(text: str) -> None:
        with between_callbacks():
            label.value = text

    event(canvas, seq=1, name="moved", window=[0, 0, 1, 1])
    sent.clear()
    say("computing ...")
    assert sent == []
    with between_callbacks():
        label.value = "found"
        waiting.pop()()
    assert [data.get("state", data.get("content")) for _, data in parts(sent[0])] == [
        {"value": "found"},
        {"kind": "ack", "seq": 1},
    ]
    # Where the answer takes longer, the word comes without it.
    left = threading.Event()
    monkeypatch.setattr(
        outgoing, "_send", lambda widget, data, buffers=None: (sent.append((widget, data, [])), left.set())
    )
    event(canvas, seq=2, name="moved", window=[0, 0, 1, 1])
    sent.clear()
    monkeypatch.setattr(outgoing, "GRACE", 0.02)
    say("computing ...")
    assert left.wait(20)
    assert [(widget, data["state"]) for widget, data, _ in sent] == [(label, {"value": "computing ..."})]
    monkeypatch.setattr(outgoing, "GRACE", 0.0)
    say("half")
    assert sent[-1][1]["state"] == {"value": "half"}


def test_what_is_held_undoes_nothing_that_was_told_later(
    canvas: PictureCanvas, label: ipywidgets.Label, sent: list[Message]
) -> None:
    waiting: list[Callable[[], None]] = []
    canvas.show(np.zeros((4, 6, 3), np.uint8))
    canvas.on_event(lambda _, done: waiting.append(done))
    event(canvas, seq=1, name="moved", window=[0, 0, 1, 1])
    sent.clear()
    with between_callbacks():
        label.value, label.description = "early", "kept"
    label.value = "late"
    with between_callbacks():
        waiting.pop()()
    assert [data["state"] for _, data, _ in sent[:1]] == [{"value": "late"}]
    assert [data.get("state") for _, data in parts(sent[1])] == [{"description": "kept"}, None]


# -- the law --------------------------------------------------------------------------------------------------------


def gestures(widget: Acknowledged) -> Iterator[dict[str, Any]]:
    """The events of a hand that moves on this widget."""
    if isinstance(widget, OptionSlider | Picker) and widget.options:
        for index in (0, len(widget.options) - 1):
            yield {"index": index, "option": widget.options[index]}
    elif isinstance(widget, PictureCanvas) and widget.mode == "window" and widget.window is not None:
        top, left, *size = widget.window
        yield from ({"name": "moved", "window": [max(0, top - i), left, *size]} for i in (1, 2))
    elif isinstance(widget, PictureCanvas) and widget.mode == "point":
        yield from ({"name": "picked", "point": [i, i]} for i in (1, 9))
    elif isinstance(widget, Tiles) and widget.count:
        for index in range(min(2, widget.count)):
            yield {"name": "entered", "index": index, "revision": widget.revision}


def inside(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


#: Pictures that grow while the event waits, and searches on a thread of their own.
ELSEWHERE = (MaximisationView, EmbeddingView, NeighbourView)


@pytest.mark.parametrize("kind", [kind for kind in MADE if kind not in ELSEWHERE], ids=lambda kind: kind.__name__)
def test_one_answer_is_one_message(
    kind: type[Panel], session: Session, sent: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Stepping()
    monkeypatch.setattr(schedule.latest, "current_executor", lambda: steps)
    monkeypatch.setattr(schedule.latest, "spare_executor", lambda: Stepping())
    view = MADE[kind][0](session)
    steps.work()
    moved = 0
    for widget in list(inside(view)):
        # Another technique has other controls, which are made first.
        choice = getattr(view, "choice", None)
        if not isinstance(widget, Acknowledged) or (choice is not None and widget in inside(choice)):
            continue
        for content in [*gestures(widget), *gestures(widget)]:
            moved += 1
            sent.clear()
            event(widget, seq=moved, **content)
            steps.work()
            assert parts_of(sent[0])[-1][1] == acknowledged(moved), (widget, content)
    view.close()
    assert moved or kind in (CameraView, PredictionView)  # nothing of theirs can be moved without a camera
