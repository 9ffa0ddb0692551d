"""A page works in a lecture hall without network, and gives its visitors nothing but its widgets."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.support.servers import Opener, Server

PAGE = [
    "%%markdown\n# Offline\n\nWith $\\alpha_k$ in\n\n$$L = \\mathrm{ReLU}\\Big(\\sum_k \\alpha_k A^k\\Big)$$",
    "import ipywidgets\nipywidgets.Button(description='go', icon='play')",
]


def test_formulas_and_icons_need_no_network(any_page: Opener) -> None:
    page = any_page(PAGE).page
    page.locator("mjx-container").nth(1).wait_for()
    page.wait_for_function("[...document.fonts].some(f => /Awesome/.test(f.family) && f.status === 'loaded')")
    page.wait_for_function("[...document.fonts].some(f => /MJX/.test(f.family) && f.status === 'loaded')")
    # That nothing was asked of another machine, `any_page` checks when the test ends.


def test_a_stray_link_is_refused_by_the_browser(voila_page: Opener) -> None:
    stray = "%%markdown\n![stray](https://cdn.example/picture.png)"
    notebook = voila_page([stray, *PAGE], allow=["cdn.example"])
    assert [text for text in notebook.complaints([]) if "Content Security Policy" in text]


def test_a_request_to_another_machine_is_noticed(lab_page: Opener) -> None:
    stray = "%%markdown\n![stray](https://cdn.example/picture.png)"
    notebook = lab_page([stray, *PAGE], allow=["cdn.example", "ERR_NAME_NOT_RESOLVED"])
    assert "request to https://cdn.example/picture.png" in notebook.complaints([])


def test_an_exception_that_a_callback_swallows_is_noticed(any_page: Opener) -> None:
    fail = "def fail(_):\n    raise ValueError('swallowed')"
    button = "button = ipywidgets.Button()\nbutton.on_click(fail)\nbutton"
    notebook = any_page([*PAGE, fail, button], allow=["swallowed"])
    notebook.page.locator(".jupyter-button").last.click()
    notebook.kernel.run("pass")  # after the click: its message came first
    assert any("swallowed" in text for text in notebook.complaints([]))


@pytest.mark.parametrize("query", ["template=base", "theme=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"])
def test_a_visitor_chooses_neither_template_nor_theme(voila_page: Opener, query: str) -> None:
    notebook = voila_page(PAGE)
    with urllib.request.urlopen(f"{notebook.page.url}?{query}", timeout=60) as response:
        page = response.read().decode()
    assert "alert(1)" not in page
    assert "/templates/cnnviz/static/" in page


def test_a_foreign_name_for_this_address_is_refused(voila_server: Server) -> None:
    request = urllib.request.Request(voila_server.url, headers={"Host": "rebound.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    refused.value.close()
    assert refused.value.code == 403


def test_leaving_a_page_ends_its_kernel(voila_page: Opener) -> None:
    notebook = voila_page(PAGE)
    left = notebook.kernel
    notebook.reload()
    assert notebook.kernel.connection_file != left.connection_file
    assert notebook.kernel.value("1 + 1") == 2
    left.has_ended()
