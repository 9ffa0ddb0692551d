"""A notebook as a page: it is run, and its text, formulas, outputs and panels become one HTML file."""

from __future__ import annotations

import html
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.exporters import HTMLExporter
from pygments.formatters import HtmlFormatter

from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export import host, write_document
from cnnviz_widgets.export.files import replace_file
from cnnviz_widgets.publish.formulas import with_mathml

WIDGET = "application/vnd.jupyter.widget-view+json"
#: The file that many pages in one folder share.
RUNTIME = "cnnviz.js"
#: Seconds that a cell may take.
_PATIENCE = 3600

_HERE = Path(__file__).parent
_DOCUMENT = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
{policy}<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body class="cnnviz-notebook">
{body}
<footer>{note}</footer>
{data}
</body>
</html>
"""
_POLICY = '<meta http-equiv="Content-Security-Policy" content="{policy}">\n'


@dataclass(frozen=True)
class Published:
    """A page that was written: where, its size in MB, and how many displayed widgets live on it."""

    path: Path
    size: float
    widgets: int


def publish(
    notebook: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    shared: bool = False,
    classes: int = 5,
    language: str = "en",
    tell: Callable[[str], object] = print,
) -> Published:
    """Run a notebook and write it as a page in which its panels live on without a kernel.

    `classes` of each picture are recorded. With `shared`, the script of the page is a file beside it that other pages
    in the folder use too. `tell` is called with what is done. Raises ExportError where the notebook cannot be read,
    where a cell fails, and where nothing can be written.
    """
    source, target = Path(notebook), Path(path)
    content = _read(source)
    client = NotebookClient(content, timeout=_PATIENCE, resources={"metadata": {"path": str(source.parent)}})
    tell(f"running {source.name} ...")
    with tempfile.TemporaryDirectory() as folder, client.setup_kernel():
        _run(client, source)
        models = list(dict.fromkeys(data[WIDGET]["model_id"] for data in _displayed(content)))
        tell(f"recording {len(models)} displayed widgets ...")
        file = Path(folder) / "page.json"
        _run_code(client, _recorder(models, file, classes, RUNTIME if shared else None))
        packed = json.loads(file.read_text(encoding="utf-8"))
    if shared:
        replace_file(target.with_name(RUNTIME), host().encode(), "script of the page")
    size = write_document(target, _document(content, source.stem, packed, language))
    tell(f"{target}: {size:.1f} MB")
    return Published(target, size, len(packed["roots"]))


def _read(source: Path) -> Any:
    try:
        return nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ExportError(f"{str(source)!r} cannot be read as a notebook: {error}.") from error


def _run(client: NotebookClient, source: Path) -> None:
    for number, cell in enumerate(client.nb.cells):
        if cell.cell_type != "code":
            continue
        try:
            client.execute_cell(cell, number)
        except CellExecutionError as error:
            raise ExportError(f"Cell {number + 1} of {source.name} fails: {error.ename}: {error.evalue}") from error


def _run_code(client: NotebookClient, code: str) -> None:
    """Run code in the kernel that is no cell of the notebook."""
    cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
    client.nb.cells.append(cell)
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1, store_history=False)
    except CellExecutionError as error:
        raise ExportError(f"The panels cannot be recorded: {error.ename}: {error.evalue}") from error
    finally:
        del client.nb.cells[-1]


def _recorder(models: list[str], file: Path, classes: int, runtime: str | None) -> str:
    return (
        "from cnnviz_widgets.views.take.page.displayed import write_displayed\n"
        f"write_displayed({models!r}, {str(file)!r}, classes={classes}, runtime={runtime!r})"
    )


def _displayed(content: Any) -> Iterator[Any]:
    """The data of all outputs that are widgets."""
    for cell in content.cells:
        for output in cell.get("outputs", ()):
            if WIDGET in output.get("data", ()):
                yield output["data"]


def _document(content: Any, title: str, packed: dict[str, Any], language: str) -> str:
    for data in _displayed(content):
        root = packed["roots"].get(data[WIDGET]["model_id"])
        if root is not None:
            data.clear()
            data["text/html"] = f'<div class="cnnviz-place" data-cnnviz-root="{root}"></div>'
    for cell in content.cells:
        if cell.cell_type == "markdown":
            cell.source = with_mathml(cell.source)
    exporter = HTMLExporter(template_name="basic")  # type: ignore[no-untyped-call]
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    body, _ = exporter.from_notebook_node(content)
    heading = next((cell.source for cell in content.cells if cell.source.startswith("# ")), f"# {title}")
    code = HtmlFormatter().get_style_defs(".highlight")
    return _DOCUMENT.format(
        language=language,
        policy=_POLICY.format(policy=packed["policy"]) if packed["policy"] else "",
        title=html.escape(heading.splitlines()[0].removeprefix("# ")),
        style=f"{packed['style']}\n{(_HERE / 'notebook.css').read_text(encoding='utf-8')}\n{code}\n",
        body=body,
        note=html.escape(packed["note"]),
        data=packed["data"],
    )
