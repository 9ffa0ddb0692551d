"""The camera as the picture of all views, driven by the messages of a page."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import PIL.Image
import pytest

from cnnviz_widgets import explore, schedule
from cnnviz_widgets.classifier import Classifier
from cnnviz_widgets.session import Session
from cnnviz_widgets.views import camera as camera_module
from cnnviz_widgets.views.cam import CAMView
from cnnviz_widgets.views.camera import CameraView
from cnnviz_widgets.views.predictions import PredictionView
from cnnviz_widgets.widgets.camera import FrameTaken

from .conftest import Counting, Stepping


def jpeg(array: np.ndarray, kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(array).save(stream, kind)
    return stream.getvalue()


def grey(value: int, size: tuple[int, int] = (24, 32)) -> bytes:
    return jpeg(np.full((*size, 3), value, np.uint8))


class Page:
    """Sends frames of a camera, and keeps the numbers that were acknowledged."""

    def __init__(self, view: CameraView, monkeypatch: pytest.MonkeyPatch) -> None:
        self.camera = view.camera
        self.acks: list[int] = []
        self.sent = 0
        monkeypatch.setattr(self.camera, "send", lambda content, buffers=None: self.acks.append(content["seq"]))

    def frame(self, data: bytes, run: int = 1, final: bool = False) -> None:
        self.sent += 1
        message = {"kind": "event", "seq": self.sent, "final": final, "run": run}
        self.camera._handle_custom_msg(message, [memoryview(data)])


@pytest.fixture
def session(classifier: Classifier) -> Session:
    return Session(classifier)


@pytest.fixture
def stepping(monkeypatch: pytest.MonkeyPatch) -> Stepping:
    steps = Stepping()
    monkeypatch.setattr(schedule.latest, "current_executor", lambda: steps)
    return steps


@pytest.fixture
def view(session: Session) -> Iterator[CameraView]:
    made = CameraView(session)
    yield made
    made.close()


def level(session: Session) -> int:
    return round(float(np.mean(session.example.appearance)))


@pytest.mark.usefixtures("inline")
def test_a_frame_becomes_the_picture_of_all_views(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    view, other = CameraView(session), PredictionView(session)
    page = Page(view, monkeypatch)
    assert "Start the camera" in view.status.text
    for value in (40, 200):
        page.frame(grey(value))
        assert abs(level(session) - value) <= 2
        assert view.canvas.picture == session.example.appearance.tobytes()
    assert page.acks == [1, 2]
    assert "this view" in view.status.text and "camera" in other.status.text


def bomb() -> bytes:
    """A few hundred kilobytes that hold more pixels than any picture may."""
    return jpeg(np.zeros((8000, 8000), np.uint8), "PNG")


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8", b"<script>alert(1)</script>", grey(7)[:-200], b"GIF89a", bytes(1000), bomb(), grey(7, (1, 900))],
    ids=["cut", "script", "half", "gif", "zeros", "bomb", "narrow"],
)
def test_a_hostile_frame_is_a_sentence_and_the_next_one_is_shown(
    data: bytes, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = CameraView(session)
    page = Page(view, monkeypatch)
    page.frame(grey(90))
    shown = session.picture
    page.frame(data)
    assert page.acks == [1, 2] and session.picture is shown
    assert view.status.kind == "error" and "\n" not in view.status.text
    page.frame(grey(91))
    assert page.acks == [1, 2, 3] and view.error == ""


@pytest.mark.usefixtures("inline")
def test_a_large_frame_is_made_as_small_as_the_page_would(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    view = CameraView(session)
    Page(view, monkeypatch).frame(grey(90, (3000, 4000)))
    assert max(session.picture.image.size) == view.camera.max_side == 160


def test_a_frame_is_acknowledged_when_other_views_have_answered(
    session: Session, stepping: Stepping, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CAMView(session)
    view = CameraView(session, others_wait=lambda: other.owes_answer)
    page = Page(view, monkeypatch)
    page.frame(grey(90))
    while not page.acks:
        stepping.work(1)
    assert other.heatmap is not None and not other.owes_answer


def test_work_that_never_ends_holds_the_camera_for_a_while_only(
    session: Session, stepping: Stepping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "PATIENCE", 0.0)
    page = Page(CameraView(session, others_wait=lambda: True), monkeypatch)
    page.frame(grey(90))
    stepping.work(50)
    assert page.acks == [1]


def test_of_frames_that_come_while_one_is_worked_on_the_newest_is_next(
    session: Session, stepping: Stepping, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed = [True]
    view = CameraView(session, others_wait=lambda: owed[0])
    page = Page(view, monkeypatch)
    for value in (10, 60, 110, 160):
        page.frame(grey(value))
    stepping.work(30)
    assert page.acks == [] and abs(level(session) - 10) <= 2
    owed[0] = False
    stepping.work()
    assert sorted(page.acks) == [1, 2, 3, 4] and abs(level(session) - 160) <= 2


def test_a_frozen_frame_waits_for_nobody(session: Session, stepping: Stepping, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(CameraView(session, others_wait=lambda: True), monkeypatch)
    page.frame(grey(10))
    stepping.work(20)
    page.frame(grey(200), final=True)
    stepping.work(5)
    assert abs(level(session) - 200) <= 2


@pytest.mark.usefixtures("inline")
def test_what_is_chosen_after_a_frame_stays_and_the_camera_goes_off(
    session: Session, view: CameraView, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(view, monkeypatch)
    page.frame(grey(90), run=5)
    session.picture = picture
    chosen = session.picture
    page.frame(grey(91), run=5)
    page.frame(grey(92), run=5)
    assert session.picture is chosen and view.camera.halted == 5 and page.acks == [1, 2, 3]
    page.frame(grey(93), run=6)
    assert session.picture is not chosen, "started anew, it is followed again"


@pytest.mark.usefixtures("inline")
def test_a_second_page_takes_over(session: Session, view: CameraView, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(view, monkeypatch)
    page.frame(grey(90), run=5)
    page.frame(grey(20), run=6)
    page.frame(grey(90), run=5)
    assert view.camera.halted == 5 and abs(level(session) - 20) <= 2


@pytest.mark.usefixtures("inline")
def test_a_hidden_panel_follows_no_camera(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    view = CameraView(session, active=False)
    page = Page(view, monkeypatch)
    page.frame(grey(90), run=9)
    assert page.acks == [1] and view.camera.halted == 9 and session.picture is None
    view.close()


@pytest.mark.usefixtures("inline")
def test_the_explorer_has_a_camera_beside_upload_and_draw(
    classifier: Classifier, picture: np.ndarray, network: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = explore(classifier, picture)
    app.open_tab("CAM")
    app.camera_button.click()
    assert app.camera is not None and app._desk.children == (app.camera,)
    page, before = Page(app.camera, monkeypatch), app.view.heatmap
    page.frame(grey(200))
    assert page.acks == [1] and app.view.heatmap is not before and app.strip.selected is None
    app.draw_button.click()
    assert app._desk.children == (app.sketch,) and not app.camera.active and app.camera.camera.halted == 1
    calls = network.calls
    page.frame(grey(10))
    assert page.acks == [1, 2] and network.calls == calls, "nobody looks"
    app.camera_button.click()
    assert app._desk.children == (app.camera,) and not app.sketch.active
    app.close()


def test_a_frame_after_the_end_is_nothing(session: Session, stepping: Stepping) -> None:
    view = CameraView(session, others_wait=lambda: True)
    view._take(FrameTaken(grey(10), 1))
    view._take(FrameTaken(grey(20), 1))
    stepping.work(3)
    view.close()
    stepping.work()
    assert not stepping.jobs and not view.frame_job.busy
