"""From a key press on the layer slider to changed pixels, in a real browser over Voila."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from benchmarks.browser import frame, voila
from benchmarks.table import Row

STEPS = 24
CANVAS = "canvas.cnnviz-picture-canvas"

CELL = """
from cnnviz_widgets import CAMView, demo
classifier = demo.classifier()
view = CAMView(classifier, demo.pictures()[0])
calls = []
classifier.network.register_forward_hook(lambda *_: calls.append(1))
view"""

#: Waits for the slider to move, then looks at the canvas once a frame until another picture is there. The clock is the
#: event's own: what the page took to hear of the key press counts.
WATCH = """selector => {
    const canvas = document.querySelector(selector);
    const small = document.createElement('canvas');
    small.width = small.height = 32;
    const context = small.getContext('2d', {willReadFrequently: true});
    const seen = () => {
        context.clearRect(0, 0, 32, 32);
        context.drawImage(canvas, 0, 0, 32, 32);
        return context.getImageData(0, 0, 32, 32).data.join();
    };
    const before = seen();
    window.changed = null;
    document.querySelector('input[type=range].cnnviz-slider-range').addEventListener('input', event => {
        const look = () => {
            const now = performance.now();
            if (seen() !== before) window.changed = now - event.timeStamp;
            else if (now - event.timeStamp > 3000) window.changed = -1;
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }, {once: true});
}"""


def rows() -> Iterable[Row]:
    with voila() as page_of:
        notebook = page_of("slider", CELL)
        notebook.open(ready=CANVAS)
        page = notebook.page
        slider = page.locator("input[type=range].cnnviz-slider-range").first
        slider.wait_for()
        notebook.kernel.until("view._tape is not None and len(calls) >= 0")
        slider.focus()
        # The first moves find what a person's first moves find: nothing is left out.
        before = notebook.kernel.value("len(calls)")
        times = [time for number in range(STEPS) if (time := _moved(page, number)) is not None]
        called = notebook.kernel.value("len(calls)") - before
        between = frame(page)
        notebook.close()
    if called:
        raise AssertionError(f"The slider called the network {called} times.")
    note = f"median of {len(times)}, slowest {1000 * max(times):.0f} ms; no forward pass; frame {1000 * between:.0f} ms"
    yield Row("key press to pixels", statistics.median(times), between + 0.05, "a frame + 50 ms", 1.0, note)


def _moved(page: Any, number: int) -> float | None:
    """Seconds from one key press to the frame with another picture; None if two layers look alike."""
    page.evaluate(WATCH, CANVAS)
    # Up the network and down again.
    page.keyboard.press("ArrowLeft" if number < STEPS // 2 else "ArrowRight")
    page.wait_for_function("() => window.changed !== null", timeout=10_000)
    milliseconds: float = page.evaluate("() => window.changed")
    page.wait_for_timeout(150)
    return None if milliseconds < 0 else milliseconds / 1000
