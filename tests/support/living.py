"""A page that lives without a kernel, in a browser: from disk without a network, or from a strict server."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

#: What a careful server lets a page do: nothing from elsewhere, no script that it does not name, no eval.
STRICT = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
#: The same for a page that runs a network: compiled code, in a worker that is part of the page.
STRICT_WITH_NETWORK = STRICT.replace("blob:;", "blob: 'wasm-unsafe-eval'; worker-src blob:;", 1)


class LivingPage:
    """`page` shows a written page; `requests` and `problems` are what it asked for and complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("console", lambda entry: self.problems.append(f"console: {entry.text}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)
        page.wait_for_selector("html[data-cnnviz]", state="attached")

    def send(self, widget: int, **event: Any) -> None:
        """An event of the hand, as the widget sends it; returns when it is answered."""
        self.page.evaluate(
            """async ([widget, event]) => {
              const model = cnnvizHost.page.models[widget];
              await new Promise((resolve) => {
                const heard = (message) => {
                  if (message.kind !== "ack" || message.seq !== -1) return;
                  model.off("msg:custom", heard);
                  resolve();
                };
                model.on("msg:custom", heard);
                model.send({ kind: "event", seq: -1, final: true, ...event });
              });
            }""",
            [widget, event],
        )

    def trait(self, widget: int, name: str) -> Any:
        """A trait of a widget; binary values as lists of bytes."""
        return self.page.evaluate(
            """([widget, name]) => {
              const plain = (value) => {
                if (ArrayBuffer.isView(value))
                  return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
                if (Array.isArray(value)) return value.map(plain);
                if (value === null || typeof value !== "object") return value;
                return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
              };
              return plain(cnnvizHost.page.models[widget].get(name) ?? null);
            }""",
            [widget, name],
        )


@contextmanager
def open_from_disk(browser: Browser, path: Path) -> Iterator[LivingPage]:
    """The page as somebody opens it who has no network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    living = LivingPage(context.new_page(), path.as_uri())
    try:
        yield living
    finally:
        context.close()


@contextmanager
def open_from_server(browser: Browser, path: Path, policy: str = STRICT) -> Iterator[LivingPage]:
    """The page as a static host with a `policy` hands it out."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(path.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        yield LivingPage(context.new_page(), f"http://127.0.0.1:{server.server_address[1]}/{path.name}")
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()
