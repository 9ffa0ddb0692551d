"""A panel as a file, by the suffix of its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from cnnviz_widgets.collection.cluster import csv_of
from cnnviz_widgets.errors import ExportError
from cnnviz_widgets.export.files import replace_file
from cnnviz_widgets.export.page import page
from cnnviz_widgets.schedule import between_callbacks
from cnnviz_widgets.views.take.arrange import sheet
from cnnviz_widgets.views.take.figure import parts_of
from cnnviz_widgets.views.take.marks import Drawing
from cnnviz_widgets.views.take.page.html import panel_to_html
from cnnviz_widgets.views.take.page.wanted import Wanted
from cnnviz_widgets.views.take.png import png
from cnnviz_widgets.views.take.svg import svg
from cnnviz_widgets.views.take.table import Columns

SUFFIXES = (".png", ".svg", ".csv", ".html")


class Saved(Protocol):
    """What is asked of a panel to save it."""

    @property
    def caption(self) -> str: ...
    @property
    def title(self) -> str: ...
    def table(self) -> Columns: ...


def save(panel: Saved, path: str | os.PathLike[str]) -> Path:
    """Write what `panel` shows to a file, and return its path; a file that is there is replaced when it is complete.

    Raises ExportError for a suffix that is none of `SUFFIXES`, where there is no result yet, and where the file cannot
    be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise ExportError(f"A view is saved as {', '.join(SUFFIXES)}; give {str(target)!r} one of these endings.")
    if suffix == ".html":
        panel_to_html(panel, target, wanted=Wanted(classes=1), finest=None)
        return target
    replace_file(target, content_of(panel, suffix), "table" if suffix == ".csv" else "figure")
    return target


def content_of(panel: Saved, suffix: str) -> bytes:
    """What `save` writes to a file with this suffix; of a page by itself without the controls that it may record.

    Raises ExportError where there is no result yet.
    """
    with between_callbacks():  # no panel draws half of it meanwhile
        table, title = panel.table(), panel.title
        if suffix == ".html":
            return page(panel, title=title).encode()
        drawing = None if suffix == ".csv" else figure(panel)
    if drawing is None:
        return csv_of(table).encode("utf-8-sig", "replace")
    return svg(drawing, title).encode() if suffix == ".svg" else png(drawing)


def figure(panel: Saved) -> Drawing:
    """What `panel` shows as a drawing: its title, what its widgets draw, and what its status line says."""
    return sheet(panel.title, parts_of(panel), panel.caption)
