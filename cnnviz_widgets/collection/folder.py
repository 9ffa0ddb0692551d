"""A folder of pictures, or of one folder per class, as a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnviz_widgets.collection.items import ACCEPTED, Source
from cnnviz_widgets.collection.labels import PICTURE_SUFFIXES
from cnnviz_widgets.errors import PictureError

#: Names of folders that usually are parts of a data set and not classes.
_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing", "dev"}


def read_folder(folder: Path) -> Source:
    """The pictures of a folder, in the order of their paths; folders within that hold pictures are classes.

    `notes` says where pictures beside those folders are left out, or the classes look like parts of a data set.
    Raises PictureError when it is no folder or holds no pictures.
    """
    if not folder.is_dir():
        raise PictureError(f"{folder.name!r} is no folder; pass {ACCEPTED}.")
    by_class = [(inner, pictures_in(inner)) for inner in sorted(folder.iterdir()) if inner.is_dir()]
    by_class = [(inner, files) for inner, files in by_class if files and not inner.name.startswith(".")]
    files = [file for _, inner in by_class for file in inner] if by_class else pictures_in(folder)
    if not files:
        raise PictureError(f"The folder {folder.name!r} holds no pictures; pass one with pictures or folders of them.")
    notes = []
    if by_class and (beside := len(pictures_in(folder, deep=False))):
        notes.append(f"{beside} pictures that lie beside the folders of classes are left out.")
    if by_class and {inner.name.lower() for inner, _ in by_class} <= _SPLITS:
        first = by_class[0][0].name
        notes.append(f"The folders are taken for classes; for one part of the data pass {folder.name}/{first}.")
    labels = np.repeat(np.arange(len(by_class), dtype=np.int64), [len(inner) for _, inner in by_class])
    return Source(
        files.__getitem__,
        len(files),
        names=[file.relative_to(folder).as_posix() for file in files],
        labels=labels if by_class else None,
        class_names=tuple(inner.name for inner, _ in by_class) if by_class else None,
        notes=notes,
    )


def pictures_in(folder: Path, deep: bool = True) -> list[Path]:
    """The picture files in a folder, sorted by path; with `deep` those in folders within it too, hidden ones never."""
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in found if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith("."))
