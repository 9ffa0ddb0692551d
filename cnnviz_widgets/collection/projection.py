"""Maps of feature vectors in two dimensions, made step by step; new vectors can be placed on a finished map."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cnnviz_widgets.collection.neighbours import nearest
from cnnviz_widgets.errors import MissingExtra, StoreError
from cnnviz_widgets.parameters import Range

FloatArray = NDArray[np.float32]

#: t-SNE sees this many principal components: they hold most of the variance, and neighbours are found sooner.
COMPONENTS = 50
#: The pairwise table of trustworthiness grows with the square of the number of points: more are sampled.
SAMPLED = 2000

_EXACT_NEIGHBOURS = 5000
_BARNES_HUT = 3000
_PLACED_BY = 10
#: Vectors that differ by no more than this share of their length are of one picture.
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Map:
    """A map under way or finished: `positions` float32 (N, 2).

    `iteration` of `iterations` were made, `exaggerated` while clusters are still pulled together; `kl` is the
    Kullback-Leibler divergence that t-SNE lowers, NaN for other methods. `note` says what a person should know.
    `place` puts further feature vectors (M, D) on the map, (M, 2). `run` is what going on begins with.
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
        return self.iteration / self.iterations


class Projection:
    """Base of the methods: frozen dataclasses whose `steps(features)` yields maps.

    `library` is what the first step imports, which can take a minute.
    """

    library: ClassVar[str] = ""

    @property
    def prepared(self) -> bool:
        """Whether nothing is left to import."""
        return not self.library or self.library in sys.modules

    def steps(self, features: FloatArray, start: Map | None = None) -> Iterator[Map]:
        """Yield ever better maps of `features` (N, D); `start`, a map of the same features, is gone on with.

        Raises StoreError for fewer than four vectors, MissingExtra.
        """
        raise NotImplementedError

    def __call__(self, features: FloatArray) -> Map:
        """The final map."""
        (last,) = deque(self.steps(features), maxlen=1)
        return last


@dataclass(frozen=True)
class TSNE(Projection):
    """t-SNE (van der Maaten and Hinton, 2008) by openTSNE, after PCA to 50 dimensions.

    `perplexity` is about how many neighbours each point has, at most a third of the points. In the first
    `early_iterations` attraction is multiplied by `exaggeration`. Started from the principal components, maps of
    different seeds look alike; started at random they show what is chance. Without openTSNE, scikit-learn's
    version answers once, at the end.
    """

    library: ClassVar[str] = "openTSNE"

    perplexity: Annotated[float, Range(2, 100)] = 30
    exaggeration: Annotated[float, Range(1, 32)] = 12
    seed: Annotated[int, Range(0, 20)] = 0
    start: Literal["PCA", "random"] = "PCA"
    early_iterations: int = 250
    iterations: int = 500

    def clamped(self, count: int) -> float:
        """The perplexity for so many points: at most (count - 1) / 3."""
        return float(min(self.perplexity, (count - 1) / 3))

    def steps(self, features: FloatArray, start: Map | None = None) -> Iterator[Map]:
        """Yield a map every few iterations, about ten times a second for a thousand points."""
        if start is not None and isinstance(start.run, _Run):
            run = start.run
        else:
            reduce = principal(features, COMPONENTS, self.seed)
            note = _notes(self, len(features))
            try:
                run = _begun(self, reduce(features), reduce, note)
            except ImportError:
                yield _by_scikit_learn(self, features, reduce, note)
                return
            yield run.map(self)
        while run.iteration < self.early_iterations + self.iterations:
            run.advance(self)
            yield run.map(self)


@dataclass(frozen=True)
class PCA(Projection):
    """The two directions in which the features vary most: linear, so distances on the map are never too large."""

    library: ClassVar[str] = "sklearn.decomposition"

    def steps(self, features: FloatArray, start: Map | None = None) -> Iterator[Map]:
        reduce = principal(features, 2, 0)
        variance = _explained(features, reduce(features))
        yield Map(reduce(features), 1, 1, float("nan"), reduce, note=f"{variance:.0%} of the variance is on the map")


