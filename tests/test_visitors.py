"""What a visitor of a served page can do to the server, and how long a kernel waits for visitors."""

from __future__ import annotations

import json
import os
import re
import struct
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket
from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1

from cnnviz_widgets.visitors import REFUSAL, opens_document
from cnnviz_widgets.websocket import MALFORMED, NEWER
from tests.support.servers import Server, until, write_notebook

pytestmark = pytest.mark.xdist_group("visitors")

#: A widget whose state has bytes, so that the older protocol answers in binary frames.
WIDGET = "import ipywidgets\nipywidgets.Image(value=bytes(range(256)) * 40)"
PROTOCOLS = {"older": None, "newer": [NEWER]}
LATENCY = """
import socket
from cnnviz_widgets import websocket
connect = websocket.Connection.connect
def reporting(self):
    connected = connect(self)
    stream = self.websocket_handler.ws_connection.stream
    print("nodelay", stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), flush=True)
    return connected
websocket.Connection.connect = reporting
"""


class Page:
    """A server of one page, and what a client without a browser sees of it."""

    def __init__(self, folder: Path, *settings: str, preheated: int = 0) -> None:
        folder.mkdir()
        write_notebook([WIDGET], folder / "page.ipynb")
        os.makedirs(os.environ["JUPYTER_RUNTIME_DIR"], exist_ok=True)
        more = [f"--Voila.connection_dir_root={os.environ['JUPYTER_RUNTIME_DIR']}", *settings]
        served = f"{{folder!r}} + '/page.ipynb', {{port}}, print, arguments={{more!r}}, preheated={preheated}"
        call = f"exec({LATENCY!r}); run_voila({served})"
        self.server = Server(call, folder, more)
        self.process = self.server.process

    def answers(self) -> bool:
        """Whether the server answers an address that needs no kernel."""
        try:
            urllib.request.urlopen(f"{self.server.url}/favicon.ico", timeout=20).close()
        except urllib.error.HTTPError as error:
            error.close()
        return True

    def ask(self, **headers: str) -> tuple[int, str]:
        """Status and body of the page, asked with `headers`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.server.url}/", headers=named)) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def visit(self) -> str:
        """Open the page, without connecting to its kernel, and return the kernel's id."""
        found = re.search(r'"kernelId":\s*"([0-9a-f-]+)"', self.ask()[1])
        assert found is not None
        return found[1]

    @contextmanager
    def connect(self, kernel: str, protocols: list[str] | None) -> Iterator[websocket.WebSocket]:
        """A websocket of `kernel`."""
        address = f"{self.server.url}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}".replace("http", "ws", 1)
        client = websocket.create_connection(address, origin=self.server.url, timeout=60, subprotocols=protocols)
        try:
            yield client
        finally:
            client.shutdown()

    def kernels(self) -> int:
        """How many kernels run."""
        return sum(child.status() != "zombie" for child in self.process.children())


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    opened = Page(tmp_path_factory.mktemp("visitors") / "notebooks")
    yield opened
    opened.server.stop()


@pytest.fixture(scope="module")
def kernel(page: Page) -> str:
    return page.visit()


def request(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "username": "", "session": "s", "msg_type": kind, "version": "5.3"}
    header["date"] = "2026-01-01T00:00:00Z"
    return {"header": header, "parent_header": {}, "metadata": {"version": "1.0.0"}, "content": content}


def send(client: websocket.WebSocket, protocol: str, kind: str, content: dict[str, Any]) -> None:
    message = request(kind, content)
    if protocol == "older":
        client.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return
    parts = [b"shell", *(json.dumps(message[name]).encode() for name in message)]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    client.send_binary(struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts))


