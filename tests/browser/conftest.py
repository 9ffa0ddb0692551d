"""Fixtures: a widget on a fake page (fast), a notebook in Voila or JupyterLab (real)."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.fake_page import chromium, fake_page, open_fake_page  # noqa: F401
from tests.support.servers import Opener, OpenNotebook, Server, start_lab, start_voila, write_notebook

_numbers = itertools.count()


@pytest.fixture(scope="session")
def voila_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_voila(_folder(tmp_path_factory, "voila"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_lab(_folder(tmp_path_factory, "lab"))
    yield server
    server.stop()


@pytest.fixture
def voila_page(voila_server: Server, chromium: Browser) -> Iterator[Opener]:  # noqa: F811
    yield from _opener("voila", voila_server, chromium)


@pytest.fixture
def lab_page(lab_server: Server, chromium: Browser) -> Iterator[Opener]:  # noqa: F811
    yield from _opener("lab", lab_server, chromium)


@pytest.fixture(params=["voila", "lab"])
def any_page(request: pytest.FixtureRequest) -> Opener:
    """`voila_page`, then `lab_page`."""
    opener: Opener = request.getfixturevalue(f"{request.param}_page")
    return opener


def _opener(host: str, server: Server, chromium: Browser) -> Iterator[Opener]:  # noqa: F811
    opened: list[tuple[OpenNotebook, Sequence[str]]] = []

    def open_notebook(
        notebook: Sequence[str] | Path,
        *,
        ready: str = ".jupyter-widgets",
        allow: Sequence[str] = (),
        **options: Any,
    ) -> OpenNotebook:
        path = server.folder / f"notebook{next(_numbers)}.ipynb"
        if isinstance(notebook, Path):
            shutil.copyfile(notebook, path)
        else:
            write_notebook(notebook, path)
        page = OpenNotebook(host, server, chromium, path, options)
        opened.append((page, allow))
        page.open(ready)
        return page

    yield open_notebook
    complaints = [text for page, allow in opened for text in page.complaints(allow)]
    for page, _ in opened:
        page.close()
    assert not complaints, "\n".join(complaints)


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    folder = factory.mktemp(name) / "notebooks"
    folder.mkdir()
    return folder
