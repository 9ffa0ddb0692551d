"""A notebook as a page in which its panels live on."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("latex2mathml")

from cnnviz_widgets.__main__ import main
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.publish import publish
from tests.support.exported import content_of

LECTURE = """from cnnviz_widgets import CAMView, OcclusionView, Session, demo
import ipywidgets
session = Session(demo.shapes_classifier(), demo.pictures()[0])
CAMView(session)"""


def lecture(folder: Path, *cells: str) -> Path:
    """A notebook with a heading and these cells."""
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.cells = [nbformat.v4.new_markdown_cell("# A lecture\n\nThe weight is $\\alpha_k$.")]  # type: ignore[no-untyped-call]
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in cells]  # type: ignore[no-untyped-call]
    path = folder / "lecture.ipynb"
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return path


class Addresses(html.parser.HTMLParser):
    """What a document would load."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loaded = {"script": "src", "img": "src", "link": "href", "iframe": "src"}.get(tag)
        self.found += [value for name, value in attrs if name == loaded and value and not value.startswith("data:")]


def test_panels_live_and_the_rest_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = lecture(tmp_path, LECTURE, "ipywidgets.HBox([OcclusionView(session)])", "print('said')\n40 + 2")
    before = source.read_bytes()
    page = tmp_path / "lecture.html"
    assert main(["export", str(source), "-o", str(page), "--classes", "2"]) == 0
    assert "recording 2 displayed widgets" in capsys.readouterr().out
    document = page.read_text(encoding="utf-8")
    assert source.read_bytes() == before
    assert "<title>A lecture</title>" in document and "<math" in document and "said" in document and "42" in document
    assert re.findall(r'data-cnnviz-root="(\d)"', document) == ["0", "1"]
    content = content_of(document)
    assert [axis["name"] for axis in content["axes"]] == ["class", "layer", "class"]
    assert {player["kind"] for player in content["players"]} == {"patch", "rows"}
    assert Addresses(document).found == []
    assert page.stat().st_size < 600_000


def test_pages_in_a_folder_share_a_script(tmp_path: Path) -> None:
    source = lecture(tmp_path, "from cnnviz_widgets import demo, SaliencyView\nSaliencyView(demo.shapes_classifier())")
    published = publish(source, tmp_path / "one.html", shared=True, tell=lambda _: None)
    assert published.widgets == 1 and published.size < 0.2
    assert (tmp_path / "cnnviz.js").stat().st_size > 100_000
    assert Addresses((tmp_path / "one.html").read_text(encoding="utf-8")).found == ["cnnviz.js"]


def test_a_cell_that_fails_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = lecture(tmp_path, "1 / 0")
    assert main(["export", str(source)]) == 1
    assert "Cell 2 of lecture.ipynb fails: ZeroDivisionError: division by zero" in capsys.readouterr().err
    assert not (tmp_path / "lecture.html").exists()


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("{}")
    for name in ("a.ipynb", "missing.ipynb"):
        with pytest.raises(ExportError, match="cannot be read as a notebook"):
            publish(tmp_path / name, tmp_path / "a.html", tell=lambda _: None)
