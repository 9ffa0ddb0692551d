"""The camera in a real Chromium, whose camera is a made-up one that shows a moving picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.support.fake_page import FakePage, chromium_path
from tests.support.servers import OpenNotebook, Server, write_notebook

from .test_views import NETWORK

pytestmark = pytest.mark.browser

CAMERA: dict[str, Any] = {"max_side": 160, "max_bytes": 2**20, "halted": 0}
#: Keeps every stream that the page was given, and how often it asked.
SPY = """
window.streams = []; window.asked = 0;
const given = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (given) navigator.mediaDevices.getUserMedia = async wanted => {
  window.asked++; const stream = await given(wanted); window.streams.push(stream); return stream; };
window.running = () => window.streams.flatMap(s => s.getTracks()).filter(t => t.readyState === "live").length;
"""
KEEP_FILES = (
    "() => { model.files = []; const send = model.send.bind(model);"
    " model.send = (c, k, b) => { model.files.push(new Uint8Array(b[0].slice(0))); send(c, k, b); } }"
)


def launched(chromium: Browser, *arguments: str) -> Browser:
    more = ["--no-sandbox", "--disable-background-networking", "--use-fake-device-for-media-stream", *arguments]
    return chromium.browser_type.launch(executable_path=chromium_path(), args=more)


@pytest.fixture(scope="module")
def granting(chromium: Browser) -> Iterator[Browser]:
    browser = launched(chromium, "--use-fake-ui-for-media-stream")
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def refusing(chromium: Browser) -> Iterator[Browser]:
    browser = launched(chromium)
    yield browser
    browser.close()


Opening = Callable[..., FakePage]


@pytest.fixture
def camera_page() -> Iterator[Opening]:
    pages: list[FakePage] = []

    def opened(browser: Browser, script: str = "", **state: Any) -> FakePage:
        context = browser.new_context(viewport={"width": 720, "height": 760})
        context.add_init_script(script + SPY)
        fake = FakePage(context.new_page())
        pages.append(fake)
        fake.load("camera", CAMERA | state)
        fake.page.evaluate(KEEP_FILES)
        return fake

    yield opened
    problems = [problem for fake in pages for problem in fake.problems]
    for fake in pages:
        fake.page.context.close()
    assert not problems, problems


def start(fake: FakePage) -> None:
    fake.page.get_by_role("button", name="Start the camera").click()
    fake.page.wait_for_function("() => model.sent.length > 0")


def running(fake: FakePage) -> int:
    return fake.page.evaluate("() => running()")


def frame(fake: FakePage, index: int = -1) -> Image.Image:
    values = fake.page.evaluate("index => [...model.files.at(index)]", index)
    return Image.open(io.BytesIO(bytes(values)))


def test_the_camera_is_asked_for_by_a_click_only(granting: Browser, camera_page: Opening) -> None:
    fake = camera_page(granting)
    assert fake.page.evaluate("() => asked") == 0
    start(fake)
    assert fake.page.evaluate("() => asked") == 1 and running(fake) == 1
    wanted = fake.page.evaluate("() => streams[0].getAudioTracks().length")
    assert wanted == 0


def test_one_small_frame_is_on_the_wire_and_the_next_is_taken_after_its_answer(
    granting: Browser, camera_page: Opening
) -> None:
    # No timeout ends the wait for an answer.
    fake = camera_page(granting, "const set = setTimeout; window.setTimeout = (f, ms) => ms === 1500 ? 0 : set(f, ms);")
    start(fake)
    fake.page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    picture = frame(fake)
    assert (picture.format, max(picture.size)) == ("JPEG", 160)
    assert len(fake.sent) == 1 and fake.sent[0]["final"] is False and fake.sent[0]["run"] > 0
    for count in (2, 3):
        fake.ack()
        fake.page.wait_for_function("count => model.sent.length >= count", arg=count)
    assert np.abs(np.asarray(frame(fake, 0), float) - np.asarray(frame(fake), float)).max() > 20
    assert fake.saved == []


def test_freezing_sends_what_is_shown_and_ends_the_camera(granting: Browser, camera_page: Opening) -> None:
    fake = camera_page(granting)
    start(fake)
    fake.acknowledge_all()
    fake.page.locator("video").click()
    fake.page.wait_for_function("() => model.sent.at(-1).final")
    expect(fake.page.locator("canvas.cnnviz-camera-still")).to_be_visible()
    assert running(fake) == 0
    sent = len(fake.sent)
    shown = fake.page.evaluate(
        "() => { const c = document.querySelector('canvas.cnnviz-camera-still');"
        " return [c.width, c.height, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"
    )
    seen = np.asarray(frame(fake).convert("RGBA"), float).ravel()
    assert np.abs(np.array(shown[2:]) - seen).mean() < 6  # JPEG
    fake.page.get_by_role("button", name="Go on").click()
    fake.page.wait_for_function("sent => model.sent.length > sent", arg=sent)
    assert running(fake) == 1 and fake.sent[-1]["run"] != fake.sent[0]["run"]


@pytest.mark.parametrize("way", ["stop", "hide", "another tab", "unmount", "leave", "halt"])
def test_every_way_out_ends_all_tracks_and_sends_no_more(way: str, granting: Browser, camera_page: Opening) -> None:
    fake = camera_page(granting)
    start(fake)
    fake.acknowledge_all()
    assert running(fake) == 1
    if way == "stop":
        fake.page.get_by_role("button", name="Stop").click()
    elif way == "hide":
        fake.page.evaluate(
            "() => { Object.defineProperty(document, 'hidden', { value: true });"
            " document.dispatchEvent(new Event('visibilitychange')); }"
        )
    elif way == "another tab":  # of the notebook, whose panels take up no room
        fake.page.evaluate("() => { document.getElementById('views').style.display = 'none'; }")
    elif way == "unmount":
        fake.unmount()
    elif way == "leave":
        fake.page.evaluate("() => window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    else:
        fake.update(halted=fake.sent[0]["run"])
    fake.page.wait_for_function("() => running() === 0")
    sent = len(fake.sent)
    fake.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert len(fake.sent) == sent
    if way in ("hide", "halt"):
        expect(fake.page.get_by_role("status")).to_contain_text("Stopped")
    if way == "unmount":
        assert fake.listeners == 0


def test_a_refusal_is_a_sentence(refusing: Browser, camera_page: Opening) -> None:
    fake = camera_page(refusing)
    fake.page.get_by_role("button", name="Start the camera").click()
    expect(fake.page.locator(".cnnviz-camera-failed")).to_contain_text("does not let this page use the camera")
    assert fake.sent == [] and fake.page.evaluate("() => asked") == 1
    expect(fake.page.get_by_role("button", name="Start the camera")).to_be_enabled()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Object.defineProperty(window, 'isSecureContext', { value: false });", "over https"),
        ("Object.defineProperty(navigator, 'mediaDevices', { value: undefined });", "over https"),
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };",
            "finds no camera",
        ),
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotReadableError'); };",
            "another program",
        ),
    ],
    ids=["insecure", "none", "no camera", "taken"],
)
def test_where_there_is_no_camera_a_sentence_says_so(
    script: str, said: str, refusing: Browser, camera_page: Opening
) -> None:
    fake = camera_page(refusing, script)
    fake.page.get_by_role("button", name="Start the camera").click()
    expect(fake.page.locator(".cnnviz-camera-failed")).to_contain_text(said)


def test_a_permission_that_comes_after_the_widget_has_gone_starts_nothing(
    granting: Browser, camera_page: Opening
) -> None:
    late = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async wanted => {
          await new Promise(go => { window.allow = go; }); return ask(wanted); };"""
    fake = camera_page(granting, late)
    fake.page.get_by_role("button", name="Start the camera").click()
    fake.page.wait_for_function("() => window.allow")
    fake.unmount()
    fake.page.evaluate("() => allow()")
    fake.page.wait_for_function("() => streams.length === 1 && running() === 0")
    assert fake.sent == []


