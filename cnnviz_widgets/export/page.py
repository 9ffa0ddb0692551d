"""One HTML file that shows widgets without a kernel, a server or a network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cnnviz_widgets.export.files import replace_file
from cnnviz_widgets.export.packing import Packing
from cnnviz_widgets.export.recording import Recording
from cnnviz_widgets.export.tree import title_of
from cnnviz_widgets.schedule import between_callbacks
from cnnviz_widgets.widgets.picture import PictureCanvas
from cnnviz_widgets.widgets.tiles import Tiles

_log = logging.getLogger("cnnviz_widgets")
_HERE = Path(__file__).parent

#: Bytes in a megabyte as file managers and mail programs count.
_MEGABYTE = 1e6

#: `policy` lets the page run its own script and those of the widgets, and nothing else, and ask nothing of any server.
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<h1>{title}</h1>
<main id="cnnviz-widgets"><noscript>This page needs JavaScript.</noscript></main>
<footer>{note}</footer>
<script type="application/json" id="cnnviz-content">{content}</script>
<script type="text/plain" id="cnnviz-block">{block}</script>
<script type="module">{script}</script>
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src 'sha256-{digest}' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def page(widget: Any, *, title: str, recorded: Iterable[Recording] = ()) -> str:
    """An HTML document that shows `widget`, with all inside it, as it looks now.

    Controls with a recording work in it; so do the colours, scale and threshold of pictures. Everything else is
    disabled, and a line at the foot says so. Raises ExportError if a recording does not fit what is shown now.
    """
    with between_callbacks():  # a panel that draws meanwhile would be written down half drawn
        packing = Packing(widget, list(recorded))
    script = f"{_text('host.js')}\nawait showPage(document);\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _DOCUMENT.format(
        policy=_POLICY.format(digest=digest),
        title=html.escape(title),
        style=_text("page.css"),
        note=html.escape(note(packing)),
        # "<" only stands in strings there: neither a tag nor the end of the element can be in it.
        content=json.dumps(packing.content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        block=base64.b64encode(gzip.compress(packing.block, mtime=0)).decode(),
        script=script,
    )


def write(path: str | os.PathLike[str], widget: Any, *, title: str, recorded: Iterable[Recording] = ()) -> float:
    """Write `page(widget, ...)` to the file `path` and return its size in MB.

    A file that is there is replaced at once when the new one is complete. Raises ExportError if it cannot be written.
    """
    target = Path(path)
    # A name of a file may hold what is no character: as a reference it harms nobody.
    data = page(widget, title=title, recorded=recorded).encode(errors="xmlcharrefreplace")
    replace_file(target, data, "page")
    size = len(data) / _MEGABYTE
    _log.info("%s: %.2f MB", target, size)
    return size


def note(packing: Packing) -> str:
    """What works on the page and what would need a kernel, in a few sentences."""
    sentences = ["This page has no kernel: it shows what was computed when it was written."]
    recorded = [f"{title_of(one.control)} ({len(one.states)} options)" for one in packing.recorded]
    if recorded:
        sentences.append(f"Recorded: {_listed(recorded)}.")
    if any(isinstance(widget, PictureCanvas) and widget.map for widget in packing.widgets):
        sentences.append("Colours, scale, hold, opacity, threshold and cells of the map work here.")
    if packing.disabled:
        sentences.append(f"What needs a kernel is disabled: {_listed([title_of(one) for one in packing.disabled])}.")
    if any(isinstance(widget, Tiles) and widget.count for widget in packing.widgets):
        sentences.append("Choosing a tile needs a kernel.")
    if packing.absent:
        sentences.append(f"What needs a kernel is not shown: {_listed([title_of(one) for one in packing.absent])}.")
    return " ".join(sentences)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
