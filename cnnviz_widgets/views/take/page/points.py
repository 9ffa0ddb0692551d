"""The points of a map on a page: thumbnails, labels, and the true neighbours of each picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets import words
from cnnviz_widgets.collection.store import FeatureStore
from cnnviz_widgets.export import Player
from cnnviz_widgets.views.parts.data_set import captions

#: So many neighbours of each picture are on the page, and thumbnails of so many pixels a side.
NEIGHBOURS = 8
SIDE = 32
#: So many points can be asked about on a page.
MOST = 2000


def points_players(view: Any) -> list[Player]:
    """What answers the hand on the points of an EmbeddingView; nothing while there are none, or too many."""
    canvas = view.canvas
    if canvas.points is None or canvas.store is None or len(canvas.points.positions) > MOST:
        return []
    store: FeatureStore = canvas.store
    count = len(canvas.points.positions)
    rows = np.arange(count)
    sheet = _small(store.thumbnails(rows))
    pictures = {
        "sheet": {"pixels": sheet.tobytes(), "size": [count * sheet.shape[1], sheet.shape[2]]},
        "tile_size": list(sheet.shape[1:3]),
        "captions": captions(store, rows),
        "labels": [store.label_name(int(row)) or "" for row in rows],
        "neighbours": [_nearest(store, int(row)) for row in rows],
    }
    language = view.language
    player = Player(
        "points",
        widgets={"chart": canvas.points_box, "tiles": canvas.hovered, "status": canvas.pair_line},
        axes={},
        data={
            "lasso": words.text("page.lasso", language, n="{n}", labels="{labels}"),
            "near": words.text("page.near", language, name="{name}", metric="cosine"),
        },
        tables={"pictures": pictures},
        note=words.text("page.points", language, n=NEIGHBOURS),
    )
    return [player]


def _nearest(store: FeatureStore, row: int) -> list[int]:
    """The rows nearest to one by cosine distance, nearest first."""
    return [int(near) for near in store.nearest(store.features[row], NEIGHBOURS, "cosine", exclude=[row]).rows]


def _small(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Thumbnails (n, h, w, 3) with every so many pixels averaged, until they are about `SIDE` a side."""
    count, height, width, bands = thumbnails.shape
    by = max(1, max(height, width) // SIDE)
    height, width = height // by, width // by
    cut = thumbnails[:, : height * by, : width * by].reshape(count, height, by, width, by, bands)
    small: NDArray[np.uint8] = np.rint(cut.mean(axis=(2, 4))).astype(np.uint8)
    return small
