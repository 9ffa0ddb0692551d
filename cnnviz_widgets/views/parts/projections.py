"""The projections that an embedding view offers, with the labels under which it does.

To be deleted once the projections have a `label` of their own: `collection.projection.PROJECTIONS` takes its place.
"""

from __future__ import annotations

from cnnviz_widgets.collection.projection import PCA, TSNE, UMAP, Projection

PROJECTIONS: tuple[type[Projection], ...] = (TSNE, PCA, UMAP)

for _projection, _label in zip(PROJECTIONS, ("t-SNE", "PCA", "UMAP"), strict=True):
    _projection.label = _label  # type: ignore[attr-defined]
