"""The file of a scan (.npz), replaced in one go so that a killed process leaves the one before."""

from __future__ import annotations

import glob
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.file_errors import rephrase_errors
from cnnviz_widgets.collection.lock import try_lock
from cnnviz_widgets.errors import MethodError


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write `arrays` by name to `path`, replacing what is there in one go.

    Raises MethodError where the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    with _rephrase_errors(path):
        try:
            with unfinished.open("wb") as file:
                # Shows `remove_unfinished` that somebody is writing; the system frees it with the process.
                try_lock(file)
                np.savez(file, allow_pickle=False, **dict(arrays))
            unfinished.replace(path)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


@contextmanager
def open_arrays(path: Path) -> Iterator[Any]:
    """A context with the arrays by name that `write_arrays` wrote to `path`.

    Raises MethodError where the file cannot be read, or, within the context too, where it holds something else.
    """
    try:
        # numpy leaves a file open that it opened itself and cannot read.
        with _open(path) as stream, np.load(stream, allow_pickle=False) as file:
            yield file
    except (ValueError, TypeError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise MethodError(f"{path.name!r} holds no scan; delete it, or choose another file.") from error


def remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed while they wrote `path` have left beside it."""
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError), unfinished.open("ab") as file:
            if try_lock(file):  # else somebody is writing it
                unfinished.unlink()


def _rephrase_errors(path: Path) -> AbstractContextManager[None]:
    return rephrase_errors(f"the scan at {path.name!r}", "choose another file", MethodError)


def _open(path: Path) -> BinaryIO:
    with _rephrase_errors(path):
        return path.open("rb")