@dataclass(frozen=True)
class UMAP(Projection):
    """UMAP (McInnes et al., 2018), by umap-learn: not live. Raises MissingExtra without it."""

    library: ClassVar[str] = "umap"

    neighbours: Annotated[int, Range(2, 100)] = 15
    distance: Annotated[float, Range(0, 1, 0.05)] = 0.1
    seed: Annotated[int, Range(0, 20)] = 0

    def steps(self, features: FloatArray, start: Map | None = None) -> Iterator[Map]:
        try:
            import umap
        except ImportError as error:
            raise MissingExtra('UMAP needs umap-learn: pip install "cnnviz-widgets[scale]", or use t-SNE.') from error
        reduce = principal(features, COMPONENTS, self.seed)
        neighbours = min(self.neighbours, len(features) - 1)
        # A seed makes it run on one thread; it warns unless that is asked for.
        model = umap.UMAP(n_neighbors=neighbours, min_dist=self.distance, random_state=self.seed, n_jobs=1)
        reduced = reduce(features)
        positions = np.array(model.fit_transform(reduced), np.float32)

        def transformed(vectors: FloatArray) -> FloatArray:
            return np.asarray(model.transform(vectors), np.float32)

        place = partial(_placed, reduced, positions, reduce, transformed)
        yield Map(positions, 1, 1, float("nan"), place, note="UMAP moves only when it is finished")


