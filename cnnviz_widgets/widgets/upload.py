"""Choose, drop or paste a picture."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import traitlets

from cnnviz_widgets.widgets.acknowledged import STATIC, Acknowledged

_LONGEST_NAME = 100


@dataclass(frozen=True)
class Uploaded:
    """An undecoded, unverified file: `data` as it came, `name` fit to be shown."""

    data: bytes = field(repr=False)
    name: str


class Upload(Acknowledged):
    """A button and drop zone for one picture at a time; its event is `Uploaded`.

    The browser turns the picture upright and shrinks it until the longer side is at most `max_side` pixels.
    What it cannot decode it sends as it is, up to `max_bytes` (a Jupyter server takes messages of 10 MiB).
    `message` is shown beside the button, as a failure if `failed`.
    """

    _esm = STATIC / "upload.js"

    description = traitlets.Unicode("Upload a picture").tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    failed = traitlets.Bool(False).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    max_side = traitlets.Int(1024, min=16, max=8192).tag(sync=True)
    max_bytes = traitlets.Int(8 * 2**20, min=1024).tag(sync=True)

    def say(self, message: str, *, failed: bool = False) -> None:
        """Show `message` beside the button, both traits in one message."""
        with self.hold_sync():
            self.message, self.failed = message, failed

    def event(self, content: dict[str, Any], buffers: list[memoryview]) -> Uploaded:
        """The message as `Uploaded`; ValueError or KeyError if it is not one."""
        if len(buffers) != 1:
            raise ValueError(f"expected one file, not {len(buffers)}")
        size = memoryview(buffers[0]).nbytes
        if not 0 < size <= self.max_bytes:
            raise ValueError(f"expected 1 to {self.max_bytes} bytes, not {size}")
        return Uploaded(bytes(buffers[0]), file_name(content["name"]))


def file_name(value: object) -> str:
    """A file's own name without folders, control or format characters, at most 100 characters long."""
    if not isinstance(value, str):
        raise ValueError("expected a file name")
    last = value[-1000:].replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in last if unicodedata.category(c)[0] not in "CZ" or c == " ").strip()
    return printable[:_LONGEST_NAME] or "picture"
