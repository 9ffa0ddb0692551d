"""What a network makes of a whole data set: features, neighbours, embeddings and top patches. No widgets, no threads.

    store = FeatureStore.build(classifier, data)         # one row of features per picture
    store.nearest(store.features[0], 9)                  # the rows most like the first
    embedding = TSNE()(store.features)                   # positions (N, 2)
    *_, patches = scan(classifier, data)                 # where each channel reacts most

Names are imported when they are first used: this package itself does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz_widgets.collection.distributed import Cluster
    from cnnviz_widgets.collection.items import Source
    from cnnviz_widgets.collection.neighbours import nearest
    from cnnviz_widgets.collection.patches import Patches, scan
    from cnnviz_widgets.collection.projection import (
        PCA,
        PROJECTIONS,
        TSNE,
        UMAP,
        Embedding,
        Projection,
        trustworthiness,
    )
    from cnnviz_widgets.collection.source import source_of
    from cnnviz_widgets.collection.store import FeatureStore

__all__ = [
    "PCA",
    "PROJECTIONS",
    "TSNE",
    "UMAP",
    "Cluster",
    "Embedding",
    "FeatureStore",
    "Patches",
    "Projection",
    "Source",
    "nearest",
    "scan",
    "source_of",
    "trustworthiness",
]

# A module named like one of these would hide it: `collection.scan` is the function.
_HOMES = {
    "PCA": "projection",
    "PROJECTIONS": "projection",
    "TSNE": "tsne",
    "UMAP": "projection",
    "Cluster": "distributed",
    "Embedding": "embedding",
    "FeatureStore": "store",
    "Patches": "patches",
    "Projection": "embedding",
    "Source": "items",
    "nearest": "neighbours",
    "scan": "patches",
    "source_of": "source",
    "trustworthiness": "projection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
