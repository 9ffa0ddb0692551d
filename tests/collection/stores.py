"""What a store holds, for comparing two."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnviz_widgets.collection.store import FeatureStore

LABELS = np.arange(23) % 4


def columns(store: FeatureStore) -> dict[str, Any]:
    return {
        "items": store.items, "features": store.features, "logits": store.logits, "labels": store.labels,
        "names": store.names, "thumbnails": store.thumbnails(),
    }  # fmt: skip


def assert_equal(first: FeatureStore, second: FeatureStore) -> None:
    for name, column in columns(first).items():
        np.testing.assert_array_equal(column, columns(second)[name], err_msg=name)
