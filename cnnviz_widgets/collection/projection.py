"""The projections of feature vectors to two dimensions, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.embedding import COMPONENTS, Embedding, FloatArray, Placement, Projection, fit_pca
from cnnviz_widgets.collection.tsne import TSNE
from cnnviz_widgets.errors import MissingExtra
from cnnviz_widgets.parameters import Range

__all__ = ["PCA", "PROJECTIONS", "TSNE", "UMAP", "Embedding", "Projection", "sample_of", "trustworthiness"]

#: Points that `trustworthiness` compares. Its pairwise table grows with the square of their number: 32 MB for 2,000.
SAMPLED = 2000


@dataclass(frozen=True)
class PCA(Projection):
    """The two directions in which the features vary most: linear, so distances between points are never too large."""

    label: ClassVar[str] = "PCA"
    library: ClassVar[str] = "sklearn.decomposition"

    def steps(self, features: FloatArray, start: Embedding | None = None) -> Iterator[Embedding]:
        """Yield the one embedding; the note says how much of the variance it shows."""
        reduce = fit_pca(features, 2, 0)
        positions = reduce(features)
        variance = positions.astype(np.float64).var(axis=0).sum() / features.astype(np.float64).var(axis=0).sum()
        note = f"{float(variance):.0%} of the variance is on the map"
        yield Embedding(positions, 1, 1, float("nan"), reduce, note=note)


@dataclass(frozen=True)
class UMAP(Projection):
    """UMAP (McInnes et al., 2018) by umap-learn, after PCA to 50 dimensions. Raises MissingExtra without it."""

    label: ClassVar[str] = "UMAP"
    library: ClassVar[str] = "umap"

    neighbours: Annotated[int, Range(2, 100)] = 15
    distance: Annotated[float, Range(0, 1, 0.05)] = 0.1
    seed: Annotated[int, Range(0, 20)] = 0

    def steps(self, features: FloatArray, start: Embedding | None = None) -> Iterator[Embedding]:
        """Yield the one embedding, when it is finished."""
        try:
            import umap
        except ImportError as error:
            raise MissingExtra('UMAP needs umap-learn: pip install "cnnviz-widgets[scale]", or use t-SNE.') from error
        reduce = fit_pca(features, COMPONENTS, self.seed)
        neighbours = min(self.neighbours, len(features) - 1)
        # A seed makes it run on one thread; it warns unless that is asked for.
        model = umap.UMAP(n_neighbors=neighbours, min_dist=self.distance, random_state=self.seed, n_jobs=1)
        reduced = reduce(features)
        positions = np.array(model.fit_transform(reduced), np.float32)

        def transform(vectors: FloatArray) -> FloatArray:
            return np.asarray(model.transform(vectors), np.float32)

        place = Placement(reduced, positions, reduce, transform)
        yield Embedding(positions, 1, 1, float("nan"), place, note="UMAP moves only when it is finished")


#: The projections, in the order in which a panel offers them.
PROJECTIONS: tuple[type[Projection], ...] = (TSNE, PCA, UMAP)


def trustworthiness(features: FloatArray, positions: FloatArray, k: int = 10) -> float:
    """How far the `k` nearest at `positions` (N, 2) are near in `features` (N, D): 0..1, 1 is best.

    Venna and Kaski 2001, by scikit-learn. Of more than 2,000 points so many, evenly spaced, are compared among
    themselves; `k` is at most half of the points.
    """
    from sklearn.manifold import trustworthiness as measure

    chosen = sample_of(len(features))
    k = max(1, min(k, (len(chosen) - 1) // 2))
    return float(measure(features[chosen], positions[chosen], n_neighbors=k))


def sample_of(count: int) -> NDArray[np.intp]:
    """The rows, of `count`, that `trustworthiness` compares."""
    return np.linspace(0, count - 1, min(count, SAMPLED)).astype(np.intp)
