"""The picture widget over a real kernel, in Voila and JupyterLab."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.support.picture_card import close_settings, open_settings
from tests.support.servers import Opener, OpenNotebook

CANVAS = "canvas.cnnviz-picture-canvas"
SETUP = """
import numpy as np
from cnnviz_widgets.widgets.picture import PictureCanvas

canvas = PictureCanvas(mode="window", display_width=200, label="a test card")
canvas.show(np.full((100, 100, 3), 200, np.uint8))
canvas.place_window((30, 40, 20, 20), (4, 60))
canvas.overlay(np.linspace(-1, 1, 49, dtype=np.float32).reshape(7, 7), "drop", True)
heard = []

def hear(event, done):
    heard.append((canvas.window, event.final))
    done()

canvas.on_event(hear)
canvas
"""
SLOW = """
import time

def work(event, done):
    time.sleep(0.1)
    done()

canvas.on_event(work)
"""


def is_at(canvas: Locator, top: int, left: int) -> None:
    words = re.compile(f"window 20 by 20 at row {top}, column {left}")
    expect(canvas).to_have_attribute("aria-label", words)


def drag(notebook: OpenNotebook, *path: tuple[int, int], steps: int = 10, view: int = 0) -> None:
    """Drag along (row, column) picture pixels."""
    canvas = notebook.page.locator(CANVAS).nth(view)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    places = [(box["x"] + 2 * column, box["y"] + 2 * row) for row, column in path]
    notebook.page.mouse.move(*places[0])
    notebook.page.mouse.down()
    for place in places[1:]:
        notebook.page.mouse.move(*place, steps=steps)
    notebook.page.mouse.up()


def test_the_kernel_hears_where_a_drag_ends(any_page: Opener) -> None:
    notebook = any_page([SETUP, SLOW], ready=CANVAS)
    canvas = notebook.page.locator(CANVAS)
    drag(notebook, (40, 50), (60, 70), (20, 20), (70, 80))
    notebook.kernel.until("heard and heard[-1][1]")
    assert notebook.kernel.value("heard[-1][0]") == [60, 70, 20, 20]
    assert notebook.kernel.value("canvas._window_final") == [60, 70, 20, 20]
    is_at(canvas, 60, 70)
    notebook.kernel.run("canvas.place_window((0, 0, 20, 20))")
    is_at(canvas, 0, 0)
    # The settings reach the kernel, for a reload to find.
    open_settings(notebook.page)
    notebook.page.get_by_role("slider", name="Opacity").fill("20")
    assert notebook.kernel.until("canvas.view_state")["opacity"] == 0.2


def test_a_reload_and_a_second_view_show_where_the_window_is(lab_page: Opener) -> None:
    notebook = lab_page([SETUP, "canvas"], ready=CANVAS)
    first, second = (notebook.page.locator(CANVAS).nth(view) for view in (0, 1))
    drag(notebook, (40, 50), (60, 70))
    open_settings(notebook.page)
    notebook.page.get_by_role("button", name="Cells", exact=True).first.click()
    for view in (first, second):
        is_at(view, 50, 60)
    open_settings(notebook.page)
    expect(notebook.page.get_by_role("button", name="Cells", exact=True).nth(1)).to_have_attribute(
        "aria-pressed", "true"
    )
    notebook.kernel.until("heard[-1][1] and canvas.view_state")
    notebook.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    notebook.reload(CANVAS)
    for view in (first, second):
        is_at(view, 50, 60)
    open_settings(notebook.page)
    expect(notebook.page.get_by_role("button", name="Cells", exact=True).first).to_have_attribute(
        "aria-pressed", "true"
    )
    close_settings(notebook.page)
    drag(notebook, (60, 70), (20, 20), view=1)
    for view in (first, second):
        is_at(view, 10, 10)
    notebook.kernel.until("heard[-1] == ((10, 10, 20, 20), True)")


def test_keys_move_the_window_and_not_the_notebook(lab_page: Opener) -> None:
    notebook = lab_page([SETUP, "1", "2"], ready=CANVAS)
    canvas = notebook.page.locator(CANVAS)
    canvas.click(position={"x": 100, "y": 80})
    is_at(canvas, 30, 40)
    cells = "jupyterapp.shell.currentWidget.content.widgets.length"
    active = "jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = notebook.page.evaluate(f"[{cells}, {active}]")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Shift+ArrowUp", "Escape", "ArrowUp"):
        notebook.page.keyboard.press(key)
    is_at(canvas, 29, 40)
    expect(canvas).to_be_focused()
    open_settings(notebook.page)
    notebook.page.get_by_role("slider", name="Opacity").press("ArrowUp")
    assert notebook.page.evaluate(f"[{cells}, {active}]") == before
    notebook.kernel.until("heard[-1] == ((29, 40, 20, 20), True)")


AWAITING = """
import asyncio

while sum(final for _, final in heard) < 2:
    await asyncio.sleep(0.01)
"""


def test_a_cell_that_awaits_does_not_stop_the_messages(lab_page: Opener) -> None:
    """ipykernel 7.4.0 answers nothing to what arrives meanwhile; plain traits never recover from that."""
    notebook = lab_page([SETUP], ready=CANVAS)
    kernel = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    notebook.page.evaluate(f"code => {{ {kernel}.requestExecute({{ code }}) }}", AWAITING)
    notebook.page.wait_for_function(f"{kernel}.status === 'busy'")
    canvas = notebook.page.locator(CANVAS)
    drag(notebook, (40, 50), (60, 70))
    is_at(canvas, 50, 60)
    open_settings(notebook.page)
    notebook.page.get_by_role("button", name="Cells", exact=True).click()
    close_settings(notebook.page)
    drag(notebook, (60, 70), (20, 20))
    is_at(canvas, 10, 10)
    notebook.page.wait_for_function(f"{kernel}.status === 'idle'")
    drag(notebook, (20, 20), (80, 80))
    notebook.kernel.until("heard[-1] == ((70, 70, 20, 20), True)")
    is_at(canvas, 70, 70)
