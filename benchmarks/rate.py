"""Answers a second while the hand drags the patch, or a camera runs: how many, how far apart, by how many messages."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.browser import Host, serving
from benchmarks.table import Row

SECONDS, REPEATS = 4.0, 2
CANVAS = "canvas.cnnviz-picture-canvas"

_NOTE_CPU = """
import os, time
from cnnviz_widgets import {view}, demo
classifier = demo.classifier()
view = {view}(classifier{more})
view"""
DRAG = _NOTE_CPU.format(view="OcclusionView", more=", demo.pictures()[0]")
#: Nothing is run ahead: each answer is a pass of the network.
PASSES = _NOTE_CPU.format(view="OcclusionView", more=", demo.pictures()[0], run_ahead=False")
CAMERA = _NOTE_CPU.format(view="CameraView", more="")

#: Counts the messages of widgets that come from the kernel and the events that go to it, in both protocols.
COUNT = """(() => {
    window.wire = {told: 0, asked: 0};
    const note = (data, kind) => {
        const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
        if (text.includes('"comm_msg"') && !text.includes('"execution_state"')) window.wire[kind]++;
    };
    const Original = window.WebSocket;
    window.WebSocket = class extends Original {
        constructor(...all) {
            super(...all);
            this.addEventListener('message', event => { if (!(event.data instanceof Blob)) note(event.data, 'told'); });
        }
        send(data) { note(data, 'asked'); super.send(data); }
    };
})();"""
#: When the sentences of the page changed, in milliseconds.
WATCH = """() => {
    window.stamps = [];
    for (const line of document.querySelectorAll('.cnnviz-status'))
        new MutationObserver(() => window.stamps.push(performance.now()))
            .observe(line, {childList: true, characterData: true, subtree: true});
    Object.assign(window.wire, {told: 0, asked: 0});
}"""


@dataclass(frozen=True)
class Rate:
    """What a page showed: seconds between answers, and messages of the kernel an event of the page."""

    gaps: list[float]
    messages: float
    idle: float

    @property
    def row_note(self) -> str:
        answers = 1 / statistics.fmean(self.gaps)
        ends = f"{1000 * min(self.gaps):.0f} to {1000 * max(self.gaps):.0f} ms"
        return (
            f"{answers:.1f} answers a second, gaps {ends}; {self.messages:.2f} messages an event; "
            f"kernel idle {self.idle:.0%}"
        )


def rows() -> Iterable[Row]:
    hosts: tuple[tuple[Host, float], ...] = (("voila", 0.034), ("plain lab", 0.05))
    for host, bound in hosts:
        name = {"voila": "Voila", "plain lab": "JupyterLab"}[host]
        with serving(host, script=COUNT) as page_of:
            for what, cell in (("drag", DRAG), ("drag, all passes", PASSES)):
                rate = dragged(page_of(what.replace(", ", "_").replace(" ", "_"), cell))
                yield _row(f"{what}, {name}", rate, bound)
            if host == "voila":
                yield _row(f"camera, {name}", filmed(page_of("camera", CAMERA)), bound)


def _row(name: str, rate: Rate, bound: float) -> Row:
    rival = f"{1 / bound:.0f} answers a second"
    return Row(f"between answers, {name}", statistics.median(rate.gaps), bound, rival, 1.0, rate.row_note)


def dragged(notebook: Any) -> Rate:
    """A hand that goes round over the picture, 60 times a second as far as the machine can."""
    page = _opened(notebook, CANVAS)
    canvas = page.locator(CANVAS).first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def drag() -> None:
        begin, moves = time.monotonic(), 0
        while (at := time.monotonic() - begin) < SECONDS:
            x, y = 0.5 + 0.3 * math.sin(2.1 * at), 0.5 + 0.3 * math.cos(1.7 * at)
            page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
            if not moves:
                page.mouse.down()
            moves += 1
            time.sleep(max(0.0, begin + moves / 60 - time.monotonic()))
        page.mouse.up()

    return _measured(notebook, drag)


def filmed(notebook: Any) -> Rate:
    """A camera that shows a moving test picture."""
    page = _opened(notebook, ".cnnviz-camera")
    page.get_by_role("button", name="Start the camera").click()
    notebook.kernel.until("view._shown is not None")
    return _measured(notebook, lambda: page.wait_for_timeout(1000 * SECONDS))


def _opened(notebook: Any, ready: str) -> Any:
    notebook.open(ready=ready)
    page = notebook.page
    page.wait_for_selector(".cnnviz-status", state="attached")
    page.wait_for_timeout(5000)  # windows around the patch are run ahead
    return page


def _measured(notebook: Any, act: Any) -> Rate:
    page, gaps, told, asked = notebook.page, [], 0, 0
    busy = begin = 0.0
    for _ in range(REPEATS):
        page.evaluate(WATCH)
        spent, begin = notebook.kernel.value("time.process_time()"), time.monotonic()
        act()
        wire, stamps = page.evaluate("() => [window.wire, window.stamps]")
        busy += (notebook.kernel.value("time.process_time()") - spent) / (time.monotonic() - begin)
        gaps += [(b - a) / 1000 for a, b in pairwise(stamps)]
        told, asked = told + wire["told"], asked + wire["asked"]
        page.wait_for_timeout(1000)
    notebook.close()
    return Rate(gaps, told / max(1, asked), max(0.0, 1 - busy / REPEATS))
