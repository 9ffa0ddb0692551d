"""Voila's handlers and kernel manager, changed so that kernels start for opened pages only and end without a page."""

from __future__ import annotations

import time
from asyncio import Future
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from jupyter_server._tz import utcnow
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from cnnviz_widgets.websocket import message_type

#: What is sent with status 403 to requests that do not open the page in a tab.
REFUSAL = "This address is a page of its own: open it in a tab, not from inside another page.\n"


def opens_document(headers: Mapping[str, str]) -> bool:
    """Whether the headers of a request say that it opens a document in a tab; True for clients that do not say."""
    if "prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")):
        return False
    return (headers.get("Sec-Fetch-Dest", "document"), headers.get("Sec-Fetch-Mode", "navigate")) == (
        "document",
        "navigate",
    )


class Documents(TornadoVoilaHandler):
    """Voila's page, which starts a kernel. It is refused to images, frames, scripts and fetches of other pages."""

    async def get(self, path: str | None = None) -> None:
        if opens_document(self.request.headers):
            await super().get(path)
            return
        self.set_status(403)
        self.set_header("Content-Type", "text/plain")
        self.finish(REFUSAL)


class Channels(VoilaKernelWebsocketHandler):
    """Voila's websocket, safe for clients of the newer and of the older message protocol.

    Voila 0.5.13 reads any binary message as one of the newer protocol. One of the older protocol then seems to have
    10^17 offsets, and the server builds a list of them until its memory is full.
    """

    def write_message(self, message: bytes | str | dict[str, Any], binary: bool = False) -> Future[None] | None:
        # The page does not show the sources of the cells, so they are not sent to it either. A text without the word
        # need not be parsed.
        if (not isinstance(message, str) or "execute_input" in message) and message_type(message) == "execute_input":
            return None
        # What the kernel had on the way when the websocket was closed has nobody to go to.
        if self.ws_connection is None or self.ws_connection.is_closing():
            return None
        written: Future[None] = super(VoilaKernelWebsocketHandler, self).write_message(message, binary)
        return written


class VisitedKernels(AsyncMappingKernelManager):
    """A kernel manager that ends kernels without a connected page, because each holds a network in memory."""

    unvisited = Float(60, config=True, help="Seconds without work after which a kernel ends that no page came to.")
    deserted = Float(600, config=True, help="Seconds after which a kernel ends whose last page went away.")

    def __init__(self, **settings: Any) -> None:
        self._last_seen: dict[str, float] = {}  # monotonic seconds; only of kernels to which a page has connected
        self._waited_for: dict[str, float] = {}  # since when a kernel that no page has come to waits for its visitor
        super().__init__(**settings)

    def notify_connect(self, kernel_id: str) -> None:
        super().notify_connect(kernel_id)
        self._last_seen[kernel_id] = time.monotonic()

    def notify_disconnect(self, kernel_id: str) -> None:
        super().notify_disconnect(kernel_id)
        self._last_seen[kernel_id] = time.monotonic()

    @property
    def _handed_out_for(self) -> float:
        """Seconds that a kernel, once handed out, may wait for its page, however long it has rested before."""
        application: Any = self.parent
        return self.unvisited if application.voila_configuration.preheat_kernel else 0.0

    async def cull_kernels(self) -> None:
        await super().cull_kernels()
        self._last_seen = {name: seen for name, seen in self._last_seen.items() if name in self}
        self._waited_for = {name: since for name, since in self._waited_for.items() if name in self}

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        if self._is_abandoned(kernel_id):
            await self.shutdown_kernel(kernel_id)
        else:
            await super().cull_kernel_if_idle(kernel_id)

    def _is_abandoned(self, kernel_id: str) -> bool:
        """Whether a kernel has had no page for longer than `unvisited` or `deserted` allows."""
        kernel: Any = self.get_kernel(kernel_id)
        if self._kernel_connections.get(kernel_id, 0) > 0 or not hasattr(kernel, "last_activity"):
            return False
        if kernel_id in self._last_seen:
            return bool(time.monotonic() - self._last_seen[kernel_id] > self.deserted)
        # One that was preheated has rested for long when its visitor comes; until then it is not asked about.
        if time.monotonic() - self._waited_for.setdefault(kernel_id, time.monotonic()) < self._handed_out_for:
            return False
        # The page connects after the last cell has run, and the cells may take long.
        idle = utcnow() - kernel.last_activity
        return bool(kernel.execution_state == "idle" and idle > timedelta(seconds=self.unvisited))


def guarded(handlers: list[Any]) -> list[Any]:
    """Voila's list of handlers, with those of this module in place of the ones that they extend."""
    ours = {VoilaKernelWebsocketHandler: Channels, TornadoVoilaHandler: Documents}
    return [(pattern, ours.get(handler, handler), *rest) for pattern, handler, *rest in handlers]