def principal(features: FloatArray, components: int, seed: int) -> Callable[[FloatArray], FloatArray]:
    """A function that reduces vectors (M, D) to the first principal components of `features` (N, D).

    Raises StoreError for fewer than four vectors, or vectors that are all the same.
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


def trustworthiness(features: FloatArray, positions: FloatArray, k: int = 10) -> float:
    """How far the `k` neighbours on the map are neighbours in the true space, 0..1 (Venna and Kaski, 2001).

    Of more than 2,000 points so many, evenly spaced, are compared among themselves.
    """
    from sklearn.manifold import trustworthiness as measured

    chosen = sample_of(len(features))
    k = max(1, min(k, (len(chosen) - 1) // 2))
    return float(measured(features[chosen], positions[chosen], n_neighbors=k))


def sample_of(count: int) -> NDArray[np.intp]:
    """The rows that `trustworthiness` compares, of `count`."""
    return np.linspace(0, count - 1, min(count, SAMPLED)).astype(np.intp)


# -- openTSNE -----------------------------------------------------------------------------------------------------


class _Run:
    """An embedding that is being optimised, and how far it is. Only one thread at a time advances it."""

    def __init__(
        self, embedding: Any, reduced: FloatArray, reduce: Callable[[FloatArray], FloatArray], note: str
    ) -> None:
        self._embedding = embedding
        self._reduced = reduced
        self._reduce = reduce
        self._note = note
        self.iteration = 0
        self._kl = float("nan")

    def advance(self, method: TSNE) -> None:
        """A few iterations: fewer for more points, so that the map is seen moving."""
        count = 10 if len(self._embedding) <= 1000 else 5 if len(self._embedding) <= 10_000 else 2
        early = self.iteration < method.early_iterations
        end = method.early_iterations if early else method.early_iterations + method.iterations
        count = min(count, end - self.iteration)
        # In place: momentum and gains of the optimiser are carried on.
        self._embedding = self._embedding.optimize(
            count, inplace=True, exaggeration=method.exaggeration if early else 1, momentum=0.8
        )
        self._kl = float(self._embedding.kl_divergence)
        self.iteration += count

    def map(self, method: TSNE) -> Map:
        """What there is, copied."""
        positions = np.array(self._embedding, np.float32)
        return Map(
            positions,
            self.iteration,
            method.early_iterations + method.iterations,
            self._kl,
            partial(_placed, self._reduced, positions, self._reduce, partial(self._placed, positions)),
            self.iteration < method.early_iterations,
            self._note,
            self,
        )

    def _placed(self, positions: FloatArray, reduced: FloatArray) -> FloatArray:
        """Where vectors lie on the map that was at `positions`.

        openTSNE centres the embedding that it places on: it is given a copy, and what it took away is added again.
        """
        count, centre = len(positions), (positions.max(axis=0) + positions.min(axis=0)) / 2
        mapped = self._embedding
        copy = type(mapped)(
            positions, mapped.affinities, random_state=mapped.random_state, **mapped.gradient_descent_params
        )
        placed = copy.transform(reduced, perplexity=min(5, (count - 1) / 3), k=min(25, count - 1), n_iter=100)
        return np.array(placed + centre, np.float32)


def _begun(method: TSNE, reduced: FloatArray, reduce: Callable[[FloatArray], FloatArray], note: str) -> _Run:
    from openTSNE import TSNEEmbedding, affinity, initialization

    count = len(reduced)
    affinities = affinity.PerplexityBasedNN(
        reduced,
        perplexity=method.clamped(count),
        method="exact" if count <= _EXACT_NEIGHBOURS else "annoy",
        random_state=method.seed,
        n_jobs=1,
    )
    if method.start == "PCA":
        begin = initialization.pca(reduced, random_state=method.seed)
    else:
        begin = initialization.random(reduced, random_state=method.seed)
    embedding = TSNEEmbedding(
        begin,
        affinities,
        negative_gradient_method="bh" if count < _BARNES_HUT else "fft",
        random_state=method.seed,
        n_jobs=1,  # its threads wait for one another on a busy machine, and are several times slower
    )
    return _Run(embedding, reduced, reduce, note)


def _notes(method: TSNE, count: int) -> str:
    used = method.clamped(count)
    if used < method.perplexity:
        return f"perplexity {used:g}: at most a third of {count} points"
    return ""


def _by_scikit_learn(method: TSNE, features: FloatArray, reduce: Callable[[FloatArray], FloatArray], note: str) -> Map:
    from sklearn.manifold import TSNE as Whole

    reduced = reduce(features)
    model = Whole(
        perplexity=max(1.0, method.clamped(len(features))),
        early_exaggeration=method.exaggeration,
        init="pca" if method.start == "PCA" else "random",
        random_state=method.seed,
        max_iter=max(method.early_iterations + method.iterations, 250),
    )
    positions = np.asarray(model.fit_transform(reduced), np.float32)
    told = 'scikit-learn\'s t-SNE, which does not move while it runs; for a live map pip install "openTSNE"'
    total = method.early_iterations + method.iterations
    return Map(
        positions,
        total,
        total,
        float(model.kl_divergence_),
        partial(_placed, reduced, positions, reduce, partial(_between_neighbours, reduced, positions)),
        note="; ".join(filter(None, [told, note])),
    )


def _placed(
    reduced: FloatArray,
    positions: FloatArray,
    reduce: Callable[[FloatArray], FloatArray],
    place: Callable[[FloatArray], FloatArray],
    vectors: FloatArray,
) -> FloatArray:
    """Where vectors lie on a map of the rows `reduced`: a row's own place where it is one, else what `place` says."""
    wanted = reduce(vectors)
    placed = place(wanted)
    for index, vector in enumerate(wanted):
        near = nearest(reduced, vector, 1, "euclidean")
        # A picture is not computed to the last digit alike alone and among others.
        if near.distances[0] <= _SAME * np.linalg.norm(vector):
            placed[index] = positions[near.rows[0]]
    return placed


def _between_neighbours(reduced: FloatArray, positions: FloatArray, vectors: FloatArray) -> FloatArray:
    """Positions of new vectors: the median of their nearest neighbours', as this t-SNE places none itself."""
    placed = [
        np.median(positions[nearest(reduced, vector, _PLACED_BY, "euclidean").rows], axis=0) for vector in vectors
    ]
    return np.array(placed, np.float32)


def _explained(features: FloatArray, reduced: FloatArray) -> float:
    return float(reduced.astype(np.float64).var(axis=0).sum() / features.astype(np.float64).var(axis=0).sum())