def received(client: websocket.WebSocket, protocol: str) -> tuple[str, dict[str, Any], list[bytes]]:
    """Type, content and buffers of the next message."""
    frame = client.recv()
    if protocol == "newer":
        _, (header, _, _, content, *buffers) = deserialize_msg_from_ws_v1(frame)
        return json.loads(header)["msg_type"], json.loads(content), buffers
    message = json.loads(frame) if isinstance(frame, str) else deserialize_binary_message(frame)
    return message["header"]["msg_type"], message["content"], message["buffers"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_websocket_gets_the_widgets_state_and_the_server_goes_on(page: Page, kernel: str, protocol: str) -> None:
    before = page.process.memory_info().rss
    comm = uuid.uuid4().hex
    with page.connect(kernel, PROTOCOLS[protocol]) as client:
        send(client, protocol, "comm_open", {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}})
        send(client, protocol, "comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        kind, content, buffers = received(client, protocol)
        while kind != "comm_msg":
            kind, content, buffers = received(client, protocol)
    assert bytes(range(256)) * 40 in buffers
    assert content["data"]["method"] == "update_states"
    assert page.answers()
    assert page.process.memory_info().rss - before < 50 * 2**20


HOSTILE = {
    "huge": struct.pack("<Q", 2**63) + bytes(100),
    "all ones": b"\xff" * 64,
    "two thousand million parts": struct.pack(">i", 2**31 - 1) + bytes(100),
    "none": b"",
    "zeros": bytes(4096),
    "backwards": struct.pack("<8Q", 7, 900, 800, 700, 600, 500, 400, 300) + bytes(900),
    "not JSON": struct.pack(">II", 1, 8) + b"{{{{",
    "a list": struct.pack(">II", 1, 8) + b"[]",
    "text": "{{{",
    "deep": "[" * 100_000,
    "no header": "{}",
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE)
def test_a_malformed_message_closes_its_websocket_only(
    page: Page, kernel: str, protocol: str, frame: bytes | str
) -> None:
    with page.connect(kernel, PROTOCOLS[protocol]) as client:
        received(client, protocol)  # only a connected kernel's websocket looks at what comes
        for _ in range(5):  # their answers come while the websocket is being closed
            send(client, protocol, "kernel_info_request", {})
        client.send(frame, websocket.ABNF.OPCODE_TEXT if isinstance(frame, str) else websocket.ABNF.OPCODE_BINARY)
        opcode, data = client.recv_data()
        while opcode != websocket.ABNF.OPCODE_CLOSE:
            opcode, data = client.recv_data()
    assert struct.unpack(">H", data[:2]) == (MALFORMED,)
    assert page.answers()
    assert "Traceback" not in page.server.log.read_text()


def test_code_is_neither_run_nor_shown(page: Page, kernel: str) -> None:
    with page.connect(kernel, None) as client:
        send(client, "older", "execute_request", {"code": "import ipywidgets", "silent": False})
        send(client, "older", "kernel_info_request", {})
        kinds = [received(client, "older")[0]]
        while kinds[-1] != "kernel_info_reply":
            kinds.append(received(client, "older")[0])
    assert not {"execute_input", "execute_reply"} & set(kinds)


def test_answers_are_not_held_back(page: Page, kernel: str) -> None:
    with page.connect(kernel, [NEWER]) as client:
        received(client, "newer")
    said = re.findall(r"nodelay (\d+)", page.server.log.read_text())
    assert said and set(said) == {"1"}


OTHERS = [
    {"Sec_Fetch_Dest": "image", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Dest": "image", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Site": "same-origin"},
    {"Sec_Fetch_Dest": "script", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Dest": "iframe", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Dest": "object", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Dest": "empty", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Mode": "no-cors"},
    {"Sec_Fetch_Dest": "document", "Sec_Fetch_Mode": "navigate", "Sec_Purpose": "prefetch;prerender"},
]


@pytest.mark.parametrize("headers", OTHERS, ids=lambda headers: "-".join(headers.values()))
def test_what_opens_no_document_starts_no_kernel(page: Page, kernel: str, headers: dict[str, str]) -> None:
    before = page.kernels()
    assert page.ask(**headers) == (403, REFUSAL)
    assert page.kernels() == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Sec-Fetch-User": "?1"},
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"},  # a link
    ],
)
def test_a_document_and_a_client_that_is_no_browser_are_served(headers: dict[str, str]) -> None:
    assert opens_document(headers)


@pytest.mark.parametrize("waits", ["unvisited", "deserted"])
def test_a_kernel_without_a_page_ends(waits: str, tmp_path: Path) -> None:
    page = Page(tmp_path / "notebooks", f"--VisitedKernels.{waits}=1", "--VisitedKernels.cull_interval=1")
    try:
        with page.connect(page.visit(), None) as watched:
            left = page.visit()
            if waits == "deserted":
                with page.connect(left, None):
                    pass
            until(lambda: page.kernels() == 1, 60, "the kernel to end")
            send(watched, "older", "kernel_info_request", {})  # the one with a page lives
            while received(watched, "older")[0] != "kernel_info_reply":
                pass
    finally:
        page.server.stop()


def test_a_preheated_kernel_waits_for_its_visitor_and_one_without_a_page_ends(tmp_path: Path) -> None:
    settings = ("--VisitedKernels.unvisited=1", "--VisitedKernels.cull_interval=1")
    page = Page(tmp_path / "notebooks", *settings, preheated=1)
    try:
        until(lambda: page.kernels() == 1, 60, "a kernel to be preheated")
        first = page.visit()
        until(lambda: page.kernels() == 2, 60, "the next to be preheated")
        # Nobody connects to the first. The second rests as long, but has not been handed out.
        until(lambda: page.kernels() == 1, 60, "the kernel without a page to end")
        second = page.visit()
        assert second != first
        with page.connect(second, None) as visited:
            send(visited, "older", "kernel_info_request", {})
            while received(visited, "older")[0] != "kernel_info_reply":
                pass
    finally:
        page.server.stop()
