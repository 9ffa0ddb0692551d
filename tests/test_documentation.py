"""The documentation is built without a warning, needs nothing from elsewhere, and has every public name."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("myst_nb", reason="the documentation is built with today's versions only")

ROOT = Path(__file__).parent.parent
MODULES = [
    "cnnviz_widgets",
    *(f"cnnviz_widgets.{name}" for name in ("collection", "demo", "explain", "export", "study")),
]
#: `FeatureStore` stands among the names of the package.
ELSEWHERE = {"cnnviz_widgets.collection.FeatureStore"}
#: Attributes by which a page loads something; links to other sites are fine.
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-d", str(folder / "read"), str(ROOT / "docs")]
    # Where a name of another machine is looked up, tests/offline makes it fail.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "offline"), str(ROOT)])}
    done = subprocess.run([*build, str(folder / "html")], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def names_in(inventory: Path) -> set[str]:
    """The Python names that have an entry."""
    data = inventory.read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(data).decode().splitlines()
    return {name for name, kind, *_ in (line.split(" ") for line in lines) if kind.startswith("py:")}


def test_every_public_name_has_an_entry(built: Path) -> None:
    names = names_in(built / "objects.inv")
    public = {f"{module}.{name}" for module in MODULES for name in importlib.import_module(module).__all__}
    assert public - names == ELSEWHERE
    assert {f"cnnviz_widgets.errors.{name}" for name in ("LayerError", "PictureError")} <= names


class Loaded(HTMLParser):
    """What a page loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        canonical = tag == "link" and values.get("rel") == "canonical"
        self.found += [
            value or "" for name, value in attrs if (tag, name) in LOADS and "//" in (value or "") and not canonical
        ]


def test_pages_load_nothing_from_elsewhere(built: Path) -> None:
    pages = sorted(built.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        parser = Loaded()
        parser.feed(page.read_text(encoding="utf-8"))
        assert [value for value in parser.found if not value.startswith("data:")] == [], page
    for sheet in built.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_live_figures_are_there(built: Path) -> None:
    shown = set()
    for page in (built / "techniques").glob("*.html"):
        for source in re.findall(r'<iframe src="([^"]+)"', page.read_text(encoding="utf-8")):
            shown.add((page.parent / source).resolve())
    assert shown == {path.resolve() for path in (built / "live").iterdir()} and len(shown) >= 2
    assert all(path.stat().st_size > 100_000 for path in shown)


def test_formulas_are_drawn_without_a_script(built: Path) -> None:
    page = (built / "techniques" / "gradcam.html").read_text(encoding="utf-8")
    assert "<math" in page and not re.search(r"<script[^>]*(mathjax|katex)", page, re.IGNORECASE)


def test_every_page_of_a_technique_says_what_a_reader_needs() -> None:
    pages = [path for path in (ROOT / "docs" / "techniques").glob("*.md") if path.stem != "index"]
    assert len(pages) == 10
    for path in pages:
        text = path.read_text(encoding="utf-8")
        for part in ("## How to read it", "## What it is often misread as", "## When not to use it", "## Source"):
            assert part in text, (path.name, part)
        assert "$$" in text and f"../notebooks/pictures/{path.stem}.png" in text, path.name
        assert (ROOT / "notebooks" / "pictures" / f"{path.stem}.png").is_file()