# -- with a kernel -------------------------------------------------------------------------------------------------


def notebook(server: Server, browser: Browser, name: str) -> OpenNotebook:
    path = server.folder / f"{name}.ipynb"
    cells = [NETWORK, "app = explore(classifier, {'first': picture}); app.open_tab('CAM')", "app"]
    write_notebook(cells, path)
    nb = OpenNotebook("voila", server, browser, path, {"init_script": SPY})
    nb.open(".cnnviz-picture canvas")
    nb.kernel.until("app.view.heatmap is not None")
    nb.page.get_by_role("button", name="Camera", exact=True).click()
    return nb


def test_live_answers_change_freeze_and_stop(voila_server: Server, granting: Browser) -> None:
    nb = notebook(voila_server, granting, "camera")
    nb.kernel.run(
        "seen, taken, receive = [], [], app.camera.camera.event\n"
        "def event(content, buffers):\n    taken.append(receive(content, buffers)); return taken[-1]\n"
        "app.camera.camera.event = event\n"
        "app.view.observe(lambda change: change['new'] is not None"
        " and seen.append((change['new'].values.tobytes(), app.session.picture.name)),"
        " names='heatmap')"
    )
    nb.page.get_by_role("button", name="Start the camera").click()
    nb.kernel.until("len(set(seen)) >= 8 and {name for _, name in seen} == {'camera'}")
    rate = nb.page.locator(".cnnviz-camera-line", has_text="answers a second")
    expect(rate).to_be_visible()
    print(rate.inner_text())
    nb.page.get_by_role("button", name="Freeze").click()
    nb.page.wait_for_function("() => running() === 0")
    nb.kernel.until("taken[-1].final and not app.camera.frame_job.busy and not app.view.busy")
    frozen = nb.kernel.value("[len(seen), app.session.choices]")
    # What is frozen on the page is what the network is shown.
    width, height = nb.page.evaluate(
        "() => { const c = document.querySelector('canvas.cnnviz-camera-still'); return [c.width, c.height]; }"
    )
    assert nb.kernel.value("list(app.session.picture.image.size)") == [width, height]
    nb.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert nb.kernel.value("[len(seen), app.session.choices]") == frozen
    nb.page.get_by_role("button", name="Go on").click()
    nb.kernel.until(f"len(seen) > {frozen[0]} + 1")
    nb.page.locator(".cnnviz-top .cnnviz-tiles canvas").click(position={"x": 30, "y": 30})
    nb.page.wait_for_function("() => running() === 0")
    nb.kernel.until("app.session.picture is app.pictures[0] and app.strip.selected == 0")
    complaints = nb.complaints(())
    nb.close()
    assert not complaints, complaints


def test_a_refusal_leaves_the_picture_that_is_shown(voila_server: Server, refusing: Browser) -> None:
    nb = notebook(voila_server, refusing, "refused")
    nb.page.get_by_role("button", name="Start the camera").click()
    expect(nb.page.locator(".cnnviz-camera-failed")).to_contain_text("does not let this page")
    assert nb.kernel.value("app.session.picture is app.pictures[0] and app.camera._run == 0")
    complaints = nb.complaints(())
    nb.close()
    assert not complaints, complaints
