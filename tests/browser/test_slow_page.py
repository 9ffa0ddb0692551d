"""A page that is slower than anywidget's patience (2 s) must not leave a widget deaf."""

from __future__ import annotations

from tests.support.servers import Opener

IMPATIENT = """
const patience = AbortSignal.timeout;
AbortSignal.timeout = milliseconds => patience.call(AbortSignal, milliseconds === 2000 ? 0 : milliseconds);
"""
CELLS = [
    "from cnnviz_widgets.widgets.slider import OptionSlider\nfrom cnnviz_widgets.widgets.status import Status",
    "slider, status = OptionSlider(options=['first', 'second', 'third']), Status(text='before')\nslider",
    "status",
]


def test_a_widget_of_a_slow_page_hears_the_kernel_again(any_page: Opener) -> None:
    nb = any_page(CELLS, ready=".cnnviz-slider", init_script=IMPATIENT)
    nb.kernel.run("status.text = 'after'; slider.index = 2")
    nb.page.locator(".cnnviz-status", has_text="after").wait_for()
    nb.page.locator(".cnnviz-slider-name", has_text="third").wait_for()
