"""The harness itself, on a widget that is not ours."""

from __future__ import annotations

import pytest

from tests.support.servers import Opener

SLIDER = "import ipywidgets\nslider = ipywidgets.IntSlider(description='steps')\nslider"


def test_a_slider_moves_in_the_kernel(any_page: Opener) -> None:
    notebook = any_page([SLIDER])
    notebook.page.locator(".noUi-handle").press("ArrowRight")
    assert notebook.kernel.until("slider.value") == 1
    notebook.kernel.run("slider.value = 42")
    notebook.page.get_by_text("42").wait_for()


def test_a_cell_that_raises_fails_the_test_at_once(any_page: Opener) -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        any_page(["1 / 0", SLIDER], allow=["ZeroDivisionError"])


def test_an_anywidget_answers_the_page(any_page: Opener) -> None:
    cell = """
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = '''export default { render({ model, el }) {
        const button = document.createElement("button");
        button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
        model.on("msg:custom", (message) => { button.textContent = message.text; });
        button.textContent = "count";
        el.append(button);
    } }'''
    count = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter.observe(lambda change: counter.send({"text": f"counted {change.new}"}), names="count")
counter"""
    notebook = any_page([cell], ready="button:text-is('count')")
    notebook.page.get_by_role("button", name="count", exact=True).click()
    notebook.page.get_by_role("button", name="counted 1").wait_for()
    assert notebook.kernel.value("counter.count") == 1


def test_a_page_finds_its_widgets_again_after_a_reload(lab_page: Opener) -> None:
    notebook = lab_page([SLIDER])
    notebook.kernel.run("slider.value = 42")
    notebook.reload()
    notebook.page.get_by_text("42").wait_for()
