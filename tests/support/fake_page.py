"""A real Chromium page that shows one widget over a fake model: no server, no kernel, no network."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "cnnviz_widgets"
STATIC = PACKAGE / "static"
ORIGIN = "http://localhost"
PAGE = """<!doctype html><meta charset="utf-8"><title>widget</title><link rel="icon" href="data:,">
<style>:root {{ color-scheme: {scheme} }} body {{ margin: 16px; background: {background} }} {css}</style>
<body {attributes}><button id="before">before</button><div id="views"></div><button id="after">after</button>
<script src="/host.js"></script><script type="module" src="/fake_model.js"></script>"""


class FakePage:
    """`page` shows widgets of `static/<name>.js`; `update` and `ack` are the kernel's part."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self._document = ""
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("console", lambda entry: entry.type == "error" and self.problems.append(f"console: {entry.text}"))
        page.route("**/*", self._serve)

    def load(
        self,
        widget: str,
        state: dict[str, Any],
        views: int = 1,
        *,
        dark: bool = False,
        attributes: str = "",
        css: str = "",
        host: Literal["none", "kernel", "saved page"] = "none",
    ) -> None:
        """Show `views` views of one model; `attributes` and `css` dress the page as some host does."""
        self._document = PAGE.format(
            scheme="dark" if dark else "light",
            background="#16191d" if dark else "#fff",
            attributes=attributes,
            css=css,
        )
        self.page.goto(f"{ORIGIN}/")
        self.page.evaluate("arguments => mount(...arguments)", [widget, _packed(state), views, host])

    def update(self, **state: Any) -> None:
        """The kernel writes traits."""
        self.page.evaluate("state => update(state)", _packed(state))

    def ack(self, seq: int | None = None) -> None:
        """The kernel acknowledges an event, by default the last one sent."""
        self.page.evaluate("seq => model.receive({kind: 'ack', seq: seq ?? model.sent.at(-1).seq})", seq)

    def acknowledge_all(self) -> None:
        """From now on every event is acknowledged at once."""
        self.page.evaluate(
            """() => {
              model.acknowledging = true;
              if (model.sent.length) model.receive({ kind: "ack", seq: model.sent.at(-1).seq });
            }"""
        )

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The custom messages that left the browser."""
        return self.page.evaluate("() => model.sent")

    @property
    def saved(self) -> list[dict[str, Any]]:
        """The trait changes that left the browser."""
        return self.page.evaluate("() => model.saved")

    @property
    def listeners(self) -> int:
        """How many listeners the views have."""
        return self.page.evaluate("() => model.listeners.length - model.withoutViews")

    def unmount(self, view: int = 0) -> None:
        self.page.evaluate("view => unmount(view)", view)

    def _serve(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if not route.request.url.startswith(f"{ORIGIN}/"):
            self.problems.append(f"request to {route.request.url}")
            route.abort()
        elif path == "/":
            route.fulfill(body=self._document, content_type="text/html")
        elif path == "/fake_model.js":
            route.fulfill(path=HERE / "fake_model.js", content_type="text/javascript")
        elif (STATIC / path[1:]).is_file():
            route.fulfill(path=STATIC / path[1:], content_type="text/javascript")
        else:
            self.problems.append(f"no such file: {path}")
            route.fulfill(status=404)


def _packed(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _packed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(item) for item in value]
    return value


def chromium_path() -> str | None:
    """`CNNVIZ_CHROMIUM`, else a browser on PATH, else None: Playwright's own."""
    named = os.environ.get("CNNVIZ_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of a test run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_fake_page(chromium: Browser) -> Iterator[Callable[..., FakePage]]:
    """Open pages with Playwright's context options, e.g. `open_fake_page(has_touch=True)`."""
    pages: list[FakePage] = []

    def opened(**options: Any) -> FakePage:
        context = chromium.new_context(**{"viewport": {"width": 720, "height": 760}, **options})
        pages.append(FakePage(context.new_page()))
        return pages[-1]

    yield opened
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:
        page.page.context.close()
    assert not problems, problems


@pytest.fixture
def fake_page(open_fake_page: Callable[..., FakePage]) -> FakePage:
    return open_fake_page()
