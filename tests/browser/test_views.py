"""The views in JupyterLab and Voila: what a hand does, and what is then on screen and in the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.servers import Opener, OpenNotebook, until

pytestmark = pytest.mark.browser

#: A small network that counts its own forward passes, not those of copies, and takes `pause` seconds for each; `log`
#: keeps what the view was told.
NETWORK = """
import time, types
import numpy as np
import torch
from torch import nn
from cnnviz_widgets import CAMView, Classifier, OcclusionView, SaliencyView, Session, explore

class Counting(nn.Module):
    pause = 0.0
    # In an object of its own, which what is run in place of the network shares with it.
    calls = property(lambda self: self.tally.calls, lambda self, calls: setattr(self.tally, "calls", calls))
    def __init__(self):
        super().__init__()
        self.tally = types.SimpleNamespace(calls=0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.head = nn.Linear(16, 4)
    def forward(self, x):
        self.calls += 1
        time.sleep(Counting.pause)
        return self.head(self.body(x).mean((2, 3)) * 50)

torch.manual_seed(0)
network = Counting()
classifier = Classifier(network, class_names=["ant", "bee", "<script>alert(1)</script>", "dog"], input_size=64)
picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
"""
WATCH = """
log, waiting = [], []
receive = view.canvas.event
def event(content, buffers):
    log.append(receive(content, buffers)); return log[-1]
view.canvas.event = event
"""
OCCLUSION = [
    NETWORK,
    "from cnnviz_widgets.explain import Occlusion",
    # Where the hand has put it, so that the patch stays there as the map comes.
    "view = OcclusionView(classifier, picture, technique=Occlusion(16, 8), window=(24, 24, 16, 16))",
    WATCH,
    "view",
]


@pytest.fixture
def occlusion(any_page: Opener) -> OpenNotebook:
    page = any_page(OCCLUSION, ready=".cnnviz-picture canvas")
    page.kernel.until("view.probe is not None")
    return page


def canvas_of(page: Page, index: int = 0) -> Locator:
    return page.locator("canvas.cnnviz-picture-canvas").nth(index)


class Hand:
    """A mouse over a canvas of 64 x 64 pixels of the network's input."""

    def __init__(self, page: Page, index: int = 0) -> None:
        self.mouse = page.mouse
        canvas = canvas_of(page, index)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        self.box = box

    def to(self, row: float, column: float) -> None:
        self.mouse.move(
            self.box["x"] + (column + 0.5) * self.box["width"] / 64,
            self.box["y"] + (row + 0.5) * self.box["height"] / 64,
        )

    def drag(self, places: list[tuple[float, float]]) -> None:
        self.to(*places[0])
        self.mouse.down()
        for place in places[1:]:
            self.to(*place)
        self.mouse.up()


def path(start: tuple[float, float], end: tuple[float, float], steps: int) -> list[tuple[float, float]]:
    return [
        (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        for i in range(steps + 1)
    ]


def middle(nb: OpenNotebook) -> tuple[float, float]:
    top, left, height, width = nb.kernel.value("view.canvas.window")
    return top + height / 2, left + width / 2


def settled(nb: OpenNotebook) -> None:
    """Wait until the kernel has answered the last event."""
    nb.kernel.until(
        "log and log[-1].final and view.probe.box == (log[-1].top, log[-1].left, log[-1].height, log[-1].width)"
    )


def test_dragging_moves_the_bars_and_ends_where_the_hand_ends(occlusion: OpenNotebook) -> None:
    before = occlusion.kernel.value("view.bars.values")
    Hand(occlusion.page).drag(path(middle(occlusion), (12, 50), 12))
    settled(occlusion)
    top, left, height, width = occlusion.kernel.value("view.canvas.window")
    assert abs(top + height / 2 - 12) <= 1.5 and abs(left + width / 2 - 50) <= 1.5
    assert occlusion.kernel.value("view.bars.values") != before
    # What is shown is what the network says of exactly this window.
    assert occlusion.kernel.value(
        "bool(np.allclose(view.probe.logits, view.technique.occluded(classifier, classifier.pixels(picture),"
        " [view.canvas.window])[0].numpy(), atol=1e-5))"
    )
    assert f"window {height} \N{MULTIPLICATION SIGN} {width} at row {top}, col {left}" in (
        occlusion.page.locator(".cnnviz-picture").inner_text()
    )


def test_three_seconds_over_slow_work_leave_no_backlog(any_page: Opener) -> None:
    # Nothing is computed but what the hand asks for, so that every message costs a pass.
    cells = [NETWORK, "view = OcclusionView(classifier, picture, run_ahead=False)", WATCH, "view"]
    occlusion = any_page(cells, ready=".cnnviz-picture canvas")
    occlusion.kernel.until("view.probe is not None")
    occlusion.kernel.run("Counting.pause = 0.1; network.calls = 0; log.clear()")
    hand = Hand(occlusion.page)
    moves = path(middle(occlusion), (12, 50), 60) + path((12, 50), (40, 20), 60) + path((40, 20), (30, 44), 60)
    hand.drag(moves)
    settled(occlusion)
    answered = occlusion.kernel.value("network.calls")
    told = occlusion.kernel.value("len(log)")
    # Each message that left the browser was answered before the next one left: no work was queued behind another.
    assert answered == told
    assert told < len(moves)
    assert occlusion.kernel.value("[log[-1].final, sum(event.final for event in log)]") == [True, 1]
    top, left, height, width = occlusion.kernel.value("view.probe.box")
    assert abs(top + height / 2 - 30) <= 1.5 and abs(left + width / 2 - 44) <= 1.5


def test_a_drag_near_where_the_hand_rested_waits_for_no_pass(occlusion: OpenNotebook) -> None:
    occlusion.kernel.until("not view.ahead_job.busy and len(view.resting.cache) > 200", 60)
    occlusion.kernel.run(
        """
network.calls, log[:], answers = 0, [], []
draw = view._draw_probe
note = lambda probe: answers.append((network.calls, probe.interpolated))
view._draw_probe = view.probe_job._deliver = lambda probe: (note(probe), draw(probe))
"""
    )
    row, column = middle(occlusion)
    Hand(occlusion.page).drag(path((row, column), (row + 5, column - 6), 15))
    settled(occlusion)
    answers = occlusion.kernel.value("answers")
    assert len(answers) == occlusion.kernel.value("len(log)") > 2
    # None for the way, and at most one for where it ended: that is exact.
    assert all(passes == 0 for passes, _ in answers[:-1]) and answers[-1][0] <= 1
    assert any(read_off for _, read_off in answers) and not answers[-1][1]


def test_keys_move_the_window_and_escape_puts_it_back(occlusion: OpenNotebook) -> None:
    start = occlusion.kernel.value("view.canvas.window")
    canvas_of(occlusion.page).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        occlusion.page.keyboard.press(key)
    occlusion.kernel.until(f"view.probe.box == ({start[0] + 1}, {start[1] + 2}, {start[2]}, {start[3]})")
    occlusion.page.keyboard.press("Escape")
    occlusion.kernel.until(f"list(view.probe.box) == {start}")


def test_a_reloaded_page_shows_the_last_position(lab_page: Opener) -> None:
    nb = lab_page(OCCLUSION, ready=".cnnviz-picture canvas")
    nb.kernel.until("view.probe is not None")
    Hand(nb.page).drag(path(middle(nb), (12, 50), 5))
    settled(nb)
    window = nb.kernel.value("view.canvas.window")
    nb.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    nb.reload(ready=".cnnviz-picture canvas")
    height, width = window[2:]
    nb.page.wait_for_function(
        "text => document.querySelector('.cnnviz-picture')?.innerText.includes(text)",
        arg=f"window {height} \N{MULTIPLICATION SIGN} {width} at row {window[0]}, col {window[1]}",
    )


def test_two_views_of_one_panel_agree(any_page: Opener) -> None:
    nb = any_page([*OCCLUSION, "view"], ready=".cnnviz-picture canvas")
    nb.kernel.until("view.probe is not None")
    nb.page.wait_for_function("document.querySelectorAll('canvas.cnnviz-picture-canvas').length === 2")
    Hand(nb.page, 0).drag(path(middle(nb), (12, 50), 5))
    settled(nb)
    nb.page.wait_for_function(
        """() => { const lines = [...document.querySelectorAll('.cnnviz-picture')]
            .map(panel => panel.innerText.match(/window .* at row \\d+, col \\d+/)?.[0]);
            return lines.length === 2 && lines[0] !== undefined && lines[0] === lines[1]; }"""
    )


def test_the_drag_survives_a_cell_that_awaits(lab_page: Opener, tmp_path: Path) -> None:
    """On ipykernel 7.4.0 the stock widgets' sync freezes for good when an event meets a top-level `await`."""
    nb = lab_page(OCCLUSION, ready=".cnnviz-picture canvas")
    nb.kernel.until("view.probe is not None")
    # Another request could not end the wait: the kernel takes them one after the other.
    began, end = tmp_path / "began", tmp_path / "end"
    cell = f"""
import asyncio, pathlib
pathlib.Path({str(began)!r}).touch()
while not pathlib.Path({str(end)!r}).exists():
    await asyncio.sleep(0.02)
"""
    nb.page.evaluate(
        """code => { const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            window.awaiting = kernel.requestExecute({code}).done; }""",
        cell,
    )
    until(began.exists, 30, "the cell to begin")
    Hand(nb.page).drag(path((32, 32), (12, 50), 8))
    end.touch()
    nb.page.evaluate("() => window.awaiting")
    settled(nb)
    Hand(nb.page).drag(path(middle(nb), (40, 20), 8))
    settled(nb)
    top, left, height, width = nb.kernel.value("view.probe.box")
    assert abs(top + height / 2 - 40) <= 1.5 and abs(left + width / 2 - 20) <= 1.5


def test_sliding_through_the_layers_calls_the_network_no_more(any_page: Opener) -> None:
    nb = any_page([NETWORK, "view = CAMView(classifier, picture)", "view"], ready=".cnnviz-slider input[type=range]")
    nb.kernel.until("view.canvas.map_size != (0, 0)")
    nb.kernel.run("calls, shown, layer = network.calls, view.canvas.map, view.session.layer")
    slider = nb.page.locator(".cnnviz-slider input[type=range]").first
    slider.focus()
    nb.page.keyboard.press("ArrowLeft")
    nb.kernel.until("view.session.layer != layer and view.canvas.map != shown")
    assert nb.kernel.value("network.calls == calls")
    assert nb.kernel.value("view.layer_slider.names[view.layer_slider.index] == view.session.layer")


def test_the_explorer_links_its_tabs_and_shows_names_as_text(any_page: Opener) -> None:
    nb = any_page(
        [NETWORK, "app = explore(classifier, {'first': picture, '<b>second</b>': 255 - picture})", "app"],
        ready=".cnnviz-picture canvas",
    )
    nb.kernel.until("app.view.probe is not None")
    nb.page.get_by_role("tab", name="CAM").click()
    nb.kernel.until("type(app.view).__name__ == 'CAMView' and app.view.canvas.map_size != (0, 0)")
    nb.kernel.run("before = app.view.canvas.map; app.session.target = 2")
    nb.kernel.until("app.view.canvas.map != before")
    nb.kernel.run("app.session.picture = app.pictures[1]")
    nb.kernel.until("app.strip.selected == 1 and app.view.canvas.picture == app.session.example.appearance.tobytes()")
    expect(nb.page.locator("text=<b>second</b>").first).to_be_visible()
    nb.page.get_by_role("tab", name="Occlusion").click()
    nb.kernel.until(
        "type(app.view).__name__ == 'OcclusionView' and app.view.probe.class_index == 2"
        " and app.view.probe.example.picture is app.pictures[1]"
    )
    assert nb.page.evaluate("document.querySelectorAll('.cnnviz script, .cnnviz b').length") == 0


def test_every_tab_of_the_explorer_opens_and_shows_something(any_page: Opener) -> None:
    nb = any_page(
        [
            NETWORK,
            "pictures = [np.roll(picture, 3 * shift, axis=1) for shift in range(30)]\n"
            "app = explore(classifier, pictures[:3], source=(pictures, [i % 4 for i in range(30)]))",
            "app",
        ],
        ready=".cnnviz-picture canvas",
    )
    shown = {
        "Saliency": ("SaliencyView", "app.view.canvas.map_size != (0, 0)"),
        "Activations": ("ActivationView", "app.view.tiles.count == 16"),
        "Filters": ("FilterView", "app.view.tiles.count == 8"),
        "Top patches": (
            "PatchView",
            "app.view.patches is not None and app.view.patches.progress == 1 and app.view.tiles.count == 9",
        ),
        "Class image": ("MaximisationView", "app.view.visuals[0] is not None and app.view.visuals[0].step > 2"),
        "Neighbours": (
            "NeighbourView",
            "app.view.neighbours is not None and app.view.store.progress == 1 and app.view.near.count == 12",
        ),
        "Map": ("EmbeddingView", "app.view.embedding is not None and len(app.view.embedding.positions) == 30"),
    }
    for title, (name, condition) in shown.items():
        nb.page.get_by_role("tab", name=title, exact=True).click()
        nb.kernel.until(f"type(app.view).__name__ == {name!r}")
        if name == "MaximisationView":
            nb.page.get_by_role("button", name="Start", exact=True).click()
        nb.kernel.until(condition, 60)
        assert nb.kernel.value("app.view.status.kind") != "error", nb.kernel.value("app.view.status.text")
