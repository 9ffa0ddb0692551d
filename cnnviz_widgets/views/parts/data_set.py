"""Pictures of a data set, and which of its items a picture is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.source import Source
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.picture import Picture

#: Which item a picture is, by the data set's fingerprint; the data set itself may hold the picture.
_ITEMS: WeakKeyDictionary[Picture, dict[str, int]] = WeakKeyDictionary()


def picture_at(source: Source, item: int) -> Picture:
    """A picture of a data set, of which panels will know where it came from. Raises PictureError."""
    picture = source.picture(item)
    _ITEMS.setdefault(picture, {})[source.fingerprint] = item
    return picture


def picture_of(store: FeatureStore, row: int) -> Picture:
    """The picture that a row's features are of. Raises PictureError, StoreError."""
    return store.picture(row) if store.source is None else picture_at(store.source, int(store.items[row]))


def register(source: Source, data: object) -> None:
    """Remember the pictures that `data`, of which `source` was made, holds as they are."""
    held = data.values() if isinstance(data, Mapping) else data if isinstance(data, list | tuple) else ()
    for item, picture in enumerate(held):
        if isinstance(picture, Picture):
            _ITEMS.setdefault(picture, {}).setdefault(source.fingerprint, item)


def row_of(store: FeatureStore, picture: Picture | None) -> int | None:
    """The row of a picture that was taken from the data set."""
    item = None if picture is None else _ITEMS.get(picture, {}).get(store.metadata.source)
    rows = store.rows_of([] if item is None else [item])
    return int(rows[0]) if len(rows) else None


def captions(store: FeatureStore, rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
    """The label of each row, or its name where it has none."""
    return [store.label_name(int(row)) or str(store.names[int(row)]) for row in rows]
