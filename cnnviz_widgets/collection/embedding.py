"""What a projection makes of feature vectors: positions in two dimensions, on which further vectors can be placed."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.errors import StoreError

FloatArray = NDArray[np.float32]

#: Principal components that t-SNE and UMAP are given. They hold most of the variance; with more, finding neighbours
#: takes longer.
COMPONENTS = 50

#: Largest distance of two vectors of one picture, as a share of their length. The features of a picture differ in
#: the last digits between a pass of one and of many pictures.
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Embedding:
    """An embedding that is being made or finished: `positions` float32 (N, 2).

    `iteration` of `iterations` were made, `exaggerated` while clusters are still pulled together; `kl` is the
    Kullback-Leibler divergence that t-SNE lowers, NaN for other projections. `note` says what a person should know.
    `place` gives the positions (M, 2) of further feature vectors (M, D). `run` is the state of the optimiser, from
    which `Projection.steps` goes on.
    """

    positions: FloatArray
    iteration: int
    iterations: int
    kl: float
    place: Callable[[FloatArray], FloatArray]
    exaggerated: bool = False
    note: str = ""
    run: Any = None

    @property
    def progress(self) -> float:
        """The fraction of the iterations that were made, 0..1."""
        return self.iteration / self.iterations


class Projection:
    """Base of the projections: frozen dataclasses with a `label`, whose `steps(features)` yields embeddings.

    Fields that are annotated with a Range or a Literal, or are a bool, get a control in the panel. `library` is what
    the first step imports, which can take a minute.
    """

    label: ClassVar[str]
    library: ClassVar[str] = ""

    @property
    def prepared(self) -> bool:
        """Whether `library` has been imported, or there is none."""
        return not self.library or self.library in sys.modules

    def steps(self, features: FloatArray, start: Embedding | None = None) -> Iterator[Embedding]:
        """Yield ever better embeddings of `features` (N, D).

        `start`, an embedding of the same features by the same projection, is gone on with; its positions stay as
        they are, but its `run` is carried on, so only one generator at a time may go on from it. Raises StoreError
        for fewer than four vectors or vectors that are all the same, MissingExtra.
        """
        raise NotImplementedError

    def __call__(self, features: FloatArray) -> Embedding:
        """The final embedding of `features` (N, D). Raises what `steps` raises."""
        (last,) = deque(self.steps(features), maxlen=1)
        return last


def fit_pca(features: FloatArray, components: int, seed: int) -> Callable[[FloatArray], FloatArray]:
    """A function that reduces vectors (M, D) to the first principal components (M, components) of `features` (N, D).

    There are fewer components where N or D is smaller, but at least two columns. Raises StoreError for fewer than
    four vectors, or vectors that are all the same.
    """
    from sklearn.decomposition import PCA as Components

    if len(features) < 4:
        raise StoreError(f"A map needs at least 4 pictures, not {len(features)}; take more.")
    if not (features != features[0]).any():
        raise StoreError("All pictures have the same features at this layer; choose another layer.")
    count = min(components, *features.shape)
    model = Components(count, random_state=seed).fit(features.astype(np.float64))

    def reduce(vectors: FloatArray) -> FloatArray:
        reduced = model.transform(vectors.astype(np.float64)).astype(np.float32)
        if reduced.shape[1] < 2 <= components:
            reduced = np.pad(reduced, ((0, 0), (0, 2 - reduced.shape[1])))
        return np.ascontiguousarray(reduced)

    return reduce


@dataclass(frozen=True, eq=False)
class Placement:
    """The `place` of an embedding: the positions (M, 2) of vectors (M, D).

    A vector that the embedding was made of lies where it is on it; for others `transform` gives the position of the
    vectors that `reduce` makes of them. `reduced` (N, d) are the reduced vectors at `positions` (N, 2).
    """

    reduced: FloatArray
    positions: FloatArray
    reduce: Callable[[FloatArray], FloatArray]
    transform: Callable[[FloatArray], FloatArray]

    def __call__(self, vectors: FloatArray) -> FloatArray:
        wanted = self.reduce(vectors)
        placed = self.transform(wanted)
        for index, vector in enumerate(wanted):
            near = nearest(self.reduced, vector, 1, "euclidean")
            if near.distances[0] <= _SAME * np.linalg.norm(vector):
                placed[index] = self.positions[near.rows[0]]
        return placed
