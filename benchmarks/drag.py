"""How long after the hand rests the scores rest: our protocol beside the naive ipycanvas loop, in a real browser."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.table import Row

ROOT = Path(__file__).resolve().parent.parent
MOVES, SECONDS, REPEATS = 120, 2.0, 5

OURS = """
from cnnviz_widgets import OcclusionView, demo
classifier = demo.classifier()
view = OcclusionView(classifier, demo.pictures()[0])
view"""

#: What people write today: every mouse move is a message, and its handler runs the network.
NAIVE = """
import ipywidgets, numpy as np, torch
from ipycanvas import Canvas
from cnnviz_widgets import demo
classifier = demo.classifier()
pixels = classifier.pixels(demo.pictures()[0])
appearance = classifier.appearance(pixels)
canvas, label = Canvas(width=448, height=448), ipywidgets.Label('none')
label.add_class('cnnviz-status')
def moved(x, y):
    top, left = (int(min(max(v / 2 - 28, 0), 168)) for v in (y, x))
    covered, shown = pixels.clone(), appearance.copy()
    covered[..., top:top + 56, left:left + 56] = 0
    shown[top:top + 56, left:left + 56] = 128
    canvas.put_image_data(np.kron(shown, np.ones((2, 2, 1), np.uint8)), 0, 0)
    with torch.no_grad():
        logit = float(classifier.logits(covered).max())
    label.value = f'{top} {left} {logit:.3f}'
canvas.on_mouse_move(moved)
moved(0, 0)
ipywidgets.VBox([canvas, label])"""

#: The last time the hand moved and the last time the scores changed, in milliseconds of the page's clock.
WATCH = """() => {
    window.hand = window.scores = 0;
    document.addEventListener('pointermove', () => { window.hand = performance.now(); }, true);
    document.addEventListener('pointerup', () => { window.hand = performance.now(); }, true);
    for (const line of document.querySelectorAll('.cnnviz-status'))
        new MutationObserver(() => { window.scores = performance.now(); })
            .observe(line, {childList: true, characterData: true, subtree: true});
}"""
#: Nothing has changed for two seconds.
QUIET = "() => window.scores > 0 && performance.now() - Math.max(window.hand, window.scores) > 2000"


def rows() -> Iterable[Row]:
    sys.path[:0] = [str(ROOT / "tests" / "browser")]
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"JUPYTER_{what}_DIR": f"{home}/{what}" for what in ("CONFIG", "DATA", "RUNTIME")})
        os.environ["PYTHONPATH"] = str(ROOT)
        folder = Path(home, "notebooks")
        folder.mkdir()
        (ours, forward), (naive, _) = (_settle(folder, cell, selector) for cell, selector in (
            (OURS, "canvas.cnnviz-picture-canvas"), (NAIVE, ".ipycanvas canvas, canvas"),
        ))  # fmt: skip
    note = f"{MOVES} moves in {SECONDS:g} s, default network, forward pass {1000 * forward:.0f} ms, Voila"
    yield Row("drag: settled after the last move", ours, naive, "ipycanvas, work in the handler", None, note)
    # The bound of the issue: one forward pass and 60 ms.
    yield Row("drag: settled after the last move", ours, forward + 0.06, "one forward pass + 60 ms", 1.0, note)


def _settle(folder: Path, cell: str, selector: str) -> tuple[float, float]:
    """Median seconds from the last move to the last change of the scores, and of one forward pass."""
    from fake_page import chromium_path
    from playwright.sync_api import sync_playwright
    from servers import OpenNotebook, start_voila, write_notebook

    server = start_voila(folder)
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
            page = OpenNotebook("voila", server, chromium, write_notebook([cell], folder / "drag.ipynb"), {})
            page.open(ready=selector)
            page.page.wait_for_selector(".cnnviz-status")
            page.page.wait_for_timeout(2000)
            page.page.evaluate(WATCH)
            times = [_drag(page.page, selector) for _ in range(REPEATS)]
            forward = page.kernel.value(_FORWARD)
            page.close()
            chromium.close()
    finally:
        server.stop()
    return statistics.median(times), forward


_FORWARD = (
    "(lambda torch, time, c: (lambda x: sorted((lambda t: (c.logits(x), time.perf_counter() - t)[1])"
    "(time.perf_counter()) for _ in range(9))[4])(torch.zeros(1, 3, 224, 224)))"
    "(__import__('torch'), __import__('time'), classifier)"
)


def _drag(page: object, selector: str) -> float:
    browser = page
    box = browser.locator(selector).first.bounding_box()  # type: ignore[attr-defined]
    mouse = browser.mouse  # type: ignore[attr-defined]
    begin = time.monotonic()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    for step in range(MOVES):
        share = step / MOVES
        mouse.move(box["x"] + box["width"] * (0.5 + 0.3 * share), box["y"] + box["height"] * (0.5 - 0.25 * share))
        # A hand moves at its own pace: wait for the next sixtieth of a second.
        time.sleep(max(0.0, begin + (step + 1) * SECONDS / MOVES - time.monotonic()))
    mouse.up()
    browser.wait_for_function(QUIET, timeout=120_000)  # type: ignore[attr-defined]
    settled: float = browser.evaluate("() => Math.max(0, window.scores - window.hand)")  # type: ignore[attr-defined]
    return settled / 1000
