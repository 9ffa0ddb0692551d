"""The harness itself, on a widget that is not ours."""

from __future__ import annotations

from servers import Opener

SLIDER = "import ipywidgets\nslider = ipywidgets.IntSlider(description='steps')\nslider"


def test_a_slider_moves_in_the_kernel(any_page: Opener) -> None:
    notebook = any_page([SLIDER])
    notebook.page.locator(".noUi-handle").press("ArrowRight")
    assert notebook.kernel.until("slider.value") == 1
    notebook.kernel.run("slider.value = 42")
    notebook.page.get_by_text("42").wait_for()
