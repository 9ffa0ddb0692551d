"""One HTML file that shows widgets without a kernel, a server or a network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import logging
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cnnviz_widgets import words
from cnnviz_widgets.export.files import replace_file
from cnnviz_widgets.export.packing import Packing, Player
from cnnviz_widgets.export.recording import Recording
from cnnviz_widgets.export.tree import title_of
from cnnviz_widgets.schedule import between_callbacks
from cnnviz_widgets.widgets.acknowledged import STATIC
from cnnviz_widgets.widgets.picture import PictureCanvas

_log = logging.getLogger("cnnviz_widgets")
_HERE = Path(__file__).parent

#: Bytes in a megabyte as file managers and mail programs count.
_MEGABYTE = 1e6

#: `policy` lets the page run its own script and nothing else, and ask nothing of any server.
_DOCUMENT = """<!doctype html>
<html lang="{language}">
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
<main data-cnnviz-root="0"><noscript>{noscript}</noscript></main>
<footer>{note}</footer>
{data}
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def page(
    widget: Any,
    *,
    title: str,
    recorded: Iterable[Recording] = (),
    players: Sequence[Player] = (),
    finest: int | None = None,
    language: str | None = "en",
    model: bytes | None = None,
    further_note: str = "",
    checked: bool = True,
) -> str:
    """An HTML document that shows `widget`, with all inside it, as it looks now.

    Controls with a recording work in it, and what `players` answer; so do the colours, scale and threshold of
    pictures. What else would need a kernel is left out, and a line at the foot says so. With `finest`, maps are rounded
    as `Values` says. `model` is the network, as ONNX, that players run, and `further_note` what is said of it. Raises
    ExportError if a recording does not fit what is shown now, where that is `checked`.
    """
    with between_callbacks():  # a panel that draws meanwhile would be written down half drawn
        packing = Packing([widget], list(recorded), players, finest=finest, checked=checked)
    return _DOCUMENT.format(
        language=language or "en",
        policy=policy(packing, with_network=model is not None),
        title=html.escape(title),
        style=style(),
        noscript=html.escape(words.text("page.script", language)),
        note=html.escape(f"{note(packing, language)} {further_note}".strip()),
        data=data_of(packing, model=model),
    )


def write(path: str | os.PathLike[str], widget: Any, **options: Any) -> float:
    """Write `page(widget, ...)` to the file `path` and return its size in MB.

    A file that is there is replaced at once when the new one is complete. Raises ExportError if it cannot be written.
    """
    return write_document(path, page(widget, **options))


def write_document(path: str | os.PathLike[str], document: str) -> float:
    """Write an HTML document to the file `path` and return its size in MB. Raises ExportError."""
    target = Path(path)
    # A name of a file may hold what is no character: as a reference it harms nobody.
    data = document.encode(errors="xmlcharrefreplace")
    replace_file(target, data, "page")
    size = len(data) / _MEGABYTE
    _log.info("%s: %.2f MB", target, size)
    return size


def data_of(packing: Packing, runtime: str | None = None, *, model: bytes | None = None) -> str:
    """The elements of a document with what the widgets are made of, and the script, or the address `runtime` of it.

    They stand below the places of the widgets: elements with the number of a root in `data-cnnviz-root`.
    """
    block = base64.b64encode(gzip.compress(packing.block, mtime=0)).decode()
    script = f"<script>{host()}</script>" if runtime is None else f'<script src="{html.escape(runtime)}"></script>'
    network = "" if model is None else _network(model)
    return f'<script type="text/plain" id="cnnviz-block">{block}</script>\n{network}{script}'


def _network(model: bytes) -> str:
    """The elements with a network and what runs it."""
    parts = {
        "worker": (STATIC / "network_worker.js").read_text(encoding="utf-8").replace("</script", "<\\/script"),
        "wasm": base64.b64encode((STATIC / "onnxruntime" / "ort-wasm-simd-threaded.wasm.gz").read_bytes()).decode(),
        "model": base64.b64encode(gzip.compress(model, mtime=0)).decode(),
    }
    return "".join(f'<script type="text/plain" id="cnnviz-{name}">{text}</script>\n' for name, text in parts.items())


def policy(packing: Packing, runtime: str | None = None, *, with_network: bool = False) -> str:
    """What the page may do: run its own script, those of widgets of others, and a network in a worker."""
    if runtime is not None:
        return ""  # a file beside the page may be anywhere: its host says what is allowed
    digest = base64.b64encode(hashlib.sha256(host().encode()).digest()).decode()
    scripts = f"'sha256-{digest}'" + (" blob:" if packing.content["scripts"] else "")
    if with_network:
        return _POLICY.format(scripts=f"{scripts} 'wasm-unsafe-eval'") + "; worker-src blob:"
    return _POLICY.format(scripts=scripts)


@cache
def host() -> str:
    """The script of a page (js/src/host)."""
    return (STATIC / "host.js").read_text(encoding="utf-8").replace("</script", "<\\/script")


@cache
def style() -> str:
    """The stylesheet of a page: names of colours that the widgets ask for, and the boxes of ipywidgets."""
    return (_HERE / "page.css").read_text(encoding="utf-8")


def note(packing: Packing, language: str | None = "en") -> str:
    """What works on the page and what would need a kernel, in a few sentences."""

    def said(key: str, **values: object) -> str:
        return words.text(key, language, **values)

    sentences = [said("page.no_kernel")]
    axes = dict.fromkeys(f"{axis.title} ({axis.count})" for axis in packing.axes if axis.controls)
    if axes:
        sentences.append(said("page.recorded", controls=", ".join(axes)))
    if any(isinstance(widget, PictureCanvas) and widget.map for widget in packing.widgets):
        sentences.append(said("page.maps"))
    if packing.values.rounding:
        sentences.append(said("page.rounded", p=f"{100 * packing.values.rounding:.1f}"))
    if packing.values.averaged:
        sentences.append(said("page.averaged", n=packing.values.finest))
    sentences += list(dict.fromkeys(player.note for player in packing.players if player.note))
    for key, widgets in (("page.left_out", packing.left_out), ("page.absent", packing.absent)):
        if widgets:
            sentences.append(said(key, names=_listed([title_of(one) for one in widgets])))
    return " ".join(sentences)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))
